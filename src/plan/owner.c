/*
 * Who sets the guest's addresses: the engine, as the old host did, or the
 * guest itself by files of its own. Asked for by net.owner or the site file's
 * word `addresses`; a target whose engine cannot leaves no choice. Reference:
 * targets.md 1.5, vserver.md 4.1.
 */
#include <string.h>

#include "base/cap.h"
#include "base/inet.h"
#include "base/str.h"
#include "derive.h"
#include "plan/edits.h"
#include "plan/net.h"
#include "plan/plan.h"

bool plan_guest_owns(const struct guest *g)
{
	return g->net_owner.from != NULL && str_eq(g->net_owner.v, "guest");
}

/* An interface whose addresses the guest can set: it has a link layer. */
static const char *refuses_nic(const struct nic *n)
{
	if (n->name.from == NULL || !inet_ifname_ok(n->name.v))
		return "an interface has no legal name";
	if (n->attach.from != NULL && str_starts(n->attach.v, "ipvlan"))
		return "an ipvlan takes the addresses that the engine gives it";
	return NULL;
}

/* Why the guest cannot; NULL when it can. */
static const char *refusal(struct plan *p)
{
	const struct guest *g = p->g;
	const char *why = NULL;

	if (!edits_own_init(p))
		return "it has no init of its own";
	if (g->caps.from != NULL &&
	    (g->caps.v & CAP_BIT(cap_find("net_admin"))) == 0)
		return "it has no capability NET_ADMIN";
	for (size_t i = 0; i < g->nics.n && why == NULL; i++)
		why = refuses_nic(g->nics.v[i]);
	if (why == NULL && edits_own_row(p) == NULL)
		why = "no network set-up of its own is known";
	return why;
}

static const char *asked(struct plan *p, const struct origin **ret_from)
{
	const char *word = site_choice(p->site, "addresses");

	*ret_from = p->g->net_owner.from;
	if (*ret_from != NULL)
		return p->g->net_owner.v;
	if (str_eq(word, "engine") || str_eq(word, "guest"))
		*ret_from = plan_net_site_origin(
			p, site_choice_line(p->site, "addresses"), "addresses",
			p->g->ns_net.from);
	else
		*ret_from = plan_origin(p, "owner", p->g->ns_net.from);
	return word;
}

/* A value that was asked for keeps its origin: the finding tells why. */
static void engine_sets(struct plan *p, const struct origin *from,
			struct finding *f)
{
	if (p->g->net_owner.from != NULL)
		derive_str(p->g, FIELD_NET_OWNER, p->g, "engine", from, f);
}

static void guest_cannot(struct plan *p, const struct origin *from,
			 const char *why)
{
	if (p->target.sets_addresses)
		engine_sets(p, from,
			    finding_add(p->g, FIND_NET_GUEST_CANNOT, NULL, from,
					"the engine sets the addresses, for "
					"the guest cannot: %s",
					why));
	else
		engine_sets(p, from,
			    finding_add(p->g, FIND_NET_NO_OWNER, NULL, from,
					"the engine sets no addresses, and "
					"the guest cannot: %s",
					why));
}

/* Set-ups in whose files an address has no broadcast address of its own. */
static const char *const computing[] = { "own-netplan", "own-netctl",
					 "own-networkd", "own-manager" };

static bool computes(const char *row)
{
	for (size_t i = 0; i < COUNT(computing); i++)
		if (str_eq(computing[i], row))
			return true;
	return false;
}

/* The net's own takes the place of another that was set. */
static void compute_broadcast(struct plan *p, struct addr *a, const char *row)
{
	struct inet_net net;
	struct inet_addr own;
	struct finding *f;
	char text[INET_TEXT];
	struct err e;

	if (a->broadcast.from == NULL || a->prefix.from == NULL ||
	    inet_parse(a->ip.v, &net.addr, &e) < 0 ||
	    a->prefix.v > inet_bits(&net.addr))
		return;
	net.prefix = (unsigned)a->prefix.v;
	if (!inet_broadcast(&net, &own))
		return;
	inet_show(&own, text);
	if (str_eq(text, a->broadcast.v))
		return;
	f = finding_add(p->g, FIND_NET_BROADCAST, NULL, a->broadcast.from,
			"%s: broadcast %s has no place in the files of %s: %s "
			"is computed",
			a->ip.v,
			str_show(p->g->mem, a->broadcast.v,
				 strlen(a->broadcast.v), 60),
			row, text);
	derive_str(p->g, FIELD_ADDR_BROADCAST, a, arena_strdup(p->g->mem, text),
		   plan_origin(p, "owner", a->broadcast.from), f);
}

static void guest_sets(struct plan *p, const struct origin *from)
{
	const char *row = edits_own_row(p)->name;
	const char *shown = row + strlen("own-");
	struct finding *f;

	f = finding_add(p->g, FIND_NET_GUEST_OWNS, NULL, from,
			"the guest sets its addresses and routes itself: %s",
			shown);
	derive_str(p->g, FIELD_NET_OWNER, p->g, "guest", from, f);
	for (size_t i = 0; computes(row) && i < p->g->addrs.n; i++)
		if (p->g->addrs.v[i]->ip.from != NULL)
			compute_broadcast(p, p->g->addrs.v[i], shown);
}

static bool is_word(const char *word)
{
	return str_eq(word, "engine") || str_eq(word, "guest") ||
	       str_eq(word, "auto");
}

int plan_owner(struct plan *p, struct err *e)
{
	struct guest *g = p->g;
	const struct origin *from;
	const char *word, *why;

	(void)e;
	if (g->addrs.n == 0 || g->nics.n == 0)
		return 0;
	word = asked(p, &from);
	if (!is_word(word))
		engine_sets(
			p, from,
			finding_add(g, FIND_NET_BAD_VALUE, NULL, from,
				    "net.owner is engine or guest, not %s",
				    str_show(g->mem, word, strlen(word), 60)));
	if (p->target.sets_addresses && !str_eq(word, "guest"))
		return 0;
	why = refusal(p);
	if (why != NULL)
		guest_cannot(p, from, why);
	else
		guest_sets(p, from);
	return 0;
}
