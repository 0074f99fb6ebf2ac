/* Metadata of a member: which xattrs are carried, and libarchive's entry. */
#ifndef REHOST_PACK_META_H
#define REHOST_PACK_META_H

#include <archive_entry.h>

#include "pack/member.h"

/*
 * Takes out of x labels that mean nothing, or the wrong thing, on another
 * host; how many they were.
 */
unsigned meta_drop(struct tree_xattrs *x);

/* Fills ae (cleared before) with all but name, link targets and holes. */
void meta_fill(struct archive_entry *ae, const struct member *m);

#endif
