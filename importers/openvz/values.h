/*
 * Numbers and words of an OpenVZ configuration; openvz.md 2.4 to 2.7. Pure:
 * what a value means stands in the parts that use them.
 */
#ifndef REHOST_IMPORTERS_OPENVZ_VALUES_H
#define REHOST_IMPORTERS_OPENVZ_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What a bare number counts. */
enum ov_unit {
	OV_PAGES,  /* pages of the old host */
	OV_BYTES,  /* bytes */
	OV_ITEMS,  /* things: no suffix is legal */
	OV_BLOCKS, /* KiB: disk space */
	OV_INODES, /* things, but a multiplier is legal */
};

/* One side of barrier:limit. */
struct ov_number {
	bool none;    /* without limit, however it was spelled */
	uint64_t v;   /* bytes of pages, bytes and blocks; else a count */
	bool empty;   /* no digits at all: the old tools read 0 */
	bool odd;     /* legal in the old tools only by accident: -1, +5 */
	bool largest; /* 2147483647: the largest number of 32 bits */
};

/*
 * "512M", "2.2G", "131072", "unlimited", "9223372036854775807". page is the
 * bytes of a page; decimals are cut down to whole units as vzctl did.
 */
int openvz_number_parse(const char *s, enum ov_unit unit, uint64_t page,
			struct ov_number *ret, struct err *e);

/* Exactly "yes" and "no", as both tools have it. */
int openvz_yes_no(const char *s, bool *ret, struct err *e);

/* Decimal digits between min and max. */
int openvz_integer(const char *s, uint64_t min, uint64_t max, uint64_t *ret,
		   struct err *e);

/* "0-2,7" in order and without overlap beyond 4096; "all" is no list. */
int openvz_cpu_list(const char *s, struct err *e);

#endif
