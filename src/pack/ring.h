/*
 * A ring of blocks between threads: one fills them in order, each reader sees
 * every block, and a block is filled again when the last reader gave it back.
 * Nothing is copied between readers.
 */
#ifndef REHOST_PACK_RING_H
#define REHOST_PACK_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum { RING_BLOCKS = 8, RING_READERS = 2 };

struct ring_block {
	char *p;
	size_t n;      /* bytes in it */
	unsigned refs; /* readers that have not given it back */
};

struct ring {
	struct ring_block blocks[RING_BLOCKS];
	size_t block_size;
	unsigned readers;
	size_t head; /* blocks posted */
	size_t tail[RING_READERS];
	bool ended;   /* no more will be posted */
	bool aborted; /* nobody waits any more */
	pthread_mutex_t lock;
	pthread_cond_t moved;
};

/* The memory is mem's. */
void ring_init(struct ring *r, size_t block_size, unsigned readers,
	       struct arena *mem);
void ring_done(struct ring *r);

/* The writer's side: an empty block, NULL once aborted; then posted. */
struct ring_block *ring_room(struct ring *r);
void ring_post(struct ring *r);
void ring_end(struct ring *r);

/* A reader's side: the next block, NULL at the end or once aborted. */
const struct ring_block *ring_take(struct ring *r, unsigned reader);
void ring_release(struct ring *r, unsigned reader);

/* Either side gives up: wakes all. */
void ring_abort(struct ring *r);
bool ring_is_aborted(struct ring *r);

#endif
