/*
 * The model: one guest between its reader and its writers. What a field is,
 * its unit and its meaning stands in fields.def; the members here are only
 * the places. Everything belongs to the guest's arena `mem`.
 */
#ifndef REHOST_MODEL_GUEST_H
#define REHOST_MODEL_GUEST_H

#include "base/arena.h"
#include "base/inet.h"
#include "model/finding.h"
#include "model/value.h"

struct setting;
struct policy;

/* One network interface that the guest will have. */
struct nic {
	struct opt_str name, attach, parent, mac, host_name, mode;
	struct opt_u64 vlan, mtu;
	struct opt_bool up, source_filter, accept_ra;
	struct opt_str gateway4, gateway6;
};

/* One address; nic is NULL until the plan has grouped them, carrier its name */
struct addr {
	struct nic *nic;
	struct opt_str ip, carrier, dev, broadcast, label, peer, scope;
	struct opt_u64 prefix, vlan;
	struct opt_bool nodev, up, unwired;
};

struct route {
	struct nic *nic;
	struct opt_str dest, via, table;
};

struct mount {
	struct opt_str target, source, type;
	struct opt_strv options;
	struct opt_bool remote, file, optional;
};

/* A node of the guest's /dev, or a rule; the key is "c 10:200". */
struct device {
	struct opt_str rule;   /* "c 10:200" */
	struct opt_str access; /* letters out of "rwm" */
	struct opt_str path;   /* "/dev/net/tun" as the guest sees it */
	struct opt_u64 mode;   /* permission bits */
};

struct rlimit_rule {
	struct opt_str name; /* as setrlimit(2), lower case: "nofile" */
	struct opt_limit soft, hard;
};

struct sysctl {
	struct opt_str name, value; /* dots: "net.ipv4.ip_forward" */
};

struct env {
	struct opt_str name, value;
};

struct hook {
	struct opt_str event, path; /* "pre-start"; the script's file */
	struct opt_bool sourced;    /* was sourced into the old tool itself */
};

/* A quota, or a volume of its own. */
struct disk {
	struct opt_str path;
	struct opt_limit space, inodes; /* bytes; count */
	struct opt_u64 reserved;        /* percent kept for root */
};

struct io_limit {
	struct opt_str device; /* "8:0" as on the old host */
	struct opt_limit rbps, wbps, riops, wiops;
};

struct idmap {
	struct opt_str kind; /* "u", "g" */
	struct opt_u64 inside, outside, count;
};

/* A change the guest's tree needs to boot; applied to the copy only. */
struct edit {
	const char *path;
	/* replace and add a file, remove, link, empty (of files), directory */
	const char *action;
	const char *reason;
	const char *targets; /* blank-separated; NULL for all */
	const char *diff;    /* unified, of text; NULL: none */
	const void *data;    /* of replace and add */
	size_t n;
	const char *link; /* where a link leads */
	uint32_t mode;    /* of what is new: permission bits */
};

struct guest {
	struct arena *mem;
	const char *host, *kind, *name, *id; /* key: HOST/KIND:ID */
	const char *key;
	const char *package; /* its directory in the output: design 1.2 NAME */
	const char
		*source;   /* path of the configuration, absolute in its root */
	const char *state; /* "running", "stopped", "unknown" */
	const char *state_how; /* the evidence for it */

	/* identity */
	struct opt_str config_name, display_name, hostname, domainname;
	struct opt_str arch, uts_sysname, uts_release, uts_version, uts_machine;
	struct opt_strv personality;
	struct opt_u64 xid, nid, tag;

	/* boot */
	struct opt_str init_style, runlevel, runlevel_stop;
	struct opt_strv init_cmd, stop_cmd, prepare_cmd, kill_sequence;
	struct opt_str stop_signal, reboot_signal, tty;
	struct opt_u64 stop_timeout, start_delay; /* seconds */
	struct opt_bool
		init_shim; /* no init of its own: a small one is added */
	struct opt_bool api_mounts; /* the engine mounts what systemd would */
	struct opt_str on_reboot, shell;
	struct opt_bool autostart, paused;
	struct opt_strv start_groups, depends;
	struct opt_i64 start_order;
	struct opt_i64 nice, oom_score;
	struct opt_u64 io_class, io_priority;

	/* privilege */
	struct opt_caps caps;
	struct opt_strv partial_caps; /* slices of one: "set_utsname" */
	struct opt_strv unshare;      /* namespaces the guest may make */
	struct opt_str ns_pid, ns_net, ns_mount, ns_ipc, ns_uts, ns_user,
		ns_cgroup;
	struct opt_str lsm, seccomp;
	struct opt_bool no_new_privs;
	struct opt_str proc_view, sys_view, device_policy;
	struct opt_strv virtual_views; /* totals shown per guest: "memory" */

	/* network */
	struct opt_str net_owner, loopback;
	struct opt_bool host_loopback, multicast, tun_create;
	struct opt_strv dns_servers, dns_search;

	/* limits */
	struct opt_limit mem_max, mem_low, mem_high, swap_max, mem_virtual;
	struct opt_limit mem_anon, mem_locked, mem_shared, msgqueue;
	struct opt_limit pids_max, files, file_locks, sockets, dentries;
	struct opt_limit sem_arrays, semaphores;
	struct opt_limit cpu_quota; /* microseconds per cpu_period */
	struct opt_u64 cpu_period, cpu_burst, cpu_weight, io_weight;
	struct opt_i64 cpu_nice;
	struct opt_str cpu_set, mem_nodes;

	/* the tree */
	struct opt_str rootfs, root_mount, pkg_database;
	struct opt_str tag_method;
	struct opt_bool unified, root_shifted;
	struct opt_str os_id, os_version, init_kind, init_version;

	/* lists; the order is the order of reading */
	PVEC(struct nic) nics;
	PVEC(struct addr) addrs;
	PVEC(struct route) routes;
	PVEC(struct mount) mounts;
	PVEC(struct device) devices;
	PVEC(struct rlimit_rule) rlimits;
	PVEC(struct sysctl) sysctls;
	PVEC(struct env) envs;
	PVEC(struct hook) hooks;
	PVEC(struct disk) disks;
	PVEC(struct io_limit) ios;
	PVEC(struct idmap) idmaps;

	/* not fields: what the report lists beside them */
	PVEC(struct setting) settings;
	PVEC(struct finding) findings;
	PVEC(struct edit) edits;
	struct strv apps;    /* "postgresql", "plesk" ... */
	struct strv ports;   /* where it listened: "tcp:80", "udp:53" */
	struct strv sources; /* configuration files read, absolute in root */
	bool measured;       /* with --size: the two numbers hold */
	uint64_t n_files, n_bytes;
	const char *last_used; /* "2019-05-04", NULL unknown */
	struct policy *policy; /* the source's: before any decision */
};

struct guest *guest_new(struct arena *mem); /* zero but for mem */

/*
 * The broadcast address to write for an address in that net, in mem: the one
 * that was set, or the net's own; NULL where there is none (IPv6, /31, /32).
 */
const char *guest_broadcast(const struct addr *a, const struct inet_net *net,
			    struct arena *mem);

#endif
