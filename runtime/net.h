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

#endif
