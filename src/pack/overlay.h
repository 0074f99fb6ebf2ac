/*
 * Changes to a guest's tree that are applied while it is packed, never to the
 * tree itself: the plan's edits in the form that the walk needs. Entries are
 * sorted by bytes of the path; at most one for a path.
 */
#ifndef REHOST_PACK_OVERLAY_H
#define REHOST_PACK_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

enum overlay_kind {
	OVERLAY_FILE,  /* a regular file with this content */
	OVERLAY_LINK,  /* a symbolic link to `target` */
	OVERLAY_DIR,   /* a directory that is there, made if it is not */
	OVERLAY_HIDE,  /* the path, with all below, is left out */
	OVERLAY_EMPTY, /* the directory stays, what is below is left out */
};

struct overlay_entry {
	const char *path; /* "/etc/inittab"; no link is followed for it */
	enum overlay_kind kind;
	const void *data; /* OVERLAY_FILE */
	size_t n;
	const char *target; /* OVERLAY_LINK */
	/*
	 * Of what is new. A file that replaces one keeps that one's mode,
	 * owner, xattrs and modification time; what is added takes the time of
	 * the directory it is put into, so that no clock gets in. Directories
	 * that lack above it are made, mode 0755 of root.
	 */
	uint32_t mode, uid, gid;
};

struct overlay {
	const struct overlay_entry *v;
	size_t n;
};

#endif
