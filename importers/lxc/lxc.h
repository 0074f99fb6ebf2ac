/*
 * LXC: what the parts of the reader share.
 *
 * The reader (lines.c) collects the lines of the guest's config and of all
 * that it includes, in the order in which liblxc takes them, each under the
 * name that LXC 3 gave its key (names.c); then it is decided which of several
 * counted (fold.c), and every line goes through its row (read.c). Parsers stand
 * in the part whose rows use them: boot.c, caps.c, devices.c, limits.c, net.c,
 * mounts.c, root.c; the rows in keys_*.def. What makes sense only together is
 * kept in struct lxc and finished by the part's settle function.
 *
 * Source of the format: lxc.container.conf(5) and liblxc 1.0 to 7.0, as
 * described in targets.md part 2.
 */
#ifndef REHOST_IMPORTERS_LXC_LXC_H
#define REHOST_IMPORTERS_LXC_LXC_H

#include "base/lxc_line.h"
#include "reading.h"
#include "take.h"
#include "tree/tree.h"

/* How a value is cut, and which of several lines of one key count. */
enum lx_format {
	LX_ONE,   /* one setting; the last line counts */
	LX_EACH,  /* one setting; all lines together */
	LX_WORDS, /* one for each word between blanks; all lines together */
};

#define LX_ARG(format, n) ((unsigned)(format) | ((unsigned)(n) << 4))
#define LX_FORMAT_OF(arg) ((enum lx_format)((arg)&0xf))
#define LX_N_OF(arg) ((arg) >> 4)

/* Scalars that are settled together with others; N of their rows. */
enum lx_kept {
	LXK_ROOTFS,
	LXK_BACKEND,
	LXK_ROOT_OPTIONS,
	LXK_AUTODEV,
	LXK_FSTAB,
	LXK_SECCOMP,
	LXK__MAX
};

struct lx_value {
	struct setting *s; /* NULL: not given */
	const char *text;
};

/* A line of a config or of what it includes. */
struct lx_line {
	const char *file; /* absolute beneath the root */
	unsigned line;
	const char *key;  /* as it stands there */
	const char *name; /* as LXC 3 calls it: "lxc.net.0.type" */
	const char *value;
	const char *text; /* the whole line, of one that is no setting */
	enum lxc_line_kind kind;
	bool assumed; /* of a file that LXC ships and that is not there */
	bool legacy;  /* a key that LXC 3 does not know any more */
	bool quoted, crlf, control;
	const char *dead; /* why it has no effect; NULL: it has one */
	enum bin dead_bin;
};

/* A rule of the devices cgroup, in its place among the others. */
struct lx_rule {
	struct setting *s;
	bool allow, v2;
	const char *text;
};

/* A line for a file of a cgroup. */
struct lx_file {
	struct setting *s;
	bool v2;
	const char *name, *text; /* "memory.limit_in_bytes" */
};

struct lx_piece { /* one key of an interface */
	struct setting *s;
	const char *key, *text; /* "ipv4.address" */
};

struct lx_nic {
	const char *number; /* N of lxc.net.N */
	VEC(struct lx_piece) pieces;
};

struct lx_cap {
	struct setting *s;
	bool keep;
	uint64_t bits; /* 0: "none" */
};

/* reading.state */
struct lxc {
	struct tree *t;   /* the host's */
	const char *path; /* of the configuration */
	const char *dir;  /* where it lies: /var/lib/lxc/web */
	const char *id;   /* "web" */

	VEC(struct lx_line) lines;
	const struct lx_line *under; /* the reader now */
	struct strv open;            /* files under the reader, for circles */
	unsigned n_files;            /* read so far */
	unsigned next_net;           /* of lxc.network.type */
	bool has_net;                /* one was seen */

	struct lx_value kept[LXK__MAX];
	VEC(struct lx_rule) rules;
	VEC(struct lx_file) files;
	PVEC(struct lx_nic) nics;
	VEC(struct lx_cap) caps;
	VEC(struct lx_value) entries; /* lines of mount tables */
	VEC(struct lx_value) autos;
};

static inline struct lxc *lxc_of(struct reading *r)
{
	return r->state;
}

extern const struct key lxc_keys[];
extern const size_t lxc_n_keys;

/* --- names.c: keys ---------------------------------------------------- */

/*
 * The key as LXC 3 calls it, in mem: "lxc.uts.name" of "lxc.utsname". *ret says
 * whether it was another. lxc.network.* is numbered by the caller.
 */
const char *lxc_current_name(struct arena *mem, const char *key, bool *ret);
/* The name of the row for a key: "lxc.net.N.type", "lxc.prlimit.*". */
const char *lxc_row_name(struct arena *mem, const char *key);
/* The row; NULL: not known. */
const struct key *lxc_row(struct arena *mem, const char *key);

/* What LXC's own file of that name says; NULL: none is known. */
const char *lxc_shipped(const char *path);

/* --- lines.c, fold.c, read.c ------------------------------------------- */

/* All lines of the config and its includes, in order, into lxc.lines. */
int lxc_collect(struct reading *r, const char *path, struct err *e);
/* The same of a text in place of the file, for tests. */
void lxc_collect_text(struct reading *r, const char *path, const char *text,
		      size_t n);
/* Which lines another one took back or replaced. */
void lxc_fold(struct reading *r);
/* Every line through its row. */
void lxc_read_lines(struct reading *r);

/* --- parsers of several parts ----------------------------------------- */

int lxc_str(struct reading *r, const char *value, struct err *e);
int lxc_keep(struct reading *r, const char *value, struct err *e);
/* Inert where it says what holds without it, else the row's finding. */
int lxc_usual(struct reading *r, const char *value, struct err *e);

/* Ends a setting that nothing has ended yet; NULL is fine. */
void lxc_end(struct reading *r, struct setting *s, enum bin bin,
	     const char *note);
/* The same, with a finding of that text. */
void lxc_end_find(struct reading *r, struct setting *s, enum bin bin,
		  enum finding_id id, const char *note);

/* A piece of the source for a message. */
const char *lxc_shown(struct reading *r, const char *s);

/* "0" or "1". */
int lxc_flag_parse(const char *value, bool *ret, struct err *e);

/* --- the parts, in the order in which they are settled ---------------- */

void lxc_boot_settle(struct reading *r);
void lxc_caps_settle(struct reading *r);
void lxc_limits_settle(struct reading *r);
void lxc_net_settle(struct reading *r);
void lxc_root_settle(struct reading *r);
void lxc_mounts_settle(struct reading *r);
void lxc_devices_settle(struct reading *r);
/* Snapshots, the link of lxc-autostart 0.x, leftovers beside the config. */
void lxc_beside(struct reading *r);

/*
 * A bind of a device's node, for the current setting: false where it is none,
 * or its numbers are not known, or no rule lets the guest open it.
 */
bool lxc_take_node(struct reading *r, const char *source, const char *target);

/* Lines of a mount table that lxc.mount names, as settings. */
void lxc_read_fstab(struct reading *r);

/* For the table tests and the fuzzer: a guest whose config is this text. */
struct lxc *lxc_begin(struct reading *r, const char *path);
void lxc_read_text(struct reading *r, const char *text, size_t n);
void lxc_settle(struct reading *r);

#endif
