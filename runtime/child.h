/*
 * Work in a child of the caller's, which joins namespaces and whatever else
 * the caller itself must not be changed by.
 */
#ifndef REHOST_RUNTIME_CHILD_H
#define REHOST_RUNTIME_CHILD_H

#include "base/buf.h"
#include "base/err.h"

struct child_call {
	/*
	 * In the child: joins. A second child is born there, as the namespace
	 * of pids wants it; confine (or NULL) is called in that one.
	 */
	int (*join)(const void *who, struct err *e);
	int (*confine)(const void *who, struct err *e);
	const void *who; /* of both */
	/* What it writes to fd (at most 1 MiB) is the answer. */
	void (*fn)(int fd, const void *arg);
	const void *arg;
};

/*
 * Adds the answer to *ret. The child is killed after so many seconds, which is
 * an error (code ETIMEDOUT); its death by a signal is one too (code 0).
 */
int child_call(const struct child_call *c, unsigned seconds, struct buf *ret,
	       struct err *e);

#endif
