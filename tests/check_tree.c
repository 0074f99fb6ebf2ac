/* Unit tests of the tree interface on a directory (src/tree). */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "tree/tree.h"

enum { LEVELS = 2000 }; /* of "level-NNNN/": far beyond PATH_MAX */

/* A fresh directory "root" in a scratch one, as current directory. */
struct box {
	char dir[64];
	struct arena *mem;
	struct tree *t;
	struct err e;
	unsigned seen; /* by a visitor */
};

static void make_file(const char *path, const char *text)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void make_dir(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void make_link(const char *text, const char *path)
{
	ck_assert_int_eq(symlink(text, path), 0);
}

static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	snprintf(b->dir, sizeof(b->dir), "/tmp/check_tree.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	ck_assert_int_eq(chdir(b->dir), 0);
	make_dir("root");
	make_file("secret", "outside");
	b->mem = arena_new();
	ck_assert_int_eq(tree_open_dir("root", &b->t, &b->e), 0);
	ck_assert_int_eq(chdir("root"), 0);
}

static void box_done(struct box *b)
{
	tree_close(b->t);
	arena_free(b->mem);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, b->dir, &b->e), 0);
}

static const char *text_of(struct box *b, const char *path)
{
	const char *text;
	size_t n;

	if (tree_read(b->t, path, 4096, b->mem, &text, &n, &b->e))
		return strerrorname_np(b->e.code);
	ck_assert_uint_eq(strlen(text), n);
	return text;
}

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

/* What a walk said, a line each; and what the visitor does at one path. */
struct trail {
	struct buf said;
	const char *at;
	int answer;
	void (*act)(void);
	struct tree *t;
};

static int follow(void *arg, const char *path, const struct tree_stat *st,
		  struct err *e)
{
	struct trail *w = arg;

	buf_printf(&w->said, "%s%s\n", path,
		   !st               ? strerrorname_np(e->code) :
		   S_ISDIR(st->mode) ? "/" :
				       "");
	if (!w->at || !str_eq(path, w->at) || !st)
		return 0;
	if (w->act)
		w->act();
	return w->answer;
}

static void trail_done(struct trail *w)
{
	buf_done(&w->said);
}

static void make_walk(void)
{
	make_dir("b");
	make_dir("b/d");
	make_file("b/d/x", "");
	make_file("b/a", "");
	make_file("b-", "");
	make_file("b.", "");
	make_link("b", "c");
	make_dir("e");
}

static const struct {
	const char *start, *at;
	int answer;
	const char *said;
} walks[] = {
	{ "", NULL, 0, "/\nb/\nb/a\nb/d/\nb/d/x\nb-\nb.\nc\ne/\n" },
	{ "/", "b", 1, "/\nb/\nb-\nb.\nc\ne/\n" },
	{ "/b/", NULL, 0, "/\na\nd/\nd/x\n" },
	{ "c", "a", 1, "/\na\nd/\nd/x\n" },
	{ "b/a", NULL, 0, "\n" },
	{ "/", "b/d", -7, "/\nb/\nb/a\nb/d/\n" },
	{ "/", "", 1, "/\n" },
};

START_TEST(walk)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = walks[_i].at,
					       .answer = walks[_i].answer };
	int r;

	box_open(&b);
	make_walk();
	/* names sort by bytes inside a directory: "b" before "b-" */
	r = tree_walk(b.t, walks[_i].start, true, follow, &w, &b.e);
	ck_assert_int_eq(r, walks[_i].answer < 0 ? walks[_i].answer : 0);
	ck_assert_str_eq(buf_str(&w.said), walks[_i].said);
}
END_TEST

static unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* A file that is open already is read whatever has its name by now. */
static int read_still(void *arg, const char *path, const struct tree_stat *st,
		      struct err *e)
{
	struct box *b = arg;
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_file *other CLEANUP(tree_file_closep) = NULL;
	char bytes[8];

	ck_assert_msg(st, "%s", e->msg);
	if (!str_eq(path, "b/a"))
		return 0;
	ck_assert_int_eq(tree_file_open(b->t, "b/d/x", &other, e), 0);
	ck_assert_int_eq(tree_file_read(other, 0, bytes, 8, e), 5);
	ck_assert_int_eq(unlink("b/a"), 0);
	ck_assert_int_eq(mkfifo("b/a", 0600), 0);
	ck_assert_int_eq(tree_file_open(b->t, "/b/a", &f, e), 0);
	ck_assert_uint_eq(tree_file_opened(f)->ino, st->ino);
	ck_assert_int_eq(tree_file_read(f, 0, bytes, 8, e), 3);
	ck_assert_mem_eq(bytes, "old", 3);
	tree_file_closep(&f);
	ck_assert_int_eq(tree_file_open(b->t, "b/a", &f, e), -1);
	ck_assert_int_eq(e->code, EINVAL);
	b->seen++;
	return 0;
}

START_TEST(still)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = NULL };
	struct trail again CLEANUP(trail_done) = { .at = NULL };
	unsigned fds;

	box_open(&b);
	make_walk();
	ck_assert_int_eq(unlink("b/a"), 0);
	make_file("b/a", "old");
	ck_assert_int_eq(unlink("b/d/x"), 0);
	make_file("b/d/x", "other");
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &w, &b.e), 0);
	tree_set_still(b.t);
	fds = count_fds();
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &again, &b.e), 0);
	ck_assert_str_eq(buf_str(&w.said), buf_str(&again.said));
	ck_assert_int_eq(tree_walk(b.t, "", true, read_still, &b, &b.e), 0);
	ck_assert_uint_eq(b.seen, 1);
	ck_assert_uint_eq(count_fds(), fds);
}
END_TEST

START_TEST(nothing_there)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = NULL };

	box_open(&b);
	ck_assert_int_eq(tree_walk(b.t, "none", true, follow, &w, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
	ck_assert_str_eq(buf_str(&w.said), "");
	ck_assert_int_eq(tree_open_dir("none", &b.t, &b.e), -1);
	ck_assert_int_eq(b.e.code, ENOENT);
}
END_TEST

static void swap_for_link(void)
{
	ck_assert_int_eq(rename("b", "../b"), 0);
	make_link("..", "b");
}

static void swap_for_dir(void)
{
	ck_assert_int_eq(rename("b", "../b"), 0);
	make_dir("b");
	make_file("b/other", "");
}

static void swap_for_nothing(void)
{
	ck_assert_int_eq(rename("b", "../b"), 0);
}

static const struct {
	void (*act)(void);
	const char *said;
} swaps[] = {
	{ swap_for_link, "bENOTDIR\n" },
	{ swap_for_dir, "bESTALE\n" },
	{ swap_for_nothing, "bENOENT\n" },
};

START_TEST(walk_swapped)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .at = "b",
					       .act = swaps[_i].act };
	char *want;

	box_open(&b);
	make_walk();
	want = arena_printf(b.mem, "/\nb/\n%sb-\nb.\nc\ne/\n", swaps[_i].said);
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &w, &b.e), 0);
	ck_assert_str_eq(buf_str(&w.said), want);
}
END_TEST

/* Makes n levels and goes there; the descriptor of the lowest. */
static int make_levels(int n)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[32];

	for (int i = 0; i < n; i++) {
		int next;

		snprintf(name, sizeof(name), "level-%04d", i);
		ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		fd_closep(&fd);
		fd = next;
	}
	return fd;
}

struct depth {
	struct tree *t;
	struct arena *mem;
	unsigned dirs, fds;
	char *lowest; /* path of the file at the end */
};

static int measure(void *arg, const char *path, const struct tree_stat *st,
		   struct err *e)
{
	struct depth *d = arg;
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_xattrs x;
	struct tree_stat again;
	unsigned n = count_fds();
	char bytes[8];

	ck_assert_msg(st, "%s", e->msg);
	if (n > d->fds)
		d->fds = n;
	if (S_ISDIR(st->mode)) {
		d->dirs++;
		return 0;
	}
	ck_assert_int_eq(tree_lstat(d->t, path, &again, e), 0);
	ck_assert_uint_eq(st->ino, again.ino);
	ck_assert_int_eq(tree_xattrs(d->t, path, d->mem, &x, e), 0);
	ck_assert_int_eq(tree_file_open(d->t, path, &f, e), 0);
	ck_assert_int_eq(tree_file_read(f, 0, bytes, 8, e), 6);
	if (!str_starts(path, "z"))
		d->lowest = arena_strdup(d->mem, path);
	return 0;
}

START_TEST(deep)
{
	struct box b CLEANUP(box_done);
	struct depth d = { 0 };
	unsigned before;
	struct tree_stat st;
	int fd CLEANUP(fd_closep) = -1;
	int bottom CLEANUP(fd_closep) = -1;

	box_open(&b);
	d.t = b.t;
	d.mem = b.mem;
	fd = make_levels(LEVELS);
	bottom = openat(fd, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(write(bottom, "bottom", 6), 6);
	make_file("z", "bottom"); /* on the way back */
	before = count_fds();
	ck_assert_int_eq(tree_walk(b.t, "", true, measure, &d, &b.e), 0);
	ck_assert_uint_eq(d.dirs, LEVELS + 1);
	ck_assert_uint_eq(count_fds(), before);
	ck_assert_uint_le(d.fds, before + 40);
	ck_assert_uint_eq(strlen(d.lowest), LEVELS * 11 + 6);
	/* outside of a walk as well */
	ck_assert_int_eq(tree_lstat(b.t, d.lowest, &st, &b.e), 0);
	ck_assert_uint_eq(st.size, 6);
	ck_assert_str_eq(text_of(&b, d.lowest), "bottom");
	ck_assert_str_eq(
		text_of(&b, arena_printf(b.mem, "./%s/../bottom", d.lowest)),
		"ENAMETOOLONG");
}
END_TEST

/* Level 1 of 60 is moved while the walk is at the bottom: see reopen(). */
static void move_level(void)
{
	ck_assert_int_eq(rename("level-0000/level-0001", "../moved"), 0);
}

START_TEST(walk_moved)
{
	struct box b CLEANUP(box_done);
	struct trail w CLEANUP(trail_done) = { .act = move_level };
	struct buf path CLEANUP(buf_done) = { 0 };
	int fd CLEANUP(fd_closep) = -1;

	box_open(&b);
	fd = make_levels(60);
	make_file("level-0000/next", "");
	make_file("level-0000/level-0001/beside", "");
	for (int i = 0; i < 60; i++)
		buf_printf(&path, "%slevel-%04d", i ? "/" : "", i);
	w.at = path.p;
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &w, &b.e), 0);
	ck_assert(str_ends(w.said.p, "level-0059/\nlevel-0000/next\n"));
	ck_assert(strstr(w.said.p, "level-0001/beside\n"));
}
END_TEST

/* Needs a mount; elsewhere tests/root has it again with a real guest. */
START_TEST(one_file_system)
{
	struct box b CLEANUP(box_done);
	struct trail in CLEANUP(trail_done) = { .at = NULL };
	struct trail all CLEANUP(trail_done) = { .at = NULL };

	bool can = unshare(CLONE_NEWNS) == 0 &&
		   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;

	/* after that: a tree sees the mounts of where it was opened */
	box_open(&b);
	if (!can)
		return;
	make_dir("m");
	make_file("n", "");
	ck_assert_int_eq(mount("none", "m", "tmpfs", 0, NULL), 0);
	make_file("m/x", "");
	ck_assert_int_eq(tree_walk(b.t, "", true, follow, &in, &b.e), 0);
	ck_assert_int_eq(tree_walk(b.t, "", false, follow, &all, &b.e), 0);
	ck_assert_int_eq(umount("m"), 0);
	ck_assert_str_eq(buf_str(&in.said), "/\nm/\nn\n");
	ck_assert_str_eq(buf_str(&all.said), "/\nm/\nm/x\nn\n");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tree");
	TCase *c = tcase_create("look");
	TCase *w = tcase_create("walk");

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
	tcase_add_test(c, xattrs);
	tcase_add_test(c, flags);
	tcase_add_test(c, file);
	tcase_add_test(c, holes);
	tcase_add_loop_test(w, walk, 0, COUNT(walks));
	tcase_add_test(w, still);
	tcase_add_test(w, nothing_there);
	tcase_add_loop_test(w, walk_swapped, 0, COUNT(swaps));
	tcase_add_test(w, deep);
	tcase_add_test(w, walk_moved);
	tcase_add_test(w, one_file_system);
	tcase_set_timeout(w, 30);
	suite_add_tcase(s, c);
	suite_add_tcase(s, w);
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
