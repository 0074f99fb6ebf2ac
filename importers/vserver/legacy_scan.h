/*
 * The statements of a shell fragment of assignments. Nothing is run; what is
 * not plainly an assignment is handed out as code.
 */
#ifndef REHOST_IMPORTERS_VSERVER_LEGACY_SCAN_H
#define REHOST_IMPORTERS_VSERVER_LEGACY_SCAN_H

#include <stdbool.h>

#include "base/arena.h"

enum legacy_kind {
	LEGACY_VALUE,    /* an assignment that holds when it is the last */
	LEGACY_EXPORT,   /* export NAME */
	LEGACY_INACTIVE, /* in the branch of a profile that is not active */
	LEGACY_BAD,      /* an assignment whose value is not understood */
	LEGACY_MAYBE,    /* an assignment that code decides about */
	LEGACY_CODE,     /* a statement that is not understood */
	LEGACY_QUIET,    /* a part of the one before: then, fi ... */
	LEGACY_FORM,     /* gives PROFILE where none is given; see below */
};

struct legacy_statement {
	enum legacy_kind kind;
	unsigned line;
	const char *text;    /* as it stands there */
	const char *name;    /* the variable; NULL: none */
	const char *value;   /* without quotes; NULL where it is not known */
	const char *profile; /* of LEGACY_INACTIVE */
	const char *why;     /* it is not understood */
	bool used;           /* another value was made from it */
};

/*
 * Every file that the old tool made begins with
 *	if [ "$PROFILE" = "" ] ; then
 *		PROFILE=prod
 *	fi
 */
struct legacy_scan {
	const char *profile; /* in: the active one; out: as the file set it */
	bool known;          /* in: it is not the usual one, it was recorded */
	bool crlf;           /* DOS line ends; they were taken away */
	VEC(struct legacy_statement) list;
};

/* Everything is in mem; nothing points into data. */
void legacy_scan(struct legacy_scan *scan, struct arena *mem, const char *data,
		 size_t n);

#endif
