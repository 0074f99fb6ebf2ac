/*
 * sched/NAME/: the token bucket of one processor, named by cpu-id. A quota is
 * for all processors together, so none of it is carried; one finding a
 * directory says what it was. Source: vserver.md 2.11; util-vserver
 * src/vsched.c.
 */
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "facts.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

struct percpu {
	const char *name; /* of its directory */
	VEC(struct setting *) all;
};

struct vserver_percpus {
	PVEC(struct percpu) list;
};

struct vserver_percpus *vserver_percpu_new(struct reading *r)
{
	return arena_alloc(r->g->mem, sizeof(struct vserver_percpus));
}

void vserver_percpu_keep(struct reading *r, struct vserver_percpus *l)
{
	const char *name = vserver_of(r)->star;
	struct percpu *c = NULL;

	for (size_t i = 0; i < l->list.n; i++)
		if (str_eq(l->list.v[i]->name, name))
			c = l->list.v[i];
	if (c == NULL) {
		c = pvec_add(r->g->mem, &l->list);
		c->name = arena_strdup(r->g->mem, name);
	}
	*vec_add(r->g->mem, &c->all) = r->cur;
}

/* The setting of the file of that name; NULL: there is none. */
static struct setting *part(const struct percpu *c, const char *name)
{
	for (size_t i = 0; i < c->all.n; i++)
		if (str_eq(strrchr(c->all.v[i]->from.key, '/') + 1, name))
			return c->all.v[i];
	return NULL;
}

/* "2 of 4 ticks, 50.0 %", or "" where it says nothing of the rate. */
static const char *rate(struct reading *r, const struct percpu *c,
			const struct vserver_rate *all)
{
	const struct setting *fill = part(c, "fill-rate");
	const struct setting *interval = part(c, "interval");
	int64_t f = all->fill, i = all->interval;
	struct err e;

	if (fill == NULL && interval == NULL)
		return "";
	if ((fill != NULL && num_i64(fill->from.text, &f, &e) < 0) ||
	    (interval != NULL && num_i64(interval->from.text, &i, &e) < 0) ||
	    f < 1 || i < 1)
		return " (no legal rate)";
	return arena_printf(r->g->mem,
			    " had %" PRId64 " of %" PRId64 " ticks, %.1f %%,",
			    f, i, 100.0 * (double)f / (double)i);
}

/* Which processor; a cpu-id that is none is ended. */
static const char *processor(struct reading *r, const struct percpu *c)
{
	const struct facts *facts = r->source->host->facts;
	struct setting *s = part(c, "cpu-id");
	uint64_t id;
	struct err e;

	if (s == NULL)
		return "a processor that is not named";
	reading_resume(r, s);
	if (num_u64(vserver_meant(r, s->from.text), &id, &e) < 0) {
		vserver_limits_invalid(r, e.msg);
		return "a processor that is not named";
	}
	if (facts != NULL && facts->cpus > 0 && id >= facts->cpus)
		return arena_printf(r->g->mem,
				    "processor %" PRIu64 ", which the old host "
				    "did not have (%u),",
				    id, facts->cpus);
	return arena_printf(r->g->mem, "processor %" PRIu64, id);
}

static void settle_one(struct reading *r, const struct percpu *c,
		       const struct vserver_rate *all)
{
	const char *which = processor(r, c);
	const char *note = arena_printf(
		r->g->mem, "%s%s %s", which, rate(r, c, all),
		all->enforced ? "by itself: not carried, one quota holds for "
				"all" :
				"by itself: without sched_hard or sched_prio "
				"of no effect");
	bool found = false;

	for (size_t i = 0; i < c->all.n; i++) {
		if (c->all.v[i]->decided)
			continue;
		reading_resume(r, c->all.v[i]);
		reading_decide(r, all->enforced ? BIN_DROPPED : BIN_INERT, "%s",
			       note);
		if (!found)
			reading_find(r,
				     all->enforced ? FIND_LIM_CPU_PERCPU :
						     FIND_LIM_CPU_INERT,
				     "sched/%s: %s", vserver_shown(r, c->name),
				     note);
		found = true;
	}
}

void vserver_percpu_settle(struct reading *r, const struct vserver_percpus *l,
			   const struct vserver_rate *all)
{
	for (size_t i = 0; i < l->list.n; i++)
		settle_one(r, l->list.v[i], all);
}
