/* Blocks between threads: one lock and one condition do for all sides. */
#include "pack/ring.h"

#include "pack/pages.h"

void ring_init(struct ring *r, size_t block_size, unsigned readers,
	       struct arena *mem)
{
	char *all = arena_alloc(mem, RING_BLOCKS * block_size);

	pages_advise(all, RING_BLOCKS * block_size);
	*r = (struct ring){ .block_size = block_size, .readers = readers };
	for (size_t i = 0; i < RING_BLOCKS; i++)
		r->blocks[i].p = all + i * block_size;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->moved, NULL);
}

void ring_done(struct ring *r)
{
	pthread_cond_destroy(&r->moved);
	pthread_mutex_destroy(&r->lock);
}

struct ring_block *ring_room(struct ring *r)
{
	struct ring_block *b = &r->blocks[r->head % RING_BLOCKS];
	bool aborted;

	pthread_mutex_lock(&r->lock);
	while (b->refs > 0 && !r->aborted)
		pthread_cond_wait(&r->moved, &r->lock);
	aborted = r->aborted;
	pthread_mutex_unlock(&r->lock);
	if (aborted)
		return NULL;
	b->n = 0;
	return b;
}

void ring_post(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->blocks[r->head % RING_BLOCKS].refs = r->readers;
	r->head++;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

const struct ring_block *ring_take(struct ring *r, unsigned reader)
{
	const struct ring_block *b = NULL;
	size_t at;

	pthread_mutex_lock(&r->lock);
	at = r->tail[reader];
	while (at == r->head && !r->ended && !r->aborted)
		pthread_cond_wait(&r->moved, &r->lock);
	if (at != r->head && !r->aborted)
		b = &r->blocks[at % RING_BLOCKS];
	pthread_mutex_unlock(&r->lock);
	return b;
}

void ring_release(struct ring *r, unsigned reader)
{
	struct ring_block *b;

	pthread_mutex_lock(&r->lock);
	b = &r->blocks[r->tail[reader]++ % RING_BLOCKS];
	if (--b->refs == 0)
		pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

void ring_abort(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->aborted = true;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

bool ring_is_aborted(struct ring *r)
{
	bool aborted;

	pthread_mutex_lock(&r->lock);
	aborted = r->aborted;
	pthread_mutex_unlock(&r->lock);
	return aborted;
}
