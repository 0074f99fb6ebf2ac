/* A sink that is a directory tree with all metadata; needs root. */
#ifndef REHOST_PACK_PLANT_H
#define REHOST_PACK_PLANT_H

#include "pack/sink.h"

/* dirfd is borrowed; name is one component; file_fd: see pack.h, or NULL. */
int plant_open(int dirfd, const char *name,
	       int (*file_fd)(const struct tree_file *f), struct sink **ret,
	       struct err *e);

#endif
