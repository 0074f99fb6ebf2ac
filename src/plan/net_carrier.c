/*
 * Which interface carries each address. Where the source has interfaces of its
 * own it is a fact of the source; where the plan makes them, the finding that
 * announces the interface announces its addresses too.
 */
#include "base/str.h"
#include "derive.h"
#include "plan/net.h"

bool plan_net_is_placed(const struct addr *a)
{
	return a->carrier.from != NULL && a->carrier.from->kind > ORIGIN_TEXT;
}

static bool is_named(const struct addr *a)
{
	return a->ip.from != NULL && a->nic != NULL &&
	       a->nic->name.from != NULL;
}

int plan_carriers(struct plan *p, struct err *e)
{
	struct guest *g = p->g;

	(void)e;
	for (size_t i = 0; i < g->addrs.n; i++) {
		struct addr *a = g->addrs.v[i];

		if (is_named(a))
			derive_str(g, FIELD_ADDR_NIC, a, a->nic->name.v,
				   plan_origin(p, "carriers",
					       a->nic->name.from),
				   NULL);
	}
	return 0;
}

static struct nic *find_nic(const struct guest *g, const char *name)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->name.from != NULL &&
		    str_eq(g->nics.v[i]->name.v, name))
			return g->nics.v[i];
	return NULL;
}

/* As the operator says; what he names may not be there. */
static void place(struct plan *p, struct addr *a)
{
	struct finding *f;

	a->nic = find_nic(p->g, a->carrier.v);
	if (a->nic != NULL)
		return;
	f = finding_add(p->g, FIND_NET_BAD_VALUE, NULL, a->carrier.from,
			"%s: the guest has no interface %s: left out", a->ip.v,
			a->carrier.v);
	finding_covers(p->g, f, FIELD_ADDR_NIC, a->ip.v);
}

/* What tells of the interface: that it was made, or has another name now. */
static struct finding *announcement(struct plan *p, const struct addr *a)
{
	const char *name = a->nic->name.v;
	struct finding *any = NULL;

	for (size_t i = 0; i < p->g->findings.n; i++) {
		struct finding *f = p->g->findings.v[i];

		if (f->target != NULL ||
		    !finding_announces(f, NULL, FIELD_NIC_NAME, name))
			continue;
		if (f->id == FIND_NET_NAME)
			return f;
		any = any == NULL ? f : any;
	}
	if (any != NULL)
		return any;
	return finding_add(p->g, FIND_NET_NAME, NULL, a->ip.from,
			   "interface %s carries %s", name, a->ip.v);
}

void plan_net_carriers(struct plan *p)
{
	for (size_t i = 0; i < p->g->addrs.n; i++) {
		struct addr *a = p->g->addrs.v[i];

		if (a->ip.from == NULL)
			continue;
		if (plan_net_is_placed(a))
			place(p, a);
		else if (is_named(a) && !str_eq(a->carrier.v, a->nic->name.v))
			derive_str(p->g, FIELD_ADDR_NIC, a, a->nic->name.v,
				   plan_origin(p, "net", a->nic->name.from),
				   announcement(p, a));
	}
}
