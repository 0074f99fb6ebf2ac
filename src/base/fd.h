/*
 * Descriptors: owned ones, opening beneath a root, replacing files atomically.
 */
#ifndef REHOST_BASE_FD_H
#define REHOST_BASE_FD_H

#include <stdbool.h>
#include <sys/types.h>

#include "arena.h"
#include "err.h"

void fd_closep(int *fd); /* for CLEANUP; -1 is fine; keeps errno */
int fd_steal(int *fd);   /* gives up ownership: returns it, leaves -1 */

/*
 * Opens path as if root were "/": absolute paths and links are taken beneath
 * it, ".." stops there (openat2 with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS;
 * where the kernel lacks it, a component walk that does the same with
 * O_NOFOLLOW and at most 40 links). O_CLOEXEC is always added. Returns the
 * descriptor, or -1 with errno (no err: callers tell ENOENT from trouble).
 */
int fd_open_in(int root, const char *path, int flags);

/* As fd_open_in, but a link in any component is ELOOP. */
int fd_open_in_nolinks(int root, const char *path, int flags);

/* What both fall back to; links: whether any are followed. For tests. */
int fd_open_in_walk(int root, const char *path, int flags, bool links);

/* Writes all n bytes; path is for the message. */
int fd_write_all(int fd, const void *data, size_t n, const char *path,
		 struct err *e);

/*
 * Writes dir/name through a temporary file beside it, mode 0600 less umask,
 * and a rename: whoever looks sees the old bytes or the new ones.
 */
int fd_replace(int dir, const char *name, const void *data, size_t n,
	       struct err *e);

/*
 * Removes the temporary files of fd_replace in dir whose process is no more:
 * it was killed.
 */
int fd_remove_temps(int dir, struct err *e);

/*
 * mkdir -p beneath dir: relative path, no "..", no links; mode 0700; existing
 * is fine.
 */
int fd_mkdirs(int dir, const char *path, struct err *e);

/*
 * rm -r of dir/name, of which no link is followed but those before the last
 * component; absent is fine; what is mounted beneath it is EBUSY, untouched.
 */
int fd_remove_tree(int dir, const char *name, struct err *e);

#endif
