/*
 * A read-only tree of files: a host's file system, a guest's root, the file
 * system in a disk image (tree_image.h), a tar archive (tree_archive.h).
 * Everything that
 * looks into a guest goes through this interface and nothing else.
 *
 * Paths are taken as a process chrooted there would take them: "etc/passwd"
 * and "/etc/passwd" are the same file, absolute links stay inside, ".." stops
 * at the root. What lies in the tree is hostile input: nothing is opened that
 * could block or have an effect (FIFOs, sockets, devices), reads are bounded,
 * links are followed only beneath the root, access times are left alone
 * (O_NOATIME where the kernel lets us).
 */
#ifndef REHOST_TREE_TREE_H
#define REHOST_TREE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"

struct tree;

struct tree_stat {
	uint32_t mode; /* type and permission bits, as st_mode */
	uint32_t uid, gid, nlink;
	uint64_t size, blocks; /* bytes; 512-byte blocks */
	uint64_t dev, ino;
	uint32_t rdev_major, rdev_minor; /* of a node */
	uint32_t flags; /* FS_IMMUTABLE_FL, FS_APPEND_FL; all: tree_flags */
	struct timespec mtime, ctime;
};

struct tree_entry {
	const char *name; /* any bytes but '/' and NUL */
	uint8_t type;     /* DT_*, DT_UNKNOWN where the medium does not say */
	uint64_t ino;
};

struct tree_entries {
	struct tree_entry *v; /* sorted by bytes of the name */
	size_t n;
};

struct tree_xattr {
	const char *name;
	const void *value;
	size_t size;
};

struct tree_xattrs {
	struct tree_xattr *v; /* sorted by name */
	size_t n;
};

struct tree_extent {
	uint64_t offset, length; /* of data; what is between is a hole */
};

/* Opens the directory path of the real file system as a tree. */
int tree_open_dir(const char *path, struct tree **ret, struct err *e);

/*
 * A tree of its own whose root is the directory `path` of t ("chroot"). It
 * must be closed as well; t may be closed before it.
 */
int tree_sub(struct tree *t, const char *path, struct tree **ret,
	     struct err *e);

void tree_close(struct tree *t);   /* NULL is fine */
void tree_closep(struct tree **t); /* for CLEANUP */

/*
 * Tells that nobody changes the tree while it is read (the guest is stopped).
 * A walk then opens a regular file in one step, before its callback, which
 * takes it over by tree_file_open: that saves half of the calls. Without this
 * a file is held and looked at before it is opened, since what has its name by
 * then may be a device whose opening has an effect.
 */
void tree_set_still(struct tree *t);
bool tree_is_still(const struct tree *t);

/*
 * Whether content is to be read in the order of the walk, by one thread: the
 * medium goes forward only, and the walk's order is its own, not that of names.
 */
bool tree_is_in_order(const struct tree *t);

/* For messages: "/mnt/old" of a directory. Borrowed from t. */
const char *tree_name(const struct tree *t);
/*
 * Another name in messages, of this tree and of those made from it from now
 * on: with "" they name paths beneath the root ("open /etc/fstab"), so that
 * they do not depend on where the tree is mounted.
 */
void tree_set_name(struct tree *t, const char *name);

/*
 * The functions below fail with e->code = errno (ENOENT, EACCES, ELOOP,
 * EISDIR, ENOTDIR, EIO ...) so that callers can tell absent from unreadable.
 */

/* What the path is, following links (stat) or not (lstat). */
int tree_stat(struct tree *t, const char *path, struct tree_stat *ret,
	      struct err *e);
int tree_lstat(struct tree *t, const char *path, struct tree_stat *ret,
	       struct err *e);

/* Absent or not; a dangling link counts as absent, as with test -e. */
bool tree_exists(struct tree *t, const char *path);
bool tree_is_dir(struct tree *t, const char *path); /* follows links */

/* The text of a link, in mem. */
int tree_readlink(struct tree *t, const char *path, struct arena *mem,
		  const char **ret, struct err *e);

/*
 * The path after following every link, absolute within the tree
 * ("/var/lib/vservers/web01"); the last component must exist.
 */
int tree_resolve(struct tree *t, const char *path, struct arena *mem,
		 const char **ret, struct err *e);

/* The entries of a directory but "." and ".."; a bound of 4 million. */
int tree_list(struct tree *t, const char *path, struct arena *mem,
	      struct tree_entries *ret, struct err *e);

/*
 * Reads a regular file, at most max bytes. *ret_data (in mem) has a NUL after
 * its *ret_n bytes. A larger file is EFBIG, anything but a regular file
 * EISDIR or EINVAL ("is a FIFO"), found without opening it.
 */
int tree_read(struct tree *t, const char *path, size_t max, struct arena *mem,
	      const char **ret_data, size_t *ret_n, struct err *e);

/* All xattrs of the path itself (links are not followed). */
int tree_xattrs(struct tree *t, const char *path, struct arena *mem,
		struct tree_xattrs *ret, struct err *e);

/* Inode flags as FS_IOC_GETFLAGS gives them; 0 where the medium has none. */
int tree_flags(struct tree *t, const char *path, uint32_t *ret, struct err *e);

/*
 * Reading content in pieces, for packing. An open file is a handle of the
 * tree; links are not followed; it must be a regular file.
 */
struct tree_file;
int tree_file_open(struct tree *t, const char *path, struct tree_file **ret,
		   struct err *e);
void tree_file_closep(struct tree_file **f); /* for CLEANUP */
/* What it was when it was opened, and what it is now. */
const struct tree_stat *tree_file_opened(const struct tree_file *f);
int tree_file_stat(struct tree_file *f, struct tree_stat *ret, struct err *e);
/* Bytes read at offset, 0 at the end, -1 with *e. */
ssize_t tree_file_read(struct tree_file *f, uint64_t offset, void *data,
		       size_t n, struct err *e);
/*
 * The same without waiting for a disk: as much as is in memory, EAGAIN where
 * nothing is. EOPNOTSUPP: the medium cannot tell.
 */
ssize_t tree_file_try(struct tree_file *f, uint64_t offset, void *data,
		      size_t n, struct err *e);
/* Starts to read so many bytes into memory, where the medium can. */
void tree_file_expect(struct tree_file *f, uint64_t offset, uint64_t n);
/*
 * The next stretch of data that ends after offset at: 1, or 0 when only a hole
 * is left. A file may have any number of them.
 */
int tree_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		   struct err *e);
/* Its descriptor, to be cloned or copied from; borrowed. -1: it has none. */
int tree_file_fd(const struct tree_file *f);

/*
 * Visits everything beneath `path`, directories before what they hold and
 * each with all that it holds, sorted unless tree_is_in_order, without
 * following links or leaving the file system of `path` (one_fs). A negative
 * return of the callback stops with that; 1 skips the directory just visited.
 * The stat is lstat's; path is relative, without a leading '/', "" for the
 * start itself (links in `path` are followed as by stat). Errors on an entry
 * are passed to the callback with st NULL and *e filled; it may go on (return
 * 0). A directory that cannot be listed comes twice: as an entry, then as an
 * error. Depth has no bound but memory; inside the callback tree_lstat,
 * tree_readlink, tree_xattrs, tree_flags and tree_file_open of `path`/PATH are
 * quick, and work beyond PATH_MAX too.
 */
typedef int (*tree_visit)(void *arg, const char *path,
			  const struct tree_stat *st, struct err *e);
int tree_walk(struct tree *t, const char *path, bool one_fs, tree_visit visit,
	      void *arg, struct err *e);

#endif
