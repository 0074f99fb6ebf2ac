/* Setters of the model for passes, the site file and options. */
#include <assert.h>

#include "base/cap.h"
#include "base/num.h"
#include "derive.h"

const struct origin *derive_origin(struct guest *g, enum origin_kind kind,
				   const char *file, unsigned line,
				   const char *key,
				   const struct origin *because)
{
	struct origin *o = arena_alloc(g->mem, sizeof(*o));

	*o = (struct origin){ .kind = kind,
			      .file = file,
			      .line = line,
			      .key = key,
			      .because = because };
	return o;
}

/* The finding announces the item: the whole field of a set or a list. */
static void cover(struct guest *g, enum field_id id, const void *object,
		  struct finding *f)
{
	const struct field *fd = field_get(id);
	const char *key = NULL;

	assert(f != NULL || fd->area == AREA_NONE || g->policy == NULL);
	if (f == NULL)
		return;
	if (fd->scope != SCOPE_GUEST)
		key = field_object_key(g->mem, fd->scope, object);
	finding_covers(g, f, id, key);
}

static bool derive(struct guest *g, enum field_id id, void *object,
		   struct value v, const struct origin *from, struct finding *f)
{
	v.type = field_get(id)->type;
	v.from = from;
	if (!field_set(id, object, &v))
		return false;
	cover(g, id, object, f);
	return true;
}

bool derive_bool(struct guest *g, enum field_id id, void *object, bool v,
		 const struct origin *from, struct finding *f)
{
	return derive(g, id, object, (struct value){ .b = v }, from, f);
}

bool derive_u64(struct guest *g, enum field_id id, void *object, uint64_t v,
		const struct origin *from, struct finding *f)
{
	return derive(g, id, object, (struct value){ .u = v }, from, f);
}

bool derive_i64(struct guest *g, enum field_id id, void *object, int64_t v,
		const struct origin *from, struct finding *f)
{
	return derive(g, id, object, (struct value){ .i = v }, from, f);
}

bool derive_limit(struct guest *g, enum field_id id, void *object, uint64_t v,
		  const struct origin *from, struct finding *f)
{
	return derive(g, id, object, (struct value){ .u = v }, from, f);
}

bool derive_str(struct guest *g, enum field_id id, void *object, const char *v,
		const struct origin *from, struct finding *f)
{
	return derive(g, id, object,
		      (struct value){ .s = arena_strdup(g->mem, v) }, from, f);
}

bool derive_strv(struct guest *g, enum field_id id, void *object,
		 const struct strv *v, const struct origin *from,
		 struct finding *f)
{
	struct strv copy = { 0 };

	for (size_t i = 0; i < v->n; i++)
		strv_add(g->mem, &copy, arena_strdup(g->mem, v->v[i]));
	return derive(g, id, object, (struct value){ .l = &copy }, from, f);
}

bool derive_caps(struct guest *g, enum field_id id, void *object, uint64_t v,
		 const struct origin *from, struct finding *f)
{
	return derive(g, id, object, (struct value){ .u = v }, from, f);
}

static int text_bool(const char *text, struct value *ret, struct err *e)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < COUNT(yes); i++) {
		if (str_caseeq(text, yes[i])) {
			ret->b = true;
			return 0;
		}
		if (str_caseeq(text, no[i])) {
			ret->b = false;
			return 0;
		}
	}
	return err_set(e, 0, "\"%s\" is neither yes nor no", text);
}

static int text_number(const struct field *fd, const char *text, uint64_t *ret,
		       struct err *e)
{
	if (fd->unit == UNIT_BYTES)
		return num_size(text, ret, e);
	return num_u64(text, ret, e);
}

static int text_caps(struct arena *mem, const char *text, uint64_t *ret,
		     struct err *e)
{
	const struct strv words = strv_split(mem, text, " ,\t");
	uint64_t set = 0;

	for (size_t i = 0; i < words.n; i++) {
		const int bit = cap_find(words.v[i]);

		if (str_caseeq(words.v[i], "none"))
			continue;
		if (bit < 0)
			return err_set(e, 0, "\"%s\" is no capability",
				       words.v[i]);
		set |= CAP_BIT(bit);
	}
	*ret = set;
	return 0;
}

/* Text by the field's type; lists are split at blanks. */
static int text_value(struct arena *mem, const struct field *fd,
		      const char *text, struct value *ret, struct err *e)
{
	struct strv *l;

	switch (fd->type) {
	case VALUE_BOOL:
		return text_bool(text, ret, e);
	case VALUE_U64:
		return text_number(fd, text, &ret->u, e);
	case VALUE_I64:
		return num_i64(text, &ret->i, e);
	case VALUE_LIMIT:
		ret->b = str_eq(text, "unlimited");
		return ret->b ? 0 : text_number(fd, text, &ret->u, e);
	case VALUE_STR:
		ret->s = arena_strdup(mem, text);
		return 0;
	case VALUE_STRV:
		l = arena_alloc(mem, sizeof(*l));
		*l = strv_split(mem, text, " \t");
		ret->l = l;
		return 0;
	case VALUE_CAPS:
		return text_caps(mem, text, &ret->u, e);
	}
	return 0;
}

int derive_text(struct guest *g, enum field_id id, void *object,
		const char *text, const struct origin *from, struct finding *f,
		struct err *e)
{
	struct value v = { 0 };

	if (text_value(g->mem, field_get(id), text, &v, e) < 0)
		return err_wrap(e, "%s", field_get(id)->name);
	derive(g, id, object, v, from, f);
	return 0;
}

void derive_default(struct guest *g, enum field_id id, void *object,
		    const char *text, const char *ref)
{
	const struct value old = field_value(id, object);
	struct value v = { .type = field_get(id)->type };
	struct origin *from;
	struct err e;
	bool bad;

	if (old.from != NULL)
		return;
	bad = text_value(g->mem, field_get(id), text, &v, &e) < 0;
	assert(!bad); /* defaults are rows of ours; a test takes each */
	(void)bad;
	from = arena_alloc(g->mem, sizeof(*from));
	*from = (struct origin){ .kind = ORIGIN_DEFAULT,
				 .file = g->source != NULL ? g->source : "",
				 .key = "default",
				 .text = ref };
	v.from = from;
	field_set(id, object, &v);
}

void derive_clear(enum field_id id, void *object)
{
	field_clear(id, object);
}
