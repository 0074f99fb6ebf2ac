/*
 * Read-back: the text of an LXC configuration (3.0 to 7.0) -> policy. Written
 * from lxc.container.conf(5) and reference targets.md part 2, independently of
 * the emitter, so that it sees what liblxc would see.
 */
#ifndef REHOST_POLICY_READ_LXC_H
#define REHOST_POLICY_READ_LXC_H

#include "base/err.h"
#include "policy/policy.h"

/*
 * What stands before a line that the guest's own files do in LXC's place: a
 * comment for LXC, and part of the policy (net.owner is the guest then).
 */
extern const char policy_lxc_guest[];

/*
 * Reads the text of a config. Lines it has no meaning for are errors with
 * their number, for nothing may be written that is not understood. name is
 * for messages.
 */
int policy_read_lxc(const char *text, const char *name, struct arena *mem,
		    struct policy **ret, struct err *e);

#endif
