/*
 * Growing bytes on the heap. buf.p is always a NUL-terminated string once
 * anything was added (and "" through buf_str before that). Out of memory
 * ends the process, as with an arena.
 */
#ifndef REHOST_BASE_BUF_H
#define REHOST_BASE_BUF_H

#include <stddef.h>

#include "attr.h"

struct buf {
	char *p;
	size_t n, cap;
};

void buf_done(struct buf *b);  /* frees; for CLEANUP; b is empty and usable */
void buf_clear(struct buf *b); /* keeps the memory */
void buf_add(struct buf *b, const void *data, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
const char *buf_str(const struct buf *b);

#endif
