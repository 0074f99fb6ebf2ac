/*
 * DiskDescriptor.xml, which says what images a ploop disk is made of
 * (reference openvz.md 4.2). It is hostile input: no DTD, no entities but the
 * predefined ones, UTF-8 only, at most 1 MiB, no file outside its directory.
 */
#ifndef REHOST_IMAGE_DESCRIPTOR_H
#define REHOST_IMAGE_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { DESCRIPTOR_MAX = 1 << 20 }; /* bytes */

struct descriptor_image {
	const char *guid; /* lower case, without braces */
	const char *file; /* as it is written there */
	bool plain;       /* the disk as it is; else expandable */
};

/* A node of the tree of snapshots; its image has the same GUID. */
struct descriptor_shot {
	const char *guid, *parent; /* parent NULL: the base */
	bool temporary;            /* of a backup or merge that was cut off */
};

struct descriptor {
	const char *name; /* for messages */
	uint64_t size;    /* bytes of the disk */
	uint32_t cluster; /* bytes */
	const char *top;  /* GUID; NULL: it does not say */
	VEC(struct descriptor_image) images;
	VEC(struct descriptor_shot) shots;
};

/* The images of one state of the disk, the top first; borrowed. */
struct descriptor_chain {
	const struct descriptor_image **v;
	size_t n;
	bool temporary; /* some shot in it is */
};

/* Whether data may be one: its root element is named so. */
bool descriptor_is(const char *data, size_t n);

/* Reads the n bytes; what *ret holds is in mem. */
int descriptor_read(const char *data, size_t n, const char *name,
		    struct arena *mem, struct descriptor *ret, struct err *e);

/*
 * The chain that ends in the snapshot of that GUID (braces and case do not
 * matter), NULL: in the present state.
 */
int descriptor_chain(const struct descriptor *d, const char *snapshot,
		     struct arena *mem, struct descriptor_chain *ret,
		     struct err *e);

#endif
