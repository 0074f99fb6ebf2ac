/*
 * Archives that lie, are cut off or damaged: an error that names the archive
 * and the member, soon, in little memory, and no crash.
 */
#include <check.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <zstd.h>

#include "check_archive_make.h"
#include "check_archive_memory.h"

enum {
	ROUNDS = 3000,
	MEMORY = 512 << 10, /* KiB; sanitizers take most of it */
};

static const char *long_name(char *to, char c, size_t n)
{
	memset(to, c, n);
	to[n] = '\0';
	return to;
}

/* --- members that may not be ---------------------------------------------- */

static void absolute(struct buf *b)
{
	tar_file(b, "/etc/passwd", "x");
}

static void dotdot(struct buf *b)
{
	tar_file(b, "./a/../../etc/passwd", "x");
}

static void link_out(struct buf *b)
{
	tar_add(b, &(struct tar_member){ .name = "./a",
					 .type = '1',
					 .target = "../../etc/shadow" });
}

static void link_absolute(struct buf *b)
{
	tar_add(b, &(struct tar_member){ .name = "./a",
					 .type = '1',
					 .target = "/etc/shadow" });
}

static void link_nowhere(struct buf *b)
{
	tar_add(b, &(struct tar_member){
			   .name = "./a", .type = '1', .target = "./b" });
}

static void link_dir(struct buf *b)
{
	tar_dir(b, "./d");
	tar_add(b, &(struct tar_member){
			   .name = "./a", .type = '1', .target = "./d" });
}

static void link_itself(struct buf *b)
{
	tar_add(b, &(struct tar_member){
			   .name = "./a", .type = '1', .target = "./a" });
}

/* The oldest trick: what is written through it lands elsewhere. */
static void through_link(struct buf *b)
{
	tar_add(b, &(struct tar_member){
			   .name = "./a", .type = '2', .target = "/etc" });
	tar_file(b, "./a/passwd", "x");
}

static void through_file(struct buf *b)
{
	tar_file(b, "./a", "x");
	tar_file(b, "./a/b", "x");
}

static void no_dir_now(struct buf *b)
{
	tar_file(b, "./d/x", "x");
	tar_file(b, "./d", "x");
}

static void no_root(struct buf *b)
{
	tar_add(b, &(struct tar_member){
			   .name = ".", .type = '2', .target = "/" });
}

static void long_component(struct buf *b)
{
	char name[400];

	tar_file(b, long_name(name, 'a', 300), "x");
}

static void deep(struct buf *b)
{
	struct buf name CLEANUP(buf_done) = { 0 };

	for (int i = 0; i < 5000; i++)
		buf_adds(&name, "a/");
	tar_dir(b, buf_str(&name));
}

static void huge_name(struct buf *b)
{
	struct buf name CLEANUP(buf_done) = { 0 };

	for (int i = 0; i < 100000; i++)
		buf_adds(&name, "0123456789abcdef");
	tar_file(b, buf_str(&name), "x");
}

static void empty_link(struct buf *b)
{
	tar_add(b, &(struct tar_member){ .name = "./a", .type = '2' });
}

static void petabytes(struct buf *b)
{
	tar_add(b, &(struct tar_member){ .name = "./etc/a",
					 .data = "x",
					 .n = 1,
					 .size = UINT64_C(1) << 52 });
}

static void petabytes_skipped(struct buf *b)
{
	tar_add(b, &(struct tar_member){ .name = "./var/a",
					 .data = "x",
					 .n = 1,
					 .size = UINT64_C(1) << 52 });
}

static void owner(struct buf *b)
{
	tar_pax(b, "uid", "99999999999", 11);
	tar_file(b, "./a", "x");
}

static void nothing(struct buf *b UNUSED)
{
}

static const struct {
	const char *name;
	void (*make)(struct buf *b);
	const char *says;
} rows[] = {
	{ "absolute", absolute, "member 1 \"/etc/passwd\": its name is abs" },
	{ "dotdot", dotdot, "member 1 \"./a/../../etc/passwd\": its name" },
	{ "link_out", link_out, "member 1 \"./a\": the name it is a hard" },
	{ "link_absolute", link_absolute, "hard link to is absolute" },
	{ "link_nowhere", link_nowhere, "a hard link to \"./b\", which no" },
	{ "link_dir", link_dir, "a hard link to \"./d\", which no" },
	{ "link_itself", link_itself, "a hard link to \"./a\", which no" },
	{ "through_link", through_link,
	  "member 2 \"./a/passwd\": it lies in \"a\", which is no dir" },
	{ "through_file", through_file, "which is no directory" },
	{ "no_dir_now", no_dir_now, "it was a directory before" },
	{ "no_root", no_root, "it was a directory before" },
	{ "long_component", long_component, "longer than a file system" },
	{ "deep", deep, "longer than a file system" },
	{ "huge_name", huge_name, "memory: " },
	{ "empty_link", empty_link, "a link to nothing" },
	{ "petabytes", petabytes, "member 1 \"./etc/a\": " },
	{ "petabytes_skipped", petabytes_skipped, "member 1 \"./var/a\": " },
	{ "owner", owner, "its owner is out of range" },
	{ "nothing", nothing, "memory: it holds nothing" },
};

START_TEST(refused)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf tar CLEANUP(buf_done) = { 0 };
	struct tree *t = NULL;
	struct strv notes = { 0 };
	struct err e;

	rows[_i].make(&tar);
	tar_end(&tar);
	ck_assert_int_eq(memory_open(tar.p, tar.n, mem, &notes, &t, &e), -1);
	ck_assert_ptr_null(t);
	ck_assert_msg(strstr(e.msg, "memory: ") == e.msg &&
			      strstr(e.msg, rows[_i].says),
		      "%s: %s", rows[_i].name, e.msg);
	ck_assert_int_eq(e.code, EUCLEAN);
}
END_TEST

/* --- cut off, damaged ----------------------------------------------------- */

static void make_some(struct buf *b)
{
	tar_dir(b, "./etc/");
	tar_file(b, "./etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	tar_pax(b, "SCHILY.xattr.user.a", "b", 1);
	tar_file(b, "./etc/x", "x");
	tar_add(b, &(struct tar_member){ .name = "./etc/y",
					 .type = '1',
					 .target = "./etc/x" });
	tar_add(b, &(struct tar_member){
			   .name = "./l", .type = '2', .target = "etc/x" });
	tar_file(b, "./var/f", "some text that is not kept");
	tar_end(b);
}

static size_t end_of(const struct buf *b)
{
	return b->n - 1024; /* the two blocks that mark it */
}

START_TEST(cut_off)
{
	struct buf tar CLEANUP(buf_done) = { 0 };

	make_some(&tar);
	ck_assert_uint_eq(read_archive(tar.p, tar.n), 8);
	for (size_t n = 0; n <= end_of(&tar); n += 128)
		ck_assert_msg(read_archive(tar.p, n) == 0, "%zu bytes", n);
}
END_TEST

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A header's sum is made right again, so that the damage is looked at. */
static void sum(char *h)
{
	unsigned n = 0;

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		n += (unsigned char)h[i];
	tar_octal(h + 148, 7, n);
}

START_TEST(damage)
{
	struct buf tar CLEANUP(buf_done) = { 0 };
	struct rusage usage;
	uint32_t seed = 7;
	unsigned readable = 0;

	make_some(&tar);
	for (int i = 0; i < ROUNDS; i++) {
		struct buf copy CLEANUP(buf_done) = { 0 };
		size_t block;

		buf_add(&copy, tar.p, tar.n);
		block = next(&seed) % (copy.n / 512) * 512;
		for (int k = 0; k < 3; k++)
			copy.p[block + next(&seed) % 512] = (char)next(&seed);
		if (i % 4)
			sum(copy.p + block);
		readable += read_archive(copy.p, copy.n) > 0;
	}
	ck_assert_uint_gt(readable, ROUNDS / 20);
	getrusage(RUSAGE_SELF, &usage);
	ck_assert_int_lt(usage.ru_maxrss, MEMORY);
}
END_TEST

/* Seeds of the fuzzer, and what it found; make check runs in the top folder. */
START_TEST(corpus)
{
	static const char dir[] = "tests/fuzz/corpus/fuzz_archive";
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct tree_entries list;
	unsigned readable = 0;
	struct err e;

	ck_assert_msg(tree_open_dir(dir, &t, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(tree_list(t, "/", mem, &list, &e), 0);
	for (size_t i = 0; i < list.n; i++) {
		const char *data;
		size_t n;

		ck_assert_int_eq(tree_read(t, list.v[i].name, 1 << 20, mem,
					   &data, &n, &e),
				 0);
		readable += read_archive(data, n) > 5;
	}
	ck_assert_uint_ge(readable, 6);
}
END_TEST

/* --- bombs ---------------------------------------------------------------- */

/* zstd makes 40 KiB of a GiB of zeros. */
static void pack_zeros(struct buf *b, const struct buf *head, uint64_t n)
{
	static char zeros[1 << 20], out[1 << 20];
	ZSTD_CCtx *z = ZSTD_createCCtx();

	for (uint64_t at = 0; at <= n; at += sizeof(zeros)) {
		ZSTD_inBuffer in = { at ? zeros : head->p,
				     at ? sizeof(zeros) : head->n, 0 };
		ZSTD_outBuffer to = { out, sizeof(out), 0 };
		size_t left;

		do {
			left = ZSTD_compressStream2(z, &to, &in,
						    at == n ? ZSTD_e_end :
							      ZSTD_e_continue);
			ck_assert(!ZSTD_isError(left));
			buf_add(b, out, to.pos);
			to.pos = 0;
		} while (in.pos < in.size || (at == n && left > 0));
	}
	ZSTD_freeCCtx(z);
}

START_TEST(bomb)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf head CLEANUP(buf_done) = { 0 };
	struct buf all CLEANUP(buf_done) = { 0 };
	struct tree *t = NULL;
	struct err e;

	tar_header(&head, &(struct tar_member){ .name = "./var/zeros",
						.size = UINT64_C(1) << 40 });
	pack_zeros(&all, &head, UINT64_C(1100) << 20);
	ck_assert_uint_lt(all.n, 1 << 20);
	ck_assert_int_eq(memory_open(all.p, all.n, mem, NULL, &t, &e), -1);
	ck_assert_int_eq(e.code, EFBIG);
	ck_assert_ptr_nonnull(strstr(e.msg, "\"./var/zeros\""));
	ck_assert_ptr_nonnull(strstr(e.msg, "taken for a bomb"));
}
END_TEST

/* Small headers that hold large ones. */
START_TEST(header_bomb)
{
	struct buf tar CLEANUP(buf_done) = { 0 };
	struct rusage usage;
	char *map = calloc(1, 24 << 20);

	tar_pax(&tar, "GNU.sparse.major", "1", 1);
	buf_clear(&tar);
	memset(map, '1', 24 << 20);
	for (size_t i = 9; i < 24 << 20; i += 10)
		map[i] = '\n';
	tar_add(&tar, &(struct tar_member){ .name = "pax",
					    .type = 'x',
					    .data = "22 GNU.sparse.major=1\n"
						    "22 GNU.sparse.minor=0\n",
					    .n = 44 });
	tar_add(&tar, &(struct tar_member){
			      .name = "./s", .data = map, .n = 24 << 20 });
	tar_end(&tar);
	free(map);
	ck_assert_uint_eq(read_archive(tar.p, tar.n), 0);
	getrusage(RUSAGE_SELF, &usage);
	ck_assert_int_lt(usage.ru_maxrss, MEMORY);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("archive_hostile");
	TCase *t = tcase_create("archive_hostile");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, refused, 0, COUNT(rows));
	tcase_add_test(t, cut_off);
	tcase_add_test(t, damage);
	tcase_add_test(t, corpus);
	tcase_add_test(t, bomb);
	tcase_add_test(t, header_bomb);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
