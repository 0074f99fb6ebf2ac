/*
 * The services that listened on the old host, which verify expects to listen
 * again. Capture records the sockets of the whole host: those bound to an
 * address that is this guest's alone are its own. Whose one is that takes any
 * address cannot be told.
 */
#include "base/attr.h"
#include "base/inet.h"
#include "derive.h"
#include "facts.h"
#include "plan/fleet.h"
#include "plan/net.h"
#include "plan/plan.h"

/*
 * From here up the kernel picks ports for clients: ip_local_port_range. A UDP
 * socket there waits for an answer.
 */
enum { CLIENTS = 32768 };

static bool is_shared(const struct plan *p, const char *ip)
{
	return p->fleet != NULL &&
	       fleet_same(p->fleet, p->g->mem, "address", ip, p->g->key).n != 0;
}

static bool is_own(const struct plan *p, const struct inet_addr *bound)
{
	for (size_t i = 0; i < p->g->addrs.n; i++) {
		const struct addr *a = p->g->addrs.v[i];
		struct inet_addr ip;
		struct err e;

		if (a->ip.from != NULL && inet_parse(a->ip.v, &ip, &e) == 0 &&
		    inet_equal(&ip, bound))
			return !is_shared(p, a->ip.v);
	}
	return false;
}

static bool is_service(const struct plan *p, const struct facts_socket *s)
{
	return !inet_is_any(&s->addr) && (s->tcp || s->port < CLIENTS) &&
	       is_own(p, &s->addr);
}

int plan_ports(struct plan *p, struct err *e)
{
	struct guest *g = p->g;
	const struct facts_socket *first = NULL;

	(void)e;
	for (size_t i = 0; p->facts != NULL && i < p->facts->sockets.n; i++) {
		const struct facts_socket *s = &p->facts->sockets.v[i];
		const char *port = arena_printf(
			g->mem, "%s:%u", s->tcp ? "tcp" : "udp", s->port);

		if (!is_service(p, s) || strv_has(&g->ports, port))
			continue;
		strv_add(g->mem, &g->ports, port);
		if (first == NULL)
			first = s;
	}
	if (first != NULL)
		finding_add(g, FIND_NET_SERVICES, NULL,
			    plan_net_facts_origin(p, &first->at, "sockets",
						  NULL),
			    "%s listened when the host was captured: verify "
			    "expects that",
			    strv_join(g->mem, &g->ports, ", "));
	return 0;
}
