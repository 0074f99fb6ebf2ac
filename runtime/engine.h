/*
 * Engines: what starts a guest from its emitted configuration. The box of our
 * own is one; the others are real ones, attached to the same lab, so that the
 * same probes look at what they made.
 */
#ifndef REHOST_RUNTIME_ENGINE_H
#define REHOST_RUNTIME_ENGINE_H

#include "runtime/box.h"
#include "runtime/verify.h"

struct engine;

/* A guest and what started it. */
struct engine_guest {
	const struct engine *engine;
	const struct verify_package *package;
	const struct policy *policy; /* as emitted */
	struct box_options options;
	struct arena *mem;
	int lock;        /* on the root that was unpacked, -1: none */
	struct box *box; /* NULL: not started */
	pid_t child;     /* the engine's process, 0: none */
	const char *dir; /* the engine's files */
	const char *log; /* what it printed */
};

/*
 * An item that an engine gives every guest in place of what was planned (NULL:
 * takes from every guest), announced with the code of a finding.
 */
struct engine_row {
	enum field_id field;
	const char *key, *value, *code;
	bool weak; /* only where nothing was planned */
};

struct engine {
	const char *name;
	const struct engine_row *rows;
	size_t n_rows;
	/* "5.0.2". An error when it is not installed, or too old. */
	int (*version)(struct arena *mem, const char **ret, struct err *e);
	/* What start would do, an operation a line. Needs no right. */
	int (*print)(const struct engine_guest *g, struct buf *ret,
		     struct err *e);
	/* Returns when pid 1 runs; sets g->box. */
	int (*start)(struct engine_guest *g, struct err *e);
	/* Asks it to stop, waits, kills; ret_clean: it went by itself. */
	int (*stop)(struct engine_guest *g, bool *ret_clean, struct err *e);
	/*
	 * Pid 1 of the guest that the administrator started from the package,
	 * as the host sees it. NULL: nobody runs a guest with this engine.
	 */
	int (*find)(const struct verify_package *p, struct arena *mem,
		    pid_t *ret, struct err *e);
};

/* NULL when there is none of that name. */
const struct engine *engine_find(const char *name);
/* "builtin, lxc": for messages. */
const char *engine_names(struct arena *mem);

/* Puts the engine's own items into what is planned of a package. */
void engine_announce(const struct engine *engine, struct verify_package *p,
		     struct arena *mem);

/* Kills what runs, removes all that was made. */
void engine_end(struct engine_guest *g);
void engine_endp(struct engine_guest *g); /* for CLEANUP */

/* --- for the engines --- */

extern const struct engine engine_builtin, lxc_engine, runc_engine;

/* The first word of a program's output that is a version, 1.2 or 1.2.3. */
int engine_ask_version(const char *const argv[], struct arena *mem,
		       const char **ret, struct err *e);
/* An error when a version is below major.minor. */
int engine_since(const char *name, const char *version, unsigned major,
		 unsigned minor, struct err *e);
/* A file of the engine's own, box_files, as the host names it. */
const char *engine_file(const struct engine_guest *g, const char *name);
/* Writes one, 0600. */
int engine_write(const char *path, const char *text, struct err *e);
/* Whether the engine's process has ended: then child is 0. */
void engine_poll(struct engine_guest *g);
/* Waits for the engine's process; after so many seconds it is killed. */
void engine_reap(struct engine_guest *g, unsigned seconds);
/* The first reason that the box gives for not granting an item, or NULL. */
const char *engine_withheld(const struct box *b, enum field_id field,
			    const char *key);

#endif
