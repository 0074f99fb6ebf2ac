/*
 * Where a value came from. A model value is present exactly when it points to
 * its origin; the kind says who wins when two claim one field.
 */
#ifndef REHOST_MODEL_ORIGIN_H
#define REHOST_MODEL_ORIGIN_H

/* In rising precedence: a value never replaces one of a higher kind. */
enum origin_kind {
	ORIGIN_DEFAULT = 1, /* the old tool's documented default */
	ORIGIN_DERIVED,     /* computed by a pass because of another value */
	ORIGIN_FACTS,       /* a line of what `capture` recorded */
	ORIGIN_FILE,        /* a file's presence, or its whole content */
	ORIGIN_TEXT,        /* a line of a file, an element of a document */
	ORIGIN_SITE,        /* a line of the site file */
	ORIGIN_OPTION,      /* --set on the command line */
};

/* Immutable once made; lives in the guest's arena (or longer). */
struct origin {
	enum origin_kind kind;
	unsigned line;    /* 0 where the file as a whole is the origin */
	const char *file; /* absolute below its root: /etc/vservers/web/nice */
	const char *key;  /* as the source spells it: KEY, XPath, pass */
	const char *text; /* the value as read; NULL where there is none */
	const struct origin *because; /* of a derived value, or NULL */
};

/* "default", "derived", "facts" ... as the JSON documents spell the kind. */
const char *origin_kind_name(enum origin_kind kind);

#endif
