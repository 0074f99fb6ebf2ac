/*
 * Unit tests of journals that a crash left: an image reads as a copy of it
 * does that e2fsck repaired, and stays as it is. debugfs writes the journals:
 * what a guest did since is the difference between two images.
 */
#include <errno.h>

#include "base/num.h"
#include "check_image_guest.h"
#include "check_image_memory.h"
#include "check_image_text.h"

#define MKFS "mke2fs -q -F -d root -E root_owner=$(id -u):$(id -g) "

static const struct {
	const char *mkfs;    /* options */
	const char *journal; /* options of debugfs's journal_open */
} kinds[] = {
	{ "-t ext4 -b 4096 img 24M", "-c -v 3" },
	{ "-t ext4 -b 1024 img 24M", "-c -v 3" },
	{ "-t ext4 -b 1024 -O ^64bit img 24M", "-c -v 2" },
	{ "-t ext4 -b 2048 -O ^64bit,^metadata_csum img 64M", "" },
	{ "-t ext4 -b 1024 -O ^metadata_csum img 24M", "-c -v 1" },
	{ "-t ext3 -b 1024 img 24M", "" },
	{ "-t ext4 -b 4096 -O bigalloc -C 65536 img 64M", "-c -v 3" },
};

/* What the guest did, in the words of debugfs. */
static const char first[] = "mkdir /new\n"
			    "write root/small /new/small\n"
			    "rm /none\n"
			    "ln /d/a /new/link\n"
			    "set_inode_field /d/a links_count 4\n"
			    "ea_set /small user.late yes\n";
static const char second[] = "rm /new/small\n"
			     "write escaped /new/escaped\n"
			     "set_inode_field /big mode 0100600\n"
			     "set_inode_field /d/a mtime @1000000000\n";

static void change(struct box *b, const char *image, const char *commands)
{
	make_file("commands", commands, strlen(commands));
	sh(arena_printf(b->mem,
			"debugfs -w -f commands %s >said 2>&1; "
			"! grep -E 'rror|not found|sage' said",
			image));
}

static uint32_t block_size(struct box *b)
{
	char super[1024];
	int fd CLEANUP(fd_closep) = open("img", O_RDONLY | O_CLOEXEC);

	(void)b;
	ck_assert_int_eq(pread(fd, super, sizeof(super), 1024), 1024);
	return 1024U << block_le32(super + 24);
}

/* "4,5,9": the blocks that differ; they go to the file "blocks". */
static const char *difference(struct box *b, const char *old, const char *new)
{
	const uint32_t size = block_size(b);
	struct buf list CLEANUP(buf_done) = { 0 };
	struct buf blocks CLEANUP(buf_done) = { 0 };
	size_t n, m;
	const char *x = file_bytes(b, old, &n), *y = file_bytes(b, new, &m);

	ck_assert_uint_eq(n, m);
	for (size_t at = 0; at < n; at += size) {
		if (memcmp(x + at, y + at, size) == 0)
			continue;
		buf_printf(&list, "%s%zu", list.n ? "," : "", at / size);
		buf_add(&blocks, y + at, size);
	}
	ck_assert_uint_gt(blocks.n, 0);
	make_file("blocks", blocks.p, blocks.n);
	return arena_strdup(b->mem, buf_str(&list));
}

/*
 * "img" and what came after it, "one" and then "two"; img's journal gets the
 * way there. The block that the first transaction wrote and nobody else has is
 * revoked by the second one.
 */
static void crash(struct box *b, int kind)
{
	static const char magic[] = "\xc0\x3b\x39\x98 a block of a journal";
	const char *list;

	make_guest(false);
	make_file("escaped", magic, sizeof(magic));
	sh(arena_printf(b->mem, MKFS "%s; cp img one", kinds[kind].mkfs));
	change(b, "one", first);
	sh("cp one two");
	change(b, "two", second);
	list = difference(b, "img", "one");
	sh("mv blocks blocks1");
	change(b, "img",
	       arena_printf(b->mem,
			    "jo %s\n"
			    "jw -b %s blocks1\n"
			    "jw -b %s blocks\n"
			    "jc\n",
			    kinds[kind].journal, list,
			    difference(b, "one", "two")));
}

/* The image reads as e2fsck leaves a copy of it, and nothing is written. */
static void replays(struct box *b, const char *what, const char *note)
{
	struct tree_image_options o = { .mem = b->mem, .notes = &b->notes };
	const char *got;

	sh("cp img fixed; cp img before; e2fsck -fy fixed >said 2>&1 || "
	   "[ $? -le 2 ] || { cat said; exit 1; }");
	b->notes.n = 0;
	open_image(b, "img", &o);
	got = text_of(b, b->t);
	ck_assert_uint_eq(b->notes.n, 1);
	ck_assert_msg(strstr(b->notes.v[0], note), "%s", b->notes.v[0]);
	open_image(b, "fixed", NULL);
	same_text(b, text_of(b, b->t), got, what);
	sh("cmp img before");
}

START_TEST(same_as_e2fsck)
{
	struct box b CLEANUP(box_done);
	const char *got;

	box_open(&b);
	crash(&b, _i);
	replays(&b, kinds[_i].mkfs, "2 transactions");
	open_image(&b, "img", NULL);
	got = text_of(&b, b.t);
	open_image(&b, "two", NULL);
	same_text(&b, text_of(&b, b.t), got, "two");
	ck_assert_ptr_null(strstr(got, "/none"));
	ck_assert_ptr_nonnull(strstr(got, "/new/escaped"));
}
END_TEST

/* The block of a file's data, in "img". */
static uint32_t block_of(struct box *b, const char *path)
{
	const char *text;
	uint64_t nr;
	size_t n;

	sh(arena_printf(b->mem,
			"debugfs -R 'bmap %s 0' img 2>/dev/null | "
			"tr -cd 0-9 >number",
			path));
	text = file_bytes(b, "number", &n);
	ck_assert_int_eq(num_u64(arena_strndup(b->mem, text, n), &nr, &b->e),
			 0);
	return (uint32_t)nr;
}

/*
 * A block that was metadata and is a file's data now: what the journal has of
 * it must not come back, but a copy of a later transaction counts.
 */
START_TEST(revoked)
{
	struct box b CLEANUP(box_done);
	const char *text;
	uint32_t nr;
	size_t n;

	box_open(&b);
	make_guest(false);
	sh(MKFS "-t ext4 -b 1024 img 32M; cp img clean; "
		"yes old | head -c 1024 >blocks; yes new | head -c 1024 >late");
	nr = block_of(&b, "/d/a");
	change(&b, "img",
	       arena_printf(b.mem,
			    "jo -c -v 3\n"
			    "jw -b %" PRIu32 " blocks\n"
			    "jw -r %" PRIu32 "\n"
			    "jc\n",
			    nr, nr));
	replays(&b, "revoked", "2 transactions with 0 blocks");
	open_image(&b, "img", NULL);
	ck_assert_int_eq(tree_read(b.t, "d/a", 6, b.mem, &text, &n, &b.e), 0);
	ck_assert_str_eq(text, "hello\n");
	sh("cp clean img");
	change(&b, "img",
	       arena_printf(b.mem,
			    "jo -c -v 3\n"
			    "jw -b %" PRIu32 " blocks\n"
			    "jw -r %" PRIu32 "\n"
			    "jw -b %" PRIu32 " late\n"
			    "jc\n",
			    nr, nr, nr));
	replays(&b, "written again", "3 transactions with 1 blocks");
	open_image(&b, "img", NULL);
	ck_assert_int_eq(tree_read(b.t, "d/a", 6, b.mem, &text, &n, &b.e), 0);
	ck_assert_str_eq(text, "new\nne");
}
END_TEST

/* A transaction without its commit block never was. */
START_TEST(not_committed)
{
	struct box b CLEANUP(box_done);
	uint32_t nr;

	box_open(&b);
	make_guest(false);
	sh(MKFS "-t ext4 -b 1024 img 32M; "
		"yes old | head -c 1024 >blocks; yes new | head -c 1024 >late");
	nr = block_of(&b, "/d/a");
	change(&b, "img",
	       arena_printf(b.mem,
			    "jo -c -v 3\n"
			    "jw -b %" PRIu32 " blocks\n"
			    "jw -b %" PRIu32 " -c late\n"
			    "jc\n",
			    nr, nr));
	replays(&b, "not committed", "1 transactions with 1 blocks");
}
END_TEST

/* The log, where the first block with its magic number and data is. */
static size_t log_at(const char *bytes, size_t n, size_t size)
{
	for (size_t at = 0; at + size <= n; at += size)
		if (memcmp(bytes + at, "\xc0\x3b\x39\x98\0\0\0\x04", 8) == 0)
			return at;
	ck_abort_msg("no journal");
}

static void put(const char *path, const char *bytes, size_t n, size_t at)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
}

/* Bytes of "img" are others for a moment: it is refused. */
static void refuses_with(struct box *b, size_t at, const char *bytes, size_t n,
			 const char *text)
{
	char was[16];
	int fd CLEANUP(fd_closep) = open("img", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(pread(fd, was, n, (off_t)at), (ssize_t)n);
	put("img", bytes, n, at);
	refuses(b, "img", NULL, EUCLEAN, text);
	put("img", was, n, at);
}

START_TEST(damaged)
{
	struct box b CLEANUP(box_done);
	const size_t size = 1024;
	const char *bytes;
	size_t n, log;

	box_open(&b);
	crash(&b, 1);
	bytes = file_bytes(&b, "img", &n);
	log = log_at(bytes, n, size);
	refuses_with(&b, log, "x", 1, "it has no superblock");
	refuses_with(&b, log + 12, "\1", 1, "s_checksum: wrong");
	refuses_with(&b, log + 40, "\1", 1, "features that are not known");
	refuses_with(&b, log + 81, "x", 1, "s_checksum: wrong");
	/* a descriptor block is the first; its tags; then what they name */
	refuses_with(&b, log + size + 13, "x", 1,
		     "transaction 1: a checksum is wrong: let e2fsck repair a "
		     "copy");
	refuses_with(&b, log + 2 * size + 500, "yz", 2,
		     "transaction 1: the checksum of block 1 is wrong");
	sh("debugfs -w -R 'ssv journal_inum 0' img 2>&1");
	refuses(&b, "img", NULL, EUCLEAN, "on another device");
	sh("debugfs -w -R 'ssv journal_inum 12' img 2>&1");
	refuses(&b, "img", NULL, EUCLEAN, "journal");
}
END_TEST

/* Without checksums nothing tells that a log lies: it must end all the same. */
START_TEST(lies)
{
	struct box b CLEANUP(box_done);
	const size_t size = 2048;
	size_t n, log, blocks;
	char *bytes;

	box_open(&b);
	crash(&b, 3);
	bytes = file_bytes(&b, "img", &n);
	log = log_at(bytes, n, size);
	refuses_with(&b, log + 16, "\x7f", 1, "s_maxlen");
	refuses_with(&b, log + 20, "\x7f", 1, "s_first");
	refuses_with(&b, log + 28, "\x7f", 1, "s_start");
	refuses_with(&b, log + size + 12, "\x7f", 1, "beyond the file system");
	/* a ring of descriptor blocks, each of which ends at once */
	blocks = block_be32(bytes + log + 16);
	for (size_t i = 1; i < blocks; i++) {
		char head[24] = { 0 };

		memcpy(head, bytes + log + size, 12);
		head[19] = 8;
		put("img", head, sizeof(head), log + i * size);
	}
	refuses(&b, "img", NULL, EUCLEAN, "has no end");
}
END_TEST

/* Any byte of the log another: it is read or refused, and does not crash. */
START_TEST(any_byte)
{
	struct box b CLEANUP(box_done);
	const size_t size = 1024;
	unsigned entries, readable = 0, tried = 0;
	size_t n, log;
	char *bytes;

	box_open(&b);
	crash(&b, _i ? 5 : 1);
	bytes = file_bytes(&b, "img", &n);
	log = log_at(bytes, n, size);
	entries = read_image(bytes, n);
	ck_assert_uint_gt(entries, 700);
	for (size_t at = log; at < log + 30 * size; at++) {
		char was = bytes[at];

		if (!was || ++tried % 41)
			continue;
		bytes[at] = (char)(was ^ 1 << tried / 41 % 8);
		readable += read_image(bytes, n) > 0;
		bytes[at] = was;
	}
	ck_assert_uint_gt(tried, 400);
	/* with checksums little is believed, without them all that is read */
	if (_i == 0)
		ck_assert_uint_lt(readable, tried / 41 / 4);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("journal");
	TCase *c = tcase_create("journal");

	tcase_add_loop_test(c, same_as_e2fsck, 0, COUNT(kinds));
	tcase_add_test(c, revoked);
	tcase_add_test(c, not_committed);
	tcase_add_test(c, damaged);
	tcase_add_test(c, lies);
	tcase_add_loop_test(c, any_byte, 0, 2);
	tcase_set_timeout(c, 240);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	if (!has_tool("mke2fs") || !has_tool("debugfs") ||
	    !has_tool("e2fsck")) {
		puts("1..0 # SKIP e2fsprogs is not there");
		return 0;
	}
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
