/* Child processes, bounded in time and in what they print. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"

enum {
	OUTPUT_MAX = 1 << 20, /* bytes kept */
	CHUNK = 1 << 16,      /* bytes read at once: what a pipe holds */
	DRAIN_MAX = 32,       /* chunks taken after the end of the child */
	TICK_MS = 20,         /* between looks, where there is no pidfd */
};

/* A running child; its id is ours until it is waited for. */
struct child {
	pid_t pid;  /* and process group; 0: none, or waited for */
	int pidfd;  /* -1 where the kernel has none */
	int output; /* read end of its pipe, not blocking */
	struct buf text;
	int64_t deadline; /* in ms of the monotonic clock */
};

static void child_done(struct child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	fd_closep(&c->pidfd);
	fd_closep(&c->output);
	buf_done(&c->text);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With signals as if nobody had changed them, in a group of its own. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setpgroup(attr, 0);
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
						      POSIX_SPAWN_SETSIGDEF |
						      POSIX_SPAWN_SETSIGMASK);
}

static int set_files(posix_spawn_file_actions_t *files, int out)
{
	int code = posix_spawn_file_actions_addopen(files, STDIN_FILENO,
						    "/dev/null", O_RDONLY, 0);

	if (code == 0)
		code = posix_spawn_file_actions_adddup2(files, out,
							STDOUT_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(files, out,
							STDERR_FILENO);
	return code;
}

/* 0 or an errno. */
static int spawn(const char *const argv[], int out, pid_t *ret)
{
	char *const *words = (char *const *)(const void *)argv;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	pid_t pid = 0;
	int code;

	if (posix_spawn_file_actions_init(&files))
		return ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	code = set_files(&files, out);
	if (code == 0)
		code = set_attributes(&attr);
	if (code == 0)
		code = posix_spawnp(&pid, argv[0], &files, &attr, words,
				    environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (code == 0)
		*ret = pid;
	return code;
}

static int start(struct child *c, const char *const argv[], unsigned seconds,
		 struct err *e)
{
	int ends[2], in CLEANUP(fd_closep) = -1, code;

	if (pipe2(ends, O_CLOEXEC))
		return err_set(e, errno, "pipe for %s", argv[0]);
	c->output = ends[0];
	in = ends[1];
	if (fcntl(c->output, F_SETFL, O_NONBLOCK))
		return err_set(e, errno, "pipe for %s", argv[0]);
	code = spawn(argv, in, &c->pid);
	if (code != 0)
		return err_set(e, code, "run %s", argv[0]);
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	c->deadline = now_ms() + (int64_t)seconds * 1000;
	return 0;
}

/* Reads once. False when there is nothing to read now, or never again. */
static bool take_output(struct child *c)
{
	char chunk[CHUNK];
	ssize_t n = c->output < 0 ? 0 : read(c->output, chunk, sizeof(chunk));
	size_t room = OUTPUT_MAX - c->text.n;

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		fd_closep(&c->output);
	buf_add(&c->text, chunk, (size_t)n < room ? (size_t)n : room);
	return n > 0;
}

/* Until it writes, ends, or its time is up. */
static void wait_a_while(const struct child *c, int64_t left)
{
	struct pollfd fds[] = {
		{ .fd = c->output, .events = POLLIN },
		{ .fd = c->pidfd, .events = POLLIN },
	};

	if (c->pidfd < 0 && left > TICK_MS)
		left = TICK_MS;
	poll(fds, COUNT(fds), left > INT32_MAX ? INT32_MAX : (int)left);
}

/* Waits for the end of the child; what it started may outlive it. */
static int finish(struct child *c, const char *name, int *ret_status,
		  struct err *e)
{
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(c->pid, &status, WNOHANG)) == 0) {
		int64_t left = c->deadline - now_ms();

		if (left <= 0)
			return err_set(e, ETIMEDOUT, "run %s", name);
		wait_a_while(c, left);
		take_output(c);
	}
	if (ended < 0)
		return err_set(e, errno, "wait for %s", name);
	c->pid = 0;
	for (int i = 0; i < DRAIN_MAX && take_output(c); i++)
		;
	*ret_status = status;
	return 0;
}

int proc_run(const char *const argv[], unsigned seconds, struct buf *ret_out,
	     int *ret_status, struct err *e)
{
	struct child c CLEANUP(child_done) = { .pidfd = -1, .output = -1 };

	if (start(&c, argv, seconds, e) || finish(&c, argv[0], ret_status, e))
		return -1;
	buf_add(ret_out, c.text.p, c.text.n);
	return 0;
}
