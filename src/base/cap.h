/*
 * Sets of POSIX capabilities: bit n of the mask is capability n. Names come
 * from cap.def, lower case and without "cap_".
 */
#ifndef REHOST_BASE_CAP_H
#define REHOST_BASE_CAP_H

#include <stdint.h>

#include "arena.h"
#include "err.h"

enum { CAP_N = 41 }; /* how many cap.def names */

#define CAP_BIT(n) (UINT64_C(1) << (n))
#define CAP_ALL ((UINT64_C(1) << CAP_N) - 1)

/* The name of a capability, NULL for a bit without one. */
const char *cap_name(unsigned bit);

/* Any case, with or without "cap_"; -1 when there is none of that name. */
int cap_find(const char *name);

/* "chown kill net_raw" in order of bits, unnamed ones as numbers. */
char *cap_show(struct arena *a, uint64_t set, const char *sep);

#endif
