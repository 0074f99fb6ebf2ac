/*
 * How the old tools cut a file into values, one tokeniser a format, and what
 * they made of odd bytes. A token is a setting: value is its text (NULL: "it
 * exists"), item what names it within its file:
 *
 *	VS_SCALAR       NULL; further lines are tokens with extra set
 *	VS_LIST         the comma item; blanks around it are left in place
 *	VS_LINES        the line
 *	VS_RAW          the line with its blanks
 *	VS_ARRAY        "1", "2" ...: the element's place
 *	VS_FSTAB        "entry" ("SOURCE TARGET TYPE", one blank between),
 *	                "option" for each, "dump", "pass" (with what follows
 *	                it), or "malformed": a line of less than four words
 *	VS_PERSONALITY  "type", then "flag" for each
 *	VS_SCHEDULE     "fill-rate" "interval" "tokens" "tokens-min"
 *	                "tokens-max" "prio-bias", then extra
 *	all others      NULL, one token
 */
#ifndef REHOST_IMPORTERS_VSERVER_FORMAT_H
#define REHOST_IMPORTERS_VSERVER_FORMAT_H

#include "importers/vserver/vserver.h"

enum {
	VSERVER_SCALAR_MAX = 64 << 10, /* bytes of a scalar or number file */
	VSERVER_TEXT_MAX = 1 << 20,    /* bytes of any other */
	VSERVER_NUMBER_MAX = 127,      /* bytes the C tools read of a number */
};

struct vserver_token {
	unsigned line;     /* 0: the file as a whole */
	const char *value; /* NULL: it exists */
	const char *item;
	bool extra;        /* after what the tools read of the file */
	bool unterminated; /* stands on a last line without newline */
	bool expanded;     /* holds what a shell would have interpreted */
};

struct vserver_text {
	VEC(struct vserver_token) tokens;
	bool crlf;         /* DOS line ends; they were taken away */
	bool binary;       /* NUL, byte order mark, or not UTF-8 */
	bool unterminated; /* the last line of the file */
};

/* Most bytes that are read of a file of this format. */
size_t vserver_format_max(enum vserver_format format);

/* Whether a file of this format is cut; else only its being there counts. */
bool vserver_format_is_text(enum vserver_format format);

/* Cuts n bytes; everything is in mem, nothing points into data. */
void vserver_format_cut(struct arena *mem, enum vserver_format format,
			const char *data, size_t n, struct vserver_text *ret);

#endif
