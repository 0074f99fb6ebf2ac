/*
 * The operator's own values: `guest` blocks of the site file, then --set. Each
 * replaced value is told by a finding that names both and covers the item.
 */
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "derive.h"
#include "plan/options.h"

enum { SHOWN = 120 }; /* bytes of a value in a message */

/* One FIELD=VALUE and where it stands. */
struct decision {
	enum origin_kind kind;
	const char *file; /* the site file, or "--set" */
	unsigned line;
	const char *text; /* as given */
	struct site_set set;
};

bool plan_options_fits(const struct guest *g, const char *pattern)
{
	return site_fits(pattern, g->key) || str_glob(pattern, g->id) ||
	       (g->name != NULL && str_glob(pattern, g->name));
}

/*
 * Where FIELD begins in [GUEST:]FIELD=VALUE. GUEST may hold colons, and so may
 * an item (addr.2001:db8::5.prefix): the first colon behind which a field
 * stands.
 */
static const char *find_setting(const char *text)
{
	const char *end = strchr(text, '=');
	const char *at = text;

	if (end == NULL || site_set_is_field(text, (size_t)(end - text)))
		return text;
	while ((at = memchr(at, ':', (size_t)(end - at))) != NULL) {
		at++;
		if (site_set_is_field(at, (size_t)(end - at)))
			return at;
	}
	return text;
}

/* A variable of the environment may hold a password. */
static bool is_secret(enum field_id id)
{
	return id == FIELD_ENV_VALUE;
}

static const char *origin_text(const struct decision *d)
{
	return is_secret(d->set.field) ? NULL : d->text;
}

static const struct origin *origin_of(struct guest *g, const struct decision *d,
				      const struct origin *because)
{
	struct origin *o = arena_alloc(g->mem, sizeof(*o));

	*o = (struct origin){ .kind = d->kind,
			      .file = d->file,
			      .line = d->line,
			      .key = field_get(d->set.field)->name,
			      .text = origin_text(d),
			      .because = because };
	return o;
}

static const char *show(struct guest *g, enum field_id id, const char *text)
{
	if (is_secret(id))
		return "(not shown)";
	return str_show(g->mem, text, strlen(text), SHOWN);
}

static struct finding *tell(struct guest *g, const struct decision *d,
			    const struct value *old, const struct origin *from)
{
	const enum field_id id = d->set.field;
	const char *item = d->set.item == NULL ?
				   "" :
				   arena_printf(g->mem, " of %s", d->set.item);

	if (old->from == NULL)
		return finding_add(
			g, FIND_SRC_OVERRIDDEN, NULL, from,
			"%s%s: \"%s\", where the source says nothing",
			field_get(id)->name, item, show(g, id, d->set.value));
	return finding_add(g, FIND_SRC_OVERRIDDEN, NULL, from,
			   "%s%s: \"%s\" in place of \"%s\"",
			   field_get(id)->name, item, show(g, id, d->set.value),
			   show(g, id, value_show(g->mem, old)));
}

/* Under another key every field of the item is another item of the policy. */
static void cover_rename(struct guest *g, struct finding *f, enum scope s,
			 const char *old_key, const char *new_key)
{
	for (unsigned id = 0; id < FIELD__MAX; id++) {
		if (field_get(id)->scope != s)
			continue;
		finding_covers(g, f, id, old_key);
		finding_covers(g, f, id, new_key);
	}
}

/* Whether the very same decision made the value, in an earlier run. */
static bool is_done(const struct decision *d, const struct origin *from)
{
	return from != NULL && from->kind == d->kind && from->line == d->line &&
	       str_eq(from->file, d->file) &&
	       str_eq(from->text, origin_text(d));
}

static int apply(struct guest *g, const struct decision *d, void *object,
		 struct err *e)
{
	const enum field_id id = d->set.field;
	const struct field *fd = field_get(id);
	const struct value old = field_value(id, object);
	const char *key = field_object_key(g->mem, fd->scope, object);
	const struct origin *from = origin_of(g, d, old.from);
	struct finding *f;

	if (is_done(d, old.from) ||
	    (old.from != NULL && old.from->kind > d->kind))
		return 0;
	f = tell(g, d, &old, from);
	if (derive_text(g, id, object, d->set.value, from, f, e) < 0)
		return -1;
	if (fd->scope != SCOPE_GUEST && field_key(fd->scope) == id)
		cover_rename(g, f, fd->scope, key,
			     field_object_key(g->mem, fd->scope, object));
	return 0;
}

/*
 * The item that "+" adds to its list, named by the field that names such items;
 * the one that an earlier run has added. NULL: it cannot be added.
 */
static void *added_object(struct guest *g, const struct decision *d)
{
	const enum scope scope = field_get(d->set.field)->scope;
	void *const *objects;
	const size_t n = field_objects(g, scope, &objects);

	if (field_key(scope) != d->set.field)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (is_done(d, field_value(d->set.field, objects[i]).from))
			return objects[i];
	return field_object_add(g, scope);
}

/* The object that a decision is about; NULL: the list has no such item. */
static void *find_object(struct guest *g, const struct decision *d)
{
	const struct site_set *s = &d->set;
	const enum scope scope = field_get(s->field)->scope;
	void *const *objects;
	size_t n = field_objects(g, scope, &objects);
	uint64_t place;
	struct err e;

	if (scope == SCOPE_GUEST)
		return g;
	if (str_eq(s->item, "+"))
		return added_object(g, d);
	if (num_u64(s->item, &place, &e) == 0)
		return place < n ? objects[place] : NULL;
	for (size_t i = 0; i < n; i++)
		if (str_eq(field_object_key(g->mem, scope, objects[i]),
			   s->item))
			return objects[i];
	return NULL;
}

/* The line or the option in front of what is wrong, without the value. */
static int wrap(const struct decision *d, struct err *e)
{
	if (d->kind == ORIGIN_OPTION)
		return err_wrap(e, "--set %.*s", (int)strcspn(d->text, "="),
				d->text);
	return err_wrap(e, "%s:%u: set", d->file, d->line);
}

/* "ip" of addr.ip, which names an address. */
static const char *key_word(enum scope s)
{
	return strchr(field_get(field_key(s))->name, '.') + 1;
}

static int decide(struct guest *g, struct decision *d, const char *setting,
		  bool last, struct err *e)
{
	void *object;

	if (site_set_parse(setting, g->mem, &d->set, e) < 0)
		return wrap(d, e);
	object = find_object(g, d);
	if (object != NULL)
		return apply(g, d, object, e) < 0 ? wrap(d, e) : 0;
	if (last && str_eq(d->set.item, "+"))
		finding_add(g, FIND_HST_UNUSED_WORD, NULL,
			    origin_of(g, d, NULL),
			    "%s: an item is added by the field that names it, "
			    "%s.+.%s",
			    field_get(d->set.field)->name,
			    field_scope_name(field_get(d->set.field)->scope),
			    key_word(field_get(d->set.field)->scope));
	else if (last)
		finding_add(g, FIND_HST_UNUSED_WORD, NULL,
			    origin_of(g, d, NULL), "%s: the guest has no %s %s",
			    field_get(d->set.field)->name,
			    field_scope_name(field_get(d->set.field)->scope),
			    show(g, FIELD__MAX, d->set.item));
	return 0;
}

static void rename_guest(struct plan *p, const struct site_guest *s)
{
	struct guest *g = p->g;
	struct origin *from;

	if (s->name == NULL || str_eq(g->name, s->name))
		return;
	from = arena_alloc(g->mem, sizeof(*from));
	*from = (struct origin){ .kind = ORIGIN_SITE,
				 .file = p->site->file,
				 .line = s->line,
				 .key = "name",
				 .text = s->name,
				 .because = g->config_name.from };
	finding_add(g, FIND_SRC_OVERRIDDEN, NULL, from,
		    "the guest is called \"%s\" in place of \"%s\"", s->name,
		    g->name == NULL ? "" : show(g, FIELD__MAX, g->name));
	g->name = arena_strdup(g->mem, s->name);
}

/* In the order of lines: a later block wins. */
static int apply_site(struct plan *p, bool last, struct err *e)
{
	const struct site *s = p->site;
	const struct site_guest *named = NULL;

	for (size_t i = 0; i < s->guests.n; i++) {
		const struct site_guest *block = s->guests.v[i];

		if (!site_fits(block->pattern, p->g->key))
			continue;
		if (block->name != NULL)
			named = block;
		for (size_t j = 0; j < block->set.n; j++) {
			struct decision d = { .kind = ORIGIN_SITE,
					      .file = s->file,
					      .line = block->set_line,
					      .text = block->set.v[j] };

			if (decide(p->g, &d, d.text, last, e) < 0)
				return -1;
		}
	}
	if (named != NULL)
		rename_guest(p, named);
	return 0;
}

static int apply_options(struct plan *p, bool last, struct err *e)
{
	for (size_t i = 0; i < p->options->n_set; i++) {
		struct decision d = { .kind = ORIGIN_OPTION,
				      .file = "--set",
				      .text = p->options->set[i] };
		const char *setting = find_setting(d.text);
		const char *guest;

		if (setting > d.text) {
			guest = arena_strndup(p->g->mem, d.text,
					      (size_t)(setting - 1 - d.text));
			if (!plan_options_fits(p->g, guest))
				continue;
		}
		if (decide(p->g, &d, setting, last, e) < 0)
			return -1;
	}
	return 0;
}

static int apply_all(struct plan *p, bool last, struct err *e)
{
	if (apply_site(p, last, e) < 0)
		return -1;
	return p->options == NULL ? 0 : apply_options(p, last, e);
}

int plan_options_pass(struct plan *p, struct err *e)
{
	return apply_all(p, false, e);
}

int plan_options_last(struct plan *p, struct err *e)
{
	return apply_all(p, true, e);
}

int plan_options_check(const struct plan_options *o, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct plan_accept_option accept;
	struct site_set set;

	for (size_t i = 0; i < o->n_set; i++)
		if (site_set_parse(find_setting(o->set[i]), mem, &set, e) < 0)
			return err_wrap(e, "--set %.*s",
					(int)strcspn(o->set[i], "="),
					o->set[i]);
	for (size_t i = 0; i < o->n_accept; i++)
		if (plan_accept_parse(o->accept[i], mem, &accept, e) < 0)
			return -1;
	return 0;
}
