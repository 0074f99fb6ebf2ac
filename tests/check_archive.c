/* Unit tests of tar archives as trees: src/tree/tarfile*.c. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_archive_make.h"
#include "check_archive_memory.h"

struct box {
	struct arena *mem;
	struct buf tar;
	struct tree *t;
	struct strv notes;
	struct err e;
};

static void box_open(struct box *b)
{
	*b = (struct box){ .mem = arena_new() };
}

static void box_done(struct box *b)
{
	tree_closep(&b->t);
	buf_done(&b->tar);
	arena_freep(&b->mem);
}

static void box_read(struct box *b)
{
	ck_assert_msg(memory_open(b->tar.p, b->tar.n, b->mem, &b->notes, &b->t,
				  &b->e) == 0,
		      "%s", b->e.msg);
}

static struct tree_stat stat_of(struct box *b, const char *path)
{
	struct tree_stat st = { 0 };

	ck_assert_msg(tree_lstat(b->t, path, &st, &b->e) == 0, "%s", b->e.msg);
	return st;
}

static void has_text(struct box *b, const char *path, const char *text)
{
	const char *data;
	size_t n;

	ck_assert_msg(tree_read(b->t, path, 1 << 20, b->mem, &data, &n,
				&b->e) == 0,
		      "%s", b->e.msg);
	ck_assert_str_eq(data, text);
	ck_assert_uint_eq(n, strlen(text));
}

static int add_path(void *arg, const char *path,
		    const struct tree_stat *st UNUSED, struct err *e UNUSED)
{
	buf_printf(arg, "%s ", path);
	return 0;
}

static void walks(struct box *b, const char *path, const char *wanted)
{
	struct buf text CLEANUP(buf_done) = { 0 };

	ck_assert_int_eq(tree_walk(b->t, path, true, add_path, &text, &b->e),
			 0);
	ck_assert_str_eq(buf_str(&text), wanted);
}

START_TEST(metadata)
{
	struct box b CLEANUP(box_done);
	struct tree_xattrs x;
	const char *text;

	box_open(&b);
	tar_dir(&b.tar, "./etc/");
	tar_add(&b.tar, &(struct tar_member){ .name = "./etc/shadow",
					      .data = "root:*:\n",
					      .n = 8,
					      .mode = 04640,
					      .uid = 1000,
					      .gid = 42,
					      .mtime = 1234567890 });
	tar_add(&b.tar, &(struct tar_member){ .name = "./etc/s-",
					      .type = '1',
					      .target = "./etc/shadow" });
	tar_add(&b.tar, &(struct tar_member){
				.name = "./l", .type = '2', .target = "etc" });
	tar_add(&b.tar, &(struct tar_member){ .name = "./tty",
					      .type = '3',
					      .major = 4,
					      .minor = 64 });
	tar_add(&b.tar, &(struct tar_member){ .name = "./f", .type = '6' });
	tar_pax(&b.tar, "SCHILY.xattr.user.a", "x\0y", 3);
	tar_file(&b.tar, "./x", "content");
	tar_pax(&b.tar, "SCHILY.xattr.user.b%3Dc", "z", 1);
	tar_file(&b.tar, "./y", "");
	tar_end(&b.tar);
	box_read(&b);
	ck_assert_uint_eq(b.notes.n, 0);
	ck_assert_uint_eq(stat_of(&b, "/").mode, S_IFDIR | 0755);
	ck_assert_uint_eq(stat_of(&b, "/").nlink, 3);
	ck_assert_uint_eq(stat_of(&b, "etc/shadow").mode, S_IFREG | 04640);
	ck_assert_uint_eq(stat_of(&b, "etc/shadow").uid, 1000);
	ck_assert_uint_eq(stat_of(&b, "etc/shadow").gid, 42);
	ck_assert_uint_eq(stat_of(&b, "etc/shadow").nlink, 2);
	ck_assert_int_eq(stat_of(&b, "etc/shadow").mtime.tv_sec, 1234567890);
	ck_assert_uint_eq(stat_of(&b, "etc/s-").ino,
			  stat_of(&b, "etc/shadow").ino);
	ck_assert_uint_eq(stat_of(&b, "tty").rdev_major, 4);
	ck_assert_uint_eq(stat_of(&b, "tty").rdev_minor, 64);
	ck_assert(S_ISFIFO(stat_of(&b, "f").mode));
	ck_assert_int_eq(tree_readlink(b.t, "l", b.mem, &text, &b.e), 0);
	ck_assert_str_eq(text, "etc");
	has_text(&b, "/l/../l/s-", "root:*:\n");
	has_text(&b, "x", "content");
	ck_assert_int_eq(tree_xattrs(b.t, "x", b.mem, &x, &b.e), 0);
	ck_assert_uint_eq(x.n, 1);
	ck_assert_str_eq(x.v[0].name, "user.a");
	ck_assert_uint_eq(x.v[0].size, 3);
	ck_assert_int_eq(tree_xattrs(b.t, "y", b.mem, &x, &b.e), 0);
	ck_assert_uint_eq(x.n, 1);
	ck_assert_str_eq(x.v[0].name, "user.b=c");
}
END_TEST

/* A text ACL becomes what the kernel has; the mode's group is its mask. */
START_TEST(acl)
{
	static const char access[] = "user::rw-,user:1000:r--,group::r--,"
				     "mask::rw-,other::---";
	static const unsigned char wanted[] = {
		2,    0,    0,    0, 1,    0,    6,    0,    0xff,
		0xff, 0xff, 0xff, 2, 0,    4,    0,    0xe8, 3,
		0,    0,    4,    0, 4,    0,    0xff, 0xff, 0xff,
		0xff, 0x10, 0,    6, 0,    0xff, 0xff, 0xff, 0xff,
		0x20, 0,    0,    0, 0xff, 0xff, 0xff, 0xff,
	};
	struct box b CLEANUP(box_done);
	struct tree_xattrs x;

	box_open(&b);
	tar_pax(&b.tar, "SCHILY.acl.access", access, strlen(access));
	tar_add(&b.tar, &(struct tar_member){ .name = "./a", .mode = 0660 });
	tar_end(&b.tar);
	box_read(&b);
	ck_assert_int_eq(tree_xattrs(b.t, "a", b.mem, &x, &b.e), 0);
	ck_assert_uint_eq(x.n, 1);
	ck_assert_str_eq(x.v[0].name, "system.posix_acl_access");
	ck_assert_uint_eq(x.v[0].size, sizeof(wanted));
	ck_assert_mem_eq(x.v[0].value, wanted, sizeof(wanted));
	ck_assert_uint_eq(stat_of(&b, "a").mode, S_IFREG | 0660);
}
END_TEST

/* In any locale; a name that is no UTF-8 is the bytes that it is. */
START_TEST(names)
{
	static const char *const all[] = { "\xc3\x9f", "a\xff", "a\nb",
					   "a\\134", " " };
	struct box b CLEANUP(box_done);
	char text[300];

	box_open(&b);
	for (size_t i = 0; i < COUNT(all); i++) {
		snprintf(text, sizeof(text), "./gnu/%s", all[i]);
		tar_file(&b.tar, text, all[i]);
		snprintf(text, sizeof(text), "./long/%0200d%s", 0, all[i]);
		tar_file(&b.tar, text, all[i]);
		snprintf(text, sizeof(text), "./pax/%s", all[i]);
		tar_pax(&b.tar, "path", text, strlen(text));
		tar_file(&b.tar, "pax", all[i]);
	}
	tar_end(&b.tar);
	box_read(&b);
	for (size_t i = 0; i < COUNT(all); i++) {
		snprintf(text, sizeof(text), "gnu/%s", all[i]);
		has_text(&b, text, all[i]);
		snprintf(text, sizeof(text), "long/%0200d%s", 0, all[i]);
		has_text(&b, text, all[i]);
		snprintf(text, sizeof(text), "pax/%s", all[i]);
		has_text(&b, text, all[i]);
	}
}
END_TEST

/* As find of vzdump wrote them; directories that are not there are made. */
START_TEST(order)
{
	struct box b CLEANUP(box_done);
	struct tree_entries list;

	box_open(&b);
	tar_file(&b.tar, "./etc/vzdump/vps.conf", "A=1\n");
	tar_dir(&b.tar, "./z");
	tar_file(&b.tar, "./z/2", "two");
	tar_file(&b.tar, "./z/1", "one");
	tar_dir(&b.tar, "./etc");
	tar_file(&b.tar, "./etc/b", "b");
	tar_dir(&b.tar, "./a");
	tar_end(&b.tar);
	box_read(&b);
	ck_assert(tree_is_in_order(b.t));
	walks(&b, "", " z z/2 z/1 etc etc/vzdump etc/vzdump/vps.conf etc/b a ");
	walks(&b, "/z/", " 2 1 ");
	ck_assert_int_eq(tree_list(b.t, "z", b.mem, &list, &b.e), 0);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.v[0].name, "1");
	ck_assert_uint_eq(stat_of(&b, "etc/vzdump").mode, S_IFDIR | 0755);
	has_text(&b, "etc/vzdump/vps.conf", "A=1\n");
}
END_TEST

/* The last one counts, but for what vzdump put in front of the guest's own. */
START_TEST(twice)
{
	struct box b CLEANUP(box_done);

	box_open(&b);
	tar_file(&b.tar, "./etc/vzdump/vps.conf", "of vzdump");
	tar_file(&b.tar, "./a", "old");
	tar_add(&b.tar, &(struct tar_member){
				.name = "./b", .type = '1', .target = "a" });
	tar_file(&b.tar, "./a", "new");
	tar_file(&b.tar, "./etc/vzdump/vps.conf", "of the guest");
	tar_add(&b.tar, &(struct tar_member){
				.name = "./etc", .type = '5', .mode = 0700 });
	tar_end(&b.tar);
	box_read(&b);
	has_text(&b, "a", "new");
	has_text(&b, "b", "old");
	has_text(&b, "etc/vzdump/vps.conf", "of vzdump");
	ck_assert_uint_eq(stat_of(&b, "a").nlink, 1);
	ck_assert_uint_eq(stat_of(&b, "b").nlink, 1);
	ck_assert_uint_eq(stat_of(&b, "etc").mode, S_IFDIR | 0700);
	ck_assert_uint_eq(b.notes.n, 1);
	ck_assert_ptr_nonnull(strstr(b.notes.v[0], "1 members replace"));
}
END_TEST

/* Beneath the root links lead to, and nowhere else. */
START_TEST(links)
{
	static const struct {
		const char *path;
		int code;
	} rows[] = {
		{ "out", ENOENT },     { "up", 0 },
		{ "abs/f", 0 },        { "round/x", ELOOP },
		{ "d/f/x", ENOTDIR },  { "d/../../../d/f", 0 },
		{ "nothing", ENOENT },
	};
	struct box b CLEANUP(box_done);
	struct tree *sub CLEANUP(tree_closep) = NULL;
	struct tree_stat st;

	box_open(&b);
	tar_dir(&b.tar, "./d");
	tar_file(&b.tar, "./d/f", "in");
	tar_add(&b.tar, &(struct tar_member){ .name = "./out",
					      .type = '2',
					      .target = "/etc/passwd" });
	tar_add(&b.tar, &(struct tar_member){ .name = "./up",
					      .type = '2',
					      .target = "../../d/f" });
	tar_add(&b.tar, &(struct tar_member){
				.name = "./abs", .type = '2', .target = "/d" });
	tar_add(&b.tar, &(struct tar_member){ .name = "./round",
					      .type = '2',
					      .target = "round" });
	tar_end(&b.tar);
	box_read(&b);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int r = tree_stat(b.t, rows[i].path, &st, &b.e);

		ck_assert_msg(r == (rows[i].code ? -1 : 0) &&
				      (r == 0 || b.e.code == rows[i].code),
			      "%s: %d", rows[i].path, b.e.code);
	}
	ck_assert_int_eq(tree_sub(b.t, "d", &sub, &b.e), 0);
	tree_closep(&b.t);
	ck_assert_int_eq(tree_stat(sub, "../../f", &st, &b.e), 0);
	ck_assert_int_eq(tree_stat(sub, "/up", &st, &b.e), -1);
}
END_TEST

static const char *some_text(struct box *b, size_t n, unsigned seed)
{
	char *text = arena_alloc(b->mem, n + 1);

	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + (i * 7 + seed) % 26);
	return text;
}

/* In order: one pass. Against it: a pass each time, until that is too much. */
START_TEST(passes)
{
	struct box b CLEANUP(box_done);
	const char *one, *two;
	const char *data;
	size_t n;
	int r = 0, i;

	box_open(&b);
	one = some_text(&b, 700 << 10, 1);
	two = some_text(&b, 300 << 10, 2);
	tar_file(&b.tar, "./var/1", one);
	tar_file(&b.tar, "./var/2", two);
	tar_end(&b.tar);
	box_read(&b);
	for (i = 0; i < 40; i++) {
		has_text(&b, "var/1", one);
		has_text(&b, "var/2", two);
	}
	for (; i < 100 && r == 0; i++)
		r = tree_read(b.t, "var/1", 1 << 20, b.mem, &data, &n, &b.e);
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(b.e.code, ESPIPE);
	ck_assert_int_ge(i, 60);
}
END_TEST

/* Two files that are read in turns still have their own content. */
START_TEST(turns)
{
	struct tree_file *f[2] = { NULL, NULL };
	struct box b CLEANUP(box_done);
	const char *text[2];
	char data[1000];

	box_open(&b);
	text[0] = some_text(&b, 5000, 1);
	text[1] = some_text(&b, 5000, 2);
	tar_file(&b.tar, "./1", text[0]);
	tar_file(&b.tar, "./2", text[1]);
	tar_end(&b.tar);
	box_read(&b);
	ck_assert_int_eq(tree_file_open(b.t, "1", &f[0], &b.e), 0);
	ck_assert_int_eq(tree_file_open(b.t, "2", &f[1], &b.e), 0);
	tree_closep(&b.t);
	for (uint64_t at = 0; at < 5000; at += 1000)
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(tree_file_read(f[i], at, data, 1000,
							&b.e),
					 1000);
			ck_assert_mem_eq(data, text[i] + at, 1000);
		}
	ck_assert_int_eq(tree_file_read(f[0], 5000, data, 1000, &b.e), 0);
	tree_file_closep(&f[0]);
	tree_file_closep(&f[1]);
}
END_TEST

/* An old GNU header: 4 stretches, no more headers, and the whole size. */
static void sparse_header(char to[126], const uint64_t (*v)[2], size_t n,
			  uint64_t size)
{
	memset(to, 0, 126);
	for (size_t i = 0; i < n; i++) {
		tar_octal(to + i * 24, 12, v[i][0]);
		tar_octal(to + i * 24 + 12, 12, v[i][1]);
	}
	tar_octal(to + 97, 12, size);
}

START_TEST(sparse)
{
	static const uint64_t map[][2] = { { 4096, 512 },
					   { 1 << 20, 512 },
					   { 2 << 20, 0 } };
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct box b CLEANUP(box_done);
	struct tree_extent x;
	char at_386[126], data[1024];
	const char *text;

	box_open(&b);
	text = some_text(&b, 1024, 3);
	sparse_header(at_386, map, 3, 2 << 20);
	tar_add(&b.tar, &(struct tar_member){ .name = "./s",
					      .type = 'S',
					      .data = text,
					      .n = 1024,
					      .at_386 = at_386 });
	tar_end(&b.tar);
	box_read(&b);
	ck_assert_uint_eq(stat_of(&b, "s").size, 2 << 20);
	ck_assert_uint_eq(stat_of(&b, "s").blocks, 2);
	ck_assert_int_eq(tree_file_open(b.t, "s", &f, &b.e), 0);
	ck_assert_int_eq(tree_file_next(f, 0, &x, &b.e), 1);
	ck_assert_uint_eq(x.offset, 4096);
	ck_assert_uint_eq(x.length, 512);
	ck_assert_int_eq(tree_file_next(f, 4608, &x, &b.e), 1);
	ck_assert_uint_eq(x.offset, 1 << 20);
	ck_assert_int_eq(tree_file_next(f, (1 << 20) + 512, &x, &b.e), 0);
	ck_assert_int_eq(tree_file_read(f, 1 << 20, data, 512, &b.e), 512);
	ck_assert_mem_eq(data, text + 512, 512);
	ck_assert_int_eq(tree_file_read(f, 4096, data, 512, &b.e), 512);
	ck_assert_mem_eq(data, text, 512);
	ck_assert_int_gt(tree_file_read(f, 8192, data, 512, &b.e), 0);
	ck_assert_int_eq(data[0], 0);
	ck_assert_int_gt(tree_file_read(f, (2 << 20) - 9, data, 512, &b.e), 0);
	ck_assert_int_eq(data[0], 0);
}
END_TEST

/* 100,000 files take the memory that README tells. */
START_TEST(memory)
{
	struct box b CLEANUP(box_done);
	struct tarfile_index *x;
	char name[64];

	box_open(&b);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "./usr/share/d%u/file-%u.txt",
			 i / 50, i);
		tar_file(&b.tar, name, "");
	}
	tar_end(&b.tar);
	box_read(&b);
	x = &((struct tarfile_tree *)b.t)->x->index;
	ck_assert_uint_gt(x->n_nodes, 100000);
	if (getenv("V") && *getenv("V") == '1')
		printf("index of 100,000 files: %zu bytes\n",
		       arena_size(x->mem));
	ck_assert_uint_lt(arena_size(x->mem), 24 << 20);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("archive");
	TCase *t = tcase_create("archive");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, metadata);
	tcase_add_test(t, acl);
	tcase_add_test(t, names);
	tcase_add_test(t, order);
	tcase_add_test(t, twice);
	tcase_add_test(t, links);
	tcase_add_test(t, passes);
	tcase_add_test(t, turns);
	tcase_add_test(t, sparse);
	tcase_add_test(t, memory);
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
