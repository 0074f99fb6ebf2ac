/* The overlay of one variant, in the order of the walk. */
#ifndef REHOST_PACK_EDITS_H
#define REHOST_PACK_EDITS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "pack/overlay.h"

struct edit {
	const char *path; /* as tree_walk says it */
	/*
	 * NULL: a directory that has to be there because something is added
	 * beneath it.
	 */
	const struct overlay_entry *entry;
	bool holds; /* something is added beneath it */
};

struct edits {
	struct edit *v;
	size_t n, next;
};

/* o may be NULL. What contradicts itself is an error. */
int edits_open(const struct overlay *o, struct arena *mem, struct edits *ret,
	       struct err *e);

/* The next one, NULL at the end. */
const struct edit *edits_peek(const struct edits *x);

/* Takes the next one if it is for path. */
const struct edit *edits_take(struct edits *x, const char *path);

#endif
