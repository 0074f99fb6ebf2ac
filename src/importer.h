/*
 * A reader of one family of configurations. An importer is one file
 * importers/NAME.c that defines `const struct importer NAME_importer`; the
 * Makefile makes the registry from the file names.
 */
#ifndef REHOST_IMPORTER_H
#define REHOST_IMPORTER_H

#include <stdbool.h>

#include "model/field.h"
#include "model/finding.h"
#include "source.h"

struct reading;

/* What becomes of a setting, as far as its source decides it. */
enum fate {
	FATE_EXACT,    /* the field means the same */
	FATE_APPROX,   /* the field comes near; .finding and .note say how */
	FATE_DROPPED,  /* no field: lost; .finding and .note say why */
	FATE_HOSTSIDE, /* belongs to the host; .note says what to do there */
	FATE_INERT,    /* had no effect on a running guest */
	FATE_DECIDED,  /* the parser decides by value: bin and finding there */
};

struct key {              /* one row a source key */
	const char *name; /* path or key; '*' stands for an item's name */
	enum fate fate;
	enum field_id field; /* FIELD__MAX: none */
	int (*parse)(struct reading *r, const char *value, struct err *e);
	enum finding_id finding; /* FIND__MAX: none */
	unsigned arg;            /* for the parser: a bit, a format ... */
	const char *example;     /* in the documentation; a test parses it */
	const char *note;        /* what changes, or why not */
	const char *ref;         /* where the meaning was looked up */
};

struct default_value { /* the old tool's own default; origin DEFAULT */
	enum field_id field;
	const char *value; /* as --set takes it */
	const char *ref;
};

struct importer {
	const char *name, *summary;
	/* All rows, for the documentation and the table tests. */
	const struct key *keys;
	size_t n_keys;
	const struct default_value *defaults;
	size_t n_defaults;

	/* How sure it is that path holds one of its guests: 0 to 100. */
	int (*bid)(const struct host *h, const char *path);
	/* Every guest beneath one root, sorted by id; none is no error. */
	int (*list)(const struct host *h, struct arena *mem,
		    struct sources *ret, struct err *e);
	/*
	 * Guests that lie in a directory which was named, such as one of
	 * backups, added to ret; NULL: there are no such directories.
	 */
	int (*list_dir)(const struct host *h, const char *dir,
			struct arena *mem, struct sources *ret, struct err *e);
	/* The id of a guest whose path was named; NULL: see session.c. */
	const char *(*id)(struct arena *mem, const char *path);
	/* Its time, where it is a backup, else NULL; see source.h. */
	const char *(*when)(const struct host *h, struct arena *mem,
			    const char *path);
	/* The places list looks at, for the message when it found nothing. */
	const char *places;
	/* Name and root file system only, for scan and the fleet. */
	int (*read)(struct reading *r, const struct source *s, struct err *e);
};

/* All importers in order of their names; *ret_n of them. */
const struct importer *const *importer_all(size_t *ret_n);
const struct importer *importer_find(const char *name); /* NULL: none */

/* The row of that name; NULL when there is none. */
const struct key *importer_key(const struct key *keys, size_t n,
			       const char *name);

#endif
