/*
 * Findings that the operator has accepted, each with a reason: --accept
 * CODE[@GUEST]=REASON, and accept blocks of the site file. Nothing else about
 * a finding changes.
 */
#include <string.h>

#include "plan/options.h"

static int find_code(const char *code, enum finding_id *ret, struct err *e)
{
	const enum finding_id id = finding_find(code);

	if (id == FIND__MAX)
		return err_set(e, 0, "\"%s\" is no code of a finding", code);
	if (finding_row(id)->waive == WAIVE_NO)
		return err_set(e, 0, "%s cannot be waived: %s",
			       finding_row(id)->code, finding_row(id)->text);
	*ret = id;
	return 0;
}

static int parse(const char *text, struct arena *mem,
		 struct plan_accept_option *ret, struct err *e)
{
	struct plan_accept_option o = { 0 };
	const char *equals = strchr(text, '=');
	const char *code, *at;

	if (equals == NULL || equals[1] == '\0')
		return err_set(e, 0, "a reason is needed: CODE[@GUEST]=REASON");
	at = memchr(text, '@', (size_t)(equals - text));
	if (at != NULL)
		o.guest = arena_strndup(mem, at + 1, (size_t)(equals - at - 1));
	if (at == NULL)
		at = equals;
	code = arena_strndup(mem, text, (size_t)(at - text));
	o.reason = arena_strdup(mem, equals + 1);
	if (find_code(code, &o.id, e) < 0)
		return -1;
	*ret = o;
	return 0;
}

int plan_accept_parse(const char *text, struct arena *mem,
		      struct plan_accept_option *ret, struct err *e)
{
	if (parse(text, mem, ret, e) < 0)
		return err_wrap(e, "--accept %s", text);
	return 0;
}

/* The site file first: an option on the command line wins. */
static void mark(struct guest *g, enum finding_id id, const char *target,
		 const char *reason, const char *by)
{
	for (size_t i = 0; i < g->findings.n; i++) {
		struct finding *f = g->findings.v[i];

		if (f->id != id ||
		    (target != NULL && !str_eq(f->target, target)))
			continue;
		f->accepted = arena_strdup(g->mem, reason);
		f->accepted_by = by;
	}
}

static bool concerns(const struct site_accept *a, const struct guest *g)
{
	for (size_t i = 0; i < a->guests.n; i++)
		if (site_fits(a->guests.v[i], g->key))
			return true;
	return a->guests.n == 0;
}

static int accept_site(struct plan *p, const struct site_accept *a,
		       struct err *e)
{
	struct guest *g = p->g;
	enum finding_id id;

	if (find_code(a->code, &id, e) < 0)
		return err_wrap(e, "%s:%u: accept", p->site->file, a->line);
	if (concerns(a, g))
		mark(g, id, a->target, a->reason,
		     a->by != NULL ? arena_strdup(g->mem, a->by) :
				     arena_printf(g->mem, "%s:%u",
						  p->site->file, a->line));
	return 0;
}

int plan_accept(struct plan *p, struct err *e)
{
	const struct plan_options *o = p->options;

	for (size_t i = 0; i < p->site->accepts.n; i++)
		if (accept_site(p, p->site->accepts.v[i], e) < 0)
			return -1;
	for (size_t i = 0; o != NULL && i < o->n_accept; i++) {
		struct plan_accept_option a;

		if (plan_accept_parse(o->accept[i], p->g->mem, &a, e) < 0)
			return -1;
		if (a.guest == NULL || plan_options_fits(p->g, a.guest))
			mark(p->g, a.id, NULL, a.reason, "--accept");
	}
	return 0;
}
