/*
 * The small init of ours (runtime/shim) as pid 1 of a guest that never had an
 * init: the old tools ran its start scripts, and those ended.
 */
#ifndef REHOST_PLAN_SHIM_H
#define REHOST_PLAN_SHIM_H

#include "plan/plan.h"

/* Whether the guest's style started scripts without an init. */
bool plan_shim_style(const struct guest *g);

/*
 * Puts program and configuration into the copy (two edits, and directories
 * that lack above them) and derives boot.init and boot.shim. False, and
 * nothing done, where there is an obstacle; a program of ours for another
 * machine than the guest's gets its finding.
 */
bool plan_shim(struct plan *p);

/* Whether plan_shim will be used; before the pass that does it. */
bool plan_shim_wanted(struct plan *p);

/* Why it will not, for messages: "/etc/init.d/rc is not ..."; NULL: it will. */
const char *plan_shim_obstacle(struct plan *p);

#endif
