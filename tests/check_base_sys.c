/*
 * Descriptors and children: what the lowest layer asks of the kernel. Every
 * test makes a directory of its own and removes it; none needs root.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"

/* A directory of this test; remove_box shows that nothing was left open. */
struct box {
	char path[PATH_MAX];
	int fd;
};

static struct box make_box(void)
{
	const char *tmp = getenv("TMPDIR");
	struct box b = { .fd = -1 };

	snprintf(b.path, sizeof(b.path), "%s/check_base.XXXXXX",
		 tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(b.path));
	b.fd = open(b.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(b.fd, 0);
	return b;
}

static void remove_box(struct box *b)
{
	struct err e;

	fd_closep(&b->fd);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, b->path, &e), 0);
	ck_assert_int_eq(access(b->path, F_OK), -1);
}

static void make_file(int dir, const char *path, const char *text)
{
	int fd CLEANUP(fd_closep) =
		openat(dir, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct err e;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text), path, &e), 0);
}

/* "d", "l", or the text of a file with "=" before it. */
static void describe(int fd, char *ret, size_t size)
{
	struct stat st;
	ssize_t n;

	ck_assert_int_eq(fstat(fd, &st), 0);
	if (!S_ISREG(st.st_mode)) {
		snprintf(ret, size, "%s", S_ISDIR(st.st_mode) ? "d" : "l");
		return;
	}
	n = pread(fd, ret + 1, size - 2, 0);
	ck_assert_int_ge(n, 0);
	ret[0] = '=';
	ret[n + 1] = '\0';
}

/* ---- fd: owning ---- */

START_TEST(test_fd_close)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), old = fd, none = -1;

	ck_assert_int_eq(fd_steal(&fd), old);
	ck_assert_int_eq(fd, -1);
	fd = old;
	errno = EXDEV;
	fd_closep(&fd);
	fd_closep(&none);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fcntl(old, F_GETFD), -1);
}
END_TEST

/* ---- fd: opening beneath a root ---- */

/* The tree is box/outside and box/root/..., opened from box/root. */
static const struct {
	const char *link, *target;
} links[] = {
	{ "root/rel", "etc/hosts" },
	{ "root/abs", "/etc/hosts" },
	{ "root/etc/sub/abs", "/etc/hosts" },
	{ "root/etc/up", "../../../../etc/hosts" },
	{ "root/etc/sub/back", "../hosts" },
	{ "root/dir", "etc" },
	{ "root/absdir", "/etc/sub" },
	{ "root/out", "../outside" },
	{ "root/absout", "/../../outside" },
	{ "root/self", "self" },
	{ "root/dangling", "nowhere" },
	{ "root/slash", "etc/" },
	{ "root/top", "/" },
	{ "root/chain", "dir/sub/back" },
};

static void make_tree(const struct box *b)
{
	ck_assert_int_eq(mkdirat(b->fd, "root", 0700), 0);
	ck_assert_int_eq(mkdirat(b->fd, "root/etc", 0700), 0);
	ck_assert_int_eq(mkdirat(b->fd, "root/etc/sub", 0700), 0);
	make_file(b->fd, "outside", "secret");
	make_file(b->fd, "root/etc/hosts", "hosts");
	for (size_t i = 0; i < COUNT(links); i++)
		ck_assert_int_eq(
			symlinkat(links[i].target, b->fd, links[i].link), 0);
}

/* code: the errno, else what describe() says of it; `plain` without links */
static const struct {
	const char *path;
	int flags, code;
	const char *what;
	int plain_code;
} opens[] = {
	{ "etc/hosts", 0, 0, "=hosts", 0 },
	{ "/etc/hosts", 0, 0, "=hosts", 0 },
	{ "//etc/./sub/../hosts", 0, 0, "=hosts", 0 },
	{ "../../etc/hosts", 0, 0, "=hosts", 0 },
	{ "etc/sub/../../../../etc/hosts", 0, 0, "=hosts", 0 },
	{ "/", O_DIRECTORY, 0, "d", 0 },
	{ ".", O_DIRECTORY, 0, "d", 0 },
	{ "..", O_DIRECTORY, 0, "d", 0 },
	{ "etc/", O_DIRECTORY, 0, "d", 0 },
	{ "etc/sub/.", O_PATH, 0, "d", 0 },
	{ "rel", 0, 0, "=hosts", ELOOP },
	{ "abs", 0, 0, "=hosts", ELOOP },
	{ "etc/sub/abs", 0, 0, "=hosts", ELOOP },
	{ "etc/up", 0, 0, "=hosts", ELOOP },
	{ "etc/sub/back", 0, 0, "=hosts", ELOOP },
	{ "dir/hosts", 0, 0, "=hosts", ELOOP },
	{ "absdir/back", 0, 0, "=hosts", ELOOP },
	{ "absdir/../hosts", 0, 0, "=hosts", ELOOP },
	{ "dir/", O_DIRECTORY, 0, "d", ELOOP },
	{ "slash/hosts", 0, 0, "=hosts", ELOOP },
	{ "top/etc/hosts", 0, 0, "=hosts", ELOOP },
	{ "top", O_DIRECTORY, 0, "d", ELOOP },
	{ "chain", 0, 0, "=hosts", ELOOP },
	{ "rel", O_PATH | O_NOFOLLOW, 0, "l", 0 },
	{ "dangling", O_PATH | O_NOFOLLOW, 0, "l", 0 },
	{ "dir/", O_PATH | O_NOFOLLOW, 0, "d", ELOOP },
	{ "dir/sub/back", O_PATH | O_NOFOLLOW, 0, "l", ELOOP },
	{ "rel", O_NOFOLLOW, ELOOP, NULL, ELOOP },
	{ "self", 0, ELOOP, NULL, ELOOP },
	{ "self/x", 0, ELOOP, NULL, ELOOP },
	{ "dangling", 0, ENOENT, NULL, ELOOP },
	{ "out", 0, ENOENT, NULL, ELOOP },
	{ "absout", 0, ENOENT, NULL, ELOOP },
	{ "../outside", 0, ENOENT, NULL, ENOENT },
	{ "nowhere", 0, ENOENT, NULL, ENOENT },
	{ "nowhere/x", 0, ENOENT, NULL, ENOENT },
	{ "", 0, ENOENT, NULL, ENOENT },
	{ "etc/hosts/", 0, ENOTDIR, NULL, ENOTDIR },
	{ "etc/hosts/x", 0, ENOTDIR, NULL, ENOTDIR },
	{ "etc/hosts/..", 0, ENOTDIR, NULL, ENOTDIR },
	{ "etc/hosts", O_DIRECTORY, ENOTDIR, NULL, ENOTDIR },
	{ "etc", O_WRONLY, EISDIR, NULL, EISDIR },
	{ "etc/hosts", O_WRONLY | O_CREAT | O_EXCL, EEXIST, NULL, EEXIST },
	{ "dangling", O_WRONLY | O_CREAT | O_EXCL, EEXIST, NULL, EEXIST },
	{ "etc/new", O_RDWR | O_CREAT | O_EXCL, 0, "=", 0 },
};

static void check_open(int fd, int code, const char *what)
{
	char text[64];

	if (code != 0) {
		ck_assert_int_eq(fd, -1);
		ck_assert_int_eq(errno, code);
		return;
	}
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	describe(fd, text, sizeof(text));
	ck_assert_str_eq(text, what);
}

/* Each way is tried on a tree that the other has not changed. */
static void open_all(int row, bool walk, bool plain)
{
	struct box b = make_box();
	const int code = plain ? opens[row].plain_code : opens[row].code;
	const int flags = opens[row].flags;
	const char *path = opens[row].path;
	int root, fd;

	make_tree(&b);
	root = openat(b.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	if (walk)
		fd = fd_open_in_walk(root, path, flags, !plain);
	else if (plain)
		fd = fd_open_in_nolinks(root, path, flags);
	else
		fd = fd_open_in(root, path, flags);
	check_open(fd, code, opens[row].what);
	fd_closep(&fd);
	fd_closep(&root);
	remove_box(&b);
}

START_TEST(test_fd_open_in)
{
	open_all(_i, false, false);
	open_all(_i, false, true);
}
END_TEST

START_TEST(test_fd_open_in_walk)
{
	open_all(_i, true, false);
	open_all(_i, true, true);
}
END_TEST

/* 40 links are followed, 41 are not, by the kernel as by the walk. */
START_TEST(test_fd_open_links)
{
	struct box b = make_box();
	char name[16], target[16];

	make_file(b.fd, "0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(target, sizeof(target), "%d", i - 1);
		ck_assert_int_eq(symlinkat(target, b.fd, name), 0);
	}
	for (int walk = 0; walk < 2; walk++) {
		int fd = walk ? fd_open_in_walk(b.fd, "40", O_RDONLY, true) :
				fd_open_in(b.fd, "40", O_RDONLY);

		check_open(fd, 0, "=end");
		fd_closep(&fd);
		fd = walk ? fd_open_in_walk(b.fd, "41", O_RDONLY, true) :
			    fd_open_in(b.fd, "41", O_RDONLY);
		check_open(fd, ELOOP, NULL);
	}
	remove_box(&b);
}
END_TEST

START_TEST(test_fd_open_long)
{
	struct box b = make_box();
	char path[PATH_MAX + 2];

	memset(path, 'n', sizeof(path));
	path[NAME_MAX + 1] = '\0';
	check_open(fd_open_in(b.fd, path, 0), ENAMETOOLONG, NULL);
	check_open(fd_open_in_walk(b.fd, path, 0, true), ENAMETOOLONG, NULL);
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? '/' : '.';
	path[sizeof(path) - 1] = '\0';
	check_open(fd_open_in(b.fd, path, 0), ENAMETOOLONG, NULL);
	check_open(fd_open_in_walk(b.fd, path, 0, true), ENAMETOOLONG, NULL);
	remove_box(&b);
}
END_TEST

/* ---- fd: writing ---- */

START_TEST(test_fd_write_all)
{
	struct box b = make_box();
	int fd CLEANUP(fd_closep) = -1;
	struct err e;

	make_file(b.fd, "x", "12");
	fd = openat(b.fd, "x", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fd_write_all(fd, "a", 1, "b/x", &e), -1);
	ck_assert_str_eq(e.msg, "write b/x: Bad file descriptor");
	ck_assert_int_eq(fd_write_all(fd, "a", 0, "x", &e), 0);
	remove_box(&b);
}
END_TEST

/* How many names the directory holds. */
static int count_names(int dir)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	char path[64];
	const char *const argv[] = { "ls", "-A", path, NULL };
	int status, n = 0;
	struct err e;

	snprintf(path, sizeof(path), "/proc/%ld/fd/%d/", (long)getpid(), dir);
	ck_assert_int_eq(proc_run(argv, 20, &out, &status, &e), 0);
	ck_assert_int_eq(status, 0);
	for (size_t i = 0; i < out.n; i++)
		n += out.p[i] == '\n';
	return n;
}

static void check_file(int dir, const char *name, const char *what)
{
	int fd CLEANUP(fd_closep) = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[64];

	ck_assert_int_ge(fd, 0);
	describe(fd, text, sizeof(text));
	ck_assert_str_eq(text, what);
}

START_TEST(test_fd_replace)
{
	struct box b = make_box();
	struct stat st;
	struct err e;

	ck_assert_int_eq(mkdirat(b.fd, "sub", 0700), 0);
	make_file(b.fd, "target", "kept");
	ck_assert_int_eq(symlinkat("../target", b.fd, "sub/x"), 0);
	ck_assert_int_eq(fd_replace(b.fd, "sub/x", "one", 3, &e), 0);
	ck_assert_int_eq(fd_replace(b.fd, "sub/x", "two", 3, &e), 0);
	check_file(b.fd, "sub/x", "=two");
	/* a link is replaced, not followed */
	check_file(b.fd, "target", "=kept");
	ck_assert_int_eq(fstatat(b.fd, "sub/x", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_uint_eq(st.st_mode & 0177, 0);
	ck_assert_int_eq(fd_replace(b.fd, "none/x", "a", 1, &e), -1);
	ck_assert_int_eq(e.code, ENOENT);
	/* what cannot be replaced leaves nothing behind */
	ck_assert_int_eq(fd_replace(b.fd, "sub", "a", 1, &e), -1);
	ck_assert_int_eq(e.code, EISDIR);
	ck_assert_int_eq(count_names(b.fd), 2);
	remove_box(&b);
}
END_TEST

/* code 0: made */
static const struct {
	const char *path;
	int code;
} mkdirs[] = {
	{ "a", 0 },           { "a/b/c", 0 },        { "have/sub/new", 0 },
	{ "a//b/./c/", 0 },   { "have", 0 },         { "/a", EINVAL },
	{ "a/../b", EINVAL }, { "..", EINVAL },      { "file/x", ENOTDIR },
	{ "file", ENOTDIR },  { "link/x", ENOTDIR },
};

START_TEST(test_fd_mkdirs)
{
	struct box b = make_box();
	struct err e = { 0 };
	struct stat st;
	int r;

	ck_assert_int_eq(fd_mkdirs(b.fd, "have/sub", &e), 0);
	make_file(b.fd, "file", "");
	ck_assert_int_eq(symlinkat("have", b.fd, "link"), 0);
	r = fd_mkdirs(b.fd, mkdirs[_i].path, &e);
	ck_assert_int_eq(r, mkdirs[_i].code == 0 ? 0 : -1);
	ck_assert_int_eq(e.code, mkdirs[_i].code);
	if (r == 0) {
		ck_assert_int_eq(fstatat(b.fd, mkdirs[_i].path, &st, 0), 0);
		ck_assert(S_ISDIR(st.st_mode));
		ck_assert_uint_eq(st.st_mode & 077, 0);
	}
	remove_box(&b);
}
END_TEST

/* ---- fd: removing ---- */

START_TEST(test_fd_remove)
{
	struct box b = make_box();
	struct err e;
	char name[32];

	ck_assert_int_eq(fd_mkdirs(b.fd, "keep", &e), 0);
	make_file(b.fd, "keep/file", "kept");
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "t/d%d/e/f", i);
		ck_assert_int_eq(fd_mkdirs(b.fd, name, &e), 0);
		snprintf(name, sizeof(name), "t/d%d/e/file", i);
		make_file(b.fd, name, "");
		snprintf(name, sizeof(name), "t/d%d/link", i);
		ck_assert_int_eq(symlinkat("../../keep", b.fd, name), 0);
	}
	ck_assert_int_eq(fd_remove_tree(b.fd, "t/", &e), 0);
	ck_assert_int_eq(faccessat(b.fd, "t", F_OK, 0), -1);
	check_file(b.fd, "keep/file", "=kept");
	ck_assert_int_eq(symlinkat("keep", b.fd, "link"), 0);
	ck_assert_int_eq(fd_remove_tree(b.fd, "link", &e), 0);
	check_file(b.fd, "keep/file", "=kept");
	ck_assert_int_eq(fd_remove_tree(b.fd, "keep/file", &e), 0);
	ck_assert_int_eq(fd_remove_tree(b.fd, "absent", &e), 0);
	ck_assert_int_eq(fd_remove_tree(b.fd, "absent/x", &e), 0);
	ck_assert_int_eq(count_names(b.fd), 1);
	remove_box(&b);
}
END_TEST

/* Far deeper than there are descriptors or a path has room. */
START_TEST(test_fd_remove_deep)
{
	struct box b = make_box();
	int at = openat(b.fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e;

	for (int i = 0; i < 3000; i++) {
		int next;

		ck_assert_int_eq(mkdirat(at, "deep", 0700), 0);
		next = openat(at, "deep", O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd_closep(&at);
		at = next;
	}
	make_file(at, "file", "");
	fd_closep(&at);
	ck_assert_int_eq(fd_remove_tree(b.fd, "deep", &e), 0);
	ck_assert_int_eq(count_names(b.fd), 0);
	remove_box(&b);
}
END_TEST

START_TEST(test_fd_remove_bad)
{
	static const char *const names[] = {
		"", ".", "..", "/", "a/..", "a/."
	};
	struct box b = make_box();
	struct err e;

	ck_assert_int_eq(fd_mkdirs(b.fd, "a/b", &e), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		ck_assert_int_eq(fd_remove_tree(b.fd, names[i], &e), -1);
		ck_assert_int_eq(e.code, EINVAL);
	}
	ck_assert_int_eq(count_names(b.fd), 1);
	remove_box(&b);
}
END_TEST

/* ---- proc ---- */

/* status: of exit, or 128 and the signal, as a shell says it */
static const struct {
	const char *script, *out;
	int status;
} runs[] = {
	{ "echo hello", "hello\n", 0 },
	{ "echo out; echo err >&2; echo out", "out\nerr\nout\n", 0 },
	{ "exit 3", "", 3 },
	{ "kill -KILL $$", "", 128 + SIGKILL },
	{ "kill -PIPE $$", "", 128 + SIGPIPE },  /* not ignored, as here */
	{ "cat; echo end", "end\n", 0 },         /* stdin is empty */
	{ "sleep 60 & echo left", "left\n", 0 }, /* not waited for */
};

static int as_shell(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

START_TEST(test_proc_run)
{
	const char *const argv[] = { "sh", "-c", runs[_i].script, NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	struct err e;
	int status = -1;

	ck_assert_int_eq(proc_run(argv, 30, &out, &status, &e), 0);
	ck_assert_str_eq(buf_str(&out), runs[_i].out);
	ck_assert_int_eq(as_shell(status), runs[_i].status);
	signal(SIGPIPE, old);
}
END_TEST

START_TEST(test_proc_flood)
{
	const char *const argv[] = { "sh", "-c",
				     "head -c 3000000 /dev/zero | tr '\\0' x; "
				     "exit 5",
				     NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status = -1;
	struct err e;

	ck_assert_int_eq(proc_run(argv, 60, &out, &status, &e), 0);
	ck_assert_uint_eq(out.n, 1 << 20);
	ck_assert_int_eq(as_shell(status), 5);
}
END_TEST

START_TEST(test_proc_missing)
{
	const char *const argv[] = { "/nowhere/program", NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status = 77;
	struct err e;

	ck_assert_int_eq(proc_run(argv, 30, &out, &status, &e), -1);
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_str_eq(e.msg,
			 "run /nowhere/program: No such file or directory");
	ck_assert_int_eq(status, 77);
}
END_TEST

/* The whole group is killed: the pipe that its sleep holds comes to an end. */
START_TEST(test_proc_timeout)
{
	const char *const argv[] = { "sh", "-c", "echo x; sleep 60; exit 0",
				     NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	struct pollfd end = { .fd = -1 };
	int pipes[2], status = 77;
	const time_t start = time(NULL);
	struct err e;

	ck_assert_int_eq(pipe(pipes), 0); /* the child is to inherit it */
	ck_assert_int_eq(proc_run(argv, 1, &out, &status, &e), -1);
	ck_assert_int_eq(e.code, ETIMEDOUT);
	ck_assert_int_eq(status, 77);
	ck_assert_uint_eq(out.n, 0);
	ck_assert_int_lt(time(NULL) - start, 30);
	fd_closep(&pipes[1]);
	end = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	ck_assert_int_eq(poll(&end, 1, 10000), 1);
	ck_assert_int_ne(end.revents & POLLHUP, 0);
	fd_closep(&pipes[0]);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, size_t rows)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 90);
	tcase_add_loop_test(tc, test, 0, (int)rows);
	suite_add_tcase(s, tc);
}

static Suite *suite(void)
{
	Suite *s = suite_create("base sys");

	add(s, "fd_close", test_fd_close, 1);
	add(s, "fd_open_in", test_fd_open_in, COUNT(opens));
	add(s, "fd_open_in_walk", test_fd_open_in_walk, COUNT(opens));
	add(s, "fd_open_links", test_fd_open_links, 1);
	add(s, "fd_open_long", test_fd_open_long, 1);
	add(s, "fd_write_all", test_fd_write_all, 1);
	add(s, "fd_replace", test_fd_replace, 1);
	add(s, "fd_mkdirs", test_fd_mkdirs, COUNT(mkdirs));
	add(s, "fd_remove", test_fd_remove, 1);
	add(s, "fd_remove_deep", test_fd_remove_deep, 1);
	add(s, "fd_remove_bad", test_fd_remove_bad, 1);
	add(s, "proc_run", test_proc_run, COUNT(runs));
	add(s, "proc_flood", test_proc_flood, 1);
	add(s, "proc_missing", test_proc_missing, 1);
	add(s, "proc_timeout", test_proc_timeout, 1);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
