/*
 * A source of blocks, read only: a disk as the guest saw it, whatever form its
 * image has. Reads are exact, what no image holds is zeros, and several
 * threads may read at once.
 */
#ifndef REHOST_IMAGE_BLOCK_H
#define REHOST_IMAGE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "tree/tree.h"

struct block;

/* What a back end provides; it embeds struct block first, made in block.mem. */
struct block_ops {
	void (*close)(struct block *b); /* all but b->mem */
	/* n bytes at an offset; all of them lie within b->size */
	int (*read)(struct block *b, uint64_t at, void *data, size_t n,
		    struct err *e);
	/* as tree_file_next: stretches that may hold something else than 0 */
	int (*next)(struct block *b, uint64_t at, struct tree_extent *ret,
		    struct err *e);
	int (*fd)(const struct block *b, uint64_t *ret_at); /* may be NULL */
};

struct block {
	const struct block_ops *ops;
	struct arena *mem;
	const char *name; /* for messages, printable */
	uint64_t size;    /* bytes */
	uint64_t id;      /* of the file that is read, to tell images apart */
};

/* A regular file of a tree as it is; links are followed up to its name. */
int block_open(struct tree *t, const char *path, struct block **ret,
	       struct err *e);

/*
 * The n bytes at an offset of a source, which it takes over. They must lie
 * within it.
 */
struct block *block_part(struct block *whole, uint64_t at, uint64_t n);
/* The same, of a source that stays the caller's and must outlive it. */
struct block *block_view(struct block *whole, uint64_t at, uint64_t n);

/* Reads n bytes; beyond the end of the source is an error. */
int block_read(struct block *b, uint64_t at, void *data, size_t n,
	       struct err *e);
int block_next(struct block *b, uint64_t at, struct tree_extent *ret,
	       struct err *e);

/*
 * The descriptor of the file whose bytes it is, from *ret_at on; borrowed. -1:
 * they do not stand in a file one behind the other.
 */
int block_fd(const struct block *b, uint64_t *ret_at);

void block_close(struct block *b);   /* NULL is fine */
void block_closep(struct block **b); /* for CLEANUP */

/* Numbers in bytes that were read, little-endian. */
uint16_t block_le16(const void *p);
uint32_t block_le32(const void *p);
uint64_t block_le64(const void *p);
uint16_t block_be16(const void *p); /* big-endian */
uint32_t block_be32(const void *p);
uint64_t block_be64(const void *p);

/*
 * "NAME: text", code EUCLEAN: the image is damaged, or lies. Is -1, in sight
 * of the compiler.
 */
#define block_bad(b, e, ...) (block_bad_fill((b)->name, (e), __VA_ARGS__), -1)
void block_bad_fill(const char *name, struct err *e, const char *fmt, ...)
	PRINTF(3, 4);

#endif
