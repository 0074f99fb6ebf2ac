/* The one way from a guest to its policy. */
#ifndef REHOST_POLICY_FROM_GUEST_H
#define REHOST_POLICY_FROM_GUEST_H

#include "policy/policy.h"

struct guest;

/* What holds for the guest as its fields stand now; in mem, sorted. */
struct policy *policy_from_guest(const struct guest *g, struct arena *mem);

#endif
