/* The guest's network as its own files say it: edits_own*.c alone. */
#ifndef REHOST_PLAN_EDITS_OWN_H
#define REHOST_PLAN_EDITS_OWN_H

#include "plan/edits.h"

struct own_ip {
	const char *ip;
	unsigned prefix;
	const char *mask; /* dotted; NULL for IPv6 */
};

struct own_family {
	VEC(struct own_ip) ips;
	const char *gateway; /* NULL: none */
	bool onlink;         /* the gateway is in none of the networks */
};

struct own_nic {
	const char *name;
	const char *mtu; /* NULL: the kernel's */
	struct own_family v4, v6;
};

struct own {
	VEC(struct own_nic) nics; /* those with an address */
};

struct own edits_own_of(struct edits *ed);

/* What each family's file says of an interface, without its first line. */
void edits_own_text_ifupdown(const struct own_nic *n, struct buf *b);
void edits_own_text_ifcfg(const struct own_nic *n, struct buf *b);
void edits_own_text_ifcfg_route(const struct own_nic *n, struct buf *b);
void edits_own_text_suse(const struct own_nic *n, struct buf *b);
void edits_own_text_suse_route(const struct own_nic *n, struct buf *b);
void edits_own_text_netctl(const struct own_nic *n, struct buf *b);
void edits_own_text_netplan(const struct own_nic *n, struct buf *b);
void edits_own_text_networkd(const struct own_nic *n, struct buf *b);
void edits_own_text_manager(const struct own_nic *n, struct buf *b);
/* arrays: as baselayout 1 wants lists. name: the interface's in variables. */
void edits_own_text_netifrc(const struct own_nic *n, const char *name,
			    bool arrays, struct buf *b);
/* Interface i of rc.inet1.conf; what that cannot say goes to rc.local. */
void edits_own_text_slackware(const struct own_nic *n, size_t i, struct buf *b,
			      struct buf *local);

#endif
