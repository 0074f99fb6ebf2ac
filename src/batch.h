/*
 * Many guests, a process each at a time: a guest's owner could have put
 * anything into it, so what goes wrong with one (a crash, a loop without end)
 * stops no other. Results come back in the order of the items, whatever the
 * number of workers.
 */
#ifndef REHOST_BATCH_H
#define REHOST_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct batch_result {
	bool ok;
	const char *why;   /* when not ok: the error, or how the worker died */
	struct buf record; /* what the worker said; the batch frees both */
	struct buf section;
};

struct batch {
	size_t n;
	unsigned jobs;    /* workers at most, at least 1 */
	unsigned seconds; /* for one item; 0: no bound */
	void *arg;
	/* In the worker, once, before its first item. May be NULL. */
	int (*enter)(void *arg, struct err *e);
	/* In the worker: item i. Fills both buffers (JSON; rendered text). */
	int (*run)(void *arg, size_t i, struct buf *record, struct buf *section,
		   struct err *e);
	/* In the parent, in order of i; the result is the batch's. */
	void (*done)(void *arg, size_t i, const struct batch_result *r);
	/* In the parent when an item starts or bytes come; may be NULL. */
	void (*started)(void *arg, size_t i);
	/* In the parent, at least each second and after a signal; or NULL. */
	void (*tick)(void *arg);
};

/*
 * Runs all items. -1 only when no worker could be made at all, or after
 * SIGINT or SIGTERM (e->code is EINTR; the workers are gone then).
 */
int batch_run(const struct batch *b, struct err *e);

/* Catches SIGINT, SIGTERM and SIGUSR1 for batch_run; call once, in main. */
void batch_signals(void);

/* Whether SIGINT or SIGTERM came. */
bool batch_interrupted(void);

/* Whether SIGUSR1 came since this was asked: how far is it? */
bool batch_asked(void);

#endif
