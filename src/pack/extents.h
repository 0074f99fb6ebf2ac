/* Extents of data, made fit for an archive. */
#ifndef REHOST_PACK_EXTENTS_H
#define REHOST_PACK_EXTENTS_H

#include "tree/tree.h"

enum { EXTENTS_MAX = 65536 }; /* of a file: what a map of holes may take */

/* Collected in order, in bounded memory: */
struct extents {
	struct arena *mem;
	VEC(struct tree_extent) list;
	uint64_t filled; /* holes up to so many bytes became data */
};

/*
 * Adds one beyond the last. Once there are twice EXTENTS_MAX the smaller holes
 * become data, until there are fewer.
 */
void extents_add(struct extents *x, struct tree_extent one);

/*
 * The data of an open file of so many bytes, in mem; what it has beyond (it may
 * have grown) is left out. At most EXTENTS_MAX: the smaller holes become data.
 * A file that has all its blocks is not asked for its holes.
 */
int extents_of(struct tree_file *f, const struct tree_stat *st,
	       struct arena *mem, const struct tree_extent **ret, size_t *ret_n,
	       struct err *e);

#endif
