/* What this host can do for a guest; read once, for the planner. */
#ifndef REHOST_RUNTIME_HOST_H
#define REHOST_RUNTIME_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* A mounted cgroup hierarchy. */
struct host_group {
	const char *controllers; /* "cpu,cpuacct", "name=systemd", "" for v2 */
	const char *path;        /* where it is mounted */
	bool v2;
};

/* In no_links: bridges can be made, but do not keep VLANs apart. */
#define HOST_VLAN_BRIDGE "bridge with VLANs"

enum { HOST_RLIMITS = RLIM_NLIMITS };

struct host {
	VEC(struct host_group) groups;
	const char *v2_controllers; /* words of the v2 tree's root, or "" */
	struct strv missing;        /* v1 files that this kernel lacks */
	struct strv disks;          /* "8:16": whole ones, for I/O limits */
	const char *cpus, *nodes;   /* "0-3": those on line; NULL: not known */
	uint64_t caps;              /* our own bounding set */
	const char *lsm;            /* "apparmor", "selinux" or "" */
	struct strv no_links;       /* kinds of interfaces it cannot make */
	const char *no_filter; /* why no source filter can be loaded, or NULL */
	struct rlimit rlimits[HOST_RLIMITS]; /* our own */
};

/*
 * filters: whether it is asked for source filters too, which takes a process.
 * Linux: /proc/self/mounts, /proc/self/status, /sys/kernel/security.
 */
int host_read(struct arena *mem, bool filters, struct host *ret, struct err *e);

/* The v2 tree, NULL when it is not mounted. */
const struct host_group *host_v2(const struct host *h);

/* The hierarchy that a controller is in, NULL when there is none. */
const struct host_group *host_controller(const struct host *h,
					 const char *controller);

#endif
