/* A fleet's report as text; see summary.h. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"
#include "report/summary.h"

#define LINES 23 /* of 24: the last one is the prompt's */
#define COLUMNS 80
#define GUESTS 12 /* at most, and fewer where codes need the room */
#define GUESTS_LEAST 6

/* How many rows of each table are shown. */
struct room {
	size_t guests, codes;
};

/* The first words of a line, cut to fit; at least one character. */
static void add_cut(struct buf *b, const char *s, size_t width)
{
	struct buf line CLEANUP(buf_done) = { 0 };
	size_t n;

	parts_line(&line, s);
	if (line.n <= width) {
		buf_adds(b, buf_str(&line));
		return;
	}
	n = width > 3 ? width - 3 : 1;
	while (n > 0 && ((unsigned char)line.p[n] & 0xc0) == 0x80)
		n--; /* never half a character */
	buf_add(b, line.p, n);
	buf_adds(b, "...");
}

static void add_verdicts(struct buf *b, const struct report_options *o,
			 const struct report_totals *t)
{
	struct parts_verdict v[PARTS_VERDICTS];
	const char *separator = ": ";

	parts_verdicts(t, v);
	buf_printf(b, "%zu guest%s", t->n, t->n == 1 ? "" : "s");
	for (size_t i = 0; i < o->n_targets; i++)
		buf_printf(b, "%s%s", i == 0 ? " for " : ", ", o->targets[i]);
	for (size_t i = 0; i < COUNT(v); i++) {
		if (v[i].n == 0)
			continue;
		buf_printf(b, "%s%zu %s", separator, v[i].n, v[i].name);
		separator = ", ";
	}
	buf_addc(b, '\n');
}

/* "1 blocker, 2 losses", "no run file: ..." of a failed one. */
static void add_why(struct buf *b, const json_t *record)
{
	static const struct {
		enum severity severity;
		const char *one, *many;
	} words[] = { { SEV_BLOCKER, "blocker", "blockers" },
		      { SEV_LOSS, "loss", "losses" },
		      { SEV_CHANGE, "change", "changes" } };
	const char *separator = "";
	struct parts_tally tally;

	if (parts_str(record, "failed") != NULL) {
		parts_line(b, json_str(record, "failed"));
		return;
	}
	parts_tally(record, &tally);
	for (size_t i = 0; i < COUNT(words); i++) {
		const uint64_t n = tally.n[words[i].severity];

		if (n == 0)
			continue;
		buf_printf(b, "%s%" PRIu64 " %s", separator, n,
			   n == 1 ? words[i].one : words[i].many);
		separator = ", ";
	}
}

static void add_guest(struct buf *b, const json_t *record, size_t width)
{
	struct buf line CLEANUP(buf_done) = { 0 };
	struct buf why CLEANUP(buf_done) = { 0 };
	const size_t from = 9;

	buf_printf(&line, "%-8s ", json_str(record, "verdict"));
	add_cut(&line, json_str(record, "key"), width);
	add_why(&why, record);
	if (why.n != 0) {
		while (line.n < from + width)
			buf_addc(&line, ' ');
		buf_adds(&line, "  ");
		add_cut(&line, buf_str(&why), COLUMNS - from - width - 2);
	}
	buf_printf(b, "%s\n", buf_str(&line));
}

/* Width of the longest key among those shown, within reason. */
static size_t key_width(const struct report_totals *t)
{
	size_t width = 8;

	for (size_t i = 0; i < t->n; i++) {
		json_t *r CLEANUP(json_freep) = report_totals_guest(t, i);
		const size_t n = strlen(json_str(r, "key"));

		if (!str_eq(json_str(r, "verdict"), "ready") && n > width)
			width = n;
	}
	return width > 40 ? 40 : width;
}

/* The worst first: failed, blocked, review; each in the order of keys. */
static void add_guests(struct buf *b, const struct report_totals *t,
		       size_t room)
{
	static const enum verdict order[] = { VERDICT_FAILED, VERDICT_BLOCKED,
					      VERDICT_REVIEW };
	const size_t width = key_width(t);
	const size_t all = t->n - t->ready;
	size_t shown = 0;

	for (size_t v = 0; v < COUNT(order); v++)
		for (size_t i = 0; i < t->n && shown < room; i++) {
			json_t *r CLEANUP(json_freep) =
				report_totals_guest(t, i);

			if (!str_eq(json_str(r, "verdict"),
				    plan_verdict_name(order[v])))
				continue;
			add_guest(b, r, width);
			shown++;
		}
	if (shown < all)
		buf_printf(b, "and %zu more; --by guest lists them\n",
			   all - shown);
}

/* Whether a code is folded into the line of notes. */
static bool is_folded(const struct report_options *o,
		      const struct parts_code *c)
{
	return o->verbose == 0 && c->row != NULL &&
	       c->row->severity == SEV_NOTE;
}

/* The words of a code's row; "" where there is nothing to stress. */
struct words {
	const char *severity, *isolation, *action;
};

static struct words words_of(const struct parts_code *c)
{
	const struct finding_row *row = c->row;

	if (row == NULL)
		return (struct words){ "?", "", "" };
	return (struct words){
		.severity = finding_severity_name(row->severity),
		.isolation = row->isolation == ISO_SAME ?
				     "" :
				     finding_isolation_name(row->isolation),
		.action = row->action == ACT_NONE ?
				  "" :
				  finding_action_name(row->action),
	};
}

/* Columns are as wide as what stands in them, so that the text has room. */
struct widths {
	int severity, isolation, action;
};

static void widen(int *width, const char *word)
{
	const int n = (int)strlen(word);

	*width = n > *width ? n : *width;
}

static struct widths widths_of(const struct report_options *o,
			       const struct parts_codes *codes)
{
	struct widths w = { 8, 9, 3 }; /* the headings */

	for (size_t i = 0; i < codes->list.n; i++) {
		const struct words words = words_of(&codes->list.v[i]);

		if (is_folded(o, &codes->list.v[i]))
			continue;
		widen(&w.severity, words.severity);
		widen(&w.isolation, words.isolation);
		widen(&w.action, words.action);
	}
	return w;
}

static void add_code(struct buf *b, const struct report_options *o,
		     const struct parts_code *c, const struct widths *w)
{
	const struct finding_row *row = c->row;
	const struct words words = words_of(c);
	const size_t from = b->n;

	buf_printf(b, "%-6s %6" PRIu64 " %-*s %-*s %-*s ", c->code, c->guests,
		   w->severity, words.severity, w->isolation, words.isolation,
		   w->action, words.action);
	if (c->open == 0)
		buf_adds(b, "accepted: ");
	add_cut(b, row == NULL ? "unknown to this version" : row->text,
		o->verbose != 0 ? 1000 : COLUMNS - (b->n - from));
	buf_addc(b, '\n');
	if (o->verbose != 0 && row != NULL)
		parts_wrap(b, "", 4, row->advice);
}

static void add_notes(struct buf *b, const struct parts_codes *codes)
{
	uint64_t n = 0, kinds = 0;

	for (size_t i = 0; i < codes->list.n; i++) {
		const struct parts_code *c = &codes->list.v[i];

		if (c->row == NULL || c->row->severity != SEV_NOTE)
			continue;
		n += c->count;
		kinds++;
	}
	if (n != 0)
		buf_printf(b,
			   "%" PRIu64 " note%s of %" PRIu64 " code%s, -v "
			   "shows %s\n",
			   n, n == 1 ? "" : "s", kinds, kinds == 1 ? "" : "s",
			   n == 1 ? "it" : "them");
}

static void add_codes(struct buf *b, const struct report_options *o,
		      const struct parts_codes *codes, size_t room)
{
	const struct widths w = widths_of(o, codes);
	size_t shown = 0, all = 0;

	for (size_t i = 0; i < codes->list.n; i++)
		all += !is_folded(o, &codes->list.v[i]);
	if (all != 0)
		buf_printf(b, "\n%-6s %6s %-*s %-*s %-*s %s\n", "CODE",
			   "GUESTS", w.severity, "SEVERITY", w.isolation,
			   "ISOLATION", w.action, "WHO", "WHAT");
	for (size_t i = 0; i < codes->list.n && shown < room; i++) {
		if (is_folded(o, &codes->list.v[i]))
			continue;
		add_code(b, o, &codes->list.v[i], &w);
		shown++;
	}
	if (shown < all)
		buf_printf(b, "and %zu more code%s; --format md lists them\n",
			   all - shown, all - shown == 1 ? "" : "s");
	if (o->verbose == 0)
		add_notes(b, codes);
}

/* Rows that a table may have when `more` takes one of the lines it is given. */
static size_t rows(size_t wanted, size_t lines)
{
	return wanted <= lines ? wanted : lines - 1;
}

/* The smaller table gets what it needs, the other one the rest. */
static struct room share(const struct report_options *o,
			 const struct report_totals *t,
			 const struct parts_codes *codes)
{
	/* verdicts, two blank lines, heading of the codes, notes */
	const size_t left = LINES - 5, guests = t->n - t->ready;
	size_t n_codes = 0, part;

	for (size_t i = 0; i < codes->list.n; i++)
		n_codes += !is_folded(o, &codes->list.v[i]);
	if (o->verbose != 0)
		return (struct room){ guests, n_codes };
	part = guests <= GUESTS ? guests : GUESTS + 1;
	if (part + n_codes > left && part > GUESTS_LEAST)
		part = n_codes + GUESTS_LEAST < left ? left - n_codes :
						       GUESTS_LEAST;
	return (struct room){ rows(guests, part), rows(n_codes, left - part) };
}

void summary_text(struct buf *b, const struct report_options *o,
		  const struct report_totals *t)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct parts_codes codes;
	struct room room;

	parts_codes(t, mem, &codes);
	add_verdicts(b, o, t);
	if (o->by_guest) {
		if (o->verbose == 0)
			add_notes(b, &codes);
		return;
	}
	room = share(o, t, &codes);
	if (t->n != t->ready) {
		buf_addc(b, '\n');
		add_guests(b, t, room.guests);
	}
	add_codes(b, o, &codes, room.codes);
}
