/*
 * One guest being read. An importer only tokenises; it says of each setting
 * where it stands and what it is, and the driver makes the origin, finds the
 * row, runs the row's parser, counts the outcome and records the finding.
 * Nothing can be read without ending in a bin.
 *
 *	reading_setting(r, file, line, "rlimits/nproc.hard", NULL, "200", &e);
 *
 * Where a value only makes sense together with others (rss.soft, rss.hard and
 * the flag virt_mem), the parser of the row keeps r->cur in the importer's own
 * state and returns 0; later reading_resume(r, setting) makes it current again
 * and take_* or reading_decide finish it. At the end reading_close refuses a
 * setting that neither took part in a value nor was decided (SYN002).
 */
#ifndef REHOST_READING_H
#define REHOST_READING_H

#include "model/guest.h"
#include "setting.h"

struct reading {
	struct guest *g;
	const struct source *source;
	const struct importer *importer;
	struct setting *cur; /* the one under the parser */
	void *state;         /* the importer's own, in g->mem */
	/*
	 * The guest's tree, where the importer had to open it; whoever made
	 * the reading closes it, also after a failure. NULL: see root.path.
	 */
	struct tree *root;
	bool brief; /* what concerns the other guests is all that is wanted */
};

struct reading *reading_new(struct guest *g, const struct source *s,
			    const struct importer *imp);

/* Notes a file as read: it is kept in source/ of the package. */
void reading_file(struct reading *r, const char *path);

/*
 * One setting, through the row of `keys` named `name`; item (or NULL) names
 * the element or sub-key. at->text is the value (NULL: "exists"), at->key what
 * reports show. A parser's error becomes bin invalid with SRC008, never the end
 * of the reading. An unknown name becomes bin unknown with SRC019. Returns the
 * setting; *at is copied.
 */
struct setting *reading_setting(struct reading *r, const struct key *keys,
				size_t n_keys, const struct origin *at,
				const char *name, const char *item);

/*
 * A line that the old tools read from a file of their own which is not there
 * (what a distribution ships): through its row as reading_setting, but with
 * origin DEFAULT, and not one of the source's settings.
 */
void reading_assumed(struct reading *r, const struct key *keys, size_t n_keys,
		     const struct origin *at, const char *name,
		     const char *item);

/* A setting without a row: made, current, and not decided yet. */
struct setting *reading_bare(struct reading *r, const struct origin *at,
			     const char *item);

/* Makes an earlier setting current again. */
void reading_resume(struct reading *r, struct setting *s);

/* Ends the current setting in a bin for every target, with a reason. */
void reading_decide(struct reading *r, enum bin bin, const char *note_fmt, ...)
	PRINTF(3, 4);

/* Marks the current setting as approximated by its source's semantics. */
void reading_approx(struct reading *r, const char *note_fmt, ...) PRINTF(2, 3);

/* A finding at the current setting's origin. */
struct finding *reading_find(struct reading *r, enum finding_id id,
			     const char *fmt, ...) PRINTF(3, 4);

/* A finding at a place of its own: a whole file, or the guest. */
struct finding *reading_find_at(struct reading *r, enum finding_id id,
				const struct origin *from, const char *fmt, ...)
	PRINTF(4, 5);

/* An origin in the guest's arena. line 0: the file as a whole. */
const struct origin *reading_origin(struct reading *r, enum origin_kind kind,
				    const char *file, unsigned line,
				    const char *key, const char *text);

/*
 * One value of the old tool's own, with kind DEFAULT, from text as --set takes
 * it (lists are split at blanks). Whatever a setting says replaces it; a field
 * that has a value is left alone. ref says where the default is documented.
 */
void reading_default(struct reading *r, enum field_id f, void *object,
		     const char *text, const char *ref);

/* All rows of the importer's defaults, for the guest's own fields. */
void reading_defaults(struct reading *r);

/* Ends the reading: overridden settings get their bins and notes. */
int reading_close(struct reading *r, struct err *e);

#endif
