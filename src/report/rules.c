/*
 * The mapping tables: rows of the importers joined with rows of the emitters
 * through the field.
 */
#include "base/str.h"
#include "importer.h"
#include "report/parts.h"

/* Whether a column is shown: `model` says nothing of a target. */
static bool is_column(const struct emitter *em, const char *target)
{
	return target == NULL ? !str_eq(em->name, "model") :
				str_eq(em->name, target);
}

static void add_code_span(struct buf *b, const char *s)
{
	buf_addc(b, '`');
	for (; *s != '\0'; s++) {
		if (*s == '|')
			buf_addc(b, '\\');
		buf_addc(b, *s);
	}
	buf_addc(b, '`');
}

/* "`lxc.arch`", "not carried: programs see the real name (INI003)". */
static void add_rule(struct buf *b, const struct emit_rule *r)
{
	const char *separator = ": ";

	if (r->key != NULL && r->fidelity != FID_LOST) {
		add_code_span(b, r->key);
		separator = ", ";
	}
	if (r->fidelity != FID_EXACT || r->key == NULL) {
		buf_printf(b, "%s%s",
			   r->key != NULL && r->fidelity != FID_LOST ? ", " :
								       "",
			   parts_fidelity(r->fidelity));
		separator = ": ";
	}
	if (r->note != NULL) {
		buf_adds(b, separator);
		parts_markdown(b, r->note);
	}
	if (r->finding != FIND__MAX)
		buf_printf(b, " (%s)", finding_row(r->finding)->code);
}

static void add_key(struct buf *b, const struct key *k, const char *target)
{
	size_t n;
	const struct emitter *const *all = emit_all(&n);

	buf_adds(b, "| ");
	add_code_span(b, k->name);
	buf_printf(b, " | %s | ", parts_fate(k->fate));
	if (k->field != FIELD__MAX)
		add_code_span(b, field_get(k->field)->name);
	buf_adds(b, " | ");
	for (size_t i = 0; i < n; i++) {
		if (!is_column(all[i], target))
			continue;
		if (k->field != FIELD__MAX)
			add_rule(b, &all[i]->rules[k->field]);
		buf_adds(b, " | ");
	}
	if (k->note != NULL)
		parts_markdown(b, k->note);
	if (k->finding != FIND__MAX)
		buf_printf(b, "%s(%s)", k->note == NULL ? "" : " ",
			   finding_row(k->finding)->code);
	buf_adds(b, " |\n");
}

static void add_heads(struct buf *b, const char *target)
{
	size_t n;
	const struct emitter *const *all = emit_all(&n);

	buf_adds(b, "| setting | fate | field |");
	for (size_t i = 0; i < n; i++)
		if (is_column(all[i], target))
			buf_printf(b, " %s |", all[i]->name);
	buf_adds(b, " note |\n| --- | --- | --- |");
	for (size_t i = 0; i < n; i++)
		if (is_column(all[i], target))
			buf_adds(b, " --- |");
	buf_adds(b, " --- |\n");
}

static void add_defaults(struct buf *b, const struct importer *imp)
{
	if (imp->n_defaults == 0)
		return;
	buf_printf(b,
		   "\nWhere %s says nothing:\n\n"
		   "| field | value | source |\n| --- | --- | --- |\n",
		   imp->name);
	for (size_t i = 0; i < imp->n_defaults; i++) {
		const struct default_value *d = &imp->defaults[i];

		buf_adds(b, "| ");
		add_code_span(b, field_get(d->field)->name);
		buf_adds(b, " | ");
		parts_markdown(b, d->value);
		buf_adds(b, " | ");
		parts_markdown(b, d->ref);
		buf_adds(b, " |\n");
	}
}

void report_rules_markdown(struct buf *b, const char *importer,
			   const char *target)
{
	const char *before = "";
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t i = 0; i < n; i++) {
		if (importer != NULL && !str_eq(importer, all[i]->name))
			continue;
		buf_printf(b, "%s### %s: %s\n\n", before, all[i]->name,
			   all[i]->summary);
		add_heads(b, target);
		for (size_t j = 0; j < all[i]->n_keys; j++)
			add_key(b, &all[i]->keys[j], target);
		add_defaults(b, all[i]);
		before = "\n";
	}
}

static const char *code_of(enum finding_id id)
{
	return id == FIND__MAX ? NULL : finding_row(id)->code;
}

static json_t *rule_json(const struct emit_rule *r)
{
	json_t *o = json_object();

	json_put_str(o, "fidelity", parts_fidelity(r->fidelity));
	json_put(o, "key", json_text(r->key));
	json_put(o, "code", json_text(code_of(r->finding)));
	json_put(o, "note", json_text(r->note));
	return o;
}

static json_t *key_json(const struct key *k, const char *target)
{
	json_t *o = json_object(), *targets = json_object();
	size_t n;
	const struct emitter *const *all = emit_all(&n);
	const bool has_field = k->field != FIELD__MAX;

	json_put_str(o, "setting", k->name);
	json_put_str(o, "fate", parts_fate(k->fate));
	json_put(o, "field",
		 json_text(has_field ? field_get(k->field)->name : NULL));
	json_put(o, "code", json_text(code_of(k->finding)));
	json_put(o, "example", json_text(k->example));
	json_put(o, "note", json_text(k->note));
	json_put(o, "ref", json_text(k->ref));
	for (size_t i = 0; has_field && i < n; i++)
		if (is_column(all[i], target))
			json_put(targets, all[i]->name,
				 rule_json(&all[i]->rules[k->field]));
	json_put(o, "targets", targets);
	return o;
}

static json_t *importer_json(const struct importer *imp, const char *target)
{
	json_t *o = json_object(), *keys = json_array(),
	       *defaults = json_array();

	json_put_str(o, "name", imp->name);
	json_put_str(o, "summary", imp->summary);
	for (size_t i = 0; i < imp->n_keys; i++)
		json_array_append_new(keys, key_json(&imp->keys[i], target));
	json_put(o, "settings", keys);
	for (size_t i = 0; i < imp->n_defaults; i++) {
		const struct default_value *d = &imp->defaults[i];
		json_t *j = json_object();

		json_put_str(j, "field", field_get(d->field)->name);
		json_put_str(j, "value", d->value);
		json_put(j, "ref", json_text(d->ref));
		json_array_append_new(defaults, j);
	}
	json_put(o, "defaults", defaults);
	return o;
}

json_t *report_rules_json(const char *importer, const char *target)
{
	json_t *o = json_object(), *list = json_array();
	size_t n;
	const struct importer *const *all = importer_all(&n);

	json_put_int(o, "schema", 1);
	for (size_t i = 0; i < n; i++)
		if (importer == NULL || str_eq(importer, all[i]->name))
			json_array_append_new(list,
					      importer_json(all[i], target));
	json_put(o, "importers", list);
	return o;
}
