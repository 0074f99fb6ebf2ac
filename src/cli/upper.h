/* Planned edits as the upper layer of an overlay over the guest's own tree. */
#ifndef REHOST_CLI_UPPER_H
#define REHOST_CLI_UPPER_H

#include "pack/overlay.h"
#include "runtime/box.h"
#include "tree/tree.h"

struct upper {
	struct tree *tree; /* the guest's, read only */
	const struct overlay *edits;
};

/*
 * Fills the directory dir (empty) of a box: box_options.fill. What replaces or
 * holds something of the tree has its owner and mode; ids are as the box maps
 * them. arg is a struct upper.
 */
int upper_fill(void *arg, const struct box *b, int dir, struct err *e);

#endif
