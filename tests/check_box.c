/*
 * The box, with real guests of busybox: what they get, what they do not, and
 * that nothing is left. Needs root; each guest ends with its test.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "runtime/box.h"

enum { SECONDS = 20, OPS_MAX = 200, PATIENCE = 12000 };

static const char busybox[] = "/bin/busybox";

/* A scratch directory with a guest's tree, "root", as current directory. */
/* In the environment: where all tests' directories are; main removes it. */
static const char all_dirs[] = "CHECK_BOX_DIR";

struct lab {
	char dir[64];
	struct arena *mem;
	struct policy *p;
	struct box_options o;
	struct box *box;
	struct buf out;
	struct err e;
	int status;
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd CLEANUP(fd_closep) =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void copy_busybox(struct lab *l)
{
	const char *const argv[] = { "cp", busybox, "root/bin/busybox", NULL };

	ck_assert_int_eq(proc_run(argv, SECONDS, &l->out, &l->status, &l->e),
			 0);
	ck_assert_int_eq(symlink("busybox", "root/bin/sh"), 0);
}

static void make_tree(struct lab *l)
{
	static const char *const dirs[] = { "root", "root/bin", "root/dev",
					    "root/proc", "root/etc" };

	for (size_t i = 0; i < COUNT(dirs); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0755), 0);
	copy_busybox(l);
	/* pid 1: says so, then waits for SIGTERM */
	write_file("root/init",
		   "#!/bin/sh\ntrap 'exit 0' TERM\necho up\n"
		   "while :; do /bin/busybox sleep 1 & wait $!; done\n",
		   0755);
}

static const struct {
	enum field_id field;
	const char *key, *value;
} base_items[] = {
	{ FIELD_HOSTNAME, "", "web01" },
	{ FIELD_INIT_CMD, "", "/init" },
	{ FIELD_STOP_SIGNAL, "", "SIGTERM" },
	{ FIELD_ENV_VALUE, "PATH", "/bin" },
	{ FIELD_CAPS, "chown", "yes" },
	{ FIELD_CAPS, "net_raw", "yes" },
	{ FIELD_DEVICE_POLICY, "", "list" },
	{ FIELD_DEVICE_ACCESS, "c 1:3", "rw" },
	{ FIELD_DEVICE_PATH, "c 1:3", "/dev/null" },
	{ FIELD_DEVICE_ACCESS, "c 5:1", "rw" },
	{ FIELD_DEVICE_ACCESS, "c 5:2", "rw" },
	{ FIELD_DEVICE_ACCESS, "c 136:*", "rw" },
	{ FIELD_MOUNT_TARGET, "/dev", "/dev" },
	{ FIELD_MOUNT_TYPE, "/dev", "tmpfs" },
	{ FIELD_MOUNT_TARGET, "/proc", "/proc" },
	{ FIELD_MOUNT_TYPE, "/proc", "proc" },
	{ FIELD_PROC_VIEW, "", "mixed" },
	{ FIELD_PIDS_MAX, "", "50" },
	{ FIELD_NIC_NAME, "eth0", "eth0" },
	{ FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
	{ FIELD_NIC_UP, "eth0", "yes" },
	{ FIELD_NIC_GATEWAY4, "eth0", "192.0.2.1" },
	{ FIELD_ADDR_IP, "192.0.2.10", "192.0.2.10" },
	{ FIELD_ADDR_PREFIX, "192.0.2.10", "24" },
};

static void lab_start(struct lab *l)
{
	*l = (struct lab){ .mem = arena_new() };
	snprintf(l->dir, sizeof(l->dir), "%s/XXXXXX", getenv(all_dirs));
	ck_assert_ptr_nonnull(mkdtemp(l->dir));
	ck_assert_int_eq(chdir(l->dir), 0);
	make_tree(l);
	l->p = policy_new(l->mem);
	for (size_t i = 0; i < COUNT(base_items); i++)
		policy_add(l->p, base_items[i].field, base_items[i].key,
			   base_items[i].value);
	policy_sort(l->p);
	l->o = (struct box_options){
		/* another run may be under way on this machine */
		.name = arena_printf(l->mem, "check%d", (int)getpid()),
		.rootfs = arena_printf(l->mem, "%s/root", l->dir),
		.scratch = l->dir,
		.console = arena_printf(l->mem, "%s/console", l->dir),
		.stop_seconds = 5,
	};
}

static void lab_done(struct lab *l)
{
	box_free(l->box);
	buf_done(&l->out);
	arena_free(l->mem);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, l->dir, &l->e), 0);
}

static void start(struct lab *l)
{
	if (box_start(l->p, &l->o, l->mem, &l->box, &l->e) < 0)
		ck_abort_msg("%s", l->e.msg);
}

/* Runs a shell's words in the guest: its output, without the last newline. */
static const char *inside(struct lab *l, const char *words)
{
	char *copy = arena_strdup(l->mem, words);
	char sh[] = "/bin/sh", dash_c[] = "-c";
	char *argv[] = { sh, dash_c, copy, NULL };

	buf_clear(&l->out);
	if (box_exec(l->box, argv, SECONDS, &l->out, &l->status, &l->e) < 0)
		ck_abort_msg("%s: %s", words, l->e.msg);
	while (l->out.n > 0 && l->out.p[l->out.n - 1] == '\n')
		l->out.p[--l->out.n] = '\0';
	return buf_str(&l->out);
}

/* What a run could leave: a line for each group, mount, directory, link. */
static size_t count_in(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	size_t n = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		n += str_starts(entry->d_name, prefix);
	if (d != NULL)
		closedir(d);
	return n;
}

static size_t left_behind(const struct lab *l)
{
	static const char *const groups[] = {
		"/sys/fs/cgroup",         "/sys/fs/cgroup/memory",
		"/sys/fs/cgroup/devices", "/sys/fs/cgroup/pids",
		"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
	};
	const char *name = arena_printf(l->mem, "rehost.%s.", l->o.name);
	char line[4096];
	size_t n = count_in(l->dir, name);
	FILE *f = fopen("/proc/self/mountinfo", "re");

	for (size_t i = 0; i < COUNT(groups); i++)
		n += count_in(groups[i], name);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, l->dir) != NULL;
	if (f != NULL)
		fclose(f);
	return n;
}

START_TEST(boots_and_stops)
{
	struct lab l;
	struct stat before, after;
	bool clean = false;
	char text[16] = "";
	int fd;

	lab_start(&l);
	ck_assert_int_eq(stat("root", &before), 0);
	start(&l);
	ck_assert_str_eq(inside(&l, "/bin/busybox hostname"), "web01");
	ck_assert_str_eq(inside(&l, "echo x >/new; /bin/busybox cat /new"),
			 "x");
	ck_assert_str_eq(inside(&l, "exit 3"), "");
	ck_assert_int_eq(WEXITSTATUS(l.status), 3);
	if (box_stop(l.box, &clean, &l.e) < 0)
		ck_abort_msg("%s", l.e.msg);
	ck_assert(clean);
	fd = open("console", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, text, sizeof(text)), 4);
	close(fd);
	ck_assert_str_eq(text, "up\r\n");
	box_free(l.box);
	l.box = NULL;
	ck_assert_int_eq(stat("root", &after), 0);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	ck_assert_int_ne(access("root/new", F_OK), 0);
	ck_assert_uint_eq(left_behind(&l), 0);
	lab_done(&l);
}
END_TEST

/* What is asked in the guest, and its answer. */
static const struct {
	const char *words, *answer;
} questions[] = {
	{ "/bin/busybox grep CapBnd /proc/1/status",
	  "CapBnd:\t0000000000002001" },
	{ "/bin/busybox grep CapEff /proc/self/status",
	  "CapEff:\t0000000000002001" },
	{ "/bin/busybox ping -c 1 -W 2 192.0.2.1 >/dev/null && echo yes",
	  "yes" },
	{ "/bin/busybox ip route | /bin/busybox head -n 1",
	  "default via 192.0.2.1 dev eth0 " },
	{ "/bin/busybox ip -o link | /bin/busybox wc -l", "2" },
	{ "/bin/busybox cat /proc/1/comm", "init" },
	{ "echo x >/dev/null && echo yes", "yes" },
	{ "/bin/busybox mknod /x c 1 3 2>/dev/null || echo no", "no" },
	{ "/bin/busybox mount -t tmpfs x /proc 2>/dev/null || echo no", "no" },
	{ "/bin/busybox hostname x 2>/dev/null || echo no", "no" },
	{ "echo 1 2>/dev/null >/proc/sys/kernel/pid_max || echo no", "no" },
	{ "/bin/busybox cat /proc/self/cgroup | /bin/busybox grep -c rehost",
	  "0" },
	{ "/bin/busybox grep -c /var/tmp /proc/self/cgroup", "0" },
	{ "echo $PATH", "/bin" },
	{ "/bin/busybox ls /proc/1/root/var 2>/dev/null || echo no", "no" },
};

START_TEST(answers)
{
	struct lab l;

	lab_start(&l);
	start(&l);
	for (size_t i = 0; i < COUNT(questions); i++) {
		ck_assert_msg(str_eq(inside(&l, questions[i].words),
				     questions[i].answer),
			      "%s: \"%s\"", questions[i].words,
			      buf_str(&l.out));
	}
	lab_done(&l);
}
END_TEST

/* The node is there, made from outside; its numbers are not in the list. */
static void make_zero(int fd, const void *arg)
{
	(void)arg;
	if (mknod("/dev/zero", S_IFCHR | 0666, 1 << 8 | 5) == 0)
		dprintf(fd, "made");
}

START_TEST(device_list)
{
	struct lab l;
	struct buf made CLEANUP(buf_done) = { 0 };

	lab_start(&l);
	start(&l);
	ck_assert_int_eq(
		box_call_root(l.box, make_zero, NULL, SECONDS, &made, &l.e), 0);
	ck_assert_str_eq(buf_str(&made), "made");
	inside(&l, "/bin/busybox head -c 1 /dev/zero");
	ck_assert_ptr_nonnull(
		strstr(buf_str(&l.out), "Operation not permitted"));
	lab_done(&l);
}
END_TEST

/* Pid 1 has a console even where the list has no terminals. */
START_TEST(no_terminals)
{
	struct lab l;

	lab_start(&l);
	policy_remove(l.p, FIELD_DEVICE_ACCESS, "c 5:2");
	policy_remove(l.p, FIELD_DEVICE_ACCESS, "c 136:*");
	policy_sort(l.p);
	start(&l);
	inside(&l, "echo x >/proc/1/fd/1");
	ck_assert_ptr_nonnull(
		strstr(buf_str(&l.out), "Operation not permitted"));
	lab_done(&l);
}
END_TEST

/* An init that has its console open only while it writes, as systemd. */
START_TEST(console_reopened)
{
	struct lab l;
	char text[64] = "";
	bool clean = false;
	int fd;

	lab_start(&l);
	write_file("root/init",
		   "#!/bin/sh\nexec </dev/null >/dev/null 2>&1\n"
		   "trap 'exit 0' TERM\n"
		   "for i in 1 2 3; do echo $i >/dev/console\n"
		   "/bin/busybox sleep 0.1; done\n: >/done\n"
		   "while :; do /bin/busybox sleep 1 & wait $!; done\n",
		   0755);
	start(&l);
	inside(&l, "until [ -e /done ]; do /bin/busybox sleep 0.1; done");
	ck_assert_int_eq(box_stop(l.box, &clean, &l.e), 0);
	ck_assert(clean);
	fd = open("console", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	ck_assert_str_eq(text, "1\r\n2\r\n3\r\n");
	lab_done(&l);
}
END_TEST

static void map_ids(struct lab *l)
{
	policy_add(l->p, FIELD_NS_USER, "", "private");
	for (const char *k = "ug"; *k != '\0'; k++) {
		const char *key = arena_printf(l->mem, "%c 0", *k);

		policy_add(l->p, FIELD_IDMAP_OUTSIDE, key, "100000");
		policy_add(l->p, FIELD_IDMAP_COUNT, key, "65536");
	}
	policy_sort(l->p);
}

START_TEST(user_namespace)
{
	struct lab l;

	lab_start(&l);
	map_ids(&l);
	start(&l);
	ck_assert_str_eq(inside(&l, "/bin/busybox awk '{ print $2 }' "
				    "/proc/self/uid_map"),
			 "100000");
	ck_assert_str_eq(inside(&l, "/bin/busybox stat -c %u /bin/busybox "
				    "/dev/null /dev"),
			 "0\n0\n0");
	ck_assert_str_eq(inside(&l, "echo x >/x && /bin/busybox stat -c %u /x"),
			 "0");
	lab_done(&l);
}
END_TEST

/* Fails at each operation in turn, until none is left to fail. */
START_TEST(each_failure_undone)
{
	struct lab l;

	lab_start(&l);
	for (l.o.fail = 1; l.o.fail < OPS_MAX; l.o.fail++) {
		if (box_start(l.p, &l.o, l.mem, &l.box, &l.e) == 0)
			break;
		ck_assert_msg(strstr(l.e.msg, "asked to fail") != NULL,
			      "%zu: %s", l.o.fail, l.e.msg);
		ck_assert_msg(left_behind(&l) == 0, "%zu: %s left something",
			      l.o.fail, l.e.msg);
	}
	ck_assert_uint_gt(l.o.fail, 30);
	ck_assert_ptr_nonnull(l.box);
	lab_done(&l);
}
END_TEST

/*
 * rehost is killed: the guest dies with it, whoever its root is outside; the
 * next run removes the rest.
 */
START_TEST(killed_run)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	struct lab l;
	int ready[2], i;
	pid_t child, init = 0;

	lab_start(&l);
	/* it ends by neither the end of its terminal nor that of its input */
	write_file("root/init",
		   "#!/bin/sh\ntrap '' HUP\nexec /bin/busybox sleep 1000\n",
		   0755);
	if (_i == 1)
		map_ids(&l);
	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		start(&l);
		init = box_init(l.box);
		if (write(ready[1], &init, sizeof(init)) < 0)
			_exit(1);
		pause();
	}
	ck_assert_int_eq(read(ready[0], &init, sizeof(init)), sizeof(init));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (i = 0; i < PATIENCE && kill(init, 0) == 0; i++)
		nanosleep(&tick, NULL);
	ck_assert_int_lt(i, PATIENCE);
	ck_assert_uint_gt(left_behind(&l), 0);
	start(&l);
	box_free(l.box);
	l.box = NULL;
	ck_assert_uint_eq(left_behind(&l), 0);
	lab_done(&l);
}
END_TEST

/* Guests that are not what one hopes for. */
START_TEST(no_init)
{
	struct lab l;

	lab_start(&l);
	ck_assert_int_eq(unlink("root/init"), 0);
	ck_assert_int_eq(box_start(l.p, &l.o, l.mem, &l.box, &l.e), -1);
	ck_assert_int_eq(l.e.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(l.e.msg, "execute /init"));
	ck_assert_uint_eq(left_behind(&l), 0);
	lab_done(&l);
}
END_TEST

START_TEST(init_exits)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	struct lab l;
	bool clean = false;
	int status = 0;

	lab_start(&l);
	write_file("root/init", "#!/bin/sh\nexit 7\n", 0755);
	start(&l);
	for (int i = 0; i < 500 && box_alive(l.box, &status); i++)
		nanosleep(&tick, NULL);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	ck_assert_int_eq(box_stop(l.box, &clean, &l.e), 0);
	lab_done(&l);
}
END_TEST

START_TEST(init_ignores_signals)
{
	struct lab l;
	bool clean = true;

	lab_start(&l);
	l.o.stop_seconds = 1;
	write_file("root/init",
		   "#!/bin/sh\ntrap '' TERM\necho up\n"
		   "while :; do /bin/busybox sleep 1; done\n",
		   0755);
	start(&l);
	ck_assert_int_eq(box_stop(l.box, &clean, &l.e), 0);
	ck_assert(!clean);
	lab_done(&l);
}
END_TEST

START_TEST(init_floods)
{
	const struct timespec second = { .tv_sec = 1 };
	struct lab l;
	struct stat s;

	lab_start(&l);
	write_file("root/init", "#!/bin/sh\nexec /bin/busybox yes flood\n",
		   0755);
	start(&l);
	nanosleep(&second, NULL);
	box_free(l.box);
	l.box = NULL;
	ck_assert_int_eq(stat("console", &s), 0);
	ck_assert_int_gt(s.st_size, 1000);
	ck_assert_int_le(s.st_size, 1 << 20);
	lab_done(&l);
}
END_TEST

START_TEST(init_forks)
{
	struct lab l;

	lab_start(&l);
	write_file("root/init",
		   "#!/bin/sh\nf() { f & f & wait; }\nf\n"
		   "exec /bin/busybox sleep 60\n",
		   0755);
	start(&l);
	box_free(l.box);
	l.box = NULL;
	ck_assert_uint_eq(left_behind(&l), 0);
	lab_done(&l);
}
END_TEST

/* A mount point that is a link out of the tree stays in the tree. */
START_TEST(link_out)
{
	struct lab l;
	char out[128];

	lab_start(&l);
	ck_assert_int_eq(mkdir("outside", 0755), 0);
	snprintf(out, sizeof(out), "%s/outside/made", l.dir);
	ck_assert_int_eq(symlink(out, "root/data"), 0);
	policy_add(l.p, FIELD_MOUNT_TARGET, "/data/x", "/data/x");
	policy_add(l.p, FIELD_MOUNT_TYPE, "/data/x", "none");
	policy_add(l.p, FIELD_MOUNT_SOURCE, "/data/x",
		   arena_printf(l.mem, "%s/outside", l.dir));
	policy_add(l.p, FIELD_MOUNT_OPTIONS, "/data/x", "bind");
	policy_sort(l.p);
	if (box_start(l.p, &l.o, l.mem, &l.box, &l.e) == 0)
		inside(&l, "echo x >/data/x/file");
	ck_assert_uint_eq(count_in("outside", ""), 2); /* "." and ".." */
	lab_done(&l);
}
END_TEST

static void sleep_long(int fd, const void *arg)
{
	(void)arg;
	dprintf(fd, "begun");
	sleep(60);
}

static void die(int fd, const void *arg)
{
	(void)fd;
	(void)arg;
	raise(SIGSEGV);
}

START_TEST(calls_are_bounded)
{
	struct lab l;
	struct buf out CLEANUP(buf_done) = { 0 };

	lab_start(&l);
	start(&l);
	ck_assert_int_eq(box_call(l.box, sleep_long, NULL, 1, &out, &l.e), -1);
	ck_assert_int_eq(l.e.code, ETIMEDOUT);
	ck_assert_str_eq(buf_str(&out), "begun");
	ck_assert_int_eq(box_call(l.box, die, NULL, 5, &out, &l.e), -1);
	ck_assert_int_eq(l.e.code, 0);
	lab_done(&l);
}
END_TEST

static void list_links(int fd, const void *arg)
{
	FILE *f = fopen("/proc/self/net/dev", "re");
	char line[512];

	(void)arg;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		dprintf(fd, "%s", line);
	if (f != NULL)
		fclose(f);
}

START_TEST(lab_is_closed)
{
	struct lab l;
	struct buf out CLEANUP(buf_done) = { 0 };

	lab_start(&l);
	start(&l);
	ck_assert_int_eq(box_call_lab(l.box, list_links, NULL, 5, &out, &l.e),
			 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "br0:"));
	ck_assert_ptr_null(strstr(buf_str(&out), " eth0:"));
	buf_clear(&out);
	ck_assert_int_eq(
		box_call_neighbour(l.box, list_links, NULL, 5, &out, &l.e), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "nb0:"));
	ck_assert_ptr_null(strstr(buf_str(&out), "br0:"));
	lab_done(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("box");
	TCase *c = tcase_create("box");
	char dir[] = "/var/tmp/rehost-box.XXXXXX";
	struct err e;
	SRunner *r;
	int failed;

	if (geteuid() != 0 || access(busybox, X_OK) < 0) {
		puts("ok 1 - guests are booted # SKIP needs root and "
		     "busybox\n1..1");
		return 0;
	}
	if (mkdtemp(dir) == NULL || setenv(all_dirs, dir, 1) < 0)
		return EXIT_FAILURE;
	tcase_set_timeout(c, 300);
	tcase_add_test(c, boots_and_stops);
	tcase_add_test(c, answers);
	tcase_add_test(c, device_list);
	tcase_add_test(c, no_terminals);
	tcase_add_test(c, console_reopened);
	tcase_add_test(c, user_namespace);
	tcase_add_test(c, each_failure_undone);
	tcase_add_loop_test(c, killed_run, 0, 2);
	tcase_add_test(c, no_init);
	tcase_add_test(c, init_exits);
	tcase_add_test(c, init_ignores_signals);
	tcase_add_test(c, init_floods);
	tcase_add_test(c, init_forks);
	tcase_add_test(c, link_out);
	tcase_add_test(c, calls_are_bounded);
	tcase_add_test(c, lab_is_closed);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	fd_remove_tree(AT_FDCWD, dir, &e); /* of those that failed */
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
