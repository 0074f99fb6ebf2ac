/* A verification from beginning to end. */
#ifndef REHOST_RUNTIME_LOOK_H
#define REHOST_RUNTIME_LOOK_H

#include "runtime/engine.h"
#include "runtime/probe.h"
#include "runtime/verify_report.h"

struct look_options {
	const struct engine *engine;
	const char *scratch;
	/* as in box_options, or NULL */
	int (*fill)(void *arg, const struct box *b, int dir, struct err *e);
	void *fill_arg;
	const char *ports; /* "tcp:80,udp:53", "" none; NULL: the package's */
	enum probe_class most;
	unsigned seconds; /* patience for the start */
	unsigned stop_seconds;
};

/* Where a guest has to listen: as asked for, or as it did before. */
const char *look_ports(const struct verify_package *p,
		       const struct look_options *o);

/* The policy that the target's emitted text asks for, read back from dir. */
int look_emitted(const struct verify_package *p, struct arena *mem,
		 struct policy **ret, struct err *e);

/*
 * look_emitted; and items of the package that policy.json cannot hold, being
 * no UTF-8, get its bytes.
 */
int look_restore(const struct verify_package *p, struct arena *mem,
		 struct policy **ret, struct err *e);

/* What look_start would do, an operation a line; needs no right. */
int look_print(const struct verify_package *p, const struct look_options *o,
	       struct arena *mem, struct buf *ret, struct err *e);

/*
 * Starts the guest as its configuration says. To be ended by engine_end, also
 * after a failure.
 */
int look_start(const struct verify_package *p, const struct look_options *o,
	       struct arena *mem, struct engine_guest *ret, struct err *e);

/* box_call for a probe_subject whose engine is a box. */
int look_call(void *engine, void (*fn)(int fd, const void *arg),
	      const void *arg, unsigned seconds, struct buf *ret,
	      struct err *e);

/*
 * Starts, looks, stops, judges. What keeps it from starting is a verdict, in
 * ret->seen.failed, not an error.
 */
int look_run(const struct verify_package *p, const struct look_options *o,
	     struct arena *mem, struct verify_run *ret, struct err *e);

#endif
