/*
 * Damaged file systems: bytes of metadata are changed, many times over. None
 * may crash, take long or take much memory; some must still be read.
 */
#include <errno.h>
#include <sys/resource.h>

#include "check_image_guest.h"
#include "check_image_memory.h"

enum { ROUNDS = 300, MEMORY = 256 << 10 /* KiB */ };

/* Small, so that most of it is metadata. */
static const char *const kinds[] = {
	"-t ext4 -O ^metadata_csum,^has_journal,inline_data -b 1024 -N 64",
	"-t ext4 -O ^metadata_csum,^has_journal -b 4096 -N 64",
	"-t ext2 -b 1024 -N 64",
	"-t ext4 -O ^metadata_csum,^has_journal,bigalloc -C 16384 -N 64",
	"-t ext4 -O ^has_journal -b 1024 -N 64",
};

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Offsets of bytes that are not 0: there the metadata are. */
static size_t used_of(const char *bytes, size_t n, uint32_t *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			ret[used++] = (uint32_t)i;
	return used;
}

static void make_small(void)
{
	sh("mkdir root root/d root/e; echo hello >root/d/a; ln root/d/a root/b; "
	   "ln -s a root/d/l; ln -s $(printf '%0100d' 1) root/long; "
	   "i=0; while [ $i -lt 20 ]; do echo $i >root/e/$i; i=$((i + 1)); "
	   "done");
	make_islands("root/islands", 30, 9000);
	set_xattr("root/d/a", "user.one", "1", 1);
	set_xattr("root/b", "system.posix_acl_access", box_acl,
		  sizeof(box_acl));
}

START_TEST(damage)
{
	struct box b CLEANUP(box_done);
	struct rusage usage;
	uint32_t seed = 7, *used;
	unsigned entries, readable = 0;
	size_t n, n_used;
	char *bytes;

	box_open(&b);
	make_small();
	sh(arena_printf(b.mem, "mke2fs -q -F -d root %s img 2M", kinds[_i]));
	bytes = file_bytes(&b, "img", &n);
	used = arena_alloc(b.mem, n * sizeof(*used));
	n_used = used_of(bytes, n, used);
	entries = read_image(bytes, n);
	ck_assert_uint_gt(entries, 25);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t at[4];
		char was[4];

		for (int k = 0; k < 4; k++) {
			at[k] = used[next(&seed) % n_used];
			was[k] = bytes[at[k]];
			bytes[at[k]] = (char)next(&seed);
		}
		readable += read_image(bytes, n) > 0;
		for (int k = 3; k >= 0; k--)
			bytes[at[k]] = was[k];
	}
	ck_assert_uint_eq(read_image(bytes, n), entries);
	ck_assert_uint_gt(readable, ROUNDS / 10);
	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed for a while */
	ck_assert_int_lt(usage.ru_maxrss, MEMORY);
#endif
}
END_TEST

/* Directories that hold themselves, or have two names, end. */
START_TEST(directory_loop)
{
	struct box b CLEANUP(box_done);
	char *bytes;
	size_t n;

	box_open(&b);
	sh("mkdir -p root/d/e; "
	   "mke2fs -q -F -t ext4 -O ^has_journal -d root img 2M; "
	   "debugfs -w -R 'link /d /d/e/again' img 2>&1; "
	   "debugfs -w -R 'link /d /second' img 2>&1");
	bytes = file_bytes(&b, "img", &n);
	/* the root, d, e, again, second, lost+found */
	ck_assert_uint_eq(read_image(bytes, n), 6);
}
END_TEST

/* Sizes of a superblock that would cost memory. */
START_TEST(lying_sizes)
{
	static const struct {
		off_t at;
		uint32_t value;
		const char *text;
	} v[] = {
		{ 1024 + 4, 0xffffffff, "s_blocks_count" },
		{ 1024 + 24, 30, "s_log_block_size: 30" },
		{ 1024 + 32, 0, "s_blocks_per_group: 0" },
	};
	struct box b CLEANUP(box_done);
	char *bytes;
	size_t n;

	box_open(&b);
	sh("mkdir root; mke2fs -q -F -t ext4 -O ^has_journal,^metadata_csum "
	   "-d root img 2M");
	bytes = file_bytes(&b, "img", &n);
	for (size_t i = 0; i < COUNT(v); i++) {
		char was[4];

		memcpy(was, bytes + v[i].at, 4);
		memcpy(bytes + v[i].at, &v[i].value, 4);
		make_file("bad", bytes, n);
		refuses(&b, "bad", NULL, EUCLEAN, v[i].text);
		memcpy(bytes + v[i].at, was, 4);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("image, hostile");
	TCase *c = tcase_create("hostile");

	tcase_add_loop_test(c, damage, 0, COUNT(kinds));
	tcase_add_test(c, directory_loop);
	tcase_add_test(c, lying_sizes);
	tcase_set_timeout(c, 300);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	if (!has_tool("mke2fs") || !has_tool("debugfs")) {
		puts("1..0 # SKIP e2fsprogs is not there");
		return 0;
	}
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
