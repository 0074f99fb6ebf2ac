/*
 * Entries are handed over in lots: RING of them go round between the thread
 * that fills them and the one that calls.
 */
#include "pack/ahead.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "pack/links.h"
#include "pack/pages.h"
#include "pack/thread.h"

enum {
	RING = 4,
	LOT_ENTRIES = 256,
	LOT_FILES = 16,      /* open */
	LOT_WAITING = 128,   /* the same while the disk is waited for */
	LOT_BYTES = 1 << 20, /* of content */
	SMALL = 128 << 10,   /* files below this are read whole */
};

struct lot {
	struct arena *mem;
	struct entry *v; /* LOT_ENTRIES */
	size_t n;
	unsigned files; /* handed over open */
	unsigned waiting;
	char *bytes; /* LOT_BYTES */
	size_t used;
};

struct ahead {
	struct arena *mem;
	struct tree *t;
	struct ahead_options o;
	struct lot lots[RING];
	struct lot *lot; /* being filled; the thread's */
	bool tries;      /* the medium says what is in memory */
	struct links seen;
	size_t at; /* in the lot being read; the caller's */
	bool has_lot;

	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t moved;
	size_t filled, emptied; /* lots, ever */
	bool ended, aborted;
	bool failed; /* err says why; both by the thread, before ended */
	struct err err;
};

static void lot_clear(struct lot *l)
{
	for (size_t i = 0; i < l->n; i++)
		tree_file_closep(&l->v[i].file);
	arena_freep(&l->mem);
	l->n = 0;
	l->files = l->waiting = 0;
	l->used = 0;
}

/* A lot to be filled; NULL once aborted. */
static struct lot *take_empty(struct ahead *a)
{
	struct lot *l = &a->lots[a->filled % RING];
	bool aborted;

	pthread_mutex_lock(&a->lock);
	while (a->filled - a->emptied == RING && !a->aborted)
		pthread_cond_wait(&a->moved, &a->lock);
	aborted = a->aborted;
	pthread_mutex_unlock(&a->lock);
	if (aborted)
		return NULL;
	l->mem = arena_new();
	return l;
}

/* By now the disk had time for all of them. */
static void finish(struct lot *l, bool still)
{
	for (size_t i = 0; i < l->n && l->waiting > 0; i++) {
		if (!l->v[i].waits)
			continue;
		entry_finish(&l->v[i], l->mem, still);
		l->waiting--;
	}
}

static void hand_over(struct ahead *a)
{
	finish(a->lot, tree_is_still(a->t));
	pthread_mutex_lock(&a->lock);
	a->filled++;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	a->lot = NULL;
}

static bool is_full(const struct lot *l)
{
	return l->n == LOT_ENTRIES || l->files == LOT_FILES ||
	       l->waiting == LOT_WAITING || LOT_BYTES - l->used <= SMALL;
}

/* Whether another name of the inode was seen; it is from now on. */
static bool is_again(struct ahead *a, const struct tree_stat *st)
{
	if (!entry_is_shared(st))
		return false;
	if (links_find(&a->seen, st->dev, st->ino))
		return true;
	links_add(&a->seen, st->dev, st->ino, "");
	return false;
}

static void read_entry(struct ahead *a, struct lot *l, struct entry *en)
{
	struct entry_room room = { .n = SMALL, .tries = a->tries };

	if (l->bytes)
		room.p = l->bytes + l->used;
	entry_read(en, a->t, l->mem, l->bytes ? &room : NULL,
		   tree_is_still(a->t));
	l->used += SMALL - room.n;
	l->waiting += en->waits;
	l->files += en->file && !en->waits;
	a->tries = room.tries;
}

static int visit(void *arg, const char *path, const struct tree_stat *st,
		 struct err *e)
{
	struct ahead *a = arg;
	enum ahead_way way = a->o.way(a->o.arg, path);
	struct lot *l = a->lot = a->lot ? a->lot : take_empty(a);
	struct entry *en;

	if (!l)
		return err_set(e, ECANCELED, "read ahead");
	en = &l->v[l->n++];
	*en = (struct entry){ .path = arena_strdup(l->mem, path) };
	if (st)
		en->st = *st;
	else
		en->why = arena_memdup(l->mem, e, sizeof(*e));
	if (st && way != AHEAD_NAME && entry_is_known(st->mode) &&
	    !is_again(a, st))
		read_entry(a, l, en);
	if (is_full(l))
		hand_over(a);
	return way != AHEAD_READ;
}

static void *run(void *arg)
{
	struct ahead *a = arg;

	a->failed = tree_walk(a->t, "", a->o.one_fs, visit, a, &a->err) != 0;
	if (a->lot)
		hand_over(a);
	pthread_mutex_lock(&a->lock);
	a->ended = true;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void set_up_lots(struct ahead *a)
{
	char *bytes = a->o.with_content ?
			      arena_alloc(a->mem, (size_t)RING * LOT_BYTES) :
			      NULL;

	if (bytes)
		pages_advise(bytes, (size_t)RING * LOT_BYTES);
	for (size_t i = 0; i < RING; i++) {
		struct lot *l = &a->lots[i];

		l->v = arena_alloc(a->mem, LOT_ENTRIES * sizeof(*l->v));
		l->bytes = bytes ? bytes + i * LOT_BYTES : NULL;
	}
}

int ahead_open(struct tree *t, const struct ahead_options *o,
	       struct ahead **ret, struct err *e)
{
	struct arena *mem = arena_new();
	struct ahead *a CLEANUP(ahead_closep) = arena_alloc(mem, sizeof(*a));

	a->mem = mem;
	a->t = t;
	a->o = *o;
	a->tries = true;
	a->seen.mem = mem;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->moved, NULL);
	set_up_lots(a);
	if (thread_start(&a->thread, run, a, e))
		return -1;
	a->runs = true;
	*ret = a;
	a = NULL;
	return 0;
}

/* The lot that was read goes back. */
static void give_back(struct ahead *a)
{
	lot_clear(&a->lots[a->emptied % RING]);
	pthread_mutex_lock(&a->lock);
	a->emptied++;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	a->has_lot = false;
}

static bool wait_for_lot(struct ahead *a)
{
	bool is_there;

	pthread_mutex_lock(&a->lock);
	while (a->filled == a->emptied && !a->ended)
		pthread_cond_wait(&a->moved, &a->lock);
	is_there = a->filled != a->emptied;
	pthread_mutex_unlock(&a->lock);
	a->has_lot = is_there;
	a->at = 0;
	return is_there;
}

int ahead_next(struct ahead *a, struct entry **ret, struct err *e)
{
	struct lot *l = &a->lots[a->emptied % RING];

	if (a->has_lot && a->at == l->n) {
		give_back(a);
		l = &a->lots[a->emptied % RING];
	}
	if (!a->has_lot && !wait_for_lot(a)) {
		if (!a->failed)
			return 0;
		*e = a->err;
		return -1;
	}
	*ret = &l->v[a->at++];
	return 1;
}

void ahead_closep(struct ahead **a)
{
	struct ahead *x = *a;

	if (!x)
		return;
	pthread_mutex_lock(&x->lock);
	x->aborted = true;
	pthread_cond_signal(&x->moved);
	pthread_mutex_unlock(&x->lock);
	if (x->runs)
		pthread_join(x->thread, NULL);
	for (size_t i = 0; i < RING; i++)
		lot_clear(&x->lots[i]);
	pthread_cond_destroy(&x->moved);
	pthread_mutex_destroy(&x->lock);
	arena_free(x->mem);
	*a = NULL;
}
