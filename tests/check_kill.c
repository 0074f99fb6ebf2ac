/*
 * A conversion that is disturbed at each of its writes: killed, or told that
 * the disk is full or broken. Whatever the moment, there is a whole guest or
 * none, and --resume ends with the bytes of a run that nobody disturbed.
 *
 * The kernel asks us before each call that changes the output (seccomp's user
 * notification), of the program and of its workers. Every call is taken with
 * FULL=1, else at most SAMPLES of them, evenly, and always the last.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"

enum {
	SAMPLES = 24,
	WAIT = 300000, /* ms for a call: far more than any needs */
};

/* What a disturbed run meets. */
enum blow {
	BLOW_NONE,
	BLOW_KILL,       /* before the call, of all processes */
	BLOW_BROKEN,     /* that one call fails with EIO */
	BLOW_FULL,       /* with ENOSPC, and all that need room from then on */
	BLOW_UNREADABLE, /* each read of one file of the guest fails with EIO */
};

/* The calls that change something; each has a descriptor in front. */
static const struct {
	int nr;
	bool fails; /* of want of room */
	bool reads;
} calls[] = {
	{ .nr = SCMP_SYS(write), .fails = true },
	{ .nr = SCMP_SYS(pwrite64), .fails = true },
	{ .nr = SCMP_SYS(writev), .fails = true },
	{ .nr = SCMP_SYS(pwritev2), .fails = true },
	{ .nr = SCMP_SYS(copy_file_range) },
	{ .nr = SCMP_SYS(ftruncate), .fails = true },
	{ .nr = SCMP_SYS(fallocate), .fails = true },
	{ .nr = SCMP_SYS(fsync), .fails = true },
	{ .nr = SCMP_SYS(fdatasync), .fails = true },
	{ .nr = SCMP_SYS(mkdirat), .fails = true },
	{ .nr = SCMP_SYS(symlinkat), .fails = true },
	{ .nr = SCMP_SYS(linkat), .fails = true },
	{ .nr = SCMP_SYS(mknodat), .fails = true },
	{ .nr = SCMP_SYS(renameat) },
	{ .nr = SCMP_SYS(renameat2) },
	{ .nr = SCMP_SYS(unlinkat) },
	{ .nr = SCMP_SYS(pread64), .reads = true },
	{ .nr = SCMP_SYS(preadv2), .reads = true },
};

static struct arena *mem; /* of a test, as the directory */
static char *dir;

static const char *in_dir(const char *path)
{
	return arena_printf(mem, "%s/%s", dir, path);
}

/* --- a guest ------------------------------------------------------------- */

static void put(const char *path, const char *text, size_t n)
{
	int at CLEANUP(fd_closep) = open(dir, O_PATH | O_CLOEXEC);
	char *parent = arena_strdup(mem, path);
	int fd CLEANUP(fd_closep) = -1;
	struct err e;

	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(fd_mkdirs(at, parent, &e), 0);
	fd = open(in_dir(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

/* Content that does not shrink. */
static void put_random(const char *path, size_t n)
{
	int fd CLEANUP(fd_closep) = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	char *bytes = arena_alloc(mem, n);

	ck_assert_int_eq(read(fd, bytes, n), (ssize_t)n);
	put(path, bytes, n);
}

static void set_up(void)
{
	mem = arena_new();
	/* in memory nobody waits for a disk at each sync */
	dir = arena_printf(mem, "%s/check_kill.XXXXXX",
			   access("/dev/shm", R_OK | W_OK | X_OK) ? "/tmp" :
								    "/dev/shm");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	put_text("host/etc/vservers/v1/name", "v1\n");
	put_text("host/etc/vservers/v1/context", "100\n");
	put_text("host/vservers/v1/sbin/init", "init");
	put_text("host/vservers/v1/etc/passwd", "root:x:0:0::/:/bin/sh\n");
	put_random("host/vservers/v1/srv/data", 3 << 20);
	ck_assert_int_eq(symlink("/vservers/v1",
				 in_dir("host/etc/vservers/v1/vdir")),
			 0);
}

static void tear_down(void)
{
	struct err e;

	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, dir, &e), 0);
	arena_freep(&mem);
}

/* --- running it ----------------------------------------------------------- */

struct run {
	enum blow blow;
	unsigned at;        /* the call that is met, from 1 */
	const char *option; /* "--resume", "--force" */
	const char *rootfs; /* NULL: an archive */
	/* results */
	unsigned calls; /* that were counted */
	int status;     /* as of waitpid */
	const char *said;
};

static const char *program(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return arena_printf(mem, "%s/rehost", path);
}

static int load_filter(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int r = f ? 0 : -ENOMEM;

	for (size_t i = 0; i < COUNT(calls) && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_NOTIFY, calls[i].nr, 0);
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT,
					     O_CREAT));
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, FICLONE, 0));
	if (r == 0)
		r = seccomp_load(f);
	return r ? r : seccomp_notify_fd(f);
}

/* Sends a descriptor, or receives one, through a socket. */
static void pass_fd(int socket, int *fd, bool sends)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec one = { &byte, 1 };
	struct msghdr m = { .msg_iov = &one,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };

	if (sends) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), fd, sizeof(int));
		if (sendmsg(socket, &m, 0) != 1)
			_exit(125);
		return;
	}
	ck_assert_int_eq(recvmsg(socket, &m, MSG_CMSG_CLOEXEC), 1);
	memcpy(fd, CMSG_DATA(&control.head), sizeof(int));
}

NORETURN static void child(const struct run *r, int socket)
{
	const char *argv[16] = {
		program(),        "convert", "-q",           "-j2",
		"--validate=off", "--root",  in_dir("host"), "-o",
		in_dir("out"),
	};
	size_t n = 9;
	int listener,
		log = open(in_dir("log"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (r->option)
		argv[n++] = r->option;
	if (r->rootfs)
		argv[n++] = arena_printf(mem, "--rootfs=%s", r->rootfs);
	dup2(open("/dev/null", O_RDWR), 1);
	dup2(log, 2);
	setpgid(0, 0);
	listener = load_filter();
	if (listener < 0)
		_exit(126);
	pass_fd(socket, &listener, true);
	execv(argv[0], (char *const *)(void *)argv);
	_exit(127);
}

/* Whether the call is on a descriptor of what counts. */
static bool is_met(const struct run *r, const struct seccomp_notif *call)
{
	char path[4096];
	ssize_t n = readlink(arena_printf(mem, "/proc/%u/fd/%d", call->pid,
					  (int)call->data.args[0]),
			     path, sizeof(path) - 1);

	if (n < 0)
		return false;
	path[n] = '\0';
	return r->blow == BLOW_UNREADABLE ? str_ends(path, "/srv/data") :
					    str_starts(path, in_dir("out"));
}

/* Whether a call of its kind counts. */
static bool is_kind(const struct run *r, const struct seccomp_notif *call)
{
	bool reads = false, fails = call->data.nr == SCMP_SYS(openat);

	for (size_t i = 0; i < COUNT(calls); i++) {
		if (calls[i].nr != call->data.nr)
			continue;
		reads = calls[i].reads;
		fails = calls[i].fails;
	}
	if (r->blow == BLOW_UNREADABLE || reads)
		return r->blow == BLOW_UNREADABLE && reads;
	return r->blow < BLOW_BROKEN || fails;
}

/* What the call is answered with: 0 (it goes on), an errno, or -1: none. */
static int answer(struct run *r, const struct seccomp_notif *call)
{
	bool counts = is_kind(r, call) && is_met(r, call);

	r->calls += counts;
	if (!counts || r->calls < r->at || r->blow == BLOW_NONE)
		return 0;
	if (r->blow == BLOW_FULL)
		return ENOSPC;
	if (r->blow == BLOW_UNREADABLE)
		return EIO;
	if (r->calls > r->at)
		return 0;
	return r->blow == BLOW_KILL ? -1 : EIO;
}

static void serve(struct run *r, int listener, pid_t group)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct seccomp_notif *call;
	struct seccomp_notif_resp *reply;

	ck_assert_int_eq(seccomp_notify_alloc(&call, &reply), 0);
	while (poll(&p, 1, WAIT) == 1 && (p.revents & POLLIN)) {
		int code;

		memset(call, 0, sizeof(*call));
		if (seccomp_notify_receive(listener, call))
			continue; /* who asked is dead */
		code = answer(r, call);
		if (code < 0) {
			kill(-group, SIGKILL);
			continue;
		}
		memset(reply, 0, sizeof(*reply));
		reply->id = call->id;
		reply->error = -code;
		reply->flags = code ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		seccomp_notify_respond(listener, reply);
	}
	ck_assert_msg(p.revents & POLLHUP, "convert hangs at call %u",
		      r->calls);
	seccomp_notify_free(call, reply);
}

static const char *read_text(const char *path)
{
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(mem, 65536);

	ck_assert_int_ge(read(fd, text, 65535), 0);
	return text;
}

static void convert(struct run *r)
{
	int ends[2], listener CLEANUP(fd_closep) = -1;
	pid_t pid;

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	r->calls = 0;
	pid = fork();
	if (pid == 0)
		child(r, ends[1]);
	close(ends[1]);
	pass_fd(ends[0], &listener, false);
	close(ends[0]);
	serve(r, listener, pid);
	ck_assert_int_eq(waitpid(pid, &r->status, 0), pid);
	r->said = read_text(in_dir("log"));
}

/* --- what has to hold ----------------------------------------------------- */

static bool is_there(const char *path)
{
	return access(in_dir(path), F_OK) == 0;
}

static void run_tool(const char *const argv[], struct buf *ret, int *ret_code)
{
	struct err e;

	ck_assert_int_eq(proc_run(argv, 300, ret, ret_code, &e), 0);
}

/* Whether every byte, name and type of the guest is that of a quiet run. */
static bool is_same(const char *reference, struct buf *ret_why)
{
	const char *const argv[] = {
		"diff",           "-r", "--no-dereference", in_dir(reference),
		in_dir("out/v1"), NULL
	};
	int status = -1;

	buf_clear(ret_why);
	run_tool(argv, ret_why, &status);
	return status == 0;
}

static void is_whole(const char *reference, const struct run *r)
{
	struct buf why CLEANUP(buf_done) = { 0 };

	ck_assert_msg(is_same(reference, &why),
		      "call %u: the guest is not whole:\n%s", r->at,
		      buf_str(&why));
}

static void nothing_is_left(const struct run *r)
{
	const char *const argv[] = { "find", in_dir("out"), "-name", ".*",
				     NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status = -1;

	run_tool(argv, &out, &status);
	ck_assert_msg(out.n == 0, "call %u: left: %s", r->at, buf_str(&out));
}

static void ends_well(struct run *r)
{
	convert(r);
	ck_assert_msg(r->status == 0, "%s ends with %#x: %s", r->option,
		      r->status, r->said);
}

static void remove_all(const char *path)
{
	struct err e;

	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, in_dir(path), &e), 0);
}

/* A quiet run: its guest becomes DIR/reference. Returns its calls. */
static unsigned quiet_run(struct run r, const char *reference)
{
	struct run quiet = { .blow = r.blow == BLOW_KILL ? BLOW_NONE : r.blow,
			     .at = UINT32_MAX,
			     .rootfs = r.rootfs };

	ends_well(&quiet);
	ck_assert_int_eq(rename(in_dir("out/v1"), in_dir(reference)), 0);
	remove_all("out");
	return quiet.calls;
}

static unsigned stride(unsigned n)
{
	const char *full = getenv("FULL");

	return (full && *full == '1') || n < SAMPLES ? 1 : n / SAMPLES;
}

static void says_why(const struct run *r)
{
	const char *why = strerror(r->blow == BLOW_FULL ? ENOSPC : EIO);

	ck_assert_msg(WIFEXITED(r->status) && WEXITSTATUS(r->status) == 1,
		      "call %u: status %#x: %s", r->at, r->status, r->said);
	ck_assert_msg(strstr(r->said, why), "call %u: does not say \"%s\": %s",
		      r->at, why, r->said);
}

/* Disturbed, then resumed. */
static void disturb(struct run r)
{
	struct run again = { .option = "--resume", .rootfs = r.rootfs };

	convert(&r);
	if (r.calls < r.at) /* threads: it was over a call earlier */
		return;
	if (r.blow == BLOW_KILL)
		ck_assert_int_eq(WTERMSIG(r.status), SIGKILL);
	else
		says_why(&r);
	if (is_there("out/v1"))
		is_whole("reference", &r);
	again.at = r.at;
	ends_well(&again);
	is_whole("reference", &again);
	nothing_is_left(&again);
	remove_all("out");
}

static const struct run blows[] = {
	{ .blow = BLOW_KILL },
	{ .blow = BLOW_FULL },
	{ .blow = BLOW_BROKEN },
	{ .blow = BLOW_KILL, .rootfs = "tree" },
	{ .blow = BLOW_FULL, .rootfs = "tree" },
};

START_TEST(each_call)
{
	struct run r = blows[_i];
	unsigned n, step;

	if (r.rootfs && geteuid() != 0)
		return; /* a tree has owners */
	n = quiet_run(r, "reference");
	step = stride(n);
	ck_assert_uint_gt(n, 50);
	for (r.at = 1; r.at <= n; r.at += step)
		disturb(r);
	r.at = n;
	disturb(r);
}
END_TEST

/* The output as it was before the guest got a new file. */
static void put_back(void)
{
	const char *const argv[] = { "cp", "-a", in_dir("old"),
				     in_dir("out/v1"), NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status = -1;

	ck_assert_int_eq(mkdir(in_dir("out"), 0700), 0);
	run_tool(argv, &out, &status);
	ck_assert_int_eq(status, 0);
}

/* An older guest is replaced: there is always the old or the new, whole. */
START_TEST(replaced)
{
	struct run r = { .blow = BLOW_KILL, .option = "--force" };
	struct run quiet = { .option = "--force" };
	struct buf why CLEANUP(buf_done) = { 0 };
	unsigned n_old = 0, n_new = 0;

	quiet_run(r, "old");
	put_text("host/vservers/v1/etc/new", "new");
	quiet_run(r, "reference");
	put_back();
	ends_well(&quiet);
	for (r.at = 1; r.at <= quiet.calls; r.at += stride(quiet.calls)) {
		remove_all("out");
		put_back();
		convert(&r);
		if (is_same("old", &why))
			n_old++;
		else
			n_new++, is_whole("reference", &r);
	}
	ck_assert_uint_gt(n_old, 0);
	ck_assert_uint_gt(n_new, 0);
}
END_TEST

/* A disk that is really full: a small file system of its own. */
START_TEST(full_disk)
{
	struct run r = { .blow = BLOW_NONE }, again = { .option = "--resume" };

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return; /* needs root */
	quiet_run(r, "reference");
	ck_assert_int_eq(mkdir(in_dir("out"), 0700), 0);
	ck_assert_int_eq(mount("none", in_dir("out"), "tmpfs", 0, "size=2m"),
			 0);
	convert(&r);
	r.blow = BLOW_FULL;
	says_why(&r);
	ck_assert(!is_there("out/v1"));
	nothing_is_left(&r);
	ck_assert_int_eq(mount("none", in_dir("out"), "tmpfs", MS_REMOUNT,
			       "size=64m"),
			 0);
	ends_well(&again);
	is_whole("reference", &again);
	ck_assert_int_eq(umount(in_dir("out")), 0);
}
END_TEST

/* It goes on, the file is named, and the manifest tells of it. */
START_TEST(unreadable)
{
	struct run r = { .blow = BLOW_UNREADABLE, .at = 1 };
	const char *text;

	ends_well(&r);
	ck_assert_uint_gt(r.calls, 0);
	text = read_text(in_dir("out/v1/report.txt"));
	ck_assert_msg(strstr(text, "could not be read whole: 1, the first "
				   "is /srv/data [DSK008"),
		      "%s", text);
	text = read_text(in_dir("out/v1/manifest.json"));
	ck_assert_ptr_nonnull(strstr(text, "\"unreadable\": 1"));
	ck_assert_ptr_nonnull(strstr(text, "\"complete\": false"));
	nothing_is_left(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kill");
	TCase *c = tcase_create("kill");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 1500);
	tcase_add_loop_test(c, each_call, 0, COUNT(blows));
	tcase_add_test(c, replaced);
	tcase_add_test(c, full_disk);
	tcase_add_test(c, unreadable);
	suite_add_tcase(s, c);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
