/* Maps of ids. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/idmap.h"
#include "runtime/run.h"

static int write_kind(const struct ops *ops, pid_t pid, char kind,
		      struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };

	for (size_t i = 0; i < ops->maps.n; i++) {
		const struct idmap_range *m = &ops->maps.v[i];

		if (m->kind == kind)
			buf_printf(&text, "%s %s %s\n", m->inside, m->outside,
				   m->count);
	}
	return run_write(arena_printf(ops->mem, "/proc/%d/%cid_map", (int)pid,
				      kind),
			 buf_str(&text), e);
}

int idmap_write(const struct ops *ops, pid_t pid, struct err *e)
{
	if (write_kind(ops, pid, 'u', e) < 0)
		return -1;
	return write_kind(ops, pid, 'g', e);
}

long idmap_outside(const struct ops *ops, char kind, unsigned long inside)
{
	uint64_t in, out, count;
	struct err e;

	for (size_t i = 0; i < ops->maps.n; i++) {
		const struct idmap_range *m = &ops->maps.v[i];

		if (m->kind != kind || num_u64(m->inside, &in, &e) < 0 ||
		    num_u64(m->outside, &out, &e) < 0 ||
		    num_u64(m->count, &count, &e) < 0)
			continue;
		if (inside >= in && inside - in < count)
			return (long)(out + (inside - in));
	}
	return ops->userns ? -1 : (long)inside;
}

/* A child that only holds a user namespace until it is killed. */
static pid_t hold_namespace(int ready[2])
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "", 1) == 1)
		pause();
	_exit(1);
}

static int open_namespace(const struct ops *ops, struct err *e)
{
	int ready[2], fd = -1;
	pid_t pid;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	pid = hold_namespace(ready);
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		err_fill(e, errno, "make a user namespace");
	else if (idmap_write(ops, pid, e) == 0) {
		fd = open(arena_printf(ops->mem, "/proc/%d/ns/user", (int)pid),
			  O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			err_fill(e, errno, "open a user namespace");
	}
	close(ready[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return fd;
}

int idmap_mount(const struct ops *ops, const char *from, const char *to,
		struct err *e)
{
	int ns CLEANUP(fd_closep) = open_namespace(ops, e);
	int tree CLEANUP(fd_closep) =
		open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };

	if (ns < 0)
		return -1;
	if (tree < 0)
		return err_set(e, errno, "open_tree %s", from);
	attr.userns_fd = (unsigned)ns;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_set(e, errno, "map the ids of %s", from);
	if (move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "mount %s", to);
	return 0;
}
