/* The overlay of one variant, in the order of the walk. */
#ifndef REHOST_PACK_EDITS_H
#define REHOST_PACK_EDITS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "pack/overlay.h"
#include "tree/tree.h"

struct edit {
	const char *path; /* as tree_walk says it */
	/*
	 * NULL: a directory that has to be there because something is added
	 * beneath it.
	 */
	const struct overlay_entry *entry;
	bool holds; /* something is added beneath it */
	bool taken;
	/*
	 * In a walk that is not sorted: the directory with which it is added,
	 * the nearest above it that the tree has; NULL: the tree has it itself.
	 */
	const char *with;
};

struct edits {
	struct edit *v; /* sorted */
	size_t n, next;
	bool unsorted; /* the walk: they are looked up */
};

/* o may be NULL. What contradicts itself is an error. */
int edits_open(const struct overlay *o, struct arena *mem, struct edits *ret,
	       struct err *e);

/* For a walk that is not sorted: finds out what is added where. */
void edits_unsorted(struct edits *x, struct tree *t, struct arena *mem);

/*
 * The next one, NULL at the end. In a walk that is not sorted: of those that
 * are added with the directory; NULL: of all that are left.
 */
const struct edit *edits_peek(const struct edits *x, const char *with);

/* Takes the next one if it is for path; of an unsorted walk, that for path. */
const struct edit *edits_take(struct edits *x, const char *path);

#endif
