/* Lines on the console: of pid 1, which must never wait for a reader. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/shim/shim.h"

enum { LINE = 512 };

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
	if (write(fd, line, n) < 0)
		n = 0; /* nobody reads: then nobody misses it */
	close(fd);
}
