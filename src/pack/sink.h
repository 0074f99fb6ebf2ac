/*
 * Where members go: an archive or a directory tree. A back end embeds struct
 * sink first in a struct of its own.
 */
#ifndef REHOST_PACK_SINK_H
#define REHOST_PACK_SINK_H

#include "base/err.h"
#include "pack/member.h"
#include "pack/out.h"

struct sink;

struct sink_ops {
	/*
	 * Starts a member; its content follows by data, in order, without its
	 * holes. What is missing when the next one starts becomes zeros. 1:
	 * something of its metadata had to be left out.
	 */
	int (*member)(struct sink *s, const struct member *m, struct err *e);
	int (*data)(struct sink *s, uint64_t at, const void *data, size_t n,
		    struct err *e);
	/* All is written and synced; then it may be put in its place. */
	int (*finish)(struct sink *s, struct out_totals *ret, struct err *e);
	int (*place)(struct sink *s, struct err *e);
	/* What was not put in its place is removed. */
	void (*close)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
};

#endif
