/* Targets of mounts beneath a guest's root. */
#ifndef REHOST_RUNTIME_MOUNT_H
#define REHOST_RUNTIME_MOUNT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Opens (O_PATH) path beneath root as if that were "/"; what is missing of
 * the way is made, the last part a directory or an empty file.
 */
int mount_open_target(int root, struct arena *mem, const char *path, bool file,
		      struct err *e);

/*
 * The words of options, separated by "," or " ", that are flags of mount(2),
 * separated by ",".
 */
const char *mount_flags(struct arena *mem, const char *options);

/* The name under which a descriptor can be mounted on. */
const char *mount_fd_path(struct arena *mem, int fd);

#endif
