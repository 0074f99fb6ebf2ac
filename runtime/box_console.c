/*
 * The guest's console. A process of its own copies what is printed to a file
 * (the first MiB of it) and to whoever is attached; it ends with the terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/box_parts.h"

enum {
	LOG_MAX = 1 << 20,
	CHUNK = 4096,
	LEAVE = 0x1d, /* Ctrl-] */
};

/* What is printed; false at the end. Nobody attached: it is dropped. */
static bool from_guest(int master, int file, int attach, size_t *left)
{
	char buf[CHUNK];
	const ssize_t n = read(master, buf, sizeof(buf));
	const size_t keep = n > 0 && (size_t)n < *left ? (size_t)n : *left;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (file >= 0 && keep > 0 && write(file, buf, keep) > 0)
		*left -= keep;
	send(attach, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return true;
}

static NORETURN void copy(int master, int file, int attach)
{
	struct pollfd p[] = { { .fd = master, .events = POLLIN },
			      { .fd = attach, .events = POLLIN } };
	size_t left = LOG_MAX;
	char buf[CHUNK];

	while (poll(p, 2, -1) > 0 || errno == EINTR) {
		if (p[0].revents != 0 &&
		    !from_guest(master, file, attach, &left))
			break;
		if (p[1].revents != 0) {
			const ssize_t n = recv(attach, buf, sizeof(buf), 0);

			if (n <= 0)
				p[1].fd = -1; /* nobody types any more */
			else if (write(master, buf, (size_t)n) < 0)
				break;
		}
	}
	_exit(0);
}

static int open_log(const struct box *b, struct err *e)
{
	const int fd = open(b->o.console,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(e, errno, "open %s", b->o.console) : fd;
}

int box_console_start(struct box *b, int master_fd, struct err *e)
{
	int master CLEANUP(fd_closep) = master_fd;
	int file CLEANUP(fd_closep) = b->o.console == NULL ? -1 :
							     open_log(b, e);
	int sock[2];

	if (b->o.console != NULL && file < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(e, errno, "make a pair of sockets");
	b->logger = fork();
	if (b->logger == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid(); /* SIGINT of the terminal is not for it */
		close(sock[0]);
		copy(master, file, sock[1]);
	}
	close(sock[1]);
	b->attach = sock[0];
	if (b->logger < 0) {
		b->logger = 0;
		return err_set(e, errno, "fork");
	}
	return 0;
}

/* The terminal's end is closed with the guest: what was printed is read. */
void box_console_stop(struct box *b)
{
	if (b->logger > 0) {
		const struct timespec tick = { .tv_nsec = 5000000 };

		for (int i = 0; i < 100; i++) {
			if (waitpid(b->logger, NULL, WNOHANG) != 0) {
				b->logger = 0;
				break;
			}
			nanosleep(&tick, NULL);
		}
	}
	if (b->logger > 0) {
		kill(b->logger, SIGKILL);
		waitpid(b->logger, NULL, 0);
		b->logger = 0;
	}
	fd_closep(&b->attach);
}

/* True when the guest is to be left. */
static bool typed(int in, int sock, short *ret_events)
{
	char buf[CHUNK];
	const ssize_t n = read(in, buf, sizeof(buf));
	const char *leave;

	if (n <= 0) {
		*ret_events = 0; /* the end of what is typed */
		return false;
	}
	leave = isatty(in) ? memchr(buf, LEAVE, (size_t)n) : NULL;
	send(sock, buf, leave == NULL ? (size_t)n : (size_t)(leave - buf),
	     MSG_NOSIGNAL);
	return leave != NULL;
}

static bool relay(int sock, int in, int out)
{
	struct pollfd p[] = { { .fd = sock, .events = POLLIN },
			      { .fd = in, .events = POLLIN } };
	char buf[CHUNK];

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return false;
		if (p[0].revents != 0) {
			const ssize_t n = recv(sock, buf, sizeof(buf), 0);

			if (n <= 0 || write(out, buf, (size_t)n) < 0)
				return false;
		}
		if (p[1].revents != 0) {
			if (typed(in, sock, &p[1].events))
				return true;
			if (p[1].events == 0)
				p[1].fd = -1;
		}
	}
}

int box_attach(struct box *b, int in, int out, bool *ret_left, struct err *e)
{
	struct termios old, raw;
	const bool tty = tcgetattr(in, &old) == 0;

	if (b->attach < 0)
		return err_set(e, ENOTCONN, "attach: no console");
	if (tty) {
		raw = old;
		cfmakeraw(&raw);
		tcsetattr(in, TCSANOW, &raw);
	}
	*ret_left = relay(b->attach, in, out);
	if (tty)
		tcsetattr(in, TCSADRAIN, &old);
	return 0;
}
