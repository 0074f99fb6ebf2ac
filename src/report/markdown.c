/* The report as Markdown: tables of codes, then of each guest. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"

static void add_cell(struct buf *b, const char *s)
{
	parts_markdown(b, s);
	buf_adds(b, " | ");
}

static void end_row(struct buf *b)
{
	b->p[--b->n] = '\0'; /* the blank behind the last bar */
	buf_addc(b, '\n');
}

static void add_place(struct buf *b, const json_t *of)
{
	parts_markdown(b, json_str(of, "file"));
	if (json_num(of, "line") != 0)
		buf_printf(b, ":%" PRIu64, json_num(of, "line"));
	buf_adds(b, " | ");
}

static void add_verdicts(struct buf *b, const struct report_totals *t)
{
	struct parts_verdict v[PARTS_VERDICTS];

	parts_verdicts(t, v);
	buf_printf(b, "%zu guest%s: ", t->n, t->n == 1 ? "" : "s");
	for (size_t i = 0; i < COUNT(v); i++)
		buf_printf(b, "%zu %s%s", v[i].n, v[i].name,
			   i + 1 < COUNT(v) ? ", " : ".\n");
}

static void add_guests(struct buf *b, const struct report_options *o,
		       const struct report_totals *t)
{
	buf_adds(b, "\n| guest | name |");
	for (size_t i = 0; i < o->n_targets; i++)
		buf_printf(b, " %s |", o->targets[i]);
	buf_adds(b, " blockers | losses |\n| --- | --- |");
	for (size_t i = 0; i < o->n_targets; i++)
		buf_adds(b, " --- |");
	buf_adds(b, " ---: | ---: |\n");
	for (size_t i = 0; i < t->n; i++) {
		json_t *r CLEANUP(json_freep) = report_totals_guest(t, i);
		struct parts_tally tally;

		parts_tally(r, &tally);
		buf_adds(b, "| ");
		add_cell(b, json_str(r, "key"));
		add_cell(b, json_str(r, "name"));
		for (size_t j = 0; j < o->n_targets; j++) {
			const char *v = parts_str(json_object_get(r, "targets"),
						  o->targets[j]);

			add_cell(b, v == NULL ? json_str(r, "verdict") : v);
		}
		buf_printf(b, "%" PRIu64 " | %" PRIu64 " |\n",
			   tally.n[SEV_BLOCKER], tally.n[SEV_LOSS]);
	}
}

static void add_codes(struct buf *b, const struct report_totals *t)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct parts_codes codes;

	parts_codes(t, mem, &codes);
	if (codes.list.n == 0)
		return;
	buf_adds(b, "\n| code | guests | findings | severity | isolation | "
		    "who acts | what | advice |\n"
		    "| --- | ---: | ---: | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < codes.list.n; i++) {
		const struct parts_code *c = &codes.list.v[i];

		buf_printf(b, "| %s | %" PRIu64 " | %" PRIu64 " | ", c->code,
			   c->guests, c->count);
		if (c->row == NULL) {
			buf_adds(b, "| | | | |\n");
			continue;
		}
		add_cell(b, finding_severity_name(c->row->severity));
		add_cell(b, finding_isolation_name(c->row->isolation));
		add_cell(b, finding_action_name(c->row->action));
		add_cell(b, c->row->text);
		add_cell(b, c->row->advice);
		end_row(b);
	}
}

static void markdown_head(struct buf *b, const struct report_options *o,
			  const struct report_totals *t)
{
	buf_adds(b, "# ");
	parts_markdown(b, o->tool);
	buf_adds(b, ": plan\n\n");
	add_verdicts(b, t);
	add_guests(b, o, t);
	add_codes(b, t);
}

static void add_finding(struct buf *b, const json_t *f)
{
	buf_adds(b, "| ");
	add_cell(b, json_str(f, "severity"));
	add_cell(b, json_str(f, "isolation"));
	add_cell(b, json_str(f, "code"));
	add_place(b, f);
	add_cell(b, json_str(f, "key"));
	parts_markdown(b, json_str(f, "message"));
	if (parts_str(f, "accepted") != NULL) {
		buf_adds(b, " (accepted: ");
		parts_markdown(b, json_str(f, "accepted"));
		buf_addc(b, ')');
	}
	buf_adds(b, " | ");
	add_cell(b, json_str(f, "field"));
	add_cell(b, json_str(f, "target"));
	end_row(b);
}

static void add_findings(struct buf *b, const json_t *guest)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct parts_findings all;

	parts_findings(guest, mem, &all);
	if (all.list.n == 0)
		return;
	buf_adds(b, "\n| severity | isolation | code | place | key | message | "
		    "field | target |\n"
		    "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < all.list.n; i++)
		add_finding(b, all.list.v[i]);
}

static void add_settings(struct buf *b, const json_t *guest)
{
	json_t *settings = json_object_get(guest, "settings");
	const char *target;
	size_t i;
	json_t *s, *bin;

	if (json_array_size(settings) == 0)
		return;
	buf_adds(b, "\n| place | setting | item | value |");
	json_object_foreach (json_object_get(guest, "targets"), target, bin)
		buf_printf(b, " %s |", target);
	buf_adds(b, " note |\n| --- | --- | --- | --- |");
	json_object_foreach (json_object_get(guest, "targets"), target, bin)
		buf_adds(b, " --- |");
	buf_adds(b, " --- |\n");
	json_array_foreach (settings, i, s) {
		buf_adds(b, "| ");
		add_place(b, s);
		add_cell(b, json_str(s, "key"));
		add_cell(b, json_str(s, "item"));
		add_cell(b, json_str(s, "value"));
		json_object_foreach (json_object_get(s, "outcome"), target, bin)
			add_cell(b, json_string_value(bin));
		add_cell(b, json_str(s, "note"));
		end_row(b);
	}
}

static void add_edits(struct buf *b, const json_t *guest)
{
	const json_t *edits = json_object_get(guest, "edits"), *ed;
	size_t i;

	if (json_array_size(edits) == 0)
		return;
	buf_adds(b, "\n| file | change | why |\n| --- | --- | --- |\n");
	json_array_foreach (edits, i, ed) {
		buf_adds(b, "| ");
		add_cell(b, json_str(ed, "path"));
		add_cell(b, json_str(ed, "action"));
		add_cell(b, json_str(ed, "reason"));
		end_row(b);
	}
}

static void markdown_guest(struct buf *b, const struct report_options *o,
			   const json_t *guest)
{
	const char *separator = "", *target;
	json_t *t;

	(void)o;
	buf_adds(b, "\n## ");
	parts_markdown(b, json_str(guest, "key"));
	buf_adds(b, "\n\n");
	if (parts_str(guest, "failed") != NULL) {
		buf_adds(b, "failed: ");
		parts_markdown(b, json_str(guest, "failed"));
		buf_addc(b, '\n');
		return;
	}
	json_object_foreach (json_object_get(guest, "targets"), target, t) {
		buf_printf(b, "%s%s: %s", separator, target,
			   json_str(t, "verdict"));
		separator = ", ";
	}
	buf_adds(b, "; name ");
	parts_markdown(b, json_str(guest, "name"));
	buf_adds(b, "; ");
	parts_markdown(b, json_str(guest, "state"));
	buf_addc(b, '\n');
	add_findings(b, guest);
	add_edits(b, guest);
	add_settings(b, guest);
}

static void markdown_tail(struct buf *b, const struct report_options *o,
			  const struct report_totals *t)
{
	(void)b;
	(void)o;
	(void)t;
}

const struct report_format markdown_report = {
	.name = "md",
	.between = "",
	.head = markdown_head,
	.guest = markdown_guest,
	.tail = markdown_tail,
};
