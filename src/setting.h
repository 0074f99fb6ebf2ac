/*
 * A setting: the smallest piece of a configuration with a meaning of its own,
 * and the bin it ends in for each target (promise 1).
 */
#ifndef REHOST_SETTING_H
#define REHOST_SETTING_H

#include "importer.h"

enum bin {
	BIN_CARRIED,
	BIN_APPROXIMATED,
	BIN_OVERRIDDEN,
	BIN_DROPPED,
	BIN_HOSTSIDE,
	BIN_INERT,
	BIN_INVALID,
	BIN_UNKNOWN,
	BIN_UNREADABLE,
	BIN__MAX
};

const char *setting_bin_name(enum bin b); /* "carried" */

/* A value of the model that the setting took part in. */
struct setting_part {
	enum field_id field;
	const void *object;
	/*
	 * One of several that make the value together (a bit of a set, an
	 * element of a list): it is not overridden by the others.
	 */
	bool together;
};

struct setting {
	struct origin from;    /* file, line, key, text */
	const char *item;      /* element or sub-key; NULL: the whole value */
	const struct key *row; /* NULL for an unknown key */
	bool decided;          /* bin holds for every target */
	bool approx;           /* its own row is an approximation */
	enum bin bin;
	const char *note; /* why, or what won over it */
	VEC(struct setting_part) parts;
};

/* Whether the value of parts.v[part] still comes from this setting. */
bool setting_survives(const struct setting *s, size_t part);

#endif
