/*
 * A tar archive, compressed or not, as a tree: what tarfile*.c share. Private
 * to src/tree.
 *
 * It is read once from its beginning to its end when it is opened, into an
 * index: names, metadata, links, xattrs, where a sparse file has data, and the
 * content of small files that plans look at. Other content is read again, by a
 * cursor that goes forward; a file before it makes it start anew. So whoever
 * reads files in the order of the walk, which is that of the archive, reads it
 * a second time and no more. Nothing is unpacked.
 *
 * Formats are libarchive's business (tar, pax, GNU, old GNU's sparse files);
 * what they say is checked here, for the archive is hostile.
 */
#ifndef REHOST_TREE_TARFILE_H
#define REHOST_TREE_TARFILE_H

#include <locale.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/str.h"
#include "tree/tree_archive.h"
#include "tree/tree_ops.h"

struct archive;
struct archive_entry;

enum {
	TARFILE_CHUNK = 4096,  /* inodes or names that are made at a time */
	TARFILE_CHUNKS = 2048, /* of them: 8 million */
	TARFILE_NONE = UINT32_MAX,
};

/* --- tarfile_stream.c: the bytes, member by member ------------------------ */

struct tarfile_stream;

/* Opens what f has, from its start; f is borrowed. */
int tarfile_stream_open(struct tree_file *f, const char *name,
			struct tarfile_stream **ret, struct err *e);
void tarfile_stream_closep(struct tarfile_stream **s); /* for CLEANUP */

/* 1 and the next member, good until the next call; 0 at the end. */
int tarfile_stream_next(struct tarfile_stream *s, struct archive_entry **ret,
			struct err *e);
/* 1 and a piece of the member's data, good until the next call; 0: no more. */
int tarfile_stream_data(struct tarfile_stream *s, struct slice *ret,
			uint64_t *ret_offset, struct err *e);
/* "NAME: what, member 12" or the like, EUCLEAN; is -1. */
int tarfile_stream_bad(struct tarfile_stream *s, struct err *e, const char *fmt,
		       ...) PRINTF(3, 4);
/* In which a member's names are to be asked for. */
locale_t tarfile_stream_locale(const struct tarfile_stream *s);
/* Members so far. */
uint32_t tarfile_stream_count(const struct tarfile_stream *s);
/* What a compression is called, "" for none, by a file's first bytes. */
const char *tarfile_stream_kind(const void *head, size_t n);

/* --- tarfile_index.c: what there is --------------------------------------- */

/* What few inodes have. */
struct tarfile_more {
	const char *target; /* of a link */
	uint32_t major, minor;
	struct tree_xattrs xattrs;
	struct tree_extent *data; /* of a sparse file */
	size_t n_data;
	struct slice kept; /* the first bytes of a file; p NULL: none */
};

struct tarfile_inode {
	uint64_t size, stored; /* bytes; those that are data */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t mode, uid, gid, nlink;
	uint32_t member; /* whose data it has, from 1 on; 0: none */
	bool sparse;
	struct tarfile_more *more; /* NULL: nothing of it */
};

struct tarfile_node {
	const char *name; /* one component; "" of the root */
	uint32_t parent, inode;
	uint32_t child, next; /* first one, next of the parent's; NONE */
	uint32_t order;       /* the member that it came with */
};

struct tarfile_index {
	struct arena *mem;
	struct tarfile_inode *inodes[TARFILE_CHUNKS];
	struct tarfile_node *nodes[TARFILE_CHUNKS];
	uint32_t n_inodes, n_nodes; /* node 0 is the root */
	uint32_t *names;            /* open hash of nodes, by parent and name */
	size_t n_names;             /* a power of two */
	uint64_t seed;              /* of the hash */
	size_t kept;                /* bytes of content */
	uint32_t twice;             /* members that replaced another */
	uint32_t left_out;          /* ACL entries without a number */
};

/* Reads s up to a path (NULL: all of it) into ret, of which mem is set. */
int tarfile_index_read(struct tarfile_index *ret, struct tarfile_stream *s,
		       const char *until, struct err *e);
struct tarfile_inode *tarfile_inode_at(const struct tarfile_index *x,
				       uint32_t i);
struct tarfile_node *tarfile_node_at(const struct tarfile_index *x, uint32_t i);
/* The node of that name in a directory; NONE. */
uint32_t tarfile_index_find(const struct tarfile_index *x, uint32_t parent,
			    struct slice name);
/* The children of a node in mem, in their order in the archive. */
void tarfile_index_children(const struct tarfile_index *x, uint32_t node,
			    struct arena *mem, uint32_t **ret, size_t *ret_n);

/* tarfile_acl.c: xattrs of a member, ACLs as the kernel keeps them; sorted. */
void tarfile_acl_xattrs(struct archive_entry *ae, struct arena *mem,
			struct tree_xattrs *ret, uint32_t *left_out);

/* With an access ACL the group's bits of a mode are those of its mask. */
uint32_t tarfile_acl_mode(const struct tree_xattrs *x, uint32_t mode);

/* --- tarfile.c: the tree -------------------------------------------------- */

/* Shared by the trees and files that are open. */
struct tarfile_shared {
	struct arena *mem;
	struct tree_file *file; /* owned */
	const char *name;
	struct tarfile_index index;
	pthread_mutex_t lock; /* of what follows */
	unsigned users;
	struct tarfile_stream *cursor; /* NULL: at the start */
	unsigned passes;               /* cursors there were */
	struct slice piece;            /* of data, under the cursor */
	uint64_t piece_at;             /* where it lies in its file */
	uint64_t passed; /* bytes of that file that cannot be had again */
};

struct tarfile_tree {
	struct tree tree;
	struct tarfile_shared *x;
	uint32_t root; /* node */
};

/* As tree_open_archive, of an open file, which it takes over. */
int tarfile_open(struct tree_file **f, const char *name, const char *until,
		 struct arena *mem, struct strv *notes, struct tree **ret,
		 struct err *e);
struct tarfile_shared *tarfile_use(struct tarfile_shared *x); /* one more */
void tarfile_drop(struct tarfile_shared *x); /* the last closes it */

void tarfile_stat_of(const struct tarfile_shared *x, uint32_t inode,
		     struct tree_stat *ret);
/* The node of a path; no link at its end is followed unless so said. */
int tarfile_find(struct tarfile_tree *t, const char *path, bool follow,
		 uint32_t *ret, struct err *e);
/* "op NAME/path: why"; is -1. */
int tarfile_fail(const struct tarfile_tree *t, const char *op, const char *path,
		 struct err *e);
/* The path of a node as seen from the tree's root, without leading slash. */
const char *tarfile_path(const struct tarfile_tree *t, uint32_t node,
			 struct arena *mem);

/* --- tarfile_file.c, tarfile_walk.c --------------------------------------- */

int tarfile_file_of(struct tarfile_tree *t, uint32_t inode, const char *name,
		    struct tree_file **ret, struct err *e);
void tarfile_file_close(struct tree_file *f);
int tarfile_file_stat(struct tree_file *f, struct tree_stat *ret,
		      struct err *e);
ssize_t tarfile_file_read(struct tree_file *f, uint64_t offset, void *data,
			  size_t n, struct err *e);
int tarfile_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		      struct err *e);
int tarfile_file_fd(const struct tree_file *f);
int tarfile_walk(struct tree *t, const char *path, bool one_fs,
		 const struct tree_visitor *visitor, struct err *e);

#endif
