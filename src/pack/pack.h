/*
 * Packing a guest: its tree as a pax tar, compressed with zstd.
 *
 * What is in the archive: members "./", "./etc/", "./etc/passwd" in the order
 * of tree_walk (directories before what they hold, names sorted by bytes),
 * numeric owners, modes, modification times to the nanosecond (before 1970:
 * to the second), xattrs (SCHILY.xattr.*), POSIX ACLs both as their xattr and
 * as text (SCHILY.acl.*), file capabilities (their xattr), hard links (the
 * first name is the file), sparse files (GNU.sparse 1.0), links, FIFOs and,
 * if wanted, device nodes. What is not: sockets, security.selinux, .ima and
 * .evm (counted), immutable and append-only flags (named), other inode flags,
 * access and change times.
 *
 * The same tree gives the same bytes: no clock, no names of users, one
 * compressing thread. To unpack:
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
#include "tree/tree.h"

enum {
	PACK_LEVEL = 2, /* with long-distance matching: performance as of 1 */
	PACK_NAMES = 1000, /* of each kind are kept */
};

struct pack_options {
	int level;       /* of zstd; 0 is PACK_LEVEL */
	bool keep_nodes; /* device nodes; else they are left out and counted */
	bool one_fs;     /* other file systems mounted in the tree stay empty */
	/*
	 * Paths left out with all below, with or without a leading '/'. "x/" +
	 * "*" ends one that leaves out only what is below x.
	 */
	const char *const *skip;
	size_t n_skip;
};

/* Paths "/etc/passwd", any bytes: n there were, the first are in `first`. */
struct pack_names {
	uint64_t n;
	struct strv first;
};

struct pack_result {
	uint64_t files, dirs, links, hardlinks, nodes, fifos; /* members */
	uint64_t sockets, nodes_skipped,
		skipped; /* left out (not what is below) */
	uint64_t xattrs_dropped;
	uint64_t bytes_in;           /* of content read, without holes */
	uint64_t bytes_tar;          /* uncompressed */
	uint64_t bytes_out;          /* compressed */
	char sha256[DIGEST_HEX];     /* of the compressed bytes */
	char tar_sha256[DIGEST_HEX]; /* of the tar: an OCI diffID */

	struct pack_names changed;  /* while it was read: content may be torn */
	struct pack_names vanished; /* or became something else; left out */
	struct pack_names unreadable; /* or not all of its metadata */
	struct pack_names flagged; /* immutable or append-only: not carried */
	struct pack_names
		mounts;  /* directories not entered because of one_fs */
	bool incomplete; /* something was unreadable */
};

/*
 * Packs t as dirfd/name, written beside as ".name.XXXXXXXX" with mode 0600,
 * synced and renamed at the end: there is a whole archive or none. The lists
 * of *ret are in mem. A file that cannot be read is no failure, but a result
 * (`incomplete`); a start that cannot be, or an output, is. A file that
 * shrinks while it is read is filled up with zeros.
 */
int pack_write(struct tree *t, int dirfd, const char *name,
	       const struct pack_options *o, struct arena *mem,
	       struct pack_result *ret, struct err *e);

#endif
