/* Metadata of an inode as libarchive's entry. */
#ifndef REHOST_PACK_META_H
#define REHOST_PACK_META_H

#include <archive_entry.h>

#include "tree/tree.h"

/*
 * Fills ae (cleared before) with all but name, link targets and holes.
 * Returns how many xattrs were left out: labels that mean nothing, or the
 * wrong thing, on another host.
 */
unsigned meta_fill(struct archive_entry *ae, const struct tree_stat *st,
		   const struct tree_xattrs *x);

#endif
