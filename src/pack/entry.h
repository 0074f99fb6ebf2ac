/*
 * An entry of the walk with all that is read of it: metadata, and of a small
 * file the content. What cannot be read is no failure, but kept as the reason.
 */
#ifndef REHOST_PACK_ENTRY_H
#define REHOST_PACK_ENTRY_H

#include <stdbool.h>

#include "pack/member.h"

struct entry {
	const char *path;      /* as tree_walk says it */
	struct tree_stat st;   /* as the walk saw it */
	const struct err *why; /* st is not: the walk's reason; else NULL */
	bool is_read;          /* what follows */

	struct tree_stat opened; /* of a file; st of others */
	const struct err *lost;  /* it cannot be packed: why; else NULL */
	struct tree_xattrs xattrs;
	const struct err *xattrs_lost; /* why they were not read, or NULL */
	const char *target;            /* of a link */
	struct tree_file *file;        /* of a file that is not whole here */
	const struct tree_extent *data;
	size_t n_data;
	struct tree_extent all; /* may be data */

	/* Of a small file that is whole here: */
	bool is_whole, changed; /* while it was read */
	bool waits;             /* for a disk: to be finished */
	char *bytes;
	size_t n;                     /* less than its size where it shrank */
	const struct err *bytes_lost; /* why there are no more, or NULL */
};

/* Where the content of small files goes. */
struct entry_room {
	char *p;
	size_t n;   /* bytes left */
	bool tries; /* files that are not in memory may wait */
};

/* Whether it is of a type that is packed. */
bool entry_is_known(uint32_t mode);

/*
 * A name of an inode that has more of them, which stay together. Those of an
 * immutable inode were put together by the old host's unification, which breaks
 * them at the first write; elsewhere nothing would.
 */
bool entry_is_shared(const struct tree_stat *st);
bool entry_is_unified(const struct tree_stat *st);

/* Whether both are of one state of one inode. */
bool entry_is_same(const struct tree_stat *a, const struct tree_stat *b);

/*
 * Reads en, of which path and st are set; en->file is the caller's to close,
 * the rest is in mem. With room (which it takes from) small files are read;
 * still: nobody changes the tree, which saves a look.
 */
void entry_read(struct entry *en, struct tree *t, struct arena *mem,
		struct entry_room *room, bool still);

/* Reads the content of one that waits. */
void entry_finish(struct entry *en, struct arena *mem, bool still);

#endif
