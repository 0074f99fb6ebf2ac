/* Lines on the console: of pid 1, which must never wait for a reader. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "runtime/shim/shim.h"

enum { LINE = 512, TRIES = 50, PAUSE_NS = 2000000 };

/*
 * Standard error opened anew: not blocking must not be a property of what the
 * children inherit. Without /proc there is the console.
 */
static int open_console(void)
{
	static const char *const paths[] = { "/proc/self/fd/2",
					     "/dev/console" };
	const int flags = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK |
			  O_CLOEXEC;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const int fd = open(paths[i], flags);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

/*
 * A terminal that does not wait refuses (EAGAIN) while another process is in
 * the middle of a write, as well as when nobody reads. The first passes: a
 * tenth of a second is tried, then nobody reads and nobody misses it.
 */
static void write_line(int fd, const char *line, size_t n)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int i = 0; i < TRIES && n > 0; i++) {
		const ssize_t done = write(fd, line, n);

		if (done > 0) {
			line += done;
			n -= (size_t)done;
		} else if (done < 0 && errno == EAGAIN) {
			nanosleep(&pause, NULL);
		} else {
			break;
		}
	}
}

void shim_log(const char *fmt, ...)
{
	char line[LINE];
	const int head = snprintf(line, sizeof(line), "rehost-init: ");
	const int fd = open_console();
	va_list ap;
	size_t n;
	int len;

	if (fd < 0)
		return;
	va_start(ap, fmt);
	len = vsnprintf(line + head, sizeof(line) - (size_t)head, fmt, ap);
	va_end(ap);
	n = (size_t)head + (size_t)(len < 0 ? 0 : len);
	if (n > sizeof(line) - 1)
		n = sizeof(line) - 1;
	for (size_t i = 0; i < n; i++) /* what it names may hold anything */
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[n++] = '\n';
	write_line(fd, line, n);
	close(fd);
}
