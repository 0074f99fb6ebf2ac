/*
 * A guest that runs already, in production: looked at from outside, with
 * nothing started, sent, opened or written. A child of ours joins its
 * namespaces of network, host name and IPC to list what is there.
 */
#ifndef REHOST_RUNTIME_RUNNING_H
#define REHOST_RUNTIME_RUNNING_H

#include "runtime/look.h"

/*
 * Finds the guest by engine and name, looks, judges, and compares with the
 * record. That it does not run is a verdict, in ret->seen.failed, not an
 * error. Of the options: engine, ports. Needs root.
 */
int running_look(const struct verify_package *p,
		 const struct verify_baseline *record,
		 const struct look_options *o, struct arena *mem,
		 struct verify_run *ret, struct err *e);

#endif
