/* One variant under way: what it takes of the tree, and what it adds. */
#ifndef REHOST_PACK_VARIANT_H
#define REHOST_PACK_VARIANT_H

#include "base/buf.h"
#include "pack/edits.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "pack/sink.h"

struct variant_dir {
	size_t n; /* bytes of its path in cwd */
	struct timespec mtime;
};

struct variant {
	const struct pack_variant *of;
	struct arena *mem;
	const struct shift *shift; /* may be NULL */
	struct sink *sink;
	struct pack_result result;
	struct links links;
	struct edits edits;
	bool hides;                   /* what is beneath `hidden` is left out */
	struct buf hidden;            /* path */
	struct buf cwd;               /* path of the last directory put */
	VEC(struct variant_dir) dirs; /* those above it, and it */
};

enum variant_kind {
	VARIANT_NOT,  /* left out */
	VARIANT_TREE, /* as it is in the tree */
	VARIANT_LINK, /* a hard link to `first` */
	VARIANT_EDIT, /* as `edit` says */
};

struct variant_act {
	enum variant_kind kind;
	const char *first;
	const struct overlay_entry *edit;
};

int variant_open(struct variant *v, const struct pack_job *job, size_t i,
		 struct err *e);
void variant_done(struct variant *v); /* for CLEANUP */

/* What becomes of what the walk is at; shared: it has more names. */
int variant_decide(struct variant *v, const char *path,
		   const struct tree_stat *st, bool shared,
		   struct variant_act *ret, struct err *e);

/* Whether nothing beneath a directory just decided on is wanted. */
bool variant_hides(const struct variant *v, const char *path);

/*
 * Makes a member of an edit: one that replaces `old`, or, with NULL, is new.
 * 0: nothing is to be added.
 */
int variant_edit(struct variant *v, const char *path,
		 const struct overlay_entry *edit, const struct member *old,
		 struct member *ret, struct err *e);

/* What an edit for which the tree had nothing adds; NULL: nothing. */
const struct overlay_entry *variant_addition(const struct edit *x);

/* Hands a member to the sink and counts it. 1: see sink.h. */
int variant_put(struct variant *v, const struct member *m, struct err *e);

#endif
