/*
 * The journal of ext3 and ext4 (JBD and JBD2): what a mount would write back
 * before anything else. Its blocks are a log of transactions; those that were
 * committed count, and of a block the last copy, unless that or a later
 * transaction revoked it. Numbers are big-endian. The format is that of the
 * kernel's include/linux/jbd2.h, the order of things that of
 * fs/jbd2/recovery.c.
 */
#ifndef REHOST_IMAGE_JBD2_H
#define REHOST_IMAGE_JBD2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "image/block.h"

/* A block of the file system whose content is in the log. */
struct jbd2_copy {
	uint64_t nr;       /* of the file system */
	uint32_t log;      /* of the log */
	uint32_t order;    /* of the copies in it */
	uint32_t sequence; /* of the transaction */
	bool escaped;      /* its first 4 bytes are the log's magic number */
};

struct jbd2_replay {
	struct jbd2_copy *v; /* sorted by nr, one of each */
	size_t n;
	uint32_t transactions;
	bool aborted; /* the kernel had met an error and stopped the journal */
};

/*
 * Reads the log, whose blocks have block_size bytes; the file system has
 * n_blocks of them. What *ret holds is in mem. A log that is damaged, or has
 * features that are not known, is EUCLEAN.
 */
int jbd2_read(struct block *log, uint32_t block_size, uint64_t n_blocks,
	      struct arena *mem, struct jbd2_replay *ret, struct err *e);

/* The first 4 bytes of an escaped block. */
extern const uint8_t jbd2_magic[4];

#endif
