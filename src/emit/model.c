/*
 * The emitter `model`: every field with its canonical value and the
 * place it comes from, for people and for golden tests. It loses nothing and
 * asks for no policy.
 */
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/secret.h"
#include "base/str.h"
#include "emit/emit.h"

static void put_nothing(struct emission *em, enum field_id id,
			const void *object, const struct value *v)
{
	(void)em;
	(void)id;
	(void)object;
	(void)v;
}

/* The text is made by `finish` in one walk: objects stay together there. */
#define FIELD(id, name, scope, type, member, unit, area, order, text)          \
	[FIELD_##id] = { .fidelity = FID_EXACT,                                \
			 .key = (name),                                        \
			 .finding = FIND__MAX,                                 \
			 .put = put_nothing },
static const struct emit_rule rules[FIELD__MAX] = {
#include "model/fields.def"
};
#undef FIELD

/* "/etc/vservers/web/nice:1", "default: util-vserver 0.30", "derived net". */
static char *show_origin(struct arena *mem, const struct origin *o)
{
	const char *kind = origin_kind_name(o->kind);
	const char *key = o->key == NULL ? "" : o->key;
	char *text;

	if (o->kind == ORIGIN_DEFAULT)
		text = arena_printf(mem, "%s: %s", kind,
				    o->text == NULL ? "" : o->text);
	else if (o->kind == ORIGIN_DERIVED || o->kind == ORIGIN_OPTION)
		text = arena_printf(mem, "%s %s", kind, key);
	else if (o->line != 0)
		text = arena_printf(mem, "%s:%u", o->file, o->line);
	else
		text = arena_printf(mem, "%s",
				    o->file == NULL ? kind : o->file);
	return str_show(mem, text, strlen(text), 0);
}

/* The value of a variable whose name says that it is secret. */
static bool hides(enum field_id id, const void *object)
{
	return id == FIELD_ENV_VALUE &&
	       secret_is_name(((const struct env *)object)->name.v);
}

static char *masked(struct arena *mem, const struct value *v)
{
	const char *text = value_show(mem, v);
	struct buf b CLEANUP(buf_done) = { 0 };

	secret_mask(&b, text, strlen(text));
	return arena_strdup(mem, buf_str(&b));
}

static void write_field(struct emission *em, struct buf *b, enum field_id id,
			const void *object)
{
	const struct value v = field_value(id, object);
	const struct field *f = field_get(id);
	const struct origin *o = v.from;
	const char *text;

	if (o == NULL)
		return;
	text = hides(id, object) ? secret_hidden : masked(em->mem, &v);
	buf_printf(b, "%s%s = %s   # %s", f->scope == SCOPE_GUEST ? "" : "  ",
		   f->name, str_show(em->mem, text, strlen(text), 0),
		   show_origin(em->mem, o));
	for (o = o->because; o != NULL; o = o->because)
		buf_printf(b, ", of %s", show_origin(em->mem, o));
	buf_addc(b, '\n');
}

static void write_scope(struct emission *em, struct buf *b, enum scope scope)
{
	void *const *objects;
	const size_t n = field_objects(em->g, scope, &objects);

	for (size_t i = 0; i < n; i++) {
		const void *o = field_object(em->g, scope, i);
		const char *key = field_object_key(em->mem, scope, o);

		if (scope != SCOPE_GUEST)
			buf_printf(b, "%s %s\n", field_scope_name(scope),
				   str_show(em->mem, key, strlen(key), 0));
		for (enum field_id id = 0; id < FIELD__MAX; id++)
			if (field_get(id)->scope == scope)
				write_field(em, b, id, o);
	}
}

static int begin(struct emission *em, struct err *e)
{
	(void)em;
	(void)e;
	return 0;
}

static int finish(struct emission *em, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	(void)e;
	for (enum scope s = 0; s < SCOPE__MAX; s++)
		write_scope(em, &b, s);
	emit_file_add(em, "model.txt", buf_str(&b), b.n);
	return 0;
}

const struct emitter model_emitter = {
	.name = "model",
	.summary = "every field of the model with its origin, as text",
	.rules = rules,
	.default_version = "1",
	.default_path = "",
	.sets_addresses = true,
	.begin = begin,
	.finish = finish,
};
