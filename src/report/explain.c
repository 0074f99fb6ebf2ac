/* explain: what a code, a field, a source key or a target's key means. */
#include <string.h>

#include "base/str.h"
#include "importer.h"
#include "report/parts.h"
#include "site.h"

#define NAMES 12 /* width of the column of importers and targets */

/* "  vserver      rlimits/rss.hard: carried: note [CODE]" */
static void add_row(struct buf *b, const char *who, const char *what,
		    const char *how, const char *note, enum finding_id id)
{
	struct buf line CLEANUP(buf_done) = { 0 };

	buf_adds(&line, who);
	while (line.n < NAMES)
		buf_addc(&line, ' ');
	buf_printf(b, "  %s %s", buf_str(&line), what);
	if (how[0] != '\0')
		buf_printf(b, "%s%s", what[0] == '\0' ? "" : ": ", how);
	if (id != FIND__MAX)
		buf_printf(b, " [%s]", finding_row(id)->code);
	buf_addc(b, '\n');
	if (note != NULL)
		parts_wrap(b, "", 6, note);
}

static void add_rule(struct buf *b, const struct emitter *em, const char *what,
		     const struct emit_rule *r)
{
	add_row(b, em->name, what, parts_fidelity(r->fidelity), r->note,
		r->finding);
}

/* A heading before the first row of a list only. */
static void head_once(struct buf *b, const char **head)
{
	if (*head != NULL)
		buf_printf(b, "\n%s\n", *head);
	*head = NULL;
}

/* Every target's rule for a field. */
static void add_targets(struct buf *b, enum field_id field)
{
	const char *head = "Written by the targets as:";
	size_t n;
	const struct emitter *const *all = emit_all(&n);

	for (size_t i = 0; i < n; i++) {
		const struct emit_rule *r = &all[i]->rules[field];

		if (str_eq(all[i]->name, "model"))
			continue;
		head_once(b, &head);
		add_rule(b, all[i], r->key == NULL ? "" : r->key, r);
	}
}

/* The host-wide default of a key that stands in the list itself. */
static bool is_repeated(const struct importer *imp, const struct key *k)
{
	static const char defaults[] = ".defaults/";

	if (!str_starts(k->name, defaults))
		return false;
	for (size_t i = 0; i < imp->n_keys; i++)
		if (imp->keys[i].finding == k->finding &&
		    str_eq(imp->keys[i].name, k->name + strlen(defaults)))
			return true;
	return false;
}

static void code_sources(struct buf *b, enum finding_id id)
{
	const char *head = "Source settings that always lead to it:";
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < all[i]->n_keys; j++) {
			const struct key *k = &all[i]->keys[j];

			if (k->finding != id || is_repeated(all[i], k))
				continue;
			head_once(b, &head);
			add_row(b, all[i]->name, k->name, parts_fate(k->fate),
				k->note, FIND__MAX);
		}
}

static void code_targets(struct buf *b, enum finding_id id)
{
	const char *head = "Fields that lead to it, by target:";
	size_t n;
	const struct emitter *const *all = emit_all(&n);

	for (size_t i = 0; i < n; i++)
		for (enum field_id f = 0; f < FIELD__MAX; f++) {
			const struct emit_rule *r = &all[i]->rules[f];

			if (r->finding != id)
				continue;
			head_once(b, &head);
			add_row(b, all[i]->name, field_get(f)->name,
				parts_fidelity(r->fidelity), r->note,
				FIND__MAX);
		}
}

static bool explain_code(struct buf *b, const char *what)
{
	const enum finding_id id = finding_find(what);
	const struct finding_row *row;

	if (id == FIND__MAX)
		return false;
	row = finding_row(id);
	buf_printf(b, "%s: %s\n\n", row->code, row->text);
	buf_printf(b,
		   "severity   %s\nisolation  %s\nwho acts   %s\n"
		   "waivable   %s\n\n",
		   finding_severity_name(row->severity),
		   finding_isolation_name(row->isolation),
		   finding_action_name(row->action),
		   row->waive == WAIVE_YES ?
			   "yes: --accept CODE[@GUEST]=REASON, or accept in "
			   "the site file" :
			   "no");
	parts_wrap(b, "", 0, row->advice);
	code_sources(b, id);
	code_targets(b, id);
	return true;
}

static const char *order_text(enum order o)
{
	switch (o) {
	case ORDER_SAME:
		return "only equal values are equivalent";
	case ORDER_LESS:
		return "the smaller value is the stricter";
	case ORDER_SET:
		return "fewer elements are the stricter";
	case ORDER_TRUE:
		return "yes is the stricter";
	case ORDER_NS:
		return "private, filtered, shared, host: falling strictness";
	}
	return "";
}

static void field_sources(struct buf *b, enum field_id id)
{
	const char *head = "Set by:";
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t i = 0; i < n; i++) {
		const struct importer *imp = all[i];

		for (size_t j = 0; j < imp->n_keys; j++) {
			const struct key *k = &imp->keys[j];

			if (k->field != id)
				continue;
			head_once(b, &head);
			add_row(b, imp->name, k->name, parts_fate(k->fate),
				k->note, k->finding);
		}
		for (size_t j = 0; j < imp->n_defaults; j++) {
			if (imp->defaults[j].field != id)
				continue;
			head_once(b, &head);
			add_row(b, imp->name, imp->defaults[j].value,
				"the old tools' default", imp->defaults[j].ref,
				FIND__MAX);
		}
	}
}

static void add_field(struct buf *b, enum field_id id)
{
	const struct field *f = field_get(id);

	buf_printf(b, "%s: %s\n\n", f->name, f->text);
	buf_printf(b, "unit   %s\narea   %s\norder  %s\n",
		   field_unit_name(f->unit),
		   f->area == AREA_NONE ? "none: nothing a kernel enforces" :
					  field_area_name(f->area),
		   order_text(f->order));
	if (f->scope != SCOPE_GUEST)
		buf_printf(b, "of     each %s\n", field_scope_name(f->scope));
	field_sources(b, id);
	add_targets(b, id);
}

static bool explain_field(struct buf *b, const char *what)
{
	const enum field_id id = field_find(what);

	if (id == FIELD__MAX)
		return false;
	add_field(b, id);
	return true;
}

/* "LIM001: resident memory was limited" */
static void add_named(struct buf *b, const char *label, const char *name,
		      const char *text)
{
	struct buf line CLEANUP(buf_done) = { 0 };

	buf_printf(&line, "%s: %s", name, text);
	parts_wrap(b, label, 9, buf_str(&line));
}

static void add_key(struct buf *b, const struct importer *imp,
		    const struct key *k)
{
	const bool has_field = k->field != FIELD__MAX;

	buf_printf(b, "%s: a setting of %s\n\nfate     %s\n", k->name,
		   imp->name, parts_fate(k->fate));
	if (has_field)
		add_named(b, "field", field_get(k->field)->name,
			  field_get(k->field)->text);
	if (k->finding != FIND__MAX)
		add_named(b, "finding", finding_row(k->finding)->code,
			  finding_row(k->finding)->text);
	if (k->example != NULL)
		parts_wrap(b, "example", 9, k->example);
	if (k->note != NULL)
		parts_wrap(b, "note", 9, k->note);
	if (k->ref != NULL)
		parts_wrap(b, "see", 9, k->ref);
	if (has_field)
		add_targets(b, k->field);
}

/*
 * "interfaces/0/ip" is explained by "interfaces/" "*" "/ip". A pattern that
 * takes any name at its end (hooks, devices) needs more than its own star.
 */
static bool is_key(const struct key *k, const char *what, bool exact)
{
	if (exact)
		return str_caseeq(k->name, what);
	return strchr(k->name, '*') != NULL && !str_starts(k->name, "*") &&
	       str_glob(k->name, what);
}

static bool explain_key(struct buf *b, const char *what, bool exact)
{
	bool found = false;
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < all[i]->n_keys; j++) {
			if (!is_key(&all[i]->keys[j], what, exact))
				continue;
			if (found)
				buf_addc(b, '\n');
			add_key(b, all[i], &all[i]->keys[j]);
			found = true;
		}
	return found;
}

static bool explain_site_word(struct buf *b, const char *what)
{
	size_t n;
	const struct site_word *words = site_words(&n);

	for (size_t i = 0; i < n; i++) {
		if (!str_eq(words[i].name, what))
			continue;
		buf_printf(b,
			   "%s: a word of the site file, rehost.conf(5)\n\n"
			   "default  %s\nallowed  %s\n\n",
			   words[i].name, words[i].value, words[i].allowed);
		parts_wrap(b, "", 0, words[i].text);
		return true;
	}
	return false;
}

/* "lxc.cgroup2.memory.max": the fields that a target writes so. */
static bool explain_target_key(struct buf *b, const char *what)
{
	bool found = false;
	size_t n;
	const struct emitter *const *all = emit_all(&n);

	for (size_t i = 0; i < n; i++) {
		for (enum field_id f = 0; f < FIELD__MAX; f++) {
			const struct emit_rule *r = &all[i]->rules[f];

			if (str_eq(all[i]->name, "model") ||
			    !str_eq(r->key, what))
				continue;
			if (!found)
				buf_printf(b, "%s: written from\n\n", what);
			found = true;
			add_rule(b, all[i], field_get(f)->name, r);
		}
	}
	return found;
}

bool report_explain(struct buf *b, const char *what)
{
	return explain_code(b, what) || explain_field(b, what) ||
	       explain_key(b, what, true) || explain_key(b, what, false) ||
	       explain_site_word(b, what) || explain_target_key(b, what);
}
