/* Maps of ids: for the guest's user namespace, and for its files. */
#ifndef REHOST_RUNTIME_IDMAP_H
#define REHOST_RUNTIME_IDMAP_H

#include <sys/types.h>

#include "runtime/ops.h"

/* Writes the maps of a process in a new user namespace. */
int idmap_write(const struct ops *ops, pid_t pid, struct err *e);

/*
 * Mounts the tree `from` on `to` with the owners that the guest's ids have
 * on the host: mount_setattr(2), Linux 5.12.
 */
int idmap_mount(const struct ops *ops, const char *from, const char *to,
		struct err *e);

/* What an id of the guest is on the host; the same without a map, -1: none. */
long idmap_outside(const struct ops *ops, char kind, unsigned long inside);

#endif
