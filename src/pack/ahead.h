/*
 * Reading ahead: a thread of its own walks the tree and reads metadata and
 * small files, so that what comes after it need not wait for the disk, nor for
 * the kernel to look up names. Entries come in the order of the walk, many at a
 * time; what is read ahead is bounded, in bytes, entries and open files.
 */
#ifndef REHOST_PACK_AHEAD_H
#define REHOST_PACK_AHEAD_H

#include "pack/entry.h"

/* What the walk does at a path. */
enum ahead_way {
	AHEAD_READ,
	AHEAD_NAME, /* nothing is read of it, nor what is below */
	AHEAD_ONLY, /* what is below is left out */
};

struct ahead_options {
	bool one_fs;
	bool with_content; /* of small files */
	/* Called by the thread. */
	enum ahead_way (*way)(const void *arg, const char *path);
	const void *arg;
};

struct ahead;

/*
 * Starts to read t, which is the thread's until this is closed: others may
 * take a tree_sub of it.
 */
int ahead_open(struct tree *t, const struct ahead_options *o,
	       struct ahead **ret, struct err *e);

/*
 * 1 and the next entry, good until the next call; its file may be taken. 0 at
 * the end. A further name of a shared inode is not read.
 */
int ahead_next(struct ahead *a, struct entry **ret, struct err *e);

void ahead_closep(struct ahead **a); /* for CLEANUP */

#endif
