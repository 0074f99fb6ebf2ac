/*
 * The driver of every emitter: walks the fields, takes the row, keeps what
 * became of each value, adds the findings, compares what was written with what
 * the guest had. Authors of emitters cannot lose anything silently.
 */
#include <stdarg.h>

#include "base/attr.h"
#include "base/str.h"
#include "emit/emit.h"

#define EMITTER(name) extern const struct emitter name##_emitter;
#include "emitters.def"
#undef EMITTER

#define EMITTER(name) &name##_emitter,
static const struct emitter *const emitters[] = {
#include "emitters.def"
};
#undef EMITTER

const struct emitter *const *emit_all(size_t *ret_n)
{
	*ret_n = COUNT(emitters);
	return emitters;
}

const struct emitter *emit_find(const char *name)
{
	for (size_t i = 0; i < COUNT(emitters); i++)
		if (str_eq(emitters[i]->name, name))
			return emitters[i];
	return NULL;
}

void emit_bin(struct emission *em, enum bin bin, const char *note_fmt, ...)
{
	va_list ap;

	va_start(ap, note_fmt);
	em->cur->bin = bin;
	em->cur->note = arena_vprintf(em->mem, note_fmt, ap);
	va_end(ap);
}

static const char *object_key(struct emission *em, enum field_id field,
			      const void *object)
{
	const enum scope scope = field_get(field)->scope;

	if (scope == SCOPE_GUEST)
		return NULL;
	return field_object_key(em->g->mem, scope, object);
}

static bool covers(const struct finding *f, enum field_id field,
		   const char *key)
{
	for (size_t i = 0; i < f->covers.n; i++)
		if (f->covers.v[i].field == field &&
		    str_eq(f->covers.v[i].key, key))
			return true;
	return false;
}

/* What an importer or the plan said of this very item, for every target. */
static struct finding *said_for_all(struct emission *em, enum finding_id id,
				    enum field_id field, const char *key)
{
	for (size_t i = 0; i < em->g->findings.n; i++) {
		struct finding *f = em->g->findings.v[i];

		if (f->id == id && f->target == NULL && covers(f, field, key))
			return f;
	}
	return NULL;
}

struct finding *emit_find_at(struct emission *em, enum finding_id id,
			     enum field_id field, const void *object,
			     const char *fmt, ...)
{
	const struct value v = field_value(field, object);
	const char *key = object_key(em, field, object);
	struct finding *f = said_for_all(em, id, field, key);
	va_list ap;
	char *text;

	if (f != NULL)
		return f;
	va_start(ap, fmt);
	text = arena_vprintf(em->g->mem, fmt, ap);
	va_end(ap);
	f = finding_add(em->g, id, em->emitter->name, v.from, "%s", text);
	finding_covers(em->g, f, field, key);
	return f;
}

/* What an engine adds has the emitter itself as its origin. */
static const struct origin *engine_origin(struct emission *em)
{
	struct origin *o = arena_alloc(em->g->mem, sizeof(*o));

	*o = (struct origin){ .kind = ORIGIN_DERIVED,
			      .file = em->g->source,
			      .key = em->emitter->name };
	return o;
}

struct finding *emit_engine(struct emission *em, enum finding_id id,
			    enum field_id field, const char *key,
			    const char *fmt, ...)
{
	struct finding *f;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(em->g->mem, fmt, ap);
	va_end(ap);
	f = finding_add(em->g, id, em->emitter->name, engine_origin(em), "%s",
			text);
	finding_covers(em->g, f, field, key);
	return f;
}

void emit_file_add(struct emission *em, const char *path, const char *text,
		   size_t n)
{
	*vec_add(em->mem, &em->files) = (struct emit_file){
		.path = arena_strdup(em->mem, path),
		.text = arena_memdup(em->mem, text, n + 1),
		.n = n,
	};
}

static enum bin bin_of(enum fidelity fidelity)
{
	switch (fidelity) {
	case FID_EXACT:
		return BIN_CARRIED;
	case FID_APPROX:
		return BIN_APPROXIMATED;
	case FID_LOST:
	case FID_UNDECIDED:
		return BIN_DROPPED;
	case FID_HOSTSIDE:
		return BIN_HOSTSIDE;
	case FID_INERT:
		return BIN_INERT;
	}
	return BIN_DROPPED;
}

const char *emit_show(struct arena *mem, const char *text)
{
	const size_t n = strlen(text);
	const char *shown = str_show(mem, text, n, 80);

	if (n != 0 && strchr(" \t\n", text[0]) == NULL &&
	    strchr(" \t\n", text[n - 1]) == NULL)
		return shown;
	return arena_printf(mem, "\"%s\"", shown);
}

/* The finding of a value that did not come out as it was. */
static void find_rule(struct emission *em, const struct emit_rule *rule,
		      enum field_id id, const void *object)
{
	const struct value v = field_value(id, object);
	const char *what = rule->note;
	char *text;

	if (rule->finding == FIND__MAX)
		return;
	if (em->cur->note != NULL)
		what = em->cur->note;
	text = value_show(em->g->mem, &v);
	emit_find_at(em, rule->finding, id, object, "%s %s: %s",
		     field_get(id)->name, emit_show(em->g->mem, text), what);
}

/*
 * A default of the old tools that no setting asked for and no policy shows (its
 * own stop command, say) is nothing that anybody loses.
 */
static bool is_bookkeeping(enum field_id id, const struct emit_rule *rule,
			   const struct value *v)
{
	return v->from->kind == ORIGIN_DEFAULT &&
	       field_get(id)->area == AREA_NONE && rule->fidelity != FID_EXACT;
}

static void emit_value(struct emission *em, enum field_id id,
		       const void *object)
{
	const struct emit_rule *rule = &em->emitter->rules[id];
	const struct value v = field_value(id, object);
	enum bin expected = bin_of(rule->fidelity);

	if (v.from == NULL || is_bookkeeping(id, rule, &v))
		return;
	em->cur = vec_add(em->mem, &em->outcomes);
	*em->cur = (struct emit_outcome){ .field = id,
					  .object = object,
					  .bin = expected };
	if (expected != BIN_CARRIED)
		em->cur->note = rule->note;
	if (rule->put != NULL)
		rule->put(em, id, object, &v);
	if (em->cur->bin == expected && expected != BIN_CARRIED)
		find_rule(em, rule, id, object);
}

static void emit_scope(struct emission *em, enum scope scope)
{
	void *const *objects;
	const size_t n = field_objects(em->g, scope, &objects);

	for (size_t i = 0; i < n; i++)
		for (enum field_id id = 0; id < FIELD__MAX; id++)
			if (field_get(id)->scope == scope)
				emit_value(em, id,
					   field_object(em->g, scope, i));
}

static bool announced(const struct guest *g, const char *target,
		      const struct policy_diff *d)
{
	for (size_t i = 0; i < g->findings.n; i++)
		if (finding_announces(g->findings.v[i], target, d->field,
				      d->key))
			return true;
	return false;
}

/* Promise 2: a difference without a finding is our fault, and said so. */
static void compare(struct emission *em)
{
	struct policy_diffs diffs = { 0 };
	struct finding *f;

	policy_compare(em->g->policy, em->policy, em->mem, &diffs);
	for (size_t i = 0; i < diffs.list.n; i++) {
		const struct policy_diff *d = &diffs.list.v[i];

		if (announced(em->g, em->emitter->name, d))
			continue;
		f = emit_engine(em, FIND_SYN_UNANNOUNCED, d->field, d->key,
				"%s %s: was %s, written as %s (%s)",
				field_get(d->field)->name, d->key,
				d->expected ? d->expected : "absent",
				d->observed ? d->observed : "absent",
				policy_relation_name(d->relation));
		(void)f;
	}
}

int emit_run(const struct emitter *emitter, struct guest *g,
	     const struct emit_options *o, struct arena *mem,
	     struct emission **ret, struct err *e)
{
	struct emission *em = arena_alloc(mem, sizeof(*em));
	struct policy *policy = NULL;

	*em = (struct emission){
		.g = g, .emitter = emitter, .options = o, .mem = mem
	};
	em->name = emitter->legal_name == NULL ?
			   g->name :
			   emitter->legal_name(mem, g->name);
	if (emitter->begin(em, e) < 0)
		return err_wrap(e, "write for %s", emitter->name);
	for (enum scope s = 0; s < SCOPE__MAX; s++)
		emit_scope(em, s);
	em->cur = NULL;
	if (emitter->finish(em, e) < 0)
		return err_wrap(e, "write for %s", emitter->name);
	if (emitter->read_back != NULL) {
		if (emitter->read_back(em, &policy, e) < 0)
			return err_wrap(e, "read back %s", emitter->name);
		em->policy = policy;
		if (g->policy != NULL)
			compare(em);
	}
	*ret = em;
	return 0;
}

static const struct emit_outcome *outcome_of(const struct emission *em,
					     const struct setting_part *p)
{
	for (size_t i = 0; i < em->outcomes.n; i++)
		if (em->outcomes.v[i].field == p->field &&
		    em->outcomes.v[i].object == p->object)
			return &em->outcomes.v[i];
	return NULL;
}

/* How bad a bin is for the one setting that several parts make. */
static int badness(enum bin b)
{
	static const int order[BIN__MAX] = {
		[BIN_INERT] = 0,      [BIN_CARRIED] = 1,
		[BIN_OVERRIDDEN] = 2, [BIN_APPROXIMATED] = 3,
		[BIN_HOSTSIDE] = 4,   [BIN_DROPPED] = 5,
		[BIN_INVALID] = 6,    [BIN_UNKNOWN] = 7,
		[BIN_UNREADABLE] = 8,
	};

	return order[b];
}

/* What won over a value, for the note: "/etc/x:3 KEY" or "--set". */
static const char *winner(const struct emission *em,
			  const struct setting_part *p)
{
	const struct value v = field_value(p->field, p->object);

	if (v.from == NULL)
		return "taken away by the plan";
	if (v.from->line != 0)
		return arena_printf(em->mem, "%s:%u %s won", v.from->file,
				    v.from->line, v.from->key);
	return arena_printf(em->mem, "%s %s won",
			    v.from->file == NULL ? "" : v.from->file,
			    v.from->key);
}

/* Whether the plan derived another value from the setting's. */
static bool changed(const struct setting *s, const struct setting_part *p)
{
	const struct value v = field_value(p->field, p->object);

	return !p->together && v.from != &s->from;
}

enum bin emit_setting_bin(const struct emission *em, const struct setting *s,
			  const char **ret_note)
{
	enum bin worst = BIN_INERT;
	bool any = false;

	*ret_note = s->note;
	if (s->decided)
		return s->bin;
	for (size_t i = 0; i < s->parts.n; i++) {
		const struct emit_outcome *o = outcome_of(em, &s->parts.v[i]);
		enum bin bin = o == NULL ? BIN_DROPPED : o->bin;
		const char *note = o == NULL ? NULL : o->note;

		if (!setting_survives(s, i)) {
			bin = BIN_OVERRIDDEN;
			note = winner(em, &s->parts.v[i]);
		} else if (bin == BIN_CARRIED && changed(s, &s->parts.v[i])) {
			bin = BIN_APPROXIMATED;
			note = "changed by the plan";
		}
		if (any && badness(bin) <= badness(worst))
			continue;
		any = true;
		worst = bin;
		if (note != NULL)
			*ret_note = note;
	}
	if (s->approx && worst == BIN_CARRIED) {
		*ret_note = s->note;
		return BIN_APPROXIMATED;
	}
	return worst;
}
