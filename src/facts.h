/*
 * What `rehost capture` recorded on an old host: an origin of its own. The
 * format stands in src/cli/capture.sh. Each fact knows its line.
 */
#ifndef REHOST_FACTS_H
#define REHOST_FACTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/inet.h"
#include "base/str.h"
#include "tree/tree.h"

struct facts_line { /* a place in the file */
	unsigned line;
	const char *text;
};

struct facts_address {
	struct facts_line at;
	const char *dev; /* "eth0" (labels cut off) */
	struct inet_net net;
};

struct facts_route {
	struct facts_line at;
	const char *dev;
	bool is_default;
	struct inet_net dest; /* of a default route only the family */
	bool has_via;
	struct inet_addr via;
	const char *table; /* NULL: the main one */
};

struct facts_link {
	struct facts_line at;
	const char *name, *mac, *master; /* master: its bridge or bond */
	const char *parent;              /* of a VLAN device */
	unsigned vlan;                   /* 0: none */
	unsigned mtu;
	bool is_bridge;
};

struct facts_rule { /* a firewall or NAT rule, as it stands */
	struct facts_line at;
	bool nat;
};

struct facts_socket { /* somebody listens, or takes datagrams */
	struct facts_line at;
	bool tcp;
	struct inet_addr addr; /* all zero: any of the host's */
	unsigned port;
};

struct facts_context { /* one running context, or container of OpenVZ */
	struct facts_line at;
	uint64_t xid;   /* 0: its id is no number */
	const char *id; /* a container's as OpenVZ has it; NULL: a context */
	bool runs;      /* a container: one that is stopped may have counters */
	struct strv addresses; /* a container's, while it runs */
	/*
	 * From /proc/virtual/XID/limit: current, peak, soft, hard; of OpenVZ
	 * from /proc/user_beancounters: held, maxheld, barrier, limit.
	 */
	struct facts_limit {
		struct facts_line at;
		const char *name; /* "RSS", "PROC" ... */
		uint64_t current, peak;
		bool has_soft, has_hard;
		uint64_t soft, hard;
	} * limits;
	size_t n_limits;
	const char *bcaps, *ccaps, *flags; /* of its status file, or NULL */
	uint64_t tasks;
};

struct facts {
	const char *file; /* where it was found, for origins */
	const char *hostname, *kernel, *date, *tools_version;
	unsigned page_size; /* 0: not recorded */
	unsigned cpus;      /* 0: not recorded */
	bool complete;      /* the [end] line is there */
	bool has_virtual;   /* whether running contexts could be seen at all */
	bool has_vz;        /* whether containers could */
	VEC(struct facts_address) addresses;
	VEC(struct facts_route) routes;
	VEC(struct facts_link) links;
	VEC(struct facts_rule) rules;
	VEC(struct facts_socket) sockets;
	VEC(struct facts_context) contexts;
};

/*
 * Reads `path` of the tree (or, when t is NULL, of the real file system).
 * Lines that are not understood are left out; a file that is no capture at
 * all is an error that names the line.
 */
int facts_read(struct tree *t, const char *path, struct arena *mem,
	       struct facts **ret, struct err *e);

/* The address record that equals a; NULL: none. */
const struct facts_address *facts_find(const struct facts *f,
				       const struct inet_addr *a);
/*
 * The address record (of dev, or of any device when NULL) in whose network a
 * lies, the smallest network first. Records that stand alone (/32, /128) have
 * no network.
 */
const struct facts_address *facts_find_net(const struct facts *f,
					   const char *dev,
					   const struct inet_addr *a);
/*
 * The default route with a router of the family: through dev, also of another
 * table than main; dev NULL: the first of the main table.
 */
const struct facts_route *facts_gateway(const struct facts *f, const char *dev,
					int family);
const struct facts_link *facts_link(const struct facts *f, const char *name);
const struct facts_context *facts_context(const struct facts *f, uint64_t xid);
/* A container of OpenVZ by its number or UUID; NULL: none was seen. */
const struct facts_context *facts_container(const struct facts *f,
					    const char *id);

#endif
