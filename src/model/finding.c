/* The catalogue of findings and a guest's list of them. */
#include <stdarg.h>

#include "base/str.h"
#include "model/finding.h"
#include "model/guest.h"

#define FINDING(id_, code_, sev_, iso_, act_, waive_, text_, advice_)          \
	[FIND_##id_] = {                                                       \
		.code = (code_),                                               \
		.severity = SEV_##sev_,                                        \
		.isolation = ISO_##iso_,                                       \
		.action = ACT_##act_,                                          \
		.waive = waive_,                                               \
		.text = (text_),                                               \
		.advice = (advice_),                                           \
	},
static const struct finding_row rows[FIND__MAX] = {
#include "model/findings.def"
};
#undef FINDING

const struct finding_row *finding_row(enum finding_id id)
{
	return &rows[id];
}

enum finding_id finding_find(const char *code)
{
	for (unsigned i = 0; i < FIND__MAX; i++)
		if (str_caseeq(rows[i].code, code))
			return i;
	return FIND__MAX;
}

static struct finding *find_same(struct guest *g, const struct finding *f)
{
	for (size_t i = 0; i < g->findings.n; i++) {
		struct finding *old = g->findings.v[i];

		if (old->id == f->id && str_eq(old->target, f->target) &&
		    str_eq(old->from->file, f->from->file) &&
		    old->from->line == f->from->line &&
		    str_eq(old->message, f->message))
			return old;
	}
	return NULL;
}

struct finding *finding_add(struct guest *g, enum finding_id id,
			    const char *target, const struct origin *from,
			    const char *fmt, ...)
{
	struct finding f = { .id = id, .target = target, .from = from };
	struct finding *old;
	va_list ap;

	va_start(ap, fmt);
	f.message = arena_vprintf(g->mem, fmt, ap);
	va_end(ap);
	old = find_same(g, &f);
	if (old != NULL)
		return old;
	old = pvec_add(g->mem, &g->findings);
	*old = f;
	return old;
}

void finding_covers(struct guest *g, struct finding *f, enum field_id field,
		    const char *key)
{
	for (size_t i = 0; i < f->covers.n; i++)
		if (f->covers.v[i].field == field &&
		    str_eq(f->covers.v[i].key, key))
			return;
	*vec_add(g->mem, &f->covers) = (struct finding_cover){
		.field = field,
		.key = key == NULL ? NULL : arena_strdup(g->mem, key),
	};
}

bool finding_announces(const struct finding *f, const char *target,
		       enum field_id field, const char *key)
{
	if (f->target != NULL && target != NULL && !str_eq(f->target, target))
		return false;
	for (size_t i = 0; i < f->covers.n; i++)
		if (f->covers.v[i].field == field &&
		    (f->covers.v[i].key == NULL ||
		     str_eq(f->covers.v[i].key, key)))
			return true;
	return false;
}

const char *finding_severity_name(enum severity s)
{
	static const char *const names[] = { "note", "change", "loss",
					     "blocker" };

	return names[s];
}

const char *finding_isolation_name(enum isolation i)
{
	static const char *const names[] = { "same", "stricter", "weaker" };

	return names[i];
}

const char *finding_action_name(enum action a)
{
	static const char *const names[] = { "none", "site", "host", "guest",
					     "application" };

	return names[a];
}
