/*
 * Parts of the LXC read-back: read_lxc.c has the grammar and single keys,
 * read_lxc_parts.c what several lines make together: devices, mounts, limits,
 * interfaces.
 */
#ifndef REHOST_POLICY_READ_LXC_PARTS_H
#define REHOST_POLICY_READ_LXC_PARTS_H

#include "base/err.h"
#include "policy/policy.h"

struct read_lxc_caps {
	bool given;
	uint64_t set;
};

/* A rule of the devices cgroup: "c 10:200" and DEV_... bits. */
struct read_lxc_device {
	const char *id;
	unsigned access;
	const char *path; /* of the node bound beside it; NULL: none */
};

/* One lxc.cgroup[2] file and what is written to it. */
struct read_lxc_file {
	bool v2;
	const char *name, *value;
};

struct read_lxc_addr {
	const char *ip, *prefix, *broadcast; /* NULL: none */
};

/* One lxc.net.N; NULL: not given. */
struct read_lxc_nic {
	const char *number;
	const char *type, *link, *name, *mac, *mtu, *pair, *mode, *vlan;
	const char *gateway4, *gateway6;
	bool up, router;
	VEC(struct read_lxc_addr) addrs;
};

struct read_lxc {
	struct policy *p;
	struct arena *mem;
	bool has_rootfs, mapped;
	bool writes_net, writes_proc; /* kernel parameters */
	bool proc_rw;                 /* by lxc.mount.auto, when they are set */
	bool sys_closed; /* /proc/sys is bound read-only onto itself */
	bool no_autodev;
	bool listed; /* devices.deny = a: only the rules hold */
	struct read_lxc_caps keep, drop;
	VEC(struct read_lxc_device) devices;
	size_t beside; /* 1 + index of the rule just read; 0: another line */
	VEC(struct read_lxc_file) files;
	PVEC(struct read_lxc_nic) nics;
};

/* A key, and what reads it; rest is the key's text behind the name. */
struct read_lxc_key {
	const char *name;
	enum field_id field;
	int (*take)(struct read_lxc *r, const struct read_lxc_key *k,
		    const char *rest, const char *value, struct err *e);
};

int read_lxc_autodev(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e);
int read_lxc_devices(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e);
int read_lxc_cgroup(struct read_lxc *r, const struct read_lxc_key *k,
		    const char *rest, const char *value, struct err *e);
int read_lxc_mount_auto(struct read_lxc *r, const struct read_lxc_key *k,
			const char *rest, const char *value, struct err *e);
int read_lxc_mount_entry(struct read_lxc *r, const struct read_lxc_key *k,
			 const char *rest, const char *value, struct err *e);
int read_lxc_net(struct read_lxc *r, const struct read_lxc_key *k,
		 const char *rest, const char *value, struct err *e);

/* "pid" -> FIELD_NS_PID; FIELD__MAX: none of that name. */
enum field_id read_lxc_namespace(const char *name);

/* After the last line: what the lines make together. */
void read_lxc_add_devices(struct read_lxc *r);
void read_lxc_add_limits(struct read_lxc *r);
void read_lxc_add_nets(struct read_lxc *r);

#endif
