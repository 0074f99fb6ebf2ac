/*
 * The report as text (design 1.5): one guest in full, a finding a line; a
 * fleet as a summary that fits on a screen.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"
#include "report/summary.h"

/* Colours stress what the words say already. */
static const char *color_of(const char *word)
{
	static const struct {
		const char *word, *color;
	} colors[] = {
		{ "blocker", "\033[1;31m" }, { "blocked", "\033[1;31m" },
		{ "failed", "\033[1;31m" },  { "loss", "\033[31m" },
		{ "change", "\033[33m" },    { "review", "\033[33m" },
		{ "ready", "\033[32m" },
	};

	for (size_t i = 0; i < COUNT(colors); i++)
		if (str_eq(colors[i].word, word))
			return colors[i].color;
	return NULL;
}

static void add_word(struct buf *b, const struct report_options *o,
		     const char *word)
{
	const char *color = o->color ? color_of(word) : NULL;

	if (color != NULL)
		buf_adds(b, color);
	parts_line(b, word);
	if (color != NULL)
		buf_adds(b, "\033[0m");
}

/* "FILE:LINE: ", with the guest's configuration where there is no file. */
static void add_place(struct buf *b, const json_t *guest, const json_t *of)
{
	const char *file = parts_str(of, "file");
	const uint64_t line = json_num(of, "line");

	parts_line(b, file != NULL ? file : json_str(guest, "source"));
	if (line != 0)
		buf_printf(b, ":%" PRIu64, line);
	buf_adds(b, ": ");
}

/* [CODE field target] */
static void add_tag(struct buf *b, const json_t *f)
{
	static const char *const rest[] = { "field", "target" };

	buf_printf(b, " [%s", json_str(f, "code"));
	for (size_t i = 0; i < COUNT(rest); i++)
		if (parts_str(f, rest[i]) != NULL) {
			buf_addc(b, ' ');
			parts_line(b, parts_str(f, rest[i]));
		}
	buf_addc(b, ']');
}

static void add_more(struct buf *b, const struct report_options *o,
		     const json_t *f)
{
	const char *accepted = parts_str(f, "accepted");
	const char *by = parts_str(f, "accepted_by");

	if (accepted != NULL) {
		buf_adds(b, "    accepted: ");
		parts_line(b, accepted);
		if (by != NULL) {
			buf_adds(b, " (");
			parts_line(b, by);
			buf_addc(b, ')');
		}
		buf_addc(b, '\n');
	}
	if (o->verbose > 0 && json_str(f, "advice")[0] != '\0') {
		buf_adds(b, "    ");
		parts_line(b, json_str(f, "advice"));
		buf_addc(b, '\n');
	}
}

static void add_finding(struct buf *b, const struct report_options *o,
			const json_t *guest, const json_t *f)
{
	const char *isolation = json_str(f, "isolation");
	const char *key = parts_str(f, "key");

	if (!o->single) {
		parts_line(b, json_str(guest, "host"));
		buf_addc(b, '/');
		parts_line(b, json_str(guest, "name"));
		buf_adds(b, ": ");
	}
	add_place(b, guest, f);
	add_word(b, o, json_str(f, "severity"));
	if (!str_eq(isolation, "same"))
		buf_printf(b, ", %s", isolation);
	buf_adds(b, ": ");
	if (key != NULL && key[0] != '\0') {
		parts_line(b, key);
		buf_adds(b, ": ");
	}
	parts_line(b, json_str(f, "message"));
	add_tag(b, f);
	buf_addc(b, '\n');
	add_more(b, o, f);
}

static bool is_note(const json_t *f)
{
	return str_eq(json_str(f, "severity"), finding_severity_name(SEV_NOTE));
}

/* The findings of one guest; returns how many notes were left out. */
static size_t add_findings(struct buf *b, const struct report_options *o,
			   const json_t *guest)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct parts_findings all;
	size_t hidden = 0;

	parts_findings(guest, mem, &all);
	for (size_t i = 0; i < all.list.n; i++) {
		if (o->verbose == 0 && is_note(all.list.v[i]))
			hidden++;
		else
			add_finding(b, o, guest, all.list.v[i]);
	}
	return hidden;
}

/* "h1/vserver:web: lxc review; name web; stopped: no run file". */
static void add_heading(struct buf *b, const struct report_options *o,
			const json_t *guest)
{
	const char *separator = ": ", *target;
	json_t *t;

	parts_line(b, json_str(guest, "key"));
	if (parts_str(guest, "failed") != NULL) {
		buf_adds(b, ": ");
		add_word(b, o, "failed");
		buf_adds(b, ": ");
		parts_line(b, json_str(guest, "failed"));
		buf_addc(b, '\n');
		return;
	}
	json_object_foreach (json_object_get(guest, "targets"), target, t) {
		buf_printf(b, "%s%s ", separator, target);
		add_word(b, o, json_str(t, "verdict"));
		separator = ", ";
	}
	buf_adds(b, "; name ");
	parts_line(b, json_str(guest, "name"));
	if (parts_str(guest, "state") != NULL) {
		buf_adds(b, "; ");
		parts_line(b, json_str(guest, "state"));
	}
	if (json_str(guest, "state_how")[0] != '\0') {
		buf_adds(b, " (");
		parts_line(b, json_str(guest, "state_how"));
		buf_addc(b, ')');
	}
	buf_addc(b, '\n');
}

/* "lxc: 143 settings: 120 carried, 3 approximated". */
static void add_bins(struct buf *b, const json_t *guest)
{
	const char *target;
	json_t *t;

	json_object_foreach (json_object_get(guest, "targets"), target, t) {
		struct parts_bins sum;

		parts_bins(guest, target, &sum);
		buf_printf(b, "%s: ", target);
		parts_bins_text(b, &sum);
		buf_addc(b, '\n');
	}
}

/* FILE:LINE: KEY (ITEM) = VALUE: lxc carried; NOTE */
static void add_setting(struct buf *b, const json_t *guest, const json_t *s)
{
	const char *separator = ": ", *target;
	json_t *bin;

	add_place(b, guest, s);
	parts_line(b, json_str(s, "key"));
	if (parts_str(s, "item") != NULL) {
		buf_adds(b, " (");
		parts_line(b, json_str(s, "item"));
		buf_addc(b, ')');
	}
	if (parts_str(s, "value") != NULL) {
		buf_adds(b, " = ");
		parts_line(b, json_str(s, "value"));
	}
	json_object_foreach (json_object_get(s, "outcome"), target, bin) {
		buf_printf(b, "%s%s %s", separator, target,
			   json_string_value(bin));
		separator = ", ";
	}
	if (parts_str(s, "note") != NULL) {
		buf_adds(b, "; ");
		parts_line(b, json_str(s, "note"));
	}
	buf_addc(b, '\n');
}

static void add_settings(struct buf *b, const json_t *guest)
{
	const json_t *s;
	size_t i;

	json_array_foreach (json_object_get(guest, "settings"), i, s)
		add_setting(b, guest, s);
}

/* Lines of a diff, each with an indent; tabs may be told from blanks. */
static void add_diff(struct buf *b, const char *diff)
{
	struct slice rest = { diff, strlen(diff) }, line;

	while (slice_next(&rest, '\n', &line)) {
		const char *tab = "    ";

		for (struct slice part; slice_next(&line, '\t', &part);) {
			buf_adds(b, tab);
			parts_linen(b, part.p, part.n);
			tab = "\t";
		}
		buf_addc(b, '\n');
	}
}

/* What is changed in the copy of its tree: "PATH: ACTION: REASON". */
static void add_edits(struct buf *b, const json_t *guest)
{
	const json_t *ed;
	size_t i;

	json_array_foreach (json_object_get(guest, "edits"), i, ed) {
		parts_line(b, json_str(ed, "path"));
		buf_adds(b, ": ");
		parts_line(b, json_str(ed, "action"));
		buf_adds(b, ": ");
		parts_line(b, json_str(ed, "reason"));
		buf_addc(b, '\n');
		add_diff(b, json_str(ed, "diff"));
	}
}

static void text_single(struct buf *b, const struct report_options *o,
			const json_t *guest)
{
	size_t hidden;

	add_heading(b, o, guest);
	hidden = add_findings(b, o, guest);
	if (o->verbose > 0)
		add_edits(b, guest);
	add_bins(b, guest);
	if (hidden != 0)
		buf_printf(b, "%zu note%s, -v shows %s\n", hidden,
			   hidden == 1 ? "" : "s", hidden == 1 ? "it" : "them");
	if (o->verbose > 1)
		add_settings(b, guest);
}

/* A failed guest has no finding, but must not be missing from the list. */
static void text_listed(struct buf *b, const struct report_options *o,
			const json_t *guest)
{
	const char *why = parts_str(guest, "failed");

	if (why != NULL) {
		parts_line(b, json_str(guest, "host"));
		buf_addc(b, '/');
		parts_line(b, json_str(guest, "name"));
		buf_adds(b, ": ");
		add_word(b, o, "failed");
		buf_adds(b, ": ");
		parts_line(b, why);
		buf_addc(b, '\n');
	}
	add_findings(b, o, guest);
	if (o->verbose > 0)
		add_edits(b, guest);
	if (o->verbose > 1)
		add_settings(b, guest);
}

static bool has_sections(const struct report_options *o)
{
	return o->single || o->by_guest;
}

static void text_guest(struct buf *b, const struct report_options *o,
		       const json_t *guest)
{
	if (o->single)
		text_single(b, o, guest);
	else if (o->by_guest)
		text_listed(b, o, guest);
}

static void text_tail(struct buf *b, const struct report_options *o,
		      const struct report_totals *t)
{
	(void)b;
	(void)o;
	(void)t;
}

static void text_head(struct buf *b, const struct report_options *o,
		      const struct report_totals *t)
{
	if (!o->single)
		summary_text(b, o, t);
}

const struct report_format text_report = {
	.name = "text",
	.between = "",
	.head = text_head,
	.has_sections = has_sections,
	.guest = text_guest,
	.tail = text_tail,
};
