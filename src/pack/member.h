/* One member on its way out of the walk: what archive, tree and list take. */
#ifndef REHOST_PACK_MEMBER_H
#define REHOST_PACK_MEMBER_H

#include "tree/tree.h"

struct member {
	const char *path; /* as tree_walk says it: "etc/passwd", "" */
	/*
	 * Ids are shifted; the size is that of the content that follows, 0
	 * of a hard link.
	 */
	struct tree_stat st;
	struct tree_xattrs xattrs; /* those that are carried, ids shifted */
	const char *target;        /* of a symbolic link */
	const char *first;         /* a hard link to this path, else NULL */
	const struct tree_extent *data; /* of a regular file */
	size_t n_data;
	struct tree_file *file; /* where the content comes from, or NULL */
	const char *edit;       /* "replaced", "added"; NULL: of the guest */
};

#endif
