/*
 * Unit tests of file systems in images: each kind that mke2fs makes is
 * compared with the directory it was made of, in every attribute.
 */
#include <errno.h>

#include "check_image_guest.h"
#include "check_image_text.h"
#include "pack/pack.h"

/* of the root directory itself -d takes no owner */
#define MKFS "mke2fs -q -F -d root -E root_owner=$(id -u):$(id -g) "

/* Options of mke2fs; sizes of an image are in blocks or with a unit. */
static const struct {
	const char *options;
	bool big_xattrs; /* larger than a block of them */
	/* mke2fs forgets a hole at the end of a file that began inline */
	bool no_holes;
} kinds[] = {
	{ "-t ext4 img 64M", false, false },
	{ "-t ext4 -b 1024 img 64M", false, false },
	{ "-t ext2 img 64M", false, false },
	{ "-t ext3 -b 1024 img 64M", false, false },
	{ "-t ext4 -I 128 -O ^metadata_csum img 64M", false, false },
	{ "-t ext4 -O inline_data img 64M", false, true },
	{ "-t ext4 -O inline_data -I 1024 img 64M", false, true },
	{ "-t ext4 -O bigalloc -C 65536 img 256M", false, false },
	{ "-t ext4 -O ^64bit,^metadata_csum,^uninit_bg img 64M", false, false },
	{ "-t ext4 -O ea_inode -b 1024 img 64M", true, false },
	{ "-t ext4 -O meta_bg,^resize_inode img 64M", false, false },
	{ "-t ext2 -O ^filetype -b 2048 img 64M", false, false },
	{ "-t ext4 -O metadata_csum_seed,casefold img 64M", false, false },
};

START_TEST(same_as_directory)
{
	struct box b CLEANUP(box_done);
	struct tree *dir CLEANUP(tree_closep) = NULL;
	const char *want;

	box_open(&b);
	make_guest(kinds[_i].big_xattrs);
	if (kinds[_i].no_holes)
		sh("rm root/far root/islands");
	sh(arena_printf(b.mem, MKFS "%s", kinds[_i].options));
	ck_assert_int_eq(tree_open_dir("root", &dir, &b.e), 0);
	want = text_of(&b, dir);
	open_image(&b, "img", NULL);
	same_text(&b, want, text_of(&b, b.t), kinds[_i].options);
}
END_TEST

static void expect(struct box *b, const char *path, const char *want)
{
	const char *got;

	if (tree_resolve(b->t, path, b->mem, &got, &b->e))
		got = strerrorname_np(b->e.code);
	ck_assert_msg(str_eq(got, want), "%s: %s, not %s", path, got, want);
}

/* Links are followed beneath the root; the same answers as a directory's. */
START_TEST(paths)
{
	static const char *const asked[][2] = {
		{ "", "/" },
		{ "/", "/" },
		{ "d/a", "/d/a" },
		{ "/d//./a", "/d/a" },
		{ "../../d/a", "/d/a" },
		{ "d/l", "/d/a" },
		{ "d/up", "/d/a" },
		{ "d/empty/../b", "/d/b" },
		{ "d/long", "ENOENT" },
		{ "loop", "ELOOP" },
		{ "d/a/", "ENOTDIR" },
		{ "d/a/x", "ENOTDIR" },
		{ "none/..", "ENOTDIR" },
		{ "d/x/../a", "ENOENT" },
	};
	struct box b CLEANUP(box_done);
	struct tree *image = NULL;

	box_open(&b);
	make_guest(false);
	sh(MKFS "-t ext4 img 64M");
	open_image(&b, "img", NULL);
	for (size_t i = 0; i < COUNT(asked); i++)
		expect(&b, asked[i][0], asked[i][1]);
	image = b.t;
	ck_assert_int_eq(tree_open_dir("root", &b.t, &b.e), 0);
	for (size_t i = 0; i < COUNT(asked); i++)
		expect(&b, asked[i][0], asked[i][1]);
	tree_close(image);
}
END_TEST

START_TEST(operations)
{
	struct box b CLEANUP(box_done);
	struct tree *sub CLEANUP(tree_closep) = NULL;
	struct tree_entries list;
	struct tree_stat st, again;
	const char *text;
	uint32_t flags;
	size_t n;

	box_open(&b);
	make_guest(false);
	sh(MKFS "-t ext4 img 64M; debugfs -w -f - img <<E\n"
		"set_inode_field /small flags 0x80010\n"
		"set_inode_field /small mtime_extra 0x1d6f3454\n"
		"set_inode_field /none mtime @0x90000000\n"
		"set_inode_field /none mtime_extra 1\n"
		"E\n");
	open_image(&b, "img", NULL);
	ck_assert(tree_is_still(b.t));
	ck_assert_int_eq(tree_lstat(b.t, "small", &st, &b.e), 0);
	ck_assert_uint_eq(st.flags, FS_IMMUTABLE_FL);
	ck_assert_int_eq(st.mtime.tv_nsec, 0x1d6f3454 >> 2);
	ck_assert_int_eq(tree_flags(b.t, "small", &flags, &b.e), 0);
	ck_assert_uint_eq(flags, 0x80010);
	ck_assert_int_eq(tree_lstat(b.t, "none", &st, &b.e), 0);
	ck_assert_int_eq(st.mtime.tv_sec,
			 (int32_t)0x90000000 + (INT64_C(1) << 32));
	ck_assert_int_eq(tree_read(b.t, "d/l", 6, b.mem, &text, &n, &b.e), 0);
	ck_assert_str_eq(text, "hello\n");
	ck_assert_int_eq(tree_read(b.t, "d/l", 5, b.mem, &text, &n, &b.e), -1);
	ck_assert_int_eq(b.e.code, EFBIG);
	ck_assert_int_eq(tree_read(b.t, "fifo", 5, b.mem, &text, &n, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
	ck_assert_int_eq(tree_read(b.t, "d", 5, b.mem, &text, &n, &b.e), -1);
	ck_assert_int_eq(b.e.code, EISDIR);
	ck_assert_int_eq(tree_readlink(b.t, "d/a", b.mem, &text, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
	ck_assert_int_eq(tree_sub(b.t, "d", &sub, &b.e), 0);
	tree_closep(&b.t);
	ck_assert_int_eq(tree_stat(sub, "/up", &st, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
	ck_assert_int_eq(tree_list(sub, "/..", b.mem, &list, &b.e), 0);
	ck_assert_uint_eq(list.n, 6);
	ck_assert_str_eq(list.v[0].name, "a");
	ck_assert_int_eq(tree_stat(sub, "a", &st, &b.e), 0);
	ck_assert_int_eq(tree_stat(sub, "b", &again, &b.e), 0);
	ck_assert_uint_eq(st.ino, again.ino);
	ck_assert_uint_eq(st.nlink, 3);
}
END_TEST

/* The same bytes, whether the tree is a directory or in an image. */
START_TEST(same_archive)
{
	static const char *const skip[] = { "lost+found" };
	const struct pack_options o = { .keep_nodes = true,
					.skip = skip,
					.n_skip = 1 };
	struct box b CLEANUP(box_done);
	struct tree *dir CLEANUP(tree_closep) = NULL;
	struct pack_result want, got;

	box_open(&b);
	make_guest(false);
	sh("find root -exec touch -h -d @1000000000 {} +; " MKFS
	   "-t ext4 -b 4096 img 64M; "
	   "debugfs -w -R 'set_inode_field / mtime @1000000000' img 2>&1");
	ck_assert_int_eq(tree_open_dir("root", &dir, &b.e), 0);
	open_image(&b, "img", NULL);
	ck_assert_int_eq(pack_write(dir, AT_FDCWD, "a", &o, b.mem, &want, &b.e),
			 0);
	ck_assert_int_eq(pack_write(b.t, AT_FDCWD, "b", &o, b.mem, &got, &b.e),
			 0);
	ck_assert(!got.incomplete);
	ck_assert_uint_gt(got.files, 700);
	ck_assert_uint_eq(got.hardlinks, 2);
	ck_assert_uint_eq(got.bytes_tar, want.bytes_tar);
	ck_assert_str_eq(got.sha256, want.sha256);
}
END_TEST

static void put(const char *path, const char *bytes, size_t n, off_t at)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
}

/* What is no ext2/3/4 is named, with advice. */
START_TEST(others)
{
	static const struct {
		off_t at;
		const char *bytes;
		size_t n;
		const char *text;
	} v[] = {
		{ 0, "XFSB", 4,
		  "it holds XFS: --mount reads it as root; or mount" },
		{ 65600, "_BHRfS_M", 8,
		  "it holds btrfs: --mount reads it as root; or" },
		{ 0, "LUKS\xba\xbe", 6, "it holds LUKS: it is encrypted" },
		{ 512, "LABELONE", 8, "it holds LVM" },
		{ 0, "QFI\xfb", 4, "it holds qcow2: qemu-img convert" },
		{ 0, "x", 1, "neither a file system nor a partition" },
	};
	struct box b CLEANUP(box_done);

	box_open(&b);
	for (size_t i = 0; i < COUNT(v); i++) {
		sh("rm -f img; truncate -s 1M img");
		put("img", v[i].bytes, v[i].n, v[i].at);
		refuses(&b, "img", NULL, EUCLEAN, v[i].text);
	}
	sh("rm img; : >img");
	refuses(&b, "img", NULL, EUCLEAN, "neither");
	sh("mkfifo pipe");
	ck_assert_int_eq(tree_open_image(b.here, "pipe", NULL, &b.t, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
}
END_TEST

/* An entry of an MBR: type, first sector, sectors. */
static void put_entry(off_t at, uint8_t type, uint32_t first, uint32_t n)
{
	char bytes[16] = { 0 };

	bytes[4] = (char)type;
	memcpy(bytes + 8, &first, 4);
	memcpy(bytes + 12, &n, 4);
	put("img", bytes, sizeof(bytes), at);
}

/* MBR, with a logical partition; two of them; and what is not one. */
START_TEST(mbr)
{
	struct box b CLEANUP(box_done);
	struct tree_stat st;

	box_open(&b);
	make_guest(false);
	sh(MKFS "-t ext4 part 32M; truncate -s 80M img; "
		"dd if=part of=img bs=1M seek=2 conv=notrunc,sparse");
	put_entry(446, 0x05, 2048, 100000);
	put("img", "\x55\xaa", 2, 510);
	put_entry(1048576 + 446, 0x83, 2048, 65536);
	put_entry(1048576 + 446 + 16, 0x05, 0, 1000); /* a loop */
	put("img", "\x55\xaa", 2, 1048576 + 510);
	/* what stands there twice is the same */
	refuses(&b, "img", NULL, EUCLEAN,
		"none of the partitions hold the root of a guest (5: 32 MiB at "
		"byte 2097152, ext2/3/4; 6: 32 MiB at byte 2097152");
	put_entry(1048576 + 446 + 16, 0, 0, 0);
	open_image(&b, "img", NULL);
	ck_assert_int_eq(tree_stat(b.t, "d/a", &st, &b.e), 0);
	put_entry(446 + 16, 0x83, 4096, 65536);
	refuses(&b, "img", NULL, EUCLEAN,
		"5: 32 MiB at byte 2097152, ext2/3/4; 2: 32 MiB");
	put_entry(446, 0, 0, 0);
	put_entry(446 + 16, 0x83, 2048, 1000);
	refuses(&b, "img", NULL, EUCLEAN, "no partition holds an ext2/3/4");
}
END_TEST

/* Several file systems: the one with a root, or the one that is named. */
START_TEST(partitions)
{
	struct box b CLEANUP(box_done);
	struct tree_image_options o = { .mem = NULL, .notes = &b.notes };
	struct tree_stat st;

	box_open(&b);
	o.mem = b.mem;
	sh("mkdir boot root root/etc root/usr data; : >boot/vmlinuz; "
	   ": >root/etc/passwd; : >data/x; truncate -s 48M img; "
	   "at=1; for d in boot root data; do "
	   "mke2fs -q -t ext4 -d $d fs 8M; "
	   "dd if=fs of=img bs=1M seek=$at conv=notrunc,sparse; rm fs; "
	   "at=$((at + 10)); done");
	put("img", "\x55\xaa", 2, 510);
	put_entry(446, 0x83, 2048, 16384);
	put_entry(446 + 16, 0x83, 11 * 2048, 16384);
	put_entry(446 + 32, 0x83, 21 * 2048, 16384);
	put_entry(446 + 48, 0x82, 40 * 2048, 2048);
	open_image(&b, "img", &o);
	ck_assert_int_eq(tree_stat(b.t, "etc/passwd", &st, &b.e), 0);
	ck_assert_uint_eq(b.notes.n, 1);
	ck_assert_str_eq(b.notes.v[0],
			 "/img: partition 2 is read, others are not: 1: 8 MiB "
			 "at byte 1048576, ext2/3/4; 3: 8 MiB at byte "
			 "22020096, ext2/3/4; 4: 1 MiB at byte 41943040, "
			 "unknown");
	o.partition = 3;
	open_image(&b, "img", &o);
	ck_assert_int_eq(tree_stat(b.t, "x", &st, &b.e), 0);
	o.partition = 4;
	refuses(&b, "img", &o, EUCLEAN, "partition 4 holds no file system");
	o.partition = 5;
	refuses(&b, "img", &o, EUCLEAN,
		"it has no partition 5: 1: 8 MiB at byte 1048576, ext2/3/4;");
	o.partition = 0;
	sh("dd if=img of=img bs=1M skip=11 seek=21 count=8 conv=notrunc");
	refuses(&b, "img", &o, EUCLEAN,
		"several partitions hold the root of a guest");
	sh("mke2fs -q -t ext4 -d root whole 8M");
	o.partition = 1;
	refuses(&b, "whole", &o, EUCLEAN, "it has no partition 1: it has none");
}
END_TEST

/* A GPT by sectors of so many bytes. */
static void put_gpt(uint32_t sector, uint64_t first, uint64_t last)
{
	char head[92] = "EFI PART", entry[128] = "a type of partition";
	const uint64_t table = 2;
	const uint32_t count = 4, size = 128;

	memcpy(head + 72, &table, 8);
	memcpy(head + 80, &count, 4);
	memcpy(head + 84, &size, 4);
	memcpy(entry + 32, &first, 8);
	memcpy(entry + 40, &last, 8);
	put("img", head, sizeof(head), sector);
	put("img", entry, sizeof(entry), 2 * (off_t)sector);
}

START_TEST(gpt)
{
	const uint32_t sector = _i ? 4096 : 512;
	struct box b CLEANUP(box_done);
	struct tree_stat st;

	box_open(&b);
	make_guest(false);
	sh(MKFS "-t ext4 part 32M; truncate -s 80M img; "
		"dd if=part of=img bs=1M seek=1 conv=notrunc,sparse");
	put_gpt(sector, 1048576 / sector, (33 << 20) / sector - 1);
	open_image(&b, "img", NULL);
	ck_assert_int_eq(tree_stat(b.t, "d/a", &st, &b.e), 0);
	put_gpt(sector, 1048576 / sector, UINT64_MAX);
	refuses(&b, "img", NULL, EUCLEAN, "neither");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("image");
	TCase *c = tcase_create("image");

	tcase_add_loop_test(c, same_as_directory, 0, COUNT(kinds));
	tcase_add_test(c, same_archive);
	tcase_add_test(c, paths);
	tcase_add_test(c, operations);
	tcase_add_test(c, others);
	tcase_add_test(c, mbr);
	tcase_add_test(c, partitions);
	tcase_add_loop_test(c, gpt, 0, 2);
	tcase_set_timeout(c, 240);
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
