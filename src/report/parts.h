/*
 * What the dresses of a report share: order of findings and codes, sums, and
 * text that no terminal and no page can be harmed by.
 */
#ifndef REHOST_REPORT_PARTS_H
#define REHOST_REPORT_PARTS_H

#include "report/report.h"

/* Findings of a guest's document, most severe first, then by place. */
struct parts_findings {
	VEC(const json_t *) list;
};
void parts_findings(const json_t *guest, struct arena *mem,
		    struct parts_findings *ret);

/* One code of the totals; row is NULL when this version does not know it. */
struct parts_code {
	const char *code;
	const struct finding_row *row;
	uint64_t guests, count, open;
};

/* Most severe first, then those that most guests have. */
struct parts_codes {
	VEC(struct parts_code) list;
};
void parts_codes(const struct report_totals *t, struct arena *mem,
		 struct parts_codes *ret);

/* How many settings ended in each bin for a target. */
struct parts_bins {
	uint64_t n[BIN__MAX], all;
};
void parts_bins(const json_t *guest, const char *target,
		struct parts_bins *ret);
/* "143 settings: 120 carried, 3 approximated" */
void parts_bins_text(struct buf *b, const struct parts_bins *sum);

/* How many open findings of each severity a record counts. */
struct parts_tally {
	uint64_t n[SEV_BLOCKER + 1];
};
void parts_tally(const json_t *record, struct parts_tally *ret);

/* Names of the verdicts and their guests, in the order of documents. */
struct parts_verdict {
	const char *name;
	size_t n;
};
#define PARTS_VERDICTS 4
void parts_verdicts(const struct report_totals *t,
		    struct parts_verdict ret[PARTS_VERDICTS]);

/*
 * Bytes at s that must not be shown as they are: control characters, and
 * those that turn the direction of writing. 0 when there is none.
 */
size_t parts_unsafe(const char *s);
/* As \n, \t or \xNN for each of the n bytes. */
void parts_escape(struct buf *b, const char *s, size_t n);
/* One printable line, of n bytes; NULL is nothing. */
void parts_linen(struct buf *b, const char *s, size_t n);
void parts_line(struct buf *b, const char *s);

/* As plain text within a cell of a Markdown table, whatever it holds. */
void parts_markdown(struct buf *b, const char *s);
/*
 * Words in lines of at most PARTS_COLUMNS, each with the indent; the first has
 * the label in it.
 */
#define PARTS_COLUMNS 79
void parts_wrap(struct buf *b, const char *label, unsigned indent,
		const char *s);

/* A JSON value (string, number, list of strings) as text for readers. */
char *parts_value(struct arena *mem, const json_t *value);

/* The string, or NULL where it is null or absent. */
const char *parts_str(const json_t *object, const char *key);

/* "carried": a source row's fate; "exact": what a target's rule does. */
const char *parts_fate(enum fate f);
const char *parts_fidelity(enum fidelity f);

#endif
