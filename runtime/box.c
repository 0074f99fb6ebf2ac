/* The box: starts a guest, stops it, undoes everything. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/box_parts.h"
#include "runtime/group.h"
#include "runtime/group_v2.h"
#include "runtime/idmap.h"
#include "runtime/net.h"
#include "runtime/wire.h"

enum { START_SECONDS = 30 };

/* --- in the child: from the host's rights to pid 1 --- */

static NORETURN void inner_main(struct run *r)
{
	struct wire w;
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (wire_want(r->sync, START_SECONDS, WIRE_GO, &w, &e) < 0)
		_exit(1);
	if (r->ops->userns &&
	    (setgroups(0, NULL) < 0 || setgid(0) < 0 || setuid(0) < 0))
		err_fill(&e, errno, "become root of the user namespace");
	else if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) /* setuid cleared it */
		err_fill(&e, errno, "die with rehost");
	else if (r->ops->userns && prctl(PR_SET_DUMPABLE, 1) < 0)
		/* else what is in /proc/self belongs to the host's root */
		err_fill(&e, errno, "own its /proc");
	else
		run_side(r, SIDE_INNER, &e);
	wire_send_err(r->sync, &e);
	_exit(1);
}

static int outer(struct run *r, struct err *e)
{
	struct wire w;

	if (unshare(CLONE_NEWNS) < 0)
		return err_set(e, errno, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, errno, "make mounts private");
	if (run_side(r, SIDE_OUTER, e) < 0)
		return -1;
	/* the clone's working directory is the same place in its own mounts */
	if (fchdir(r->root) < 0)
		return err_set(e, errno, "enter the guest's root");
	if (wire_send(r->sync, WIRE_READY, 0, e) < 0)
		return -1;
	return wire_want(r->sync, START_SECONDS, WIRE_GO, &w, e);
}

/* Pid 1 becomes rehost's own child, who alone can wait for it. */
static NORETURN void outer_main(struct run *r)
{
	struct clone_args args = {
		.flags = CLONE_PARENT | CLONE_NEWPID | CLONE_NEWNS |
			 CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
			 (r->ops->userns ? CLONE_NEWUSER : 0),
	};
	struct err e = { 0 };
	long pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(0);
	if (outer(r, &e) < 0) {
		wire_send_err(r->sync, &e);
		_exit(1);
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		inner_main(r);
	if (pid < 0) {
		err_fill(&e, errno, "make the guest's namespaces");
		wire_send_err(r->sync, &e);
	} else {
		wire_send(r->sync, WIRE_PID, (pid_t)pid, &e);
	}
	_exit(0);
}

/* --- in rehost --- */

static int open_ns(struct box *b, const char *name, struct err *e)
{
	const char *path =
		arena_printf(b->mem, "/proc/%d/ns/%s", (int)b->pid, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "open %s", path) : fd;
}

int box_give_net(struct box *b, struct err *e)
{
	b->run.guest_net = open_ns(b, "net", e);
	if (b->run.guest_net < 0 ||
	    run_side_in(&b->run, SIDE_ATTACH, b->run.lab, e) < 0)
		return -1;
	return run_side_in(&b->run, SIDE_NET, b->run.guest_net, e);
}

/* Ids, interfaces, addresses: what pid 1 waits for. */
static int give(struct box *b, int sock, struct err *e)
{
	b->pidfd = (int)syscall(SYS_pidfd_open, b->pid, 0);
	if (b->pidfd < 0)
		return err_set(e, errno, "pidfd_open");
	if (b->ops.userns && idmap_write(&b->ops, b->pid, e) < 0)
		return -1;
	if (box_give_net(b, e) < 0)
		return -1;
	return wire_send(sock, WIRE_GO, 0, e);
}

/* Until pid 1 was executed: the socket is closed then. */
static int until_exec(struct box *b, int sock, struct err *e)
{
	struct wire w;
	int master CLEANUP(fd_closep) = -1, slave CLEANUP(fd_closep) = -1;

	if (wire_want(sock, START_SECONDS, WIRE_FD, &w, e) < 0)
		return -1;
	master = w.fd;
	if (wire_want(sock, START_SECONDS, WIRE_FD, &w, e) < 0)
		return -1;
	slave = w.fd;
	if (box_console_start(b, master, slave, e) < 0)
		return -1;
	return wire_want(sock, START_SECONDS, WIRE_END, &w, e);
}

static int lead(struct box *b, pid_t child, int sock, struct err *e)
{
	struct wire w;

	if (wire_want(sock, START_SECONDS, WIRE_READY, &w, e) < 0)
		return -1;
	if (group_join(&b->ops, child, 0, e) < 0 ||
	    wire_send(sock, WIRE_GO, 0, e) < 0 ||
	    wire_want(sock, START_SECONDS, WIRE_PID, &w, e) < 0)
		return -1;
	b->pid = w.pid;
	if (give(b, sock, e) < 0)
		return -1;
	return until_exec(b, sock, e);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int launch(struct box *b, struct err *e)
{
	int sock[2], rc;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(e, errno, "make a pair of sockets");
	child = fork();
	if (child == 0) {
		close(sock[0]);
		b->run.sync = sock[1];
		outer_main(&b->run);
	}
	close(sock[1]);
	rc = child < 0 ? err_set(e, errno, "fork") : lead(b, child, sock[0], e);
	close(sock[0]);
	if (child > 0) {
		if (rc < 0)
			kill(child, SIGKILL);
		reap(child);
	}
	return rc;
}

int box_make_lab(struct box *b, struct err *e)
{
	b->run.lab = net_new(e);
	if (b->run.lab < 0)
		return -1;
	b->run.neighbour = net_new(e);
	if (b->run.neighbour < 0)
		return -1;
	return run_side_in(&b->run, SIDE_LAB, b->run.lab, e);
}

int box_make_host(struct box *b, struct err *e)
{
	int dir CLEANUP(fd_closep) = -1;

	b->grouped = b->stored = true;
	if (group_begin(e) < 0 || run_side(&b->run, SIDE_HOST, e) < 0)
		return -1;
	if (b->o.fill == NULL)
		return 0;
	dir = open(arena_printf(b->mem, "%s/upper", b->ops.dir),
		   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, errno, "open the upper layer");
	return b->o.fill(b->o.fill_arg, b, dir, e);
}

static int start(struct box *b, struct err *e)
{
	if (box_make_host(b, e) < 0 || box_make_lab(b, e) < 0)
		return -1;
	return launch(b, e);
}

int box_plan(const struct policy *p, const struct box_options *o, struct box *b,
	     struct err *e)
{
	const struct ops_input in = {
		.p = p,
		.h = &b->host,
		.o = o,
		.run = arena_printf(b->mem, "%d", (int)getpid()),
	};

	if (host_read(b->mem, b->o.filter != NULL, &b->host, e) < 0)
		return -1;
	return ops_plan(&in, b->mem, &b->ops, e);
}

struct box *box_new(const struct box_options *o, struct arena *mem)
{
	struct box *b = arena_alloc(mem, sizeof(*b));

	b->mem = mem;
	b->o = *o;
	b->pidfd = b->attach = b->engine = -1;
	b->run = (struct run){ .ops = &b->ops,
			       .mem = mem,
			       .fail = o->fail,
			       .lab = -1,
			       .neighbour = -1,
			       .guest_net = -1,
			       .sync = -1,
			       .root = -1,
			       .terminal = -1,
			       .master = -1 };
	return b;
}

int box_start(const struct policy *p, const struct box_options *o,
	      struct arena *mem, struct box **ret, struct err *e)
{
	struct box *b CLEANUP(box_freep) = box_new(o, mem);

	if (geteuid() != 0)
		return err_set(e, EPERM, "start %s: only root can", o->name);
	if (box_plan(p, o, b, e) < 0)
		return err_wrap(e, "start %s", o->name);
	box_leftovers(&b->host, o->scratch);
	if (start(b, e) < 0)
		return err_wrap(e, "start %s", o->name);
	*ret = b;
	b = NULL;
	return 0;
}

int box_print(const struct policy *p, const struct box_options *o,
	      struct arena *mem, struct buf *ret, struct err *e)
{
	struct box *b = box_new(o, mem);

	if (box_plan(p, o, b, e) < 0)
		return err_wrap(e, "plan the start of %s", o->name);
	ops_print(&b->ops, ret);
	return 0;
}

long box_outside(const struct box *b, char kind, unsigned long inside)
{
	return idmap_outside(&b->ops, kind, inside);
}

pid_t box_init(const struct box *b)
{
	return b->pid;
}

const struct box_withheld_list *box_withheld(const struct box *b)
{
	return &b->ops.withheld;
}

const char *box_cgroup(const struct box *b, const char *controller)
{
	const struct host_group *g = NULL;

	if (controller[0] != '\0')
		g = host_controller(&b->host, controller);
	for (size_t i = 0; g == NULL && i < b->host.groups.n; i++)
		if (controller[0] == '\0' && b->host.groups.v[i].v2)
			g = &b->host.groups.v[i];
	return g == NULL ? NULL :
			   arena_printf(b->mem, "%s/%s", g->path, b->ops.group);
}

bool box_alive(struct box *b, int *ret_status)
{
	struct pollfd p = { .fd = b->pidfd, .events = POLLIN };

	/* only who started it can wait for it */
	if (b->adopted && b->pid > 0 && poll(&p, 1, 0) > 0)
		b->pid = 0;
	if (b->pid > 0 && waitpid(b->pid, &b->status, WNOHANG) == b->pid)
		b->pid = 0;
	*ret_status = b->status;
	return b->pid > 0;
}

enum { TICK_MS = 50, ALONE_MS = 400 };

/* Waits so long for pid 1 to end. */
static bool ended(struct box *b, int ms)
{
	struct pollfd p = { .fd = b->pidfd, .events = POLLIN };
	int status;

	if (b->pid > 0)
		poll(&p, 1, ms);
	return !box_alive(b, &status);
}

/* "PID (NAME) STATE ...": what ended and was not waited for runs no more. */
static bool runs(int pid)
{
	char path[64], text[256], *end;
	int fd CLEANUP(fd_closep) = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	end = strrchr(text, ')');
	return end != NULL && end[1] == ' ' && end[2] != 'Z' && end[2] != 'X';
}

/* Whatever runs in a guest is beneath its pid 1. */
static bool has_children(const struct box *b)
{
	char path[64];
	bool any = false;
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)b->pid,
		 (int)b->pid);
	f = fopen(path, "re");
	while (f != NULL && !any && fscanf(f, "%d", &pid) == 1)
		any = runs(pid);
	if (f != NULL)
		fclose(f);
	return any;
}

/*
 * After the signal: until pid 1 has ended, or has stopped all that it had and
 * starts nothing more. What is left then is its own pause before the end, two
 * seconds of a busybox init.
 */
static bool stopped(struct box *b)
{
	const bool had = has_children(b);
	unsigned alone = 0;

	for (unsigned ms = 0; ms < b->o.stop_seconds * 1000; ms += TICK_MS) {
		if (ended(b, TICK_MS))
			return true;
		alone = had && !has_children(b) ? alone + TICK_MS : 0;
		if (alone >= ALONE_MS)
			return true;
	}
	return false;
}

/* With pid 1 everything in its pid namespace is killed. */
void box_kill(struct box *b)
{
	if (b->pid <= 0)
		return;
	kill(b->pid, SIGKILL);
	reap(b->pid);
	b->pid = 0;
}

int box_stop(struct box *b, bool *ret_clean, struct err *e)
{
	bool clean = ended(b, 0);

	if (!clean) {
		if (kill(b->pid, b->ops.stop_signal) < 0)
			return err_set(e, errno, "send signal %d to pid 1",
				       b->ops.stop_signal);
		clean = stopped(b);
	}
	box_kill(b);
	box_console_stop(b);
	*ret_clean = clean;
	return 0;
}

static void close_all(struct box *b)
{
	fd_closep(&b->pidfd);
	fd_closep(&b->engine);
	fd_closep(&b->run.lab);
	fd_closep(&b->run.neighbour);
	fd_closep(&b->run.guest_net);
}

/* What cannot be removed now is found by the next run: its name tells. */
void box_free(struct box *b)
{
	struct err e;

	if (b == NULL)
		return;
	box_kill(b);
	box_console_stop(b);
	close_all(b);
	if (b->grouped) {
		group_remove(&b->ops, &e);
		if (host_v2(&b->host) != NULL)
			group_v2_disable(host_v2(&b->host)->path, &e);
	}
	if (b->stored)
		fd_remove_tree(AT_FDCWD, b->ops.dir, &e);
}

void box_freep(struct box **b)
{
	box_free(*b);
}
