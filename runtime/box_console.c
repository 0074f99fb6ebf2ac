/*
 * The guest's console. A process of its own copies what is printed to a file
 * (the first MiB of it) and to whoever is attached; it ends with pid 1. It
 * holds the guest's end of the terminal open as well: an init such as systemd
 * opens its console for every line anew, and a terminal that nobody has open
 * is hung up.
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

struct console {
	int master, slave; /* both ends of the terminal */
	int file;          /* -1: none */
	int attach;        /* socket to rehost */
	int init;          /* of pid 1, readable once it has ended */
	size_t left;       /* bytes that the file still takes */
};

/* What is printed; false when there is no more. Nobody attached: dropped. */
static bool from_guest(struct console *c)
{
	char buf[CHUNK];
	const ssize_t n = read(c->master, buf, sizeof(buf));
	const size_t keep = n > 0 && (size_t)n < c->left ? (size_t)n : c->left;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (c->file >= 0 && keep > 0 && write(c->file, buf, keep) > 0)
		c->left -= keep;
	send(c->attach, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return true;
}

/* False when nobody types any more. A guest that reads nothing loses it. */
static bool to_guest(struct console *c)
{
	char buf[CHUNK];
	const ssize_t n = recv(c->attach, buf, sizeof(buf), 0);

	return n > 0 && (write(c->master, buf, (size_t)n) == n ||
			 errno == EAGAIN || errno == EINTR);
}

static NORETURN void copy(struct console *c)
{
	struct pollfd p[] = { { .fd = c->master, .events = POLLIN },
			      { .fd = c->attach, .events = POLLIN },
			      { .fd = c->init, .events = POLLIN } };

	fcntl(c->master, F_SETFL, O_RDWR | O_NONBLOCK);
	while (poll(p, 3, -1) > 0 || errno == EINTR) {
		if (p[0].revents != 0)
			from_guest(c);
		if (p[1].revents != 0 && !to_guest(c))
			p[1].fd = -1;
		if (p[2].revents != 0)
			break;
	}
	while (from_guest(c))
		;
	_exit(0);
}

static int open_log(const struct box *b, struct err *e)
{
	const int fd = open(b->o.console,
			    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(e, errno, "open %s", b->o.console) : fd;
}

int box_console_start(struct box *b, int master, int slave, struct err *e)
{
	int file CLEANUP(fd_closep) = b->o.console == NULL ? -1 :
							     open_log(b, e);
	int sock[2];

	if (b->o.console != NULL && file < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(e, errno, "make a pair of sockets");
	b->logger = fork();
	if (b->logger == 0) {
		struct console c = { master,  slave,    file,
				     sock[1], b->pidfd, LOG_MAX };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid(); /* SIGINT of the terminal is not for it */
		close(sock[0]);
		copy(&c);
	}
	close(sock[1]);
	b->attach = sock[0];
	if (b->logger < 0) {
		b->logger = 0;
		return err_set(e, errno, "fork");
	}
	return 0;
}

/* With the guest's end it reads what was printed, and ends. */
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
