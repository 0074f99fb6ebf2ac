/* A sink that is a compressed tar. */
#ifndef REHOST_PACK_ARCHIVE_H
#define REHOST_PACK_ARCHIVE_H

#include "pack/sink.h"

/* dirfd is borrowed; name is one component. */
int archive_open(int dirfd, const char *name, const struct out_options *o,
		 struct sink **ret, struct err *e);

#endif
