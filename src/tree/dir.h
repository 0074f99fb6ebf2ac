/*
 * A directory of the real file system as a tree: what dir.c, dir_file.c and
 * dir_walk.c share. Private to src/tree. Needs /proc.
 */
#ifndef REHOST_TREE_DIR_H
#define REHOST_TREE_DIR_H

#include "tree/tree_ops.h"

struct dir {
	struct tree tree;
	int root; /* O_PATH */
	/*
	 * The entry a walk is at, so that the callback's look at it, or at
	 * others of its directory, costs one component: its path, cwd_n bytes
	 * of which are the directory's, and that one's descriptor, all borrowed
	 * from the walk; cwd NULL outside of one.
	 */
	const char *cwd;
	size_t cwd_n;
	int cwd_fd;
	/* The entry itself, when it is open already, else -1; and its stat. */
	int entry_fd;
	const struct tree_stat *entry_st;
};

/*
 * Where an entry is, its links not followed: a directory and a name in it,
 * or the thing itself (O_PATH) and "".
 */
struct dir_place {
	int fd;
	int owned;        /* fd again when it is to be closed, else -1 */
	const char *base; /* borrowed from the path given */
};

int dir_open(const char *path, struct tree **ret, struct err *e);

/* Finds the place of path; -1 with errno. */
int dir_place(struct dir *d, const char *path, struct dir_place *ret);
void dir_place_done(struct dir_place *p); /* for CLEANUP */

/*
 * Opens path beneath the root, following links there. Beyond PATH_MAX links
 * are ELOOP and ".." is ENAMETOOLONG. -1 with errno.
 */
int dir_openat_root(struct dir *d, const char *path, int flags);

/* Whether path is the entry that a walk is at and has opened. */
bool dir_is_open(const struct dir *d, const char *path);

/* openat(2), leaving the access time alone where the kernel lets us. */
int dir_openat(int fd, const char *name, int flags);

/*
 * Opens for reading what fd (O_PATH) stands for, once it is known to be a
 * regular file; ret is its stat. The name is for messages.
 */
int dir_reopen(int fd, const char *name, struct tree_stat *ret, struct err *e);

/* -1 with errno. */
int dir_statx(int fd, const char *base, struct tree_stat *ret);

/* Reads the entries of the directory fd is open on, sorted; -1 with errno. */
int dir_entries(int fd, struct arena *mem, struct tree_entries *ret);

/* "op NAME/path: strerror(code)"; is -1. */
#define dir_fail(d, op, path, code, e)                                         \
	(dir_fail_fill((d), (op), (path), (code), (e)), -1)
void dir_fail_fill(const struct dir *d, const char *op, const char *path,
		   int code, struct err *e);

/* NAME/path on one printable line, for messages. */
const char *dir_show(const struct dir *d, const char *path, struct arena *mem);

/* The operations that have a file of their own. */
int dir_file_open(struct tree *t, const char *path, struct tree_file **ret,
		  struct err *e);
void dir_file_close(struct tree_file *f);
int dir_file_stat(struct tree_file *f, struct tree_stat *ret, struct err *e);
ssize_t dir_file_read(struct tree_file *f, uint64_t offset, void *data,
		      size_t n, struct err *e);
ssize_t dir_file_try(struct tree_file *f, uint64_t offset, void *data, size_t n,
		     struct err *e);
void dir_file_expect(struct tree_file *f, uint64_t offset, uint64_t n);
int dir_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		  struct err *e);
int dir_file_fd(const struct tree_file *f);
int dir_walk(struct tree *t, const char *path, bool one_fs,
	     const struct tree_visitor *visitor, struct err *e);

#endif
