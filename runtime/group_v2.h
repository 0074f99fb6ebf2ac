/* What is particular to the tree of cgroup v2. */
#ifndef REHOST_RUNTIME_GROUP_V2_H
#define REHOST_RUNTIME_GROUP_V2_H

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/ops.h"

/* Whether a directory is a group of v2. */
bool group_v2_is(struct arena *mem, const char *dir);

/* The group below dir that the guest's pid 1 is in now; dir itself at first. */
const char *group_v2_of(const struct ops *ops, const char *dir, pid_t init);

/*
 * Switches off what runs switched on in the root of the tree, unless the
 * groups of a run are still there. Nothing to do is fine.
 */
int group_v2_disable(const char *root, struct err *e);

#endif
