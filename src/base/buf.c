/* Growing bytes on the heap. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->p != NULL)
		b->p[0] = '\0';
}

NORETURN static void out_of_memory(size_t size)
{
	fprintf(stderr, "rehost: out of memory (%zu bytes)\n", size);
	abort();
}

/* Room for n more bytes and the NUL. */
static void reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap == 0 ? 128 : b->cap;
	char *p;

	if (n >= SIZE_MAX / 4 || b->n >= SIZE_MAX / 4)
		out_of_memory(n);
	while (cap < b->n + n + 1)
		cap *= 2;
	if (cap == b->cap)
		return;
	p = realloc(b->p, cap);
	if (p == NULL)
		out_of_memory(cap);
	b->p = p;
	b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	reserve(b, n);
	if (n != 0)
		memcpy(b->p + b->n, data, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	reserve(b, 64); /* most fit: formatted once */
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	if (n > 0 && (size_t)n >= b->cap - b->n) {
		reserve(b, (size_t)n);
		vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	}
	if (n > 0)
		b->n += (size_t)n;
	b->p[b->n] = '\0';
	va_end(again);
	va_end(ap);
}

const char *buf_str(const struct buf *b)
{
	return b->p == NULL ? "" : b->p;
}
