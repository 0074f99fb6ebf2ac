/* Runs operations: here, or in a child elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/run.h"

static run_fn *const functions[] = {
#define OP(id, side, function, words) [OP_##id] = function,
#include "runtime/ops.def"
#undef OP
};

int run_side(struct run *r, enum op_side side, struct err *e)
{
	for (size_t i = 0; i < r->ops->list.n; i++) {
		const struct op *op = &r->ops->list.v[i];
		struct buf text CLEANUP(buf_done) = { 0 };
		int rc;

		if (ops_side(op->kind) != side)
			continue;
		if (r->fail == i + 1)
			rc = err_set(e, EIO, "asked to fail");
		else
			rc = functions[op->kind](r, op, e);
		if (rc < 0) {
			ops_show(op, &text);
			return err_wrap(e, "%s", text.p);
		}
	}
	return 0;
}

int run_write(const char *path, const char *text, struct err *e)
{
	int fd CLEANUP(fd_closep) = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	if (write(fd, text, strlen(text)) < 0)
		return err_set(e, errno, "write \"%s\" to %s", text, path);
	return 0;
}

int run_mkdir(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	if (mkdir(op->a, 0700) < 0)
		return err_set(e, errno, "mkdir");
	return 0;
}

static NORETURN void child_main(int (*fn)(void *arg, struct err *e), void *arg,
				int sock)
{
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fn(arg, &e) < 0) {
		send(sock, &e, sizeof(e), MSG_NOSIGNAL);
		_exit(1);
	}
	_exit(0);
}

static int wait_for(pid_t pid, int sock, struct err *e)
{
	struct err got;
	int status;

	const ssize_t n = recv(sock, &got, sizeof(got), 0);

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for a child");
	if (n == (ssize_t)sizeof(got)) {
		*e = got;
		return -1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, 0, "a child died (status %d)", status);
	return 0;
}

int run_in_child(int (*fn)(void *arg, struct err *e), void *arg, struct err *e)
{
	int sock[2], rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(e, errno, "make a pair of sockets");
	pid = fork();
	if (pid == 0) {
		close(sock[0]);
		child_main(fn, arg, sock[1]);
	}
	close(sock[1]);
	rc = pid < 0 ? err_set(e, errno, "fork") : wait_for(pid, sock[0], e);
	close(sock[0]);
	return rc;
}

struct side_in {
	struct run *r;
	enum op_side side;
	int net;
};

static int side_child(void *arg, struct err *e)
{
	struct side_in *s = arg;

	if (setns(s->net, CLONE_NEWNET) < 0)
		return err_set(e, errno, "join a network namespace");
	return run_side(s->r, s->side, e);
}

int run_side_in(struct run *r, enum op_side side, int net, struct err *e)
{
	struct side_in s = { .r = r, .side = side, .net = net };

	return run_in_child(side_child, &s, e);
}
