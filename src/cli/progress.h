/*
 * How far guests are: on a terminal a line per guest with bytes, rate and time
 * left, which is drawn again each second; elsewhere a line when a guest starts
 * (who knows how it ended says that). SIGUSR1 prints where it is, in any case.
 * All on standard error. The figures come from the workers through memory
 * shared with them: it has to be made before they are.
 */
#ifndef REHOST_CLI_PROGRESS_H
#define REHOST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* What the worker of a guest tells; single words, so that no lock is needed. */
struct progress_slot {
	uint64_t done, total; /* bytes of content; total 0: not known yet */
	uint64_t is_over;
};

struct progress;

struct progress_options {
	size_t n; /* guests */
	bool quiet;
	const char *verb; /* "converting"; NULL: starts are not told */
};

struct progress *progress_new(struct arena *mem,
			      const struct progress_options *o);
void progress_freep(struct progress **p); /* for CLEANUP; NULL is fine */

/* That of guest i; NULL when there is no memory to share. */
struct progress_slot *progress_slot(struct progress *p, size_t i);

/* Guest i starts; key is borrowed. */
void progress_start(struct progress *p, size_t i, const char *key);
/* It is done: its line goes. */
void progress_end(struct progress *p, size_t i);
/* Whether it was started and has not ended. */
bool progress_runs(const struct progress *p, size_t i);

/* Takes the lines off the terminal, before something else is printed. */
void progress_hide(struct progress *p);
/* About once a second: draws, and answers SIGUSR1. */
void progress_tick(struct progress *p);

#endif
