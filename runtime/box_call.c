/* Work in a guest that runs, and in its lab. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <grp.h>

#include "base/fd.h"
#include "base/str.h"
#include "runtime/box_parts.h"
#include "runtime/caps.h"
#include "runtime/child.h"
#include "runtime/group.h"
#include "runtime/inner.h"

enum place {
	PLACE_GUEST,
	PLACE_ROOT,
	PLACE_LAB,
	PLACE_NEIGHBOUR,
	PLACE_ENGINE,
};

/* The profile of pid 1; "": nothing confines it, or there is no AppArmor. */
struct label {
	int proc; /* the host's /proc, for the guest may have none */
	char name[INNER_LABEL_MAX];
};

struct call {
	struct box *b;
	enum place place;
	void (*fn)(int fd, const void *arg);
	const void *arg;
	const struct label *label; /* NULL: none is taken */
};

/* The groups first: as a member of the namespaces their files are not seen. */
static int join_guest(const struct call *c, struct err *e)
{
	const struct box *b = c->b;
	const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			  CLONE_NEWUTS | CLONE_NEWIPC |
			  (b->ops.cgroup_ns ? CLONE_NEWCGROUP : 0) |
			  (b->ops.userns ? CLONE_NEWUSER : 0);

	if (c->place == PLACE_GUEST &&
	    group_join(&b->ops, getpid(), b->pid, e) < 0)
		return -1;
	if (setns(b->pidfd, flags) < 0)
		return err_set(e, errno, "join the guest's namespaces");
	if (b->ops.userns &&
	    (setgroups(0, NULL) < 0 || setgid(0) < 0 || setuid(0) < 0))
		return err_set(e, errno, "become the guest's root");
	return 0;
}

static int join(const void *who, struct err *e)
{
	const struct call *c = who;
	const int net = c->place == PLACE_LAB ? c->b->run.lab :
						c->b->run.neighbour;

	if (c->place == PLACE_GUEST || c->place == PLACE_ROOT)
		return join_guest(c, e);
	if (c->place == PLACE_ENGINE) {
		if (setns(c->b->engine, CLONE_NEWNET | CLONE_NEWNS) < 0)
			return err_set(e, errno, "join the engine");
		return 0;
	}
	if (setns(net, CLONE_NEWNET) < 0)
		return err_set(e, errno, "join the lab");
	return 0;
}

/* What pid 1 was given beside namespaces: filter, bounds, label. */
static int confine(const void *who, struct err *e)
{
	const struct call *c = who;
	const struct ops *ops = &c->b->ops;

	if (c->place != PLACE_GUEST)
		return 0;
	if (inner_keyring(e) < 0)
		return -1;
	for (size_t i = 0; i < ops->list.n; i++) {
		const struct op *op = &ops->list.v[i];

		if (op->kind == OP_SECCOMP && caps_filter(op->a, e) < 0)
			return -1;
		if (op->kind == OP_CAPS && caps_keep(ops->caps, e) < 0)
			return -1;
		if (op->kind == OP_NO_NEW_PRIVS &&
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			return err_set(e, errno, "no_new_privs");
	}
	return c->label == NULL || c->label->name[0] == '\0' ?
		       0 :
		       inner_take_label(c->label->proc, c->label->name, e);
}

static int call_labelled(const struct call *c, const struct label *label,
			 unsigned seconds, struct buf *ret, struct err *e)
{
	const struct call own = { c->b, c->place, c->fn, c->arg, label };
	const struct child_call child = { .join = join,
					  .confine = confine,
					  .who = &own,
					  .fn = c->fn,
					  .arg = c->arg };

	return child_call(&child, seconds, ret, e);
}

static int call(const struct call *c, unsigned seconds, struct buf *ret,
		struct err *e)
{
	int proc CLEANUP(fd_closep) = -1;
	struct label label;

	if (c->b->pid <= 0 &&
	    (c->place == PLACE_GUEST || c->place == PLACE_ROOT))
		return err_set(e, ESRCH, "the guest does not run");
	if (c->place != PLACE_GUEST || !str_eq(c->b->host.lsm, "apparmor"))
		return call_labelled(c, NULL, seconds, ret, e);
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_set(e, errno, "open /proc");
	label.proc = proc;
	if (inner_label_of(proc, c->b->pid, label.name, e) < 0)
		return -1;
	return call_labelled(c, &label, seconds, ret, e);
}

int box_call(struct box *b, void (*fn)(int fd, const void *arg),
	     const void *arg, unsigned seconds, struct buf *ret, struct err *e)
{
	const struct call c = { b, PLACE_GUEST, fn, arg, NULL };

	return call(&c, seconds, ret, e);
}

int box_call_root(struct box *b, void (*fn)(int fd, const void *arg),
		  const void *arg, unsigned seconds, struct buf *ret,
		  struct err *e)
{
	const struct call c = { b, PLACE_ROOT, fn, arg, NULL };

	return call(&c, seconds, ret, e);
}

int box_call_lab(struct box *b, void (*fn)(int fd, const void *arg),
		 const void *arg, unsigned seconds, struct buf *ret,
		 struct err *e)
{
	const struct call c = { b, PLACE_LAB, fn, arg, NULL };

	return call(&c, seconds, ret, e);
}

int box_call_neighbour(struct box *b, void (*fn)(int fd, const void *arg),
		       const void *arg, unsigned seconds, struct buf *ret,
		       struct err *e)
{
	const struct call c = { b, PLACE_NEIGHBOUR, fn, arg, NULL };

	return call(&c, seconds, ret, e);
}

/* --- commands --- */

struct command {
	char *const *argv;
	char *const *env;
	bool inherit; /* the caller's 0, 1, 2 */
};

/* The status goes behind the output, for the pipe is all there is. */
static void run_command(int fd, const void *arg)
{
	const struct command *c = arg;
	int status = 127 << 8;
	const pid_t pid = fork();

	if (pid == 0) {
		const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!c->inherit) {
			if (null < 0)
				close(0);
			else
				dup2(null, 0);
			dup2(fd, 1);
			dup2(fd, 2);
		}
		execvpe(c->argv[0], c->argv, c->env);
		_exit(127);
	}
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (write(fd, &status, sizeof(status)) < 0)
		_exit(1);
}

static char **environment(const struct box *b)
{
	char **env;
	size_t n = 0;

	env = arena_alloc(b->mem, (b->ops.list.n + 2) * sizeof(*env));
	for (size_t i = 0; i < b->ops.list.n; i++) {
		const struct op *op = &b->ops.list.v[i];

		if (op->kind == OP_ENV)
			env[n++] = arena_printf(b->mem, "%s=%s", op->a, op->b);
	}
	return env;
}

static int command(struct box *b, enum place place, const struct command *what,
		   unsigned seconds, struct buf *ret, int *ret_status,
		   struct err *e)
{
	const struct call c = { b, place, run_command, what, NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status;

	if (call(&c, seconds, &out, e) < 0)
		return err_wrap(e, "execute %s", what->argv[0]);
	if (out.n < sizeof(status))
		return err_set(e, 0, "execute %s: no status", what->argv[0]);
	memcpy(&status, out.p + out.n - sizeof(status), sizeof(status));
	buf_add(ret, out.p, out.n - sizeof(status));
	*ret_status = status;
	return 0;
}

int box_exec(struct box *b, char *const argv[], unsigned seconds,
	     struct buf *ret_out, int *ret_status, struct err *e)
{
	const struct command c = { argv, environment(b), false };

	return command(b, PLACE_GUEST, &c, seconds, ret_out, ret_status, e);
}

int box_exec_engine(struct box *b, char *const argv[], unsigned seconds,
		    struct buf *ret_out, int *ret_status, struct err *e)
{
	const struct command c = { argv, environ, false };

	return command(b, PLACE_ENGINE, &c, seconds, ret_out, ret_status, e);
}

int box_run(struct box *b, char *const argv[], int *ret_status, struct err *e)
{
	const struct command c = { argv, environment(b), true };
	struct buf none CLEANUP(buf_done) = { 0 };

	return command(b, PLACE_GUEST, &c, 1000000, &none, ret_status, e);
}
