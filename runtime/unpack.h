/* A package's root as a directory that a box can lie over. */
#ifndef REHOST_RUNTIME_UNPACK_H
#define REHOST_RUNTIME_UNPACK_H

#include "runtime/verify.h"

/*
 * The directory of the package's root: its tree, or its archive unpacked below
 * scratch, where it stays and is used again while the manifest's digest is the
 * same. Roots there that no package has any more are removed, unless a run uses
 * them: this one does as long as *ret_lock is open, which is the caller's (-1
 * for a tree). An error when scratch is a tmpfs or has no room, or when the
 * archive is not the manifest's. Needs root.
 */
int unpack_root(const struct verify_package *p, const char *scratch,
		struct arena *mem, const char **ret, int *ret_lock,
		struct err *e);

/* Where that directory is or will be; NULL: no root was packed. */
const char *unpack_place(const struct verify_package *p, const char *scratch,
			 struct arena *mem);

#endif
