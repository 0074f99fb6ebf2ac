/* The guest's network as its own files say it: edits_own*.c and the table. */
#ifndef REHOST_PLAN_EDITS_OWN_H
#define REHOST_PLAN_EDITS_OWN_H

#include "plan/edits.h"

/*
 * What rows call: set-up of the guest's own network. The pattern is what has to
 * be there: words, each a path or paths with "|" between them, a directory
 * with a slash behind it. The first row that fits is the one.
 */
void edits_own_ifupdown(struct edits *ed);
void edits_own_ifcfg(struct edits *ed);
void edits_own_suse(struct edits *ed);
void edits_own_slackware(struct edits *ed);
void edits_own_netifrc(struct edits *ed);
void edits_own_netctl(struct edits *ed);
void edits_own_netplan(struct edits *ed);
void edits_own_networkd(struct edits *ed);
void edits_own_manager(struct edits *ed);

struct own_ip {
	const char *ip;
	unsigned prefix;
	const char *mask;      /* dotted; NULL for IPv6 */
	const char *broadcast; /* NULL: none was set */
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
