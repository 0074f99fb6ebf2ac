/*
 * What a routed interface needs of the host that it is on: kernel parameters,
 * and the filter that keeps the guest to its own source addresses. Written by
 * the emitters, read back for the policy, and done in the lab.
 */
#ifndef REHOST_POLICY_HOST_SIDE_H
#define REHOST_POLICY_HOST_SIDE_H

#include "base/err.h"
#include "policy/policy.h"

/*
 * Kernel parameters that have to be 1 where guests are routed through dev, as
 * sysctl(8) takes them: with slashes, for a device's name may hold dots.
 * Those of IPv6 only where it is asked for. lxc.container.conf(5), l2proxy.
 */
struct strv host_side_params(struct arena *mem, const char *dev, bool ipv6);

/* The file of the filter, beside the config. */
#define HOST_SIDE_FILTER "source-filter.nft"

/*
 * A rule of nft(8): what comes from the interface (the guest's link on the
 * host) is dropped unless its source address is routed back to it. Holds for
 * both families; reverse path filtering (rp_filter) knows IPv4 alone.
 */
const char *host_side_rule(struct arena *mem, const char *interface);
/* Where the rule stands: its chain. */
#define HOST_SIDE_CHAIN                                                        \
	"type filter hook prerouting priority raw; policy accept;"
/* The whole file, of a table of its own, for these interfaces. */
const char *host_side_filter(struct arena *mem, const char *table,
			     const struct strv *interfaces);

/*
 * Reads such a file back: the interfaces of p whose end on the host it names
 * have a source filter. A line that is not understood is an error with its
 * number; name is for messages.
 */
int host_side_read(const char *text, const char *name, struct policy *p,
		   struct err *e);

#endif
