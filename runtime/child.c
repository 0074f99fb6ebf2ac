/* Work in a child that has joined what it looks at. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/child.h"

enum { OUTPUT_MAX = 1 << 20 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static NORETURN void work(const struct child_call *c, int out, int err_fd)
{
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c->confine != NULL && c->confine(c->who, &e) < 0) {
		if (write(err_fd, &e, sizeof(e)) < 0)
			_exit(2);
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	c->fn(out, c->arg);
	_exit(0);
}

/* A member of the pid namespace is only who was born there. */
static NORETURN void enter(const struct child_call *c, int out, int err_fd)
{
	struct err e = { 0 };
	int status;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c->join(c->who, &e) < 0) {
		if (write(err_fd, &e, sizeof(e)) < 0)
			_exit(2);
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	if (pid == 0)
		work(c, out, err_fd);
	close(out);
	close(err_fd);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		_exit(1);
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Reads until the end or the deadline; false: too late. */
static bool collect(int fd, int64_t deadline, struct buf *ret)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		const int64_t left = deadline - now_ms();
		char buf[4096];
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return false;
		n = read(fd, buf, sizeof(buf));
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0 && ret->n < OUTPUT_MAX)
			buf_add(ret, buf, (size_t)n);
	}
}

/* Something that left the child's group of processes may hold the pipe. */
static int finish(pid_t pid, bool in_time, const int err_fd, struct err *e)
{
	struct err got;
	int status;

	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for a call");
	if (!in_time)
		return err_set(e, ETIMEDOUT, "call into the guest");
	if (read(err_fd, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		*e = got;
		return -1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, 0, "a call into the guest died (status %d)",
			       status);
	return 0;
}

int child_call(const struct child_call *c, unsigned seconds, struct buf *ret,
	       struct err *e)
{
	const int64_t deadline = now_ms() + (int64_t)seconds * 1000;
	int out[2] = { -1, -1 }, errs[2] = { -1, -1 }, rc;
	pid_t pid = -1;

	if (pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(errs, O_CLOEXEC | O_NONBLOCK) < 0)
		err_fill(e, errno, "make a pipe");
	else if ((pid = fork()) == 0)
		enter(c, out[1], errs[1]);
	else if (pid < 0)
		err_fill(e, errno, "fork");
	fd_closep(&out[1]);
	fd_closep(&errs[1]);
	rc = pid < 0 ? -1 :
		       finish(pid, collect(out[0], deadline, ret), errs[0], e);
	fd_closep(&out[0]);
	fd_closep(&errs[0]);
	return rc;
}
