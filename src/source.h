/*
 * One guest to be read: where its configuration lies beneath which root.
 */
#ifndef REHOST_SOURCE_H
#define REHOST_SOURCE_H

#include "base/arena.h"
#include "base/str.h"
#include "tree/tree.h"

struct facts;
struct site;

/* An old host: one --root. */
struct host {
	const char *name; /* HOST of --root, or etc/hostname there */
	const char *dir;  /* the directory given, for messages */
	struct tree *tree;
	const struct facts *facts; /* of `capture`; NULL when there are none */
	const struct site *site;   /* its choices; NULL: all defaults */
};

/* What `list` finds and `read` reads; strings live in the caller's arena. */
struct source {
	const struct host *host;
	const char *kind; /* the importer's name */
	const char *id;   /* stable within host and kind: the directory name */
	const char *path; /* absolute beneath the root: /etc/vservers/web */
	const char *when; /* of a backup: "2014-03-02 12:00:01", or ""; NULL */
};

struct sources {
	PVEC(struct source) list;
};

/* "HOST/KIND:ID", the guest's stable key. */
char *source_key(struct arena *mem, const struct source *s);

#endif
