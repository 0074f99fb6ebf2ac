/*
 * Whether the guest's ids are mapped, and to which range. The old kernels
 * confined root themselves; mainline does that with a user namespace. Mapped
 * by default: OpenVZ, virtual machines, and guests that keep a capability
 * which their other namespaces do not confine (design 1.1).
 */
#include <inttypes.h>

#include "base/cap.h"
#include "base/str.h"
#include "derive.h"
#include "plan/fleet.h"
#include "plan/plan.h"

static bool is_asked(const struct guest *g, const char *how)
{
	return g->ns_user.from != NULL && g->ns_user.from->kind > ORIGIN_TEXT &&
	       str_eq(g->ns_user.v, how);
}

/* Why ids are mapped, NULL when they are not. */
static const char *reason(struct plan *p)
{
	const struct guest *g = p->g;
	uint64_t bits = 0;

	if (is_asked(g, "private"))
		return "as asked";
	if (is_asked(g, "host") || str_eq(g->ns_user.v, "private"))
		return NULL;
	if (str_eq(g->kind, "openvz"))
		return "the old kernel confined root itself";
	if (plan_was_container(g))
		return p->options->native ? "profile native" : NULL;
	if (g->caps.from != NULL)
		bits = plan_caps_unconfined(g->caps.v);
	if (bits != 0)
		return arena_printf(g->mem, "nothing else confines %s",
				    cap_show(g->mem, bits, ", "));
	if (p->options->native)
		return "profile native";
	return NULL;
}

static void add_map(struct plan *p, const char *kind, uint64_t base,
		    const struct origin *from, struct finding *f)
{
	struct guest *g = p->g;
	struct idmap *m = pvec_add(g->mem, &g->idmaps);

	derive_u64(g, FIELD_IDMAP_INSIDE, m, 0, from, NULL);
	derive_str(g, FIELD_IDMAP_KIND, m, kind, from, NULL);
	derive_u64(g, FIELD_IDMAP_OUTSIDE, m, base, from, f);
	derive_u64(g, FIELD_IDMAP_COUNT, m, p->site->idmap_size, from, f);
}

static void map_ids(struct plan *p, const char *why)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "idmap", g->ns_user.from);
	uint64_t base = p->site->idmap_base;
	struct finding *f;

	if (p->fleet != NULL)
		base = fleet_ids(p->fleet, g->key);
	f = finding_add(g, FIND_IDM_MAPPED, NULL, from,
			"ids 0 to %" PRIu64 " become %" PRIu64 " to %" PRIu64
			": %s",
			p->site->idmap_size - 1, base,
			base + p->site->idmap_size - 1, why);
	derive_str(g, FIELD_NS_USER, g, "private", from, f);
	finding_covers(g, f, FIELD_NS_USER, "");
	add_map(p, "u", base, from, f);
	add_map(p, "g", base, from, f);
}

/* LXC's own filter answers open_by_handle_at(2) with an error. */
static bool refuses_handles(const struct guest *g)
{
	return g->seccomp.from != NULL &&
	       str_ends(g->seccomp.v, "/lxc/config/common.seccomp");
}

/*
 * open_by_handle_at(2) looks at the capability alone and takes any file of the
 * file system; kernels before 2.6.39 did not have it. For what a guest reads
 * by name dac_override is as good (capabilities(7)).
 */
static void close_handles(struct plan *p)
{
	static const char name[] = "dac_read_search";
	const uint64_t bit = CAP_BIT(cap_find(name));
	const uint64_t other = CAP_BIT(cap_find("dac_override"));
	struct guest *g = p->g;
	const struct origin *from;
	struct finding *f;

	if (g->caps.from == NULL || (g->caps.v & bit) == 0 ||
	    refuses_handles(g))
		return;
	from = plan_origin(p, "idmap", g->caps.from);
	if (g->caps.from->kind > ORIGIN_TEXT || (g->caps.v & other) == 0) {
		finding_add(g, FIND_CAP_HANDLES_KEPT, NULL, from,
			    "%s is kept and ids are not mapped", name);
		return;
	}
	f = finding_add(g, FIND_CAP_HANDLES, NULL, from,
			"%s is left out, for ids are not mapped", name);
	finding_covers(g, f, FIELD_CAPS, name);
	derive_caps(g, FIELD_CAPS, g, g->caps.v & ~bit, from, f);
}

int plan_idmap(struct plan *p, struct err *e)
{
	struct guest *g = p->g;
	const char *why = reason(p);

	(void)e;
	if (g->idmaps.n != 0)
		return 0;
	if (why != NULL)
		map_ids(p, why);
	else if (str_eq(g->kind, "openvz") ||
		 str_eq(g->init_style.v, "machine"))
		finding_add(g, FIND_CAP_UNMAPPED, NULL,
			    plan_origin(p, "idmap", g->ns_user.from),
			    "ids stay unmapped, as asked: root of the guest "
			    "was confined by the old kernel alone");
	else
		finding_add(g, FIND_IDM_UNMAPPED, NULL,
			    plan_origin(p, "idmap", g->ns_user.from),
			    "ids stay unmapped, as they were");
	if (!str_eq(g->ns_user.v, "private"))
		close_handles(p);
	return 0;
}
