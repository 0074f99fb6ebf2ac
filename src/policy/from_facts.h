/* What `rehost capture` saw of the running guest on the old host. */
#ifndef REHOST_POLICY_FROM_FACTS_H
#define REHOST_POLICY_FROM_FACTS_H

#include "facts.h"
#include "policy/policy.h"

/*
 * The items that a context's files in /proc/virtual showed: its capabilities
 * and limits; in mem, sorted. Empty where nothing was recorded of xid.
 */
struct policy *policy_from_facts(const struct facts *f, uint64_t xid,
				 struct arena *mem);

#endif
