/* Unit tests of the tree interface on a directory (src/tree). */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "check_tree.h"

static const struct {
	const char *path, *text;
} look_ups[] = {
	{ "etc/passwd", "users" },
	{ "/etc/passwd", "users" },
	{ "//etc//./passwd", "users" },
	{ "../etc/passwd", "users" },
	{ "relative", "users" },
	{ "absolute", "users" },
	{ "climber", "users" },
	{ "etc/up/etc/passwd", "users" },
	{ "through/passwd", "users" },
	{ "loop", "ELOOP" },
	{ "dangling", "ENOENT" },
	{ "nothing", "ENOENT" },
	{ "etc", "EISDIR" },
	{ "", "EISDIR" },
	{ "etc/passwd/x", "ENOTDIR" },
	{ "secret", "ENOENT" },
	{ "../secret", "ENOENT" },
	{ "fifo", "EINVAL" },
	{ "fifo-link", "EINVAL" },
	{ "socket", "EINVAL" },
	{ "escape", "ENOENT" },
};

static void make_look_ups(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX,
				    .sun_path = "socket" };
	int s CLEANUP(fd_closep) = socket(AF_UNIX, SOCK_STREAM, 0);

	make_dir("etc");
	make_file("etc/passwd", "users");
	make_link("etc/passwd", "relative");
	make_link("/etc/passwd", "absolute");
	make_link("../../../../etc/passwd", "climber");
	make_link("/etc", "through");
	make_link("..", "etc/up");
	make_link("../secret", "escape");
	make_link("loop", "loop");
	make_link("/no/such", "dangling");
	make_link("fifo", "fifo-link");
	ck_assert_int_eq(mkfifo("fifo", 0644), 0);
	ck_assert_int_eq(bind(s, (void *)&addr, sizeof(addr)), 0);
}

START_TEST(look_up)
{
	struct box b CLEANUP(box_done);

	box_open(&b);
	make_look_ups();
	ck_assert_str_eq(text_of(&b, look_ups[_i].path), look_ups[_i].text);
}
END_TEST

START_TEST(kinds)
{
	struct box b CLEANUP(box_done);
	struct tree_stat st;
	const char *text;

	box_open(&b);
	make_look_ups();
	ck_assert(tree_exists(b.t, "absolute"));
	ck_assert(!tree_exists(b.t, "dangling"));
	ck_assert(tree_is_dir(b.t, "through"));
	ck_assert(!tree_is_dir(b.t, "absolute"));
	ck_assert_int_eq(tree_lstat(b.t, "dangling", &st, &b.e), 0);
	ck_assert(S_ISLNK(st.mode));
	ck_assert_int_eq(tree_stat(b.t, "absolute", &st, &b.e), 0);
	ck_assert(S_ISREG(st.mode));
	ck_assert_uint_eq(st.size, 5);
	ck_assert_int_eq(tree_lstat(b.t, "fifo", &st, &b.e), 0);
	ck_assert(S_ISFIFO(st.mode));
	ck_assert_int_eq(tree_lstat(b.t, "/", &st, &b.e), 0);
	ck_assert(S_ISDIR(st.mode));
	ck_assert_int_eq(tree_readlink(b.t, "etc/up", b.mem, &text, &b.e), 0);
	ck_assert_str_eq(text, "..");
	ck_assert_int_eq(tree_readlink(b.t, "etc", b.mem, &text, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
	ck_assert_int_eq(tree_readlink(b.t, "/", b.mem, &text, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
}
END_TEST

/* A device is refused before it is opened; its message says what it is. */
START_TEST(device)
{
	struct box b CLEANUP(box_done);
	struct tree *dev CLEANUP(tree_closep) = NULL;
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	const char *text;
	size_t n;

	box_open(&b);
	ck_assert_int_eq(tree_open_dir("/dev", &dev, &b.e), 0);
	ck_assert_int_eq(tree_read(dev, "null", 9, b.mem, &text, &n, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
	ck_assert_str_eq(b.e.msg, "read /dev/null: it is a character device");
	ck_assert_int_eq(tree_file_open(dev, "null", &f, &b.e), -1);
	ck_assert_int_eq(b.e.code, EINVAL);
}
END_TEST

START_TEST(size_bound)
{
	struct box b CLEANUP(box_done);
	const char *text;
	size_t n;

	box_open(&b);
	make_file("file", "12345");
	make_file("empty", "");
	ck_assert_int_eq(tree_read(b.t, "file", 4, b.mem, &text, &n, &b.e), -1);
	ck_assert_int_eq(b.e.code, EFBIG);
	ck_assert_int_eq(tree_read(b.t, "file", 5, b.mem, &text, &n, &b.e), 0);
	ck_assert_str_eq(text, "12345");
	ck_assert_int_eq(tree_read(b.t, "empty", 0, b.mem, &text, &n, &b.e), 0);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* Files of /proc say that they are empty. */
START_TEST(size_lies)
{
	struct box b CLEANUP(box_done);
	struct tree *proc CLEANUP(tree_closep) = NULL;
	const char *text;
	size_t n;

	box_open(&b);
	ck_assert_int_eq(tree_open_dir("/proc", &proc, &b.e), 0);
	ck_assert_int_eq(
		tree_read(proc, "version", 4096, b.mem, &text, &n, &b.e), 0);
	ck_assert(str_starts(text, "Linux"));
	ck_assert_int_eq(tree_read(proc, "version", n, b.mem, &text, &n, &b.e),
			 0);
	ck_assert_int_eq(
		tree_read(proc, "version", n - 1, b.mem, &text, &n, &b.e), -1);
	ck_assert_int_eq(b.e.code, EFBIG);
}
END_TEST

START_TEST(access_time)
{
	const struct timespec old[2] = { { 1000, 1 }, { 2000, 2 } };
	struct box b CLEANUP(box_done);
	struct stat st;
	struct tree_entries list;

	box_open(&b);
	make_dir("d");
	make_file("d/f", "x");
	ck_assert_int_eq(utimensat(AT_FDCWD, "d/f", old, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, "d", old, 0), 0);
	ck_assert_str_eq(text_of(&b, "d/f"), "x");
	ck_assert_int_eq(tree_list(b.t, "d", b.mem, &list, &b.e), 0);
	ck_assert_int_eq(stat("d/f", &st), 0);
	ck_assert_int_eq(st.st_atim.tv_sec, 1000);
	ck_assert_int_eq(stat("d", &st), 0);
	ck_assert_int_eq(st.st_atim.tv_sec, 1000);
}
END_TEST

START_TEST(list)
{
	static const char *const names[] = { "-",   "B",  "a",        "a-b",
					     "a.b", "ab", "\303\251", "\377" };
	struct box b CLEANUP(box_done);
	struct tree_entries got;

	box_open(&b);
	for (size_t i = COUNT(names); i-- > 0;)
		make_file(names[i], "");
	ck_assert_int_eq(tree_list(b.t, "/", b.mem, &got, &b.e), 0);
	ck_assert_uint_eq(got.n, COUNT(names));
	for (size_t i = 0; i < got.n; i++)
		ck_assert_str_eq(got.v[i].name, names[i]);
	ck_assert_int_eq(tree_list(b.t, "a", b.mem, &got, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOTDIR);
}
END_TEST

/* More names than one getdents64 gives. */
START_TEST(list_many)
{
	struct box b CLEANUP(box_done);
	struct tree_entries got;
	char name[64];

	box_open(&b);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "a-somewhat-longer-name-%04d", i);
		make_file(name, "");
	}
	ck_assert_int_eq(tree_list(b.t, "", b.mem, &got, &b.e), 0);
	ck_assert_uint_eq(got.n, 3000);
	ck_assert_str_eq(got.v[2999].name, "a-somewhat-longer-name-2999");
	ck_assert_int_eq(got.v[7].type, DT_REG);
}
END_TEST

static const struct {
	const char *path, *resolved;
} resolutions[] = {
	{ "/", "/" },
	{ "", "/" },
	{ "..", "/" },
	{ "real/deep", "/real/deep" },
	{ "real/../real/./deep/", "/real/deep" },
	{ "first/deep", "/real/deep" },
	{ "second", "/real/deep" },
	{ "second/..", "/real" },
};

START_TEST(resolve)
{
	struct box b CLEANUP(box_done);
	const char *got;

	box_open(&b);
	make_dir("real");
	make_dir("real/deep");
	make_link("/real", "first");
	make_link("../first/deep", "second");
	ck_assert_int_eq(
		tree_resolve(b.t, resolutions[_i].path, b.mem, &got, &b.e), 0);
	ck_assert_str_eq(got, resolutions[_i].resolved);
	ck_assert_int_eq(tree_resolve(b.t, "none", b.mem, &got, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
}
END_TEST

START_TEST(resolve_host)
{
	struct box b CLEANUP(box_done);
	struct tree *host CLEANUP(tree_closep) = NULL;
	char real[128], link[128];
	const char *got;

	box_open(&b);
	make_link("secret", "../link");
	snprintf(real, sizeof(real), "%s/secret", b.dir);
	snprintf(link, sizeof(link), "%s/link", b.dir);
	ck_assert_int_eq(tree_open_dir("/", &host, &b.e), 0);
	ck_assert_int_eq(tree_resolve(host, link, b.mem, &got, &b.e), 0);
	ck_assert_str_eq(got, real);
	ck_assert_int_eq(tree_resolve(host, "/", b.mem, &got, &b.e), 0);
	ck_assert_str_eq(got, "/");
}
END_TEST

START_TEST(sub)
{
	struct box b CLEANUP(box_done);
	struct tree *guest;

	box_open(&b);
	make_dir("guest");
	make_dir("guest/etc");
	make_file("guest/etc/hostname", "inner");
	make_file("hostname", "outer");
	make_link("/etc/hostname", "guest/name");
	make_link("/guest", "way");
	ck_assert_int_eq(tree_sub(b.t, "/way/", &guest, &b.e), 0);
	ck_assert_str_eq(tree_name(guest), "root/way/");
	tree_close(b.t);
	b.t = guest;
	ck_assert_str_eq(text_of(&b, "name"), "inner");
	ck_assert_str_eq(text_of(&b, "../hostname"), "ENOENT");
	ck_assert_int_eq(tree_sub(b.t, "name", &guest, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOTDIR);
}
END_TEST

/* What is written of a tree must not depend on where it is mounted. */
START_TEST(messages_beneath_the_root)
{
	struct box b CLEANUP(box_done);
	struct tree *guest CLEANUP(tree_closep) = NULL;
	const char *data;
	size_t n;

	box_open(&b);
	make_dir("guest");
	tree_set_name(b.t, "");
	ck_assert_int_eq(tree_read(b.t, "etc/none", 9, b.mem, &data, &n, &b.e),
			 -1);
	ck_assert_str_eq(b.e.msg, "open /etc/none: No such file or directory");
	ck_assert_int_eq(tree_read(b.t, "/", 9, b.mem, &data, &n, &b.e), -1);
	ck_assert_str_eq(b.e.msg, "read /: it is a directory");
	ck_assert_int_eq(tree_sub(b.t, "/guest", &guest, &b.e), 0);
	ck_assert_int_eq(tree_read(guest, "/x", 9, b.mem, &data, &n, &b.e), -1);
	ck_assert_str_eq(b.e.msg, "open /guest/x: No such file or directory");
}
END_TEST

START_TEST(xattrs)
{
	struct box b CLEANUP(box_done);
	struct tree_xattrs x;

	box_open(&b);
	make_file("file", "");
	make_link("file", "link");
	if (setxattr("file", "user.z", "1\0002", 3, 0) && errno == ENOTSUP)
		return; /* a scratch file system without them */
	ck_assert_int_eq(setxattr("file", "user.a", "", 0, 0), 0);
	ck_assert_int_eq(setxattr(".", "user.root", "r", 1, 0), 0);
	ck_assert_int_eq(tree_xattrs(b.t, "file", b.mem, &x, &b.e), 0);
	ck_assert_uint_eq(x.n, 2);
	ck_assert_str_eq(x.v[0].name, "user.a");
	ck_assert_uint_eq(x.v[0].size, 0);
	ck_assert_str_eq(x.v[1].name, "user.z");
	ck_assert_uint_eq(x.v[1].size, 3);
	ck_assert_mem_eq(x.v[1].value, "1\0002", 3);
	ck_assert_int_eq(tree_xattrs(b.t, "link", b.mem, &x, &b.e), 0);
	ck_assert_uint_eq(x.n, 0);
	ck_assert_int_eq(tree_xattrs(b.t, "/", b.mem, &x, &b.e), 0);
	ck_assert_uint_eq(x.n, 1);
	ck_assert_int_eq(tree_xattrs(b.t, "none", b.mem, &x, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
}
END_TEST

static int set_immutable(const char *path, int flags)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);

	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

START_TEST(flags)
{
	struct box b CLEANUP(box_done);
	struct tree_stat st;
	uint32_t got;

	box_open(&b);
	make_file("file", "");
	ck_assert_int_eq(mkfifo("fifo", 0644), 0);
	ck_assert_int_eq(tree_flags(b.t, "fifo", &got, &b.e), 0);
	ck_assert_uint_eq(got, 0);
	ck_assert_int_eq(tree_flags(b.t, "none", &got, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
	ck_assert_int_eq(tree_lstat(b.t, "file", &st, &b.e), 0);
	ck_assert_uint_eq(st.flags, 0);
	if (set_immutable("file", FS_IMMUTABLE_FL))
		return; /* not root, or no such flags on this file system */
	ck_assert_int_eq(tree_lstat(b.t, "file", &st, &b.e), 0);
	ck_assert_int_eq(tree_flags(b.t, "file", &got, &b.e), 0);
	ck_assert_int_eq(set_immutable("file", 0), 0);
	ck_assert_uint_eq(st.flags, FS_IMMUTABLE_FL);
	ck_assert_uint_eq(got & FS_IMMUTABLE_FL, FS_IMMUTABLE_FL);
}
END_TEST

START_TEST(file)
{
	struct box b CLEANUP(box_done);
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_extent x;
	char bytes[8];

	box_open(&b);
	make_file("file", "0123456789");
	make_link("file", "link");
	ck_assert_int_eq(tree_file_open(b.t, "link", &f, &b.e), -1);
	ck_assert_int_eq(b.e.code, ELOOP);
	ck_assert_int_eq(tree_file_open(b.t, "", &f, &b.e), -1);
	ck_assert_int_eq(b.e.code, EISDIR);
	ck_assert_int_eq(tree_file_open(b.t, "file", &f, &b.e), 0);
	ck_assert_int_eq(tree_file_read(f, 7, bytes, 8, &b.e), 3);
	ck_assert_mem_eq(bytes, "789", 3);
	ck_assert_int_eq(tree_file_read(f, 10, bytes, 8, &b.e), 0);
	tree_file_expect(f, 0, 10);
	if (tree_file_try(f, 7, bytes, 8, &b.e) < 0) /* as the medium can */
		ck_assert(b.e.code == EAGAIN || b.e.code == EOPNOTSUPP);
	ck_assert_int_eq(tree_file_next(f, 0, &x, &b.e), 1);
	ck_assert_uint_eq(x.offset, 0);
	ck_assert_uint_eq(x.length, 10);
	ck_assert_int_eq(tree_file_next(f, 10, &x, &b.e), 0);
}
END_TEST

START_TEST(holes)
{
	const off_t at[] = { 1 << 20, 3 << 20 };
	struct box b CLEANUP(box_done);
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_extent x = { 0 };
	int fd CLEANUP(fd_closep) = -1;

	box_open(&b);
	fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	for (size_t i = 0; i < COUNT(at); i++)
		ck_assert_int_eq(pwrite(fd, "x", 1, at[i]), 1);
	ck_assert_int_eq(ftruncate(fd, 4 << 20), 0);
	ck_assert_int_eq(tree_file_open(b.t, "file", &f, &b.e), 0);
	for (size_t i = 0; i < COUNT(at); i++) {
		ck_assert_int_eq(
			tree_file_next(f, x.offset + x.length, &x, &b.e), 1);
		ck_assert_uint_le(x.offset, (uint64_t)at[i]);
		ck_assert_uint_gt(x.offset + x.length, (uint64_t)at[i]);
		ck_assert_uint_le(x.length, 64 << 10);
	}
	ck_assert_int_eq(tree_file_next(f, x.offset + x.length, &x, &b.e), 0);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(tree_file_next(f, 0, &x, &b.e), 0);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	ck_assert_int_eq(tree_file_next(f, 0, &x, &b.e), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tree");
	TCase *c = tcase_create("tree");

	tcase_add_loop_test(c, look_up, 0, COUNT(look_ups));
	tcase_add_test(c, kinds);
	tcase_add_test(c, device);
	tcase_add_test(c, size_bound);
	tcase_add_test(c, size_lies);
	tcase_add_test(c, access_time);
	tcase_add_test(c, list);
	tcase_add_test(c, list_many);
	tcase_add_loop_test(c, resolve, 0, COUNT(resolutions));
	tcase_add_test(c, resolve_host);
	tcase_add_test(c, sub);
	tcase_add_test(c, messages_beneath_the_root);
	tcase_add_test(c, xattrs);
	tcase_add_test(c, flags);
	tcase_add_test(c, file);
	tcase_add_test(c, holes);
	tcase_set_timeout(c, 30);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
