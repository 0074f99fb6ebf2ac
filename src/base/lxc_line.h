/*
 * The lines of an LXC config as liblxc cuts them (lxc.container.conf(5),
 * targets.md 2.1): "key = value", a line each; no continuation, no escapes; a
 * '#' counts only as the first byte that is no blank. Shared by whoever reads
 * one: the importer of old configs, and the read-back of those that were
 * written.
 */
#ifndef REHOST_BASE_LXC_LINE_H
#define REHOST_BASE_LXC_LINE_H

#include <stdbool.h>

#include "str.h"

enum lxc_line_kind {
	LXC_LINE_BLANK,
	LXC_LINE_COMMENT,
	LXC_LINE_SETTING, /* key and value are filled */
	LXC_LINE_FOREIGN, /* begins with no "lxc.": liblxc ignores it */
	LXC_LINE_NO_VALUE /* "lxc.x" without '=': liblxc refuses the file */
};

struct lxc_line {
	enum lxc_line_kind kind;
	unsigned number;    /* 1 for the first */
	struct slice whole; /* without blanks around it */
	struct slice key;   /* up to the first '=' */
	struct slice value; /* behind it, without one pair of equal quotes */
	bool quoted;        /* such a pair was taken off */
	bool crlf;          /* a CR before the line's end was taken off */
	bool control;       /* holds another control byte than tab, or NUL */
};

struct lxc_lines {
	struct slice rest; /* what is still to be cut */
	unsigned number;
};

/* The next line; false at the end. Slices point into the text. */
bool lxc_line_next(struct lxc_lines *l, struct lxc_line *ret);

/*
 * An option of a mount entry that LXC reads and does not apply: of a bind it
 * sets flags only together with ro (mount_entry of lxc/src/lxc/conf.c:
 * "Mountflags already were ..., skipping remount"; seen in 5.0.2).
 */
bool lxc_line_ignores(const struct strv *options, const char *word);

#endif
