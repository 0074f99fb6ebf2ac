/*
 * The error of a function that failed. Text is put together aside, so that
 * the old message may be among the arguments of the new one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { ROOM = sizeof(((struct err *)0)->msg) };

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* "first: second", cut so that something of both is seen. */
static void join(struct err *e, const char *first, const char *second)
{
	size_t room = ROOM - sizeof(": ");
	size_t b = min(strlen(second), room - min(strlen(first), room / 2));
	size_t a = min(strlen(first), room - b);

	snprintf(e->msg, ROOM, "%.*s: %.*s", (int)a, first, (int)b, second);
}

void err_fill(struct err *e, int code, const char *fmt, ...)
{
	char text[ROOM];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->code = code;
	if (code != 0)
		join(e, text, strerror(code));
	else
		memcpy(e->msg, text, sizeof(text));
}

void err_push(struct err *e, const char *fmt, ...)
{
	char text[ROOM], old[ROOM];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(old, e->msg, sizeof(old));
	join(e, text, old);
}
