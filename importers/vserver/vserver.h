/*
 * Linux-VServer: what the parts of the reader share.
 *
 * The reader (read.c) walks every file of the guest's configuration directory
 * CFG, then CONFDIR/.defaults, finds the row of the file's path, cuts its
 * content by the row's format (format.c) into settings and hands each to
 * reading_setting. Parsers are per type of value and stand in the part whose
 * rows use them: caps.c, limits.c, net.c, mounts.c, boot.c, misc.c; the rows
 * themselves in keys_*.def. What makes sense only together is kept in struct
 * vserver by the parser and finished by the part's settle function after all
 * files were read. A legacy NAME.conf (legacy.c) feeds the same parts.
 *
 * Source of all formats: util-vserver, configuration.xml ("flower page"),
 * scripts/functions and lib/ at its last public commit of January 2018.
 */
#ifndef REHOST_IMPORTERS_VSERVER_VSERVER_H
#define REHOST_IMPORTERS_VSERVER_VSERVER_H

#include "importer.h"
#include "reading.h"
#include "take.h"
#include "tree/tree.h"

/* How the old tools read a file; util-vserver scripts and lib/fmt*. */
enum vserver_format {
	VS_FLAG,   /* existence alone */
	VS_SCALAR, /* first line by the shell's read */
	VS_LIST,   /* a line an entry, # comments, unterminated last is lost;
		      entries are comma lists of flags */
	VS_LINES,  /* as VS_LIST, but a line is one entry (depends, mark) */
	VS_ARRAY,  /* a line an element, last may be unterminated */
	VS_RAW,    /* as VS_ARRAY, never expanded, its blanks count */
	VS_WHOLE,  /* all bytes less trailing newlines */
	VS_NUMBER, /* strtoll base 0 with K M k m suffix, or inf */
	VS_FSTAB,
	VS_LINK,
	VS_PLACE, /* a link, or the place itself: a root, a pool, a database */
	VS_PROGRAM,
	VS_PERSONALITY, /* a scalar, then a list */
	VS_SCHEDULE,    /* exactly six lines */
	VS_DATA,        /* kept, not cut: one setting */
	VS_DIR,         /* a directory that says something by being there */
};

/* Which generation's default capabilities hold; reference 3.1. */
enum vserver_release { VS_RELEASE_NEW, VS_RELEASE_OLD, VS_RELEASE_MIDDLE };

struct vserver_caps;   /* caps.c */
struct vserver_limits; /* limits.c */
struct vserver_net;    /* net.c */
struct vserver_mounts; /* mounts.c */
struct vserver_boot;   /* boot.c */

/* reading.state */
struct vserver {
	struct tree *t;      /* the host's */
	const char *cfg;     /* absolute: /etc/vservers/web */
	const char *confdir; /* absolute: /etc/vservers */
	const char *name;    /* directory name */
	bool legacy;         /* G0: NAME.conf */
	unsigned page;       /* bytes in a page of the source */
	enum vserver_release release;

	/* The file and token under the parser. */
	const char *path;  /* below CFG: "interfaces/0/ip"; or
				 ".defaults/..." */
	const char *star;  /* what the row's first '*' stands for */
	const char *star2; /* the second's */
	bool unterminated; /* last line, without newline */
	bool in_defaults;

	struct vserver_caps *caps;
	struct vserver_limits *limits;
	struct vserver_net *net;
	struct vserver_mounts *mounts;
	struct vserver_boot *boot;
};

/*
 * A word of the site file where the operator gave it; NULL where it holds its
 * default (vserver.c).
 */
const char *vserver_choice(const struct reading *r, const char *name);

/* The state of a reading. */
static inline struct vserver *vserver_of(struct reading *r)
{
	return r->state;
}

/*
 * All rows (table.c puts the keys_*.def together). Row names are paths below
 * CFG with '*' for one component: "interfaces/<star>/ip". Rows for host-wide
 * defaults begin with ".defaults/"; legacy variables with "conf:". The row's
 * .arg holds VS_ARG(format, n): the format and a number for the parser.
 */
#define VS_ARG(format, n) ((unsigned)(format) | ((unsigned)(n) << 8))
#define VS_FORMAT_OF(arg) ((enum vserver_format)((arg)&0xff))
#define VS_N_OF(arg) ((arg) >> 8)

extern const struct key vserver_keys[];
extern const size_t vserver_n_keys;

/* Makes the parts' states; before the first setting. */
void vserver_caps_begin(struct reading *r);
void vserver_limits_begin(struct reading *r);
void vserver_net_begin(struct reading *r);
void vserver_mounts_begin(struct reading *r);
void vserver_boot_begin(struct reading *r);

/* Finish what the parts kept; after the last, in this order. */
void vserver_caps_settle(struct reading *r); /* flags are known after it */
void vserver_limits_settle(struct reading *r);
void vserver_net_settle(struct reading *r);
void vserver_mounts_settle(struct reading *r);
void vserver_boot_settle(struct reading *r);

/* Whether a context flag (cflags/flags) is on: "virt_mem", "sched_hard". */
bool vserver_caps_flag(struct reading *r, const char *name);
/* The setting that put it on, NULL when it is a default. */
struct setting *vserver_caps_flag_setting(struct reading *r, const char *name);

/* The legacy NAME.conf; feeds the parts through conf: rows. */
int vserver_legacy_read(struct reading *r, const char *path, struct err *e);

/*
 * For legacy.c: a value that a part would have got from a file. Each makes
 * the value of the setting that is current in r.
 */
void vserver_net_legacy_address(struct reading *r, const char *dev,
				const char *ip, const char *mask);
void vserver_caps_legacy(struct reading *r, const char *word);
void vserver_caps_legacy_flag(struct reading *r, const char *word);
void vserver_limits_legacy_ulimit(struct reading *r, char option,
				  const char *value, bool soft, bool hard);

/*
 * Parsers that several parts use: keep the setting for the settle function,
 * or end it at once.
 */
int vserver_inert(struct reading *r, const char *value, struct err *e);

/*
 * Number as the old C tools read it (VS_NUMBER; lib/parselimit.c): strtoll
 * base 0, suffix K M (1024) or k m (1000), "inf" and -1 without limit, -2
 * keep. Errors name the text.
 */
struct vserver_number {
	bool none; /* inf, -1 */
	bool keep; /* -2 */
	uint64_t v;
};
int vserver_number(const char *s, struct vserver_number *ret, struct err *e);

#endif
