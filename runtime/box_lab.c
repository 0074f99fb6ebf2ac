/* A box around what another engine starts: the lab, the root, the calls. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/box_parts.h"
#include "runtime/probe.h"

/* What the engine makes itself; the other operations are asked for by side. */
static bool is_engines(enum op_kind kind)
{
	return kind == OP_CONTROLLERS || kind == OP_GROUP ||
	       kind == OP_GROUP_GIVE || kind == OP_GROUP_SET ||
	       kind == OP_DEVICES || kind == OP_DEV || kind == OP_NODE ||
	       kind == OP_TERMINAL;
}

static void leave_to_engine(struct ops *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < ops->list.n; i++)
		if (!is_engines(ops->list.v[i].kind))
			ops->list.v[n++] = ops->list.v[i];
	ops->list.n = n;
}

int box_lab(const struct policy *p, const struct box_options *o,
	    struct arena *mem, struct box **ret, struct err *e)
{
	struct box *b = box_new(o, mem);

	if (box_plan(p, o, b, e) < 0)
		return err_wrap(e, "plan the start of %s", o->name);
	leave_to_engine(&b->ops);
	b->adopted = true;
	*ret = b;
	return 0;
}

int box_lab_make(struct box *b, struct err *e)
{
	if (geteuid() != 0)
		return err_set(e, EPERM, "start %s: only root can", b->o.name);
	box_leftovers(&b->host, b->o.scratch);
	if (box_make_host(b, e) < 0 || box_make_lab(b, e) < 0)
		return err_wrap(e, "start %s", b->o.name);
	return box_make_dir(b, "", e);
}

/* A mapped root has to walk through it, whatever the umask. */
int box_make_dir(struct box *b, const char *name, struct err *e)
{
	const char *dir = arena_printf(b->mem, "%s/%s", box_files(b), name);

	if (mkdir(dir, 0755) < 0 || chmod(dir, 0755) < 0)
		return err_set(e, errno, "mkdir %s", dir);
	return 0;
}

/* Of the guest's own only what the engine leaves to the lab. */
void box_lab_print(const struct box *b, struct buf *ret)
{
	struct ops shown = b->ops;

	shown.list.v = NULL;
	shown.list.n = shown.list.cap = 0;
	for (size_t i = 0; i < b->ops.list.n; i++)
		if (ops_side(b->ops.list.v[i].kind) <= SIDE_OUTER)
			*vec_add(b->mem, &shown.list) = b->ops.list.v[i];
	ops_print(&shown, ret);
}

void box_withhold(struct box *b, enum field_id field, const char *key,
		  const char *reason)
{
	ops_withhold(&b->ops, field, key, reason);
}

bool box_binds(const struct box *b, const char *target)
{
	for (size_t i = 0; i < b->ops.list.n; i++)
		if (b->ops.list.v[i].kind == OP_BIND &&
		    str_eq(b->ops.list.v[i].b, target))
			return true;
	return false;
}

const char *box_nic_end(const struct box *b, const char *nic)
{
	const struct op *link = NULL;

	for (size_t i = 0; i < b->ops.list.n; i++)
		if (b->ops.list.v[i].kind == OP_LINK &&
		    str_eq(b->ops.list.v[i].b, nic))
			link = &b->ops.list.v[i];
	for (size_t i = 0; link != NULL && i < b->ops.list.n; i++)
		if (b->ops.list.v[i].kind == OP_PAIR &&
		    str_eq(b->ops.list.v[i].b, link->a))
			return b->ops.list.v[i].a;
	return NULL;
}

int box_give_answers(struct box *b, struct err *e)
{
	struct ops ends = b->ops;
	struct run r = b->run;

	ends.list.v = NULL;
	ends.list.n = ends.list.cap = 0;
	for (size_t i = 0; i < b->ops.list.n; i++)
		if (b->ops.list.v[i].kind == OP_END_ADDR)
			*vec_add(b->mem, &ends.list) = b->ops.list.v[i];
	if (ends.list.n == 0)
		return 0;
	r.ops = &ends;
	return run_side_in(&r, SIDE_ATTACH, b->run.lab, e);
}

bool box_controller(const struct box *b, const char *controller, bool *ret_v2)
{
	const struct host_group *g = host_controller(&b->host, controller);

	if (g == NULL)
		return false;
	*ret_v2 = g->v2;
	return true;
}

/*
 * A mapped root has to reach it, and scratch is closed to all. No scratch can
 * be beneath this one, which is a tmpfs everywhere.
 */
#define OPEN_PLACE "/dev/shm"

const char *box_root(const struct box *b)
{
	(void)b;
	return OPEN_PLACE "/root";
}

const char *box_files(const struct box *b)
{
	return arena_printf(b->mem, "%s/engine", b->ops.dir);
}

const char *box_files_inside(const struct box *b)
{
	(void)b;
	return OPEN_PLACE "/engine";
}

const char *box_group(const struct box *b)
{
	return b->ops.group;
}

/* --- the engine's process --- */

/* The sysfs of a network namespace shows its interfaces; engines look there. */
static int mount_sys(struct err *e)
{
	int groups CLEANUP(fd_closep) =
		open_tree(AT_FDCWD, "/sys/fs/cgroup",
			  OPEN_TREE_CLONE | AT_RECURSIVE | OPEN_TREE_CLOEXEC);

	if (groups < 0)
		return err_set(e, errno, "hold /sys/fs/cgroup");
	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) < 0)
		return err_set(e, errno, "mount the lab's /sys");
	if (move_mount(groups, "", AT_FDCWD, "/sys/fs/cgroup",
		       MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "put /sys/fs/cgroup back");
	return 0;
}

static int show(const char *from, const char *to, struct err *e)
{
	if (mkdir(to, 0755) < 0 ||
	    mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_set(e, errno, "mount %s on %s", from, to);
	return 0;
}

static int mount_open_place(const struct box *b, struct err *e)
{
	if (mount("none", OPEN_PLACE, "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=755") < 0)
		return err_set(e, errno, "mount tmpfs on " OPEN_PLACE);
	if (show(arena_printf(b->mem, "%s/root", b->ops.dir), box_root(b), e) <
	    0)
		return -1;
	return show(box_files(b), box_files_inside(b), e);
}

static int enter_lab(struct box *b, struct err *e)
{
	umask(022);
	if (setns(b->run.lab, CLONE_NEWNET) < 0)
		return err_set(e, errno, "join the lab");
	if (unshare(CLONE_NEWNS) < 0)
		return err_set(e, errno, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, errno, "make mounts private");
	if (run_side(&b->run, SIDE_OUTER, e) < 0 || mount_open_place(b, e) < 0)
		return -1;
	return mount_sys(e);
}

static int redirect(const char *log, struct err *e)
{
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int out =
		open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		return err_set(e, errno, "open %s", log);
	return 0;
}

static NORETURN void engine_main(struct box *b, char *const argv[],
				 const char *log, int report)
{
	struct err e = { 0 };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (enter_lab(b, &e) == 0 && redirect(log, &e) == 0) {
		setsid();
		/* what changes namespaces or credentials clears it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], argv);
		err_fill(&e, errno, "execute %s", argv[0]);
	}
	if (write(report, &e, sizeof(e)) < 0)
		_exit(2);
	_exit(1);
}

int box_spawn(struct box *b, char *const argv[], const char *log, pid_t *ret,
	      struct err *e)
{
	int report[2];
	struct err got;
	ssize_t n;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		engine_main(b, argv, log, report[1]);
	close(report[1]);
	if (pid < 0)
		err_fill(e, errno, "fork");
	n = pid < 0 ? 0 : read(report[0], &got, sizeof(got));
	close(report[0]);
	if (pid > 0) {
		*ret = pid;
		b->engine = (int)syscall(SYS_pidfd_open, pid, 0);
	}
	if (n == (ssize_t)sizeof(got)) {
		*e = got;
		return -1;
	}
	return pid < 0 ? -1 : 0;
}

/* --- calls into what it started --- */

/* Calls join the groups of pid 1, wherever the engine made them. */
static int find_groups(struct box *b, pid_t init, struct err *e)
{
	struct probe reader = { .mem = b->mem };
	struct slice rest, line;
	const char *text;
	size_t n;

	if (probe_read(&reader,
		       arena_printf(b->mem, "/proc/%d/cgroup", (int)init),
		       &text, &n, e) < 0)
		return -1;
	rest = (struct slice){ text, n };
	while (slice_next(&rest, '\n', &line)) {
		const char *s = slice_dup(b->mem, line);
		const char *names = strchr(s, ':');
		const char *path = names == NULL ? NULL :
						   strchr(names + 1, ':');

		if (path == NULL)
			continue;
		names = arena_strndup(b->mem, names + 1,
				      (size_t)(path - names - 1));
		for (size_t i = 0; i < b->host.groups.n; i++) {
			const struct host_group *g = &b->host.groups.v[i];

			/* "name=": joined as it is, pid 1's own group */
			if (str_eq(g->controllers, names) ||
			    (g->v2 && names[0] == '\0'))
				ops_add(&b->ops, OP_GROUP,
					arena_printf(b->mem, "%s%s", g->path,
						     path + 1),
					"name=", NULL, NULL);
		}
	}
	return 0;
}

static int is_own(pid_t init, const char *ns, bool *ret, struct err *e)
{
	char path[64];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)init, ns);
	if (stat(path, &theirs) < 0)
		return err_set(e, errno, "stat %s", path);
	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns);
	if (stat(path, &ours) < 0)
		return err_set(e, errno, "stat %s", path);
	*ret = ours.st_ino != theirs.st_ino;
	return 0;
}

static int find_caps(struct box *b, pid_t init, struct err *e)
{
	struct probe reader = { .mem = b->mem };
	const char *text, *bound;
	size_t n;

	if (probe_read(&reader,
		       arena_printf(b->mem, "/proc/%d/status", (int)init),
		       &text, &n, e) < 0)
		return -1;
	bound = probe_line(&reader, text, "CapBnd");
	if (bound == NULL)
		return err_set(e, 0, "/proc/%d/status has no CapBnd",
			       (int)init);
	return num_u64_hex(bound, &b->ops.caps, e);
}

int box_adopt(struct box *b, pid_t init, struct err *e)
{
	if (find_groups(b, init, e) < 0 || find_caps(b, init, e) < 0 ||
	    is_own(init, "user", &b->ops.userns, e) < 0 ||
	    is_own(init, "cgroup", &b->ops.cgroup_ns, e) < 0)
		return err_wrap(e, "look at pid 1 of %s", b->o.name);
	b->pidfd = (int)syscall(SYS_pidfd_open, init, 0);
	if (b->pidfd < 0)
		return err_set(e, errno, "pidfd_open");
	b->pid = init;
	return 0;
}
