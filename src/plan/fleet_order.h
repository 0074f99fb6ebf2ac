/* A member of the fleet, and its place in the order. Private to fleet*.c. */
#ifndef REHOST_PLAN_FLEET_ORDER_H
#define REHOST_PLAN_FLEET_ORDER_H

#include "base/arena.h"
#include "base/str.h"

struct member {
	const char *key, *host, *kind, *id;
	const char *base;    /* its name, reduced */
	const char *name;    /* of its directory */
	unsigned level;      /* how much stands around base in name */
	struct strv depends; /* names on the same host, of the same kind */
	struct strv bad;     /* those that cannot be waited for, and why */
	long order;          /* from 1; 0: no part in the order */
};

/* v is sorted by key. Sets bad and order. */
void fleet_order_settle(struct member *const *v, size_t n, struct arena *mem);

#endif
