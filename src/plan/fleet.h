/*
 * What needs all guests at once: clashes of names, addresses, hardware
 * addresses and ids, the order of starting, ranges of ids. Built from a record
 * of at most 2 KiB a guest, in order of keys, so that neither -j nor a later
 * guest changes what another one gets.
 */
#ifndef REHOST_PLAN_FLEET_H
#define REHOST_PLAN_FLEET_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct guest;
struct fleet;
struct site;

/*
 * The record of one guest that was read: small, sent between processes. Made
 * after plan_options_pass, so that names and addresses of the site count.
 */
json_t *fleet_record(const struct guest *g);

struct fleet *fleet_new(struct arena *mem);
void fleet_add(struct fleet *f, const json_t *record);
/*
 * After the last: finds clashes, orders, hands out ranges. An error when the
 * ranges do not fit into 32 bits.
 */
int fleet_settle(struct fleet *f, uint64_t idmap_base, uint64_t idmap_size,
		 bool per_guest, struct err *e);

/* Name of the package directory: [A-Za-z0-9._-]; see design 1.2. */
const char *fleet_name(const struct fleet *f, const char *key);
/*
 * The other guests (keys) that have the same. what: "address", "mac", "name"
 * (as reduced) in the whole fleet, "id", "ncontext", "tag" and "root" on the
 * guest's own host.
 */
struct strv fleet_same(const struct fleet *f, struct arena *mem,
		       const char *what, const char *value, const char *key);
/*
 * Place in the order of starting, from 1; guests that do not wait for each
 * other share one. 0 when it has no part in it.
 */
long fleet_order(const struct fleet *f, const char *key);
/* What it cannot be made to wait for, with the reason in words. */
struct strv fleet_bad_depends(const struct fleet *f, struct arena *mem,
			      const char *key);
/* First host id of the guest's range. */
uint64_t fleet_ids(const struct fleet *f, const char *key);

/* Patterns of the site file that fit nothing in the fleet, by line (HST003). */
struct fleet_unused {
	unsigned line;
	const char *text; /* "guest \"web\"" */
};
struct fleet_unused *fleet_unused(const struct fleet *f, const struct site *s,
				  struct arena *mem, size_t *ret_n);

#endif
