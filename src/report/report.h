/*
 * Reports: one guest's document G (design 1.4) and the same findings in five
 * dresses. A worker makes G and renders its section at once; the parent keeps
 * only the totals, spools the sections and writes
 *
 *	head(totals)  section  between  section ...  tail(totals)
 *
 * so that a fleet of any size needs no more memory than its largest guest.
 */
#ifndef REHOST_REPORT_REPORT_H
#define REHOST_REPORT_REPORT_H

#include "base/buf.h"
#include "base/json.h"
#include "emit/emit.h"
#include "plan/plan.h"

/* What a guest's document is made of. */
struct report_input {
	struct guest *g;
	struct emission *const *emissions; /* one a target, in order asked */
	size_t n_emissions;
	const char *failed; /* why it failed, NULL when it did not */
	/* Only what report_record takes: no settings, edits, fields, files. */
	bool for_record;
};

/* G. The caller frees it. */
json_t *report_guest(const struct report_input *in);

/*
 * What the parent keeps of a guest: key, host, name, kind, verdict, verdict
 * of each target, and of each code how often and the first message. Small.
 */
json_t *report_record(const json_t *guest);

/* A document for a guest that could not even be read. */
json_t *report_failed(const char *key, const char *host, const char *kind,
		      const char *id, const char *why);

/* Sums over all records. */
struct report_totals {
	struct arena *mem;
	struct strv guests; /* records as compact JSON, in order; in mem */
	size_t n, ready, review, blocked, failed;
	json_t *codes; /* {CODE: {"guests": N, "count": N}} in order; owned */
};

void report_totals_add(struct report_totals *t, json_t *record); /* steals */
void report_totals_done(struct report_totals *t);                /* CLEANUP */

/* The record of guest i without its codes. The caller frees it. */
json_t *report_totals_guest(const struct report_totals *t, size_t i);

struct report_options {
	const char *tool; /* "rehost 0.1.0" */
	const char *const *targets;
	size_t n_targets;
	bool single;      /* one guest: full text instead of a summary */
	bool by_guest;    /* --by guest */
	unsigned verbose; /* -v: advice, unified diffs, settings */
	bool color;
};

struct report_format {
	const char *name;    /* "text" */
	const char *between; /* between two sections, "" none */
	void (*head)(struct buf *b, const struct report_options *o,
		     const struct report_totals *t);
	/* Whether guests are written: a fleet's text is its summary alone. */
	bool (*has_sections)(const struct report_options *o);
	void (*guest)(struct buf *b, const struct report_options *o,
		      const json_t *guest);
	void (*tail)(struct buf *b, const struct report_options *o,
		     const struct report_totals *t);
};

const struct report_format *report_format(const char *name); /* NULL: none */

/*
 * A cell of CSV (RFC 4180) and what follows it. A record stays on its line:
 * control characters are escaped, and what a spreadsheet would run is quoted.
 */
void report_csv_cell(struct buf *b, const char *s, const char *end);

/* One file each. */
extern const struct report_format text_report, json_report, html_report,
	markdown_report, csv_report;

/* The JSON Schema of plan's document, as text (design 1.4). */
extern const char report_schema[];

/*
 * The rule tables (rules, MIGRATION.md): of one importer or all (NULL), of one
 * target or all (NULL); as Markdown or JSON.
 */
void report_rules_markdown(struct buf *b, const char *importer,
			   const char *target);
json_t *report_rules_json(const char *importer, const char *target);

/*
 * `explain` of a code, field, source key or word of the site file: false when
 * nothing of that name is known.
 */
bool report_explain(struct buf *b, const char *what);

/*
 * The trace of one setting or field of a planned guest: source line -> field
 * -> emitted line, for every setting whose key, item, field or code matches
 * `what` (NULL: all). G carries "emitted" for each field (see report_guest).
 */
bool report_trace(struct buf *b, const json_t *guest, const char *what);

#endif
