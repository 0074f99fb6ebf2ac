/*
 * The report as one page: no script, nothing loaded from elsewhere. Names and
 * values come from guests and may be hostile: all text goes through add_text.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"

static const char style[] = {
#include "embed/report.css.inc"
	, '\0'
};

static void add_char(struct buf *b, char c)
{
	switch (c) {
	case '&':
		buf_adds(b, "&amp;");
		break;
	case '<':
		buf_adds(b, "&lt;");
		break;
	case '>':
		buf_adds(b, "&gt;");
		break;
	case '"':
		buf_adds(b, "&quot;");
		break;
	case '\'':
		buf_adds(b, "&#39;");
		break;
	default:
		buf_addc(b, c);
	}
}

static void add_bytes(struct buf *b, const char *s, bool lines)
{
	while (s != NULL && *s != '\0') {
		size_t bad = parts_unsafe(s);

		if (lines && (*s == '\n' || *s == '\t'))
			bad = 0;
		if (bad != 0)
			parts_escape(b, s, bad);
		else
			add_char(b, *s);
		s += bad == 0 ? 1 : bad;
	}
}

static void add_text(struct buf *b, const char *s)
{
	add_bytes(b, s, false);
}

/* An id and the fragment of its links: unreserved bytes of a URI, and %XX. */
static void add_anchor(struct buf *b, const char *key)
{
	for (const char *s = key; *s != '\0'; s++) {
		const bool plain =
			(*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || strchr("-._/:", *s) != NULL;

		if (plain)
			buf_addc(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

/* A word of our own vocabulary; its colour only stresses it. */
static void add_tag(struct buf *b, const char *word)
{
	buf_adds(b, "<span class=\"tag ");
	add_text(b, word);
	buf_adds(b, "\">");
	add_text(b, word);
	buf_adds(b, "</span>");
}

static void add_cell(struct buf *b, const char *class, const char *s)
{
	buf_printf(b, "<td class=\"%s\">", class);
	add_text(b, s);
	buf_adds(b, "</td>");
}

static void add_tag_cell(struct buf *b, const char *word)
{
	buf_adds(b, "<td class=\"word\">");
	if (word[0] != '\0')
		add_tag(b, word);
	buf_adds(b, "</td>");
}

static void add_number_cell(struct buf *b, uint64_t n)
{
	buf_printf(b, "<td class=\"n\">%" PRIu64 "</td>", n);
}

static void add_place_cell(struct buf *b, const json_t *of)
{
	buf_adds(b, "<td class=\"mono mid\">");
	add_text(b, json_str(of, "file"));
	if (json_num(of, "line") != 0)
		buf_printf(b, ":%" PRIu64, json_num(of, "line"));
	buf_adds(b, "</td>");
}

static void open_table(struct buf *b, const char *const *heads, size_t n)
{
	buf_adds(b, "<div class=\"scroll\"><table>\n<thead><tr>");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "<th>%s</th>", heads[i]);
}

static void open_rows(struct buf *b)
{
	buf_adds(b, "</tr></thead>\n<tbody>\n");
}

static void close_table(struct buf *b)
{
	buf_adds(b, "</tbody></table></div>\n");
}

static void add_counts(struct buf *b, const struct report_totals *t)
{
	struct parts_verdict v[PARTS_VERDICTS];

	parts_verdicts(t, v);
	buf_printf(b, "<ul class=\"counts\">\n<li><b>%zu</b>guest%s</li>\n",
		   t->n, t->n == 1 ? "" : "s");
	for (size_t i = 0; i < COUNT(v); i++)
		buf_printf(b, "<li class=\"%s\"><b>%zu</b>%s</li>\n",
			   v[i].n == 0 ? "zero" : v[i].name, v[i].n, v[i].name);
	buf_adds(b, "</ul>\n");
}

static void add_guest_row(struct buf *b, const struct report_options *o,
			  const json_t *r)
{
	struct parts_tally tally;

	parts_tally(r, &tally);
	buf_adds(b, "<tr><td class=\"mid\"><a href=\"#");
	add_anchor(b, json_str(r, "key"));
	buf_adds(b, "\">");
	add_text(b, json_str(r, "key"));
	buf_adds(b, "</a></td>");
	add_cell(b, "mid", json_str(r, "name"));
	for (size_t i = 0; i < o->n_targets; i++) {
		const char *v =
			parts_str(json_object_get(r, "targets"), o->targets[i]);

		add_tag_cell(b, v == NULL ? json_str(r, "verdict") : v);
	}
	add_number_cell(b, tally.n[SEV_BLOCKER]);
	add_number_cell(b, tally.n[SEV_LOSS]);
	add_number_cell(b, tally.n[SEV_CHANGE]);
	add_number_cell(b, tally.n[SEV_NOTE]);
	buf_adds(b, "</tr>\n");
}

static void add_guests(struct buf *b, const struct report_options *o,
		       const struct report_totals *t)
{
	static const char *const heads[] = { "Guest", "Name" };

	buf_adds(b, "<h2 id=\"guests\">Guests</h2>\n");
	open_table(b, heads, COUNT(heads));
	for (size_t i = 0; i < o->n_targets; i++) {
		buf_adds(b, "<th>");
		add_text(b, o->targets[i]);
		buf_adds(b, "</th>");
	}
	buf_adds(b, "<th class=\"n\">Blockers</th><th class=\"n\">Losses</th>"
		    "<th class=\"n\">Changes</th><th class=\"n\">Notes</th>");
	open_rows(b);
	for (size_t i = 0; i < t->n; i++) {
		json_t *r CLEANUP(json_freep) = report_totals_guest(t, i);

		add_guest_row(b, o, r);
	}
	close_table(b);
}

static void add_code_row(struct buf *b, const struct parts_code *c)
{
	const struct finding_row *row = c->row;

	buf_adds(b, "<tr>");
	add_cell(b, "word mono", c->code);
	add_tag_cell(b,
		     row == NULL ? "" : finding_severity_name(row->severity));
	add_cell(b, "word",
		 row == NULL ? "" : finding_isolation_name(row->isolation));
	add_cell(b, "word",
		 row == NULL ? "" : finding_action_name(row->action));
	add_number_cell(b, c->guests);
	add_number_cell(b, c->count);
	buf_adds(b, "<td class=\"wide\">");
	add_text(b, row == NULL ? "unknown to this version" : row->text);
	if (c->open < c->count)
		buf_printf(b, " (%" PRIu64 " accepted)", c->count - c->open);
	buf_adds(b, "<span class=\"more\">");
	add_text(b, row == NULL ? "" : row->advice);
	buf_adds(b, "</span></td></tr>\n");
}

static void add_codes(struct buf *b, const struct report_totals *t)
{
	static const char *const heads[] = { "Code", "Severity", "Isolation",
					     "Who acts" };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct parts_codes codes;

	parts_codes(t, mem, &codes);
	if (codes.list.n == 0)
		return;
	buf_adds(b, "<h2 id=\"codes\">What happens, by code</h2>\n");
	open_table(b, heads, COUNT(heads));
	buf_adds(b, "<th class=\"n\">Guests</th><th class=\"n\">Findings</th>"
		    "<th>What, and what to do</th>");
	open_rows(b);
	for (size_t i = 0; i < codes.list.n; i++)
		add_code_row(b, &codes.list.v[i]);
	close_table(b);
}

static void html_head(struct buf *b, const struct report_options *o,
		      const struct report_totals *t)
{
	buf_adds(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		    "<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, "
		    "initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\""
		    "default-src 'none'; style-src 'unsafe-inline'\">\n"
		    "<title>rehost: plan</title>\n<style>\n");
	buf_adds(b, style);
	buf_adds(b, "</style>\n</head>\n<body>\n<h1>Plan</h1>\n"
		    "<p class=\"dim\">");
	add_text(b, o->tool);
	for (size_t i = 0; i < o->n_targets; i++) {
		buf_adds(b, i == 0 ? ", for " : ", ");
		add_text(b, o->targets[i]);
	}
	buf_adds(b, "</p>\n");
	add_counts(b, t);
	/* the keys of guests have a slash: these names are no guest's */
	buf_adds(b, "<p class=\"sub\"><a href=\"#guests\">Guests</a> &middot; "
		    "<a href=\"#codes\">What happens, by code</a> &middot; "
		    "<a href=\"#each\">Guest by guest</a></p>\n");
	add_guests(b, o, t);
	add_codes(b, t);
	buf_adds(b, "<h2 id=\"each\">Guest by guest</h2>\n");
}

static void add_finding(struct buf *b, const json_t *f)
{
	const char *isolation = json_str(f, "isolation");

	buf_adds(b, "<tr>");
	add_tag_cell(b, json_str(f, "severity"));
	add_cell(b, "word mono", json_str(f, "code"));
	add_place_cell(b, f);
	add_cell(b, "mono", json_str(f, "key"));
	buf_adds(b, "<td class=\"wide\">");
	add_text(b, json_str(f, "message"));
	if (!str_eq(isolation, "same")) {
		buf_addc(b, ' ');
		add_tag(b, isolation);
	}
	buf_adds(b, "<span class=\"more\">");
	add_text(b, json_str(f, "advice"));
	buf_adds(b, "</span>");
	if (parts_str(f, "accepted") != NULL) {
		buf_adds(b, "<span class=\"more\">Accepted: ");
		add_text(b, json_str(f, "accepted"));
		buf_adds(b, " (");
		add_text(b, json_str(f, "accepted_by"));
		buf_adds(b, ")</span>");
	}
	buf_adds(b, "</td>");
	add_cell(b, "mono", json_str(f, "field"));
	add_cell(b, "word", json_str(f, "target"));
	buf_adds(b, "</tr>\n");
}

static void add_findings(struct buf *b, const json_t *guest)
{
	static const char *const heads[] = { "Severity",      "Code",
					     "Place",         "Key",
					     "What was done", "Field",
					     "Target" };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct parts_findings all;

	parts_findings(guest, mem, &all);
	if (all.list.n == 0)
		return;
	buf_adds(b, "<h3>Findings</h3>\n");
	open_table(b, heads, COUNT(heads));
	open_rows(b);
	for (size_t i = 0; i < all.list.n; i++)
		add_finding(b, all.list.v[i]);
	close_table(b);
}

static void add_bins(struct buf *b, const json_t *guest)
{
	const char *target;
	json_t *t;

	json_object_foreach (json_object_get(guest, "targets"), target, t) {
		struct parts_bins sum;

		parts_bins(guest, target, &sum);
		buf_adds(b, "<p>");
		add_text(b, target);
		buf_adds(b, ": ");
		parts_bins_text(b, &sum);
		buf_adds(b, "</p>\n");
	}
}

static void add_setting(struct buf *b, const json_t *s)
{
	const char *target;
	json_t *bin;

	buf_adds(b, "<tr>");
	add_place_cell(b, s);
	add_cell(b, "mono", json_str(s, "key"));
	add_cell(b, "mono", json_str(s, "item"));
	add_cell(b, "mono", json_str(s, "value"));
	json_object_foreach (json_object_get(s, "outcome"), target, bin)
		add_cell(b, "word", json_string_value(bin));
	add_cell(b, "mid", json_str(s, "note"));
	buf_adds(b, "</tr>\n");
}

static void add_settings(struct buf *b, const json_t *guest)
{
	static const char *const heads[] = { "Place", "Setting", "Item",
					     "Value" };
	json_t *settings = json_object_get(guest, "settings"), *s;
	const char *target;
	size_t i;

	if (json_array_size(settings) == 0)
		return;
	buf_adds(b, "<h3>Settings</h3>\n");
	add_bins(b, guest);
	open_table(b, heads, COUNT(heads));
	json_object_foreach (json_object_get(guest, "targets"), target, s) {
		buf_adds(b, "<th>");
		add_text(b, target);
		buf_adds(b, "</th>");
	}
	buf_adds(b, "<th>Note</th>");
	open_rows(b);
	json_array_foreach (settings, i, s)
		add_setting(b, s);
	close_table(b);
}

static void add_edits(struct buf *b, const json_t *guest)
{
	static const char *const heads[] = { "File", "Change", "Why" };
	const json_t *edits = json_object_get(guest, "edits"), *ed;
	size_t i;

	if (json_array_size(edits) == 0)
		return;
	buf_adds(b, "<h3>Changes to the copy of its tree</h3>\n");
	open_table(b, heads, COUNT(heads));
	open_rows(b);
	json_array_foreach (edits, i, ed) {
		buf_adds(b, "<tr>");
		add_cell(b, "mono", json_str(ed, "path"));
		add_cell(b, "", json_str(ed, "action"));
		add_cell(b, "", json_str(ed, "reason"));
		buf_adds(b, "</tr>\n");
	}
	close_table(b);
	json_array_foreach (edits, i, ed) {
		if (parts_str(ed, "diff") == NULL)
			continue;
		buf_adds(b, "<pre>\n");
		add_bytes(b, json_str(ed, "diff"), true);
		buf_adds(b, "</pre>\n");
	}
}

static void add_files(struct buf *b, const json_t *guest)
{
	const char *target, *path;
	json_t *t, *text;

	json_object_foreach (json_object_get(guest, "targets"), target, t)
		json_object_foreach (json_object_get(t, "files"), path, text) {
			buf_adds(b, "<h3>");
			add_text(b, target);
			buf_addc(b, '/');
			add_text(b, path);
			buf_adds(b, "</h3>\n<pre>\n");
			add_bytes(b, json_string_value(text), true);
			buf_adds(b, "</pre>\n");
		}
}

static void add_facts(struct buf *b, const json_t *guest)
{
	buf_adds(b, "<p>Name <b>");
	add_text(b, json_str(guest, "name"));
	buf_adds(b, "</b>; read from <span class=\"mono\">");
	add_text(b, json_str(guest, "source"));
	buf_adds(b, "</span>; ");
	add_text(b, json_str(guest, "state"));
	if (json_str(guest, "state_how")[0] != '\0') {
		buf_adds(b, " (");
		add_text(b, json_str(guest, "state_how"));
		buf_addc(b, ')');
	}
	buf_adds(b, "</p>\n");
}

static void html_guest(struct buf *b, const struct report_options *o,
		       const json_t *guest)
{
	const char *target;
	json_t *t;

	buf_printf(b, "<details class=\"guest\"%s><summary><b>",
		   o->single ? " open" : "");
	add_text(b, json_str(guest, "key"));
	buf_adds(b, "</b>");
	json_object_foreach (json_object_get(guest, "targets"), target, t) {
		buf_addc(b, ' ');
		add_text(b, target);
		buf_addc(b, ' ');
		add_tag(b, json_str(t, "verdict"));
	}
	if (parts_str(guest, "failed") != NULL)
		add_tag(b, "failed");
	/* inside, for a link opens the parents of what it leads to only */
	buf_adds(b, "</summary>\n<div id=\"");
	add_anchor(b, json_str(guest, "key"));
	buf_adds(b, "\">\n");
	if (parts_str(guest, "failed") != NULL) {
		buf_adds(b, "<p>");
		add_text(b, json_str(guest, "failed"));
		buf_adds(b, "</p>\n");
	} else {
		add_facts(b, guest);
	}
	add_findings(b, guest);
	add_edits(b, guest);
	add_settings(b, guest);
	add_files(b, guest);
	buf_adds(b, "</div></details>\n");
}

static void html_tail(struct buf *b, const struct report_options *o,
		      const struct report_totals *t)
{
	(void)o;
	(void)t;
	buf_adds(b, "</body>\n</html>\n");
}

const struct report_format html_report = {
	.name = "html",
	.between = "",
	.head = html_head,
	.guest = html_guest,
	.tail = html_tail,
};
