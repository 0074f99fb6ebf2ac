/*
 * Shifting ids while packing: owners, the ids within POSIX ACLs, and the root
 * of file capabilities (version 2 is version 3 with root 0).
 */
#ifndef REHOST_PACK_SHIFT_H
#define REHOST_PACK_SHIFT_H

#include <stdbool.h>

#include "tree/tree.h"

struct shift_range {
	uint32_t inside, outside, count; /* as in /proc/PID/uid_map */
};

struct shift {
	const struct shift_range *uid, *gid;
	size_t n_uid, n_gid;
	bool back; /* from outside to inside */
};

/* An id in none of the ranges is an error that names it. */
int shift_owner(const struct shift *s, struct tree_stat *st, struct err *e);

/* New values are in mem. */
int shift_xattrs(const struct shift *s, struct tree_xattrs *x,
		 struct arena *mem, struct err *e);

#endif
