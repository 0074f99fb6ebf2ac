/*
 * What a back end of the tree interface provides: private to src/tree.
 *
 * Each function does what tree.h says of its namesake. A back end embeds
 * struct tree first in a struct of its own, allocated in tree.mem, which
 * tree_close frees after close(); struct tree_file likewise.
 */
#ifndef REHOST_TREE_TREE_OPS_H
#define REHOST_TREE_TREE_OPS_H

#include "base/str.h"
#include "tree/tree.h"

struct tree_visitor {
	tree_visit visit;
	void *arg;
};

struct tree_ops {
	bool in_order;                 /* tree_is_in_order */
	void (*close)(struct tree *t); /* all but t->mem */
	int (*sub)(struct tree *t, const char *path, struct tree **ret,
		   struct err *e);
	int (*stat)(struct tree *t, const char *path, struct tree_stat *ret,
		    struct err *e);
	int (*lstat)(struct tree *t, const char *path, struct tree_stat *ret,
		     struct err *e);
	int (*readlink)(struct tree *t, const char *path, struct arena *mem,
			const char **ret, struct err *e);
	int (*resolve)(struct tree *t, const char *path, struct arena *mem,
		       const char **ret, struct err *e);
	int (*list)(struct tree *t, const char *path, struct arena *mem,
		    struct tree_entries *ret, struct err *e);
	int (*read)(struct tree *t, const char *path, size_t max,
		    struct arena *mem, struct slice *ret, struct err *e);
	int (*xattrs)(struct tree *t, const char *path, struct arena *mem,
		      struct tree_xattrs *ret, struct err *e);
	int (*flags)(struct tree *t, const char *path, uint32_t *ret,
		     struct err *e);
	int (*walk)(struct tree *t, const char *path, bool one_fs,
		    const struct tree_visitor *visitor, struct err *e);

	int (*file_open)(struct tree *t, const char *path,
			 struct tree_file **ret, struct err *e);
	void (*file_close)(struct tree_file *f); /* all but f->mem */
	int (*file_stat)(struct tree_file *f, struct tree_stat *ret,
			 struct err *e);
	ssize_t (*file_read)(struct tree_file *f, uint64_t offset, void *data,
			     size_t n, struct err *e);
	/* These two may be NULL. */
	ssize_t (*file_try)(struct tree_file *f, uint64_t offset, void *data,
			    size_t n, struct err *e);
	void (*file_expect)(struct tree_file *f, uint64_t offset, uint64_t n);
	int (*file_next)(struct tree_file *f, uint64_t at,
			 struct tree_extent *ret, struct err *e);
	int (*file_fd)(const struct tree_file *f);
};

struct tree {
	const struct tree_ops *ops;
	struct arena *mem;
	const char *name;
	bool still; /* tree_set_still */
};

struct tree_file {
	const struct tree_ops *ops;
	struct arena *mem;
	const char *name; /* for messages */
	struct tree_stat opened;
};

#endif
