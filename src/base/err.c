/* The error of a function that failed. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

void err_fill(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	if (code != 0)
		snprintf(e->msg + n, sizeof(e->msg) - n, ": %s",
			 strerror(code));
}

void err_push(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	size_t n;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", old);
}
