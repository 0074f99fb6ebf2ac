/*
 * A compressor: bytes in, compressed bytes to a callback. The result depends
 * on the bytes alone, not on how they are cut nor on the number of workers.
 */
#ifndef REHOST_PACK_SQUEEZE_H
#define REHOST_PACK_SQUEEZE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "pack/format.h"

struct squeeze;

/* Takes n bytes of the result. */
typedef int (*squeeze_sink)(void *arg, const void *data, size_t n,
			    struct err *e);

struct squeeze_setup {
	struct format format; /* any but FORMAT_NONE */
	unsigned jobs;        /* threads of zstd; 0 is 1 */
	/*
	 * The window of long-distance matching of zstd is 1 << this; 0: no
	 * such matching, and the level's own window.
	 */
	unsigned window_log;
	squeeze_sink sink;
	void *arg;
};

/* Lives in mem, until it is closed. */
int squeeze_open(const struct squeeze_setup *setup, struct arena *mem,
		 struct squeeze **ret, struct err *e);
int squeeze_add(struct squeeze *s, const void *data, size_t n, struct err *e);
int squeeze_end(struct squeeze *s, struct err *e);
void squeeze_closep(struct squeeze **s); /* for CLEANUP */

#endif
