/*
 * Numbers as text. The only caller of strtoull and friends. Every function
 * wants the whole string to be the number (no blanks, no rest) and says what
 * is wrong in *e; overflow is an error, never a wrap.
 */
#ifndef REHOST_BASE_NUM_H
#define REHOST_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

int num_u64(const char *s, uint64_t *ret, struct err *e); /* decimal digits */
int num_u64_hex(const char *s, uint64_t *ret, struct err *e); /* no 0x */
int num_i64(const char *s, int64_t *ret, struct err *e);      /* with a sign */

/* As strtoll base 0: 0x.., 0.. octal, sign. Overflow is an error. */
int num_i64_any(const char *s, int64_t *ret, struct err *e);
/* The same; one out of range is the smallest or largest, as for strtoll. */
int num_i64_nearest(const char *s, int64_t *ret, struct err *e);

/* "64M", "1.5G", "4KiB", "512": binary multiples of bytes (K M G T P). */
int num_size(const char *s, uint64_t *ret, struct err *e);

/* "1.5 GiB", "512 MiB", "4096 B": for people. ret has room for 24 bytes. */
void num_show_size(uint64_t bytes, char ret[24]);

/* a * b, false on overflow. */
bool num_mul(uint64_t a, uint64_t b, uint64_t *ret);

#endif
