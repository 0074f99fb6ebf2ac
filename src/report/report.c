/* The document of one guest (design 1.4), its record, and the totals. */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"
#include "report/report.h"

/* Text in which values may stand, such as a message or an emitted file. */
static json_t *masked(const char *text, size_t n)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	secret_mask(&b, text, n);
	return json_textn(buf_str(&b), b.n);
}

static json_t *masked_text(const char *text)
{
	return text == NULL ? json_null() : masked(text, strlen(text));
}

static json_t *shown(const char *key, const char *item, const char *value)
{
	const char *eq = value == NULL ? NULL : strchr(value, '=');

	if (value == NULL)
		return json_null();
	if (secret_is_name(key) || secret_is_name(item))
		return json_text(secret_hidden);
	if (eq != NULL && secret_is_name(value))
		return json_text(secret_hidden);
	return json_text(value);
}

static void put_place(json_t *o, const struct origin *from)
{
	json_put(o, "file", json_text(from->file));
	json_put_int(o, "line", from->line);
	json_put(o, "key", json_text(from->key));
}

/* "limit.memory", "nic[eth0].attach": what documents call a field. */
static char *field_label(struct arena *mem, enum field_id id, const char *key)
{
	const struct field *f = field_get(id);
	const char *dot = strchr(f->name, '.');

	if (key == NULL || f->scope == SCOPE_GUEST || dot == NULL)
		return arena_strdup(mem, f->name);
	return arena_printf(mem, "%.*s[%s]%s", (int)(dot - f->name), f->name,
			    key, dot);
}

static char *object_label(struct arena *mem, enum field_id id,
			  const void *object)
{
	const enum scope s = field_get(id)->scope;

	return field_label(mem, id,
			   s == SCOPE_GUEST ? NULL :
					      field_object_key(mem, s, object));
}

static json_t *setting_json(const struct report_input *in,
			    const struct setting *s)
{
	struct arena *mem = in->g->mem;
	json_t *o = json_object(), *outcome = json_object(),
	       *fields = json_array();
	const char *note = s->note;

	put_place(o, &s->from);
	json_put(o, "item", json_text(s->item));
	json_put(o, "value", shown(s->from.key, s->item, s->from.text));
	for (size_t i = 0; i < in->n_emissions; i++) {
		const struct emission *em = in->emissions[i];
		const enum bin bin = emit_setting_bin(em, s, &note);

		json_put_str(outcome, em->emitter->name, setting_bin_name(bin));
	}
	json_put(o, "outcome", outcome);
	for (size_t i = 0; i < s->parts.n; i++)
		json_array_append_new(
			fields, json_text(object_label(mem, s->parts.v[i].field,
						       s->parts.v[i].object)));
	json_put(o, "fields", fields);
	json_put(o, "note", masked_text(note));
	return o;
}

static json_t *covers_json(const struct guest *g, const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->covers.n; i++) {
		const struct finding_cover *c = &f->covers.v[i];
		const char *key = c->key;

		if (key != NULL && key[0] == '\0')
			key = NULL;
		json_array_append_new(
			list,
			json_text(
				key != NULL && field_get(c->field)->scope ==
							SCOPE_GUEST ?
					arena_printf(g->mem, "%s[%s]",
						     field_get(c->field)->name,
						     key) :
					field_label(g->mem, c->field, key)));
	}
	return list;
}

static json_t *finding_json(const struct guest *g, const struct finding *f)
{
	const struct finding_row *row = finding_row(f->id);
	json_t *o = json_object();
	const char *field = NULL;

	if (f->covers.n != 0)
		field = field_get(f->covers.v[0].field)->name;
	json_put_str(o, "code", row->code);
	json_put_str(o, "severity", finding_severity_name(row->severity));
	json_put_str(o, "isolation", finding_isolation_name(row->isolation));
	json_put_str(o, "action", finding_action_name(row->action));
	json_put(o, "field", json_text(field));
	json_put(o, "target", json_text(f->target));
	put_place(o, f->from);
	json_put(o, "message", masked_text(f->message));
	json_put_str(o, "advice", f->advice ? f->advice : row->advice);
	json_put(o, "accepted", json_text(f->accepted));
	json_put(o, "accepted_by", json_text(f->accepted_by));
	json_put(o, "items", covers_json(g, f));
	return o;
}

/* JSON's readers know whole numbers up to 2^63 - 1: a larger one is text. */
static json_t *count_json(struct arena *mem, uint64_t n)
{
	return n <= INT64_MAX ? json_integer((json_int_t)n) :
				json_text(arena_printf(mem, "%" PRIu64, n));
}

static json_t *value_json(struct arena *mem, const struct value *v)
{
	json_t *list;

	switch (v->type) {
	case VALUE_BOOL:
		return json_boolean(v->b);
	case VALUE_U64:
		return count_json(mem, v->u);
	case VALUE_I64:
		return json_integer((json_int_t)v->i);
	case VALUE_LIMIT:
		return v->b ? json_text("unlimited") : count_json(mem, v->u);
	case VALUE_STR:
		return masked_text(v->s);
	case VALUE_STRV:
		list = json_array();
		for (size_t i = 0; i < v->l->n; i++)
			json_array_append_new(list, masked_text(v->l->v[i]));
		return list;
	case VALUE_CAPS:
		break;
	}
	return NULL;
}

static json_t *caps_json(struct arena *mem, const struct value *v)
{
	char *text = value_show(mem, v);
	const struct strv names = strv_split(mem, text, " ");
	json_t *list = json_array();

	for (size_t i = 0; i < names.n; i++)
		json_array_append_new(list, json_text(names.v[i]));
	return list;
}

static void add_origin(json_t *list, const struct origin *o)
{
	json_t *j = json_object();

	json_put_str(j, "kind", origin_kind_name(o->kind));
	json_put(j, "file", json_text(o->file));
	json_put_int(j, "line", o->line);
	json_array_append_new(list, j);
}

/* Where a value came from, what that was derived from, who took part in it. */
static json_t *origins_json(const struct guest *g, enum field_id id,
			    const void *object, const struct value *v)
{
	json_t *list = json_array();

	for (const struct origin *o = v->from; o != NULL; o = o->because)
		add_origin(list, o);
	for (size_t i = 0; i < g->settings.n; i++) {
		const struct setting *s = g->settings.v[i];

		for (size_t j = 0; j < s->parts.n; j++)
			if (s->parts.v[j].together && &s->from != v->from &&
			    s->parts.v[j].field == id &&
			    s->parts.v[j].object == object)
				add_origin(list, &s->from);
	}
	return list;
}

static const char *emitted_as(const struct emission *em, enum field_id id)
{
	const struct emit_rule *rule = &em->emitter->rules[id];

	return rule->key;
}

static json_t *field_json(const struct report_input *in, enum field_id id,
			  const void *object, const struct value *v)
{
	json_t *o = json_object(), *emitted = json_object();
	json_t *value = value_json(in->g->mem, v);

	if (value == NULL)
		value = caps_json(in->g->mem, v);
	if (id == FIELD_ENV_VALUE &&
	    secret_is_name(((const struct env *)object)->name.v)) {
		json_decref(value);
		value = json_text(secret_hidden);
	}
	json_put(o, "value", value);
	json_put(o, "origins", origins_json(in->g, id, object, v));
	for (size_t i = 0; i < in->n_emissions; i++)
		json_put(emitted, in->emissions[i]->emitter->name,
			 json_text(emitted_as(in->emissions[i], id)));
	json_put(o, "emitted", emitted);
	return o;
}

static json_t *fields_json(const struct report_input *in)
{
	json_t *all = json_object();

	for (enum field_id id = 0; id < FIELD__MAX; id++) {
		const enum scope scope = field_get(id)->scope;
		void *const *objects;
		const size_t n = field_objects(in->g, scope, &objects);

		for (size_t i = 0; i < n; i++) {
			const void *object = field_object(in->g, scope, i);
			const struct value v = field_value(id, object);

			if (v.from == NULL)
				continue;
			json_put(all, object_label(in->g->mem, id, object),
				 field_json(in, id, object, &v));
		}
	}
	return all;
}

static json_t *targets_json(const struct report_input *in)
{
	json_t *all = json_object();

	for (size_t i = 0; i < in->n_emissions; i++) {
		const struct emission *em = in->emissions[i];
		json_t *t = json_object(), *files = json_object();
		const enum verdict v = plan_verdict(in->g, em->emitter->name);

		json_put_str(t, "verdict", plan_verdict_name(v));
		json_put_str(t, "name", em->name);
		for (size_t j = 0; j < em->files.n && !in->for_record; j++)
			json_put(files, em->files.v[j].path,
				 masked(em->files.v[j].text, em->files.v[j].n));
		json_put(t, "files", files);
		json_put(all, em->emitter->name, t);
	}
	return all;
}

static json_t *edits_json(const struct guest *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->edits.n; i++) {
		const struct edit *ed = g->edits.v[i];
		json_t *o = json_object(), *targets = json_array();
		const struct strv names =
			strv_split(g->mem, ed->targets ? ed->targets : "", " ");

		json_put_str(o, "path", ed->path);
		json_put_str(o, "action", ed->action);
		json_put_str(o, "reason", ed->reason);
		for (size_t j = 0; j < names.n; j++)
			json_array_append_new(targets, json_text(names.v[j]));
		json_put(o, "targets", targets);
		json_put(o, "diff", json_text(ed->diff));
		json_array_append_new(list, o);
	}
	return list;
}

static const char *worst_verdict(const struct report_input *in)
{
	enum verdict worst = plan_verdict(in->g, NULL);

	for (size_t i = 0; i < in->n_emissions; i++) {
		const enum verdict v =
			plan_verdict(in->g, in->emissions[i]->emitter->name);

		worst = v > worst ? v : worst;
	}
	return plan_verdict_name(in->failed != NULL ? VERDICT_FAILED : worst);
}

json_t *report_guest(const struct report_input *in)
{
	const struct guest *g = in->g;
	json_t *o = json_object(), *settings = json_array(),
	       *findings = json_array();

	json_put_str(o, "key", g->key);
	json_put_str(o, "host", g->host);
	json_put_str(o, "name", g->package);
	json_put_str(o, "kind", g->kind);
	json_put_str(o, "id", g->id);
	json_put_str(o, "source", g->source);
	json_put_str(o, "verdict", worst_verdict(in));
	json_put(o, "failed", json_text(in->failed));
	json_put(o, "state", json_text(g->state));
	json_put(o, "state_how", json_text(g->state_how));
	for (size_t i = 0; i < g->settings.n && !in->for_record; i++)
		json_array_append_new(settings,
				      setting_json(in, g->settings.v[i]));
	json_put(o, "settings", settings);
	for (size_t i = 0; i < g->findings.n; i++)
		json_array_append_new(findings,
				      finding_json(g, g->findings.v[i]));
	json_put(o, "findings", findings);
	json_put(o, "edits", in->for_record ? json_array() : edits_json(g));
	json_put(o, "fields", in->for_record ? json_object() : fields_json(in));
	json_put(o, "targets", targets_json(in));
	return o;
}

json_t *report_failed(const char *key, const char *host, const char *kind,
		      const char *id, const char *why)
{
	json_t *o = json_object();

	json_put_str(o, "key", key);
	json_put_str(o, "host", host);
	json_put_str(o, "name", id);
	json_put_str(o, "kind", kind);
	json_put_str(o, "id", id);
	json_put_str(o, "source", "");
	json_put_str(o, "verdict", "failed");
	json_put_str(o, "failed", why);
	json_put(o, "state", json_null());
	json_put(o, "state_how", json_null());
	json_put(o, "settings", json_array());
	json_put(o, "findings", json_array());
	json_put(o, "edits", json_array());
	json_put(o, "fields", json_object());
	json_put(o, "targets", json_object());
	return o;
}
