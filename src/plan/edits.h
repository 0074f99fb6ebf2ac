/*
 * Edits: changes that a guest's tree needs to run in a container. They are
 * planned from what is in the tree, listed with reason and diff, and applied
 * to the copy while it is packed. Reference: vserver.md 5.2.
 *
 * A row of edits.def names one of the functions edits_... below, which finds
 * out whether it has anything to do; what a row needs stands in the row.
 */
#ifndef REHOST_PLAN_EDITS_H
#define REHOST_PLAN_EDITS_H

#include "base/buf.h"
#include "plan/plan.h"

enum edits_when {
	EDITS_ALWAYS,
	EDITS_OPENVZ,   /* a guest of OpenVZ */
	EDITS_NAMED,    /* the old tools named it at each start */
	EDITS_INIT,     /* the guest's own init becomes pid 1 */
	EDITS_INITTAB,  /* and it is sysvinit or busybox */
	EDITS_SYSVINIT, /* and it is sysvinit */
	EDITS_UPSTART,
	EDITS_UPSTART_RC, /* and the old tools ran the run level's scripts */
	EDITS_SYSTEMD,
	EDITS_NETWORK, /* the engine sets addresses, as the old host did */
	EDITS_NETWORK_SYSTEMD,
	EDITS_NETWORK_UPSTART,
	EDITS_VENET,       /* of venet0 alone: other links are the guest's */
	EDITS_OWN_NETWORK, /* the guest sets its addresses itself */
	EDITS_NO_TIME,     /* the guest may not set the clock */
	EDITS_NUMBERED,    /* scripts run in the order of their numbers */
	EDITS_PARALLEL, /* scripts wait for those that they name (startpar) */
};

struct edits;

struct edits_row {
	const char *name, *family; /* "syslog", "debian" */
	enum edits_when when;
	void (*make)(struct edits *ed);
	const char *path;    /* the last part may be a pattern: "*.conf" */
	const char *pattern; /* extended regular expression, or names */
	const char *text;    /* what takes its place; exceptions; a link */
	enum finding_id finding;
	const char *reason;
};

/* A directory of the guest (edits_dirs.c). */
struct edits_dir {
	const char *path; /* as it was asked for */
	const char *real; /* without links; NULL: it is not there */
	struct tree_entries list;
	bool is_closed; /* it cannot be read: anything may be in it */
};

struct edits {
	struct plan *p;
	struct arena *mem;
	VEC(struct edits_dir) dirs;  /* those that were looked into */
	const struct edits_row *row; /* the one that is at work */
	struct strv *group; /* paths that get one finding together, or NULL */
};

const struct edits_row *edits_rows(size_t *ret_n);

/* --- what rows call (edits_line.c, edits_service.c, edits_tree.c) --- */

/* Comments out lines of `path` that match pattern and not text (if any). */
void edits_comment(struct edits *ed);
/* In lines that match, puts text for group 1, or for the whole match. */
void edits_substitute(struct edits *ed);
/* Adds text as a last line where no line matches the pattern. */
void edits_append(struct edits *ed);
/* Leaves the path, or what matches it, out. */
void edits_leave_out(struct edits *ed);
/* Switches off services (names in `pattern`) of SysV, OpenRC, Upstart. */
void edits_service(struct edits *ed);
/* Masks systemd's units (names in `pattern`) that are there. */
void edits_mask(struct edits *ed);
/* Slackware's: those in /etc/rc.d that match may not be run any more. */
void edits_rc_scripts(struct edits *ed);
void edits_mtab(struct edits *ed);
void edits_fstab(struct edits *ed);
void edits_directory(struct edits *ed);
void edits_runtime(struct edits *ed);
void edits_leftovers(struct edits *ed);
/* edits_init.c: inittab(5) */
void edits_runlevel(struct edits *ed);
void edits_gettys(struct edits *ed);
void edits_power(struct edits *ed);
void edits_reboot(struct edits *ed);
void edits_last(struct edits *ed);
/* edits_halt.c: what ends levels 0 and 6 */
void edits_halt_links(struct edits *ed);
void edits_halt_script(struct edits *ed);
/* edits_upstart.c: adds a job unless one beside it matches the pattern */
void edits_job(struct edits *ed);
void edits_dead_jobs(struct edits *ed);
/* Jobs (names in `pattern`) that the old build commented out. */
void edits_restore_jobs(struct edits *ed);
void edits_default_runlevel(struct edits *ed);
/* edits_net.c */
void edits_ifupdown(struct edits *ed);
void edits_netifrc(struct edits *ed);
void edits_hostname(struct edits *ed);
void edits_hostname_domain(struct edits *ed);
void edits_hostname_key(struct edits *ed);
void edits_hosts(struct edits *ed);

/* The row of those that fits the guest; NULL: none does. */
const struct edits_row *edits_own_row(const struct plan *p);

/* --- what they are made of (edits_record.c) --- */

/*
 * The text of a file with the edits so far; the real path, links followed, in
 * *ret_path. False when there is none, or it is no text (with a finding).
 */
bool edits_read(struct edits *ed, const char *path, const char **ret_path,
		struct slice *ret);

/* Each records one change for the row, with its finding. Real paths. */
void edits_write(struct edits *ed, const char *path, const char *text,
		 size_t n);
/* Directories that lack above it are made as well. */
void edits_add(struct edits *ed, const char *path, const void *data, size_t n,
	       uint32_t mode);
/* Other permissions for a file that is there, or was added. */
void edits_chmod(struct edits *ed, const char *path, uint32_t set,
		 uint32_t clear);
void edits_remove(struct edits *ed, const char *path);
/* Of many files below a path: one finding for all. */
void edits_remove_below(struct edits *ed, const char *path,
			const struct strv *files);
void edits_link(struct edits *ed, const char *path, const char *target);
/* A link that belongs to another change: it needs no finding. */
void edits_link_too(struct edits *ed, const char *path, const char *target);
void edits_make_dir(struct edits *ed, const char *path);

/* A finding of the row's about a path, without a change. */
void edits_find(struct edits *ed, enum finding_id id, const char *path,
		const char *what);

/* Ends a group: the finding of all, if there are any. */
void edits_find_group(struct edits *ed, const struct strv *paths,
		      const char *what);

/* --- what there is (edits_dirs.c); paths begin with a slash --- */

/* Listed at the first call for the path, as it was before any edit. */
struct edits_dir edits_dir(struct edits *ed, const char *path);

/* Whether its directory has the name, a link to nowhere included. */
bool edits_is_entry(struct edits *ed, const char *path);
/* The same with links followed. */
bool edits_exists(struct edits *ed, const char *path);

/*
 * Where a new file is to go: its directory with links followed; NULL when that
 * is not there.
 */
const char *edits_place(struct edits *ed, const char *path);

/*
 * The same where that directory, and others above it, may still have to be
 * made: edits_add makes them. NULL when something else has its name.
 */
const char *edits_place_new(struct edits *ed, const char *path);

/* Paths that match, links not followed; a pattern in the last part only. */
struct strv edits_glob(struct edits *ed, const char *pattern);

/* A regular file that can be run; links are followed. */
bool edits_is_program(struct edits *ed, const char *path);

/* Whether the guest's own init will be pid 1. */
bool edits_own_init(const struct plan *p);

/* --- lines (edits_line.c) --- */

/* Appends what becomes of the line and returns true, or leaves it be. */
typedef bool (*edits_line)(void *arg, const char *line, struct buf *out);

/* Runs it over each line of a file; records the change where there is one. */
void edits_lines(struct edits *ed, const char *path, edits_line change,
		 void *arg);
void edits_comment_out(struct buf *out, const char *line);
/* A last line; the file is made where there is none. */
void edits_add_line(struct edits *ed, const char *path, const char *line);

/* --- all (edits_diff.c, edits_overlay.c) --- */

/*
 * A unified diff with three lines of context, in mem. Lines are found again
 * within a window: it is right, not always the shortest.
 */
const char *edits_diff(struct arena *mem, const char *path, struct slice old,
		       struct slice new);

#endif
