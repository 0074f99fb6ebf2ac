/*
 * ploop images, which are Parallels' expandable disks: a header of 64 bytes, a
 * table (BAT) that tells for each cluster of the disk where in the file it
 * lies, and clusters; a chain of them, each holding what changed since the one
 * beneath was closed (reference openvz.md 4.3 to 4.6).
 */
#ifndef REHOST_IMAGE_PLOOP_H
#define REHOST_IMAGE_PLOOP_H

#include <stdbool.h>

#include "base/str.h"
#include "image/block.h"

enum {
	PLOOP_CHAIN = 512,         /* images at most */
	PLOOP_CLUSTERS = 1 << 24,  /* of a disk at most: 16 TiB by 1 MiB */
	PLOOP_CLUSTER = 2048 << 9, /* bytes, where nothing says otherwise */
};

struct ploop_options {
	uint32_t cluster; /* bytes, as its description says; 0: any */
	bool live;        /* an image that was not closed is read */
	struct arena *mem;
	struct strv *notes; /* what is to be known of it, in mem; may be NULL */
};

/* Whether it begins as one does. */
bool ploop_is(struct block *b);

/*
 * A chain, the top first, as one disk. The images are taken over, also on
 * failure. plain: the last is the disk's bytes as they are (needs cluster).
 * An image that was not closed is EBUSY. Needs 6 bytes for a cluster of the
 * disk; all numbers of the images are checked before the first read.
 */
int ploop_open(struct block **chain, size_t n, bool plain,
	       const struct ploop_options *o, struct block **ret,
	       struct err *e);

#endif
