/* Network namespaces of the lab. */
#ifndef REHOST_RUNTIME_NET_H
#define REHOST_RUNTIME_NET_H

#include "base/err.h"

/* A new network namespace, alive as long as the descriptor is open. */
int net_new(struct err *e);

#endif
