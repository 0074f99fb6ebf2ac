/* Network namespaces of the lab. */
#ifndef REHOST_RUNTIME_NET_H
#define REHOST_RUNTIME_NET_H

#include <stdbool.h>

#include "base/err.h"

/* A new network namespace, alive as long as the descriptor is open. */
int net_new(struct err *e);

/*
 * Whether this kernel has a kind of interface ("vlan"); true as well where
 * only root may ask. It is asked for one that cannot be made.
 */
bool net_knows(const char *kind);

/*
 * Whether bridges of this kernel keep VLANs apart; true as well where only
 * root may ask. Kernels before 5.6 cannot be asked, and count as those that do
 * not.
 */
bool net_filters_vlans(void);

/* A mode of ipvlan ("l3s") as the kernel's number, -1: none; and back, NULL. */
int net_ipvlan_mode(const char *name);
const char *net_ipvlan_name(int mode);

#endif
