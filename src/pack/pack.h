/*
 * Packing a guest: its tree as a compressed pax tar, or as a directory tree;
 * several variants of it from one read.
 *
 * What is in an archive: members "./", "./etc/", "./etc/passwd" in the order
 * of tree_walk (directories before what they hold, names sorted by bytes),
 * numeric owners, modes, modification times to the nanosecond (before 1970:
 * to the second), xattrs (SCHILY.xattr.*), POSIX ACLs both as their xattr and
 * as text (SCHILY.acl.*), file capabilities (their xattr), hard links (the
 * first name is the file; those of an immutable inode, which an old host
 * unified, are files of their own), sparse files (GNU.sparse 1.0), links,
 * FIFOs and, if wanted, device nodes. What is not: sockets, security.selinux,
 * .ima and .evm (counted), immutable and append-only flags (named), other
 * inode flags, access and change times.
 *
 * The same tree gives the same bytes, for any number of jobs: no clock, no
 * names of users. At most 160 MiB are held whatever the guest, up to level 6
 * of zstd or xz; the window of zstd is 64 MiB, 32 for two variants, 16 for
 * four. To unpack:
 *	tar --zstd --numeric-owner --xattrs --xattrs-include='*' --acls -xpf F
 */
#ifndef REHOST_PACK_PACK_H
#define REHOST_PACK_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"
#include "pack/format.h"
#include "pack/overlay.h"
#include "pack/shift.h"
#include "tree/tree.h"

enum {
	PACK_NAMES = 1000, /* of each kind are kept */
	PACK_VARIANTS = 16,
};

struct pack_options {
	struct format format; /* all zero: zstd at its usual level */
	int level;       /* of the format where that names none; 0: the usual */
	unsigned jobs;   /* threads that compress with zstd, at most 5; 0: 1 */
	bool keep_nodes; /* device nodes; else they are left out and counted */
	bool one_fs;     /* other file systems mounted in the tree stay empty */
	bool as_tree;    /* a directory, not an archive; needs root */
	bool tar_digest; /* of the tar as well: costs an eighth of the time */
	const struct shift *shift; /* of ids; NULL: as they are */
	uint64_t *read; /* bytes_in so far, for whoever looks; NULL: nobody */
	/*
	 * The descriptor of an open file, from which as_tree may clone; -1
	 * where there is none. NULL: content is written.
	 */
	int (*file_fd)(const struct tree_file *f);
	/*
	 * Paths left out with all below, with or without a leading '/'. "x/" +
	 * "*" ends one that leaves out only what is below x.
	 */
	const char *const *skip;
	size_t n_skip;
};

/* One result of the same read. */
struct pack_variant {
	const char *name; /* in the output directory, one component */
	const struct overlay *edits; /* NULL: none */
	bool keep_nodes;             /* that of the options is not looked at */
};

struct pack_job {
	int dirfd; /* output directory, borrowed */
	const struct pack_options *options;
	const struct pack_variant *variants;
	size_t n;
	const char *files; /* name of the list of members; NULL: none */
};

/* Paths "/etc/passwd", any bytes: n there were, the first are in `first`. */
struct pack_names {
	uint64_t n;
	struct strv first;
};

struct pack_result {
	uint64_t files, dirs, links, hardlinks, nodes, fifos; /* members */
	uint64_t sockets, nodes_skipped,
		skipped;  /* left out (not what is below) */
	uint64_t edits;   /* members that were replaced or added */
	uint64_t unified; /* names that no longer share an immutable inode */
	uint64_t xattrs_dropped;
	uint64_t bytes_in;           /* of content read, without holes */
	uint64_t bytes_tar;          /* uncompressed; of a tree: content */
	uint64_t bytes_out;          /* compressed; of a tree: 0 */
	char sha256[DIGEST_HEX];     /* of the compressed bytes; of a tree "" */
	char tar_sha256[DIGEST_HEX]; /* of the tar: an OCI diffID; or "" */

	/* those of the read are the same in every variant */
	struct pack_names changed;  /* while it was read: content may be torn */
	struct pack_names vanished; /* or became something else; left out */
	struct pack_names unreadable; /* or not all of its metadata */
	struct pack_names flagged; /* immutable or append-only: not carried */
	struct pack_names
		mounts;  /* directories not entered because of one_fs */
	bool incomplete; /* something was unreadable */
};

struct pack_outcome {
	struct pack_result *v; /* as many as there were variants */
	size_t n;
	uint64_t files_lines, files_bytes; /* of the list of members */
	char files_sha256[DIGEST_HEX];     /* "" when there is none */
};

/*
 * Packs t as dirfd/name of each variant, written beside as ".name.XXXXXXXX"
 * with mode 0600, synced and renamed at the end: there is all of a file or
 * none of it. The lists of *ret are in mem. A file that cannot be read is no
 * failure, but a result (`incomplete`); a start that cannot be, an id that
 * the shift does not know, or an output, is. Of a file that grows while it is
 * read, what it had when it was opened is read; one that shrinks is filled up
 * with zeros.
 */
int pack_run(struct tree *t, const struct pack_job *job, struct arena *mem,
	     struct pack_outcome *ret, struct err *e);

/* What is to be checked against a list of members. */
struct pack_check {
	int dirfd;           /* where both are, borrowed */
	const char *files;   /* name of the list */
	const char *variant; /* as the list names it; NULL: the only one */
	const char *archive; /* name of it; NULL: tree */
	struct tree *tree;
};

struct pack_difference {
	const char *path; /* "/etc/passwd", any bytes */
	const char *what; /* "mode 0644, not 0600", "missing"; printable */
};

struct pack_verified {
	uint64_t members;                    /* looked at */
	uint64_t n;                          /* differences there were */
	const struct pack_difference *first; /* at most PACK_NAMES of them */
	size_t n_first;
};

/*
 * Compares names, types, modes, owners, sizes, modification times, xattrs
 * (with ACLs and capabilities), hard links and content. A difference is a
 * result; what cannot be read, or is damaged, an error.
 */
int pack_verify(const struct pack_check *c, struct arena *mem,
		struct pack_verified *ret, struct err *e);

/* One variant without edits, no list. */
int pack_write(struct tree *t, int dirfd, const char *name,
	       const struct pack_options *o, struct arena *mem,
	       struct pack_result *ret, struct err *e);

#endif
