/* Reading a list of members (list.h), a line at a time. */
#ifndef REHOST_PACK_LINES_H
#define REHOST_PACK_LINES_H

#include "base/str.h"
#include "pack/list.h"

struct lines;

struct lines_line {
	const char *path; /* as tree_walk says it */
	struct slice fields[LIST_FIELDS];
};

/*
 * The lines of one variant, named as in the head; NULL: the only one. dirfd is
 * borrowed.
 */
int lines_open(int dirfd, const char *name, const char *variant,
	       struct lines **ret, struct err *e);

/* The next line, good until the next call; 1, or 0 at the end, or -1. */
int lines_next(struct lines *l, struct lines_line *ret, struct err *e);

void lines_closep(struct lines **l); /* for CLEANUP */

#endif
