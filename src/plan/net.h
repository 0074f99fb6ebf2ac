/*
 * Parts of the network pass: net.c groups, net_carrier.c names the interface
 * of each address, net_more.c finds and checks.
 */
#ifndef REHOST_PLAN_NET_H
#define REHOST_PLAN_NET_H

#include "facts.h"
#include "plan/plan.h"

/* An origin at a captured line / at a line of the site file. */
const struct origin *plan_net_facts_origin(struct plan *p,
					   const struct facts_line *at,
					   const char *key,
					   const struct origin *because);
const struct origin *plan_net_site_origin(struct plan *p, unsigned line,
					  const char *key,
					  const struct origin *because);

/* The guest could send only from its own addresses: so shall the interface. */
void plan_net_source_filter(struct plan *p, struct nic *n);

/* Whether the operator says which interface carries it: addr.nic. */
bool plan_net_is_placed(const struct addr *a);

/* Names the interface of each address, after the grouping and --set. */
void plan_net_carriers(struct plan *p);

/* A host route's prefix becomes the LAN's where the interface is on the LAN. */
void plan_net_prefix(struct plan *p, struct addr *a);

/* The default router of each family, on one interface. */
void plan_net_gateways(struct plan *p);

/* Clashes, the host's own addresses, firewall rules, name servers. */
void plan_net_check(struct plan *p);

#endif
