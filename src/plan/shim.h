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
 * Puts program and configuration into the copy (two edits) and derives
 * boot.init and boot.shim. False, and nothing done, when the start command is
 * not in the guest, its architecture is another, or a value cannot be written.
 */
bool plan_shim(struct plan *p);

/* Whether plan_shim will be used; before the pass that does it. */
bool plan_shim_wanted(struct plan *p);

#endif
