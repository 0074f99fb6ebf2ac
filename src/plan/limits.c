/*
 * Limits against the new host: head-room, and whether the named host would
 * take note of them at all (design 1.3).
 */
#include <inttypes.h>

#include "base/num.h"
#include "base/str.h"
#include "derive.h"
#include "plan/plan.h"

static bool has_limits(const struct guest *g)
{
	return g->mem_max.from != NULL || g->pids_max.from != NULL ||
	       g->cpu_quota.from != NULL || g->cpu_weight.from != NULL ||
	       g->swap_max.from != NULL || g->cpu_set.from != NULL;
}

/* "memory-headroom" of the site file: percent added to a limit of memory. */
static void headroom(struct plan *p)
{
	struct guest *g = p->g;
	const char *text = site_choice(p->site, "memory-headroom");
	const struct opt_limit old = g->mem_max;
	uint64_t percent, more;
	struct finding *f;
	struct origin *from;
	struct err e;

	if (old.from == NULL || old.none || old.from->kind > ORIGIN_TEXT)
		return;
	text = slice_dup(g->mem, (struct slice){ text, strcspn(text, "%") });
	if (num_u64(text, &percent, &e) < 0 || percent == 0 ||
	    !num_mul(old.v, percent, &more))
		return;
	from = arena_alloc(g->mem, sizeof(*from));
	*from = (struct origin){ .kind = ORIGIN_SITE,
				 .file = p->site->file,
				 .line = site_choice_line(p->site,
							  "memory-headroom"),
				 .key = "memory-headroom",
				 .text = text,
				 .because = old.from };
	f = finding_add(g, FIND_LIM_MEMORY_RSS, NULL, from,
			"limit of memory %" PRIu64 " raised by %" PRIu64
			" percent to %" PRIu64,
			old.v, percent, old.v + more / 100);
	derive_limit(g, FIELD_MEM_MAX, g, old.v + more / 100, from, f);
}

int plan_limits(struct plan *p, struct err *e)
{
	const struct emit_options *t = &p->target;

	(void)e;
	headroom(p);
	if (has_limits(p->g) && (t->cgroup & CGROUP_V2) == 0 &&
	    t->version != NULL && str_starts(t->version, "7"))
		finding_add(p->g, FIND_LIM_CGROUP_IGNORED, NULL,
			    plan_origin(p, "limits", NULL),
			    "LXC %s knows cgroup v2 only, the site file says "
			    "v1: no limit would hold",
			    t->version);
	return 0;
}
