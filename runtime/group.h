/* The guest's groups of control: v1, hybrid and v2. */
#ifndef REHOST_RUNTIME_GROUP_H
#define REHOST_RUNTIME_GROUP_H

#include <sys/types.h>

#include "runtime/ops.h"

/*
 * Once in a process before its first group: the library reads the mounts and
 * controllers of this host, which takes longer than to make a group.
 */
int group_begin(struct err *e);

/*
 * Puts a process into all of them; once the guest's pid 1 runs (init is not 0)
 * into its group of v2, for one that has groups below it takes no process.
 */
int group_join(const struct ops *ops, pid_t pid, pid_t init, struct err *e);

/* Kills what is in the groups; then removes them. Absent ones are fine. */
int group_remove(const struct ops *ops, struct err *e);

/* As group_remove, for any group's directory. */
int group_remove_dir(const char *dir, struct err *e);

#endif
