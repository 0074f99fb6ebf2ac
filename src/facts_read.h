/*
 * What facts.c and facts_net.c share while a capture is read. Private to
 * them.
 */
#ifndef REHOST_FACTS_READ_H
#define REHOST_FACTS_READ_H

#include "base/str.h"
#include "facts.h"

/* Where in the capture the reader is. Slices point into the file's bytes. */
struct facts_reader {
	struct facts *f;
	struct arena *mem;
	unsigned line;
	struct slice section, arg;     /* of "[SECTION ARG]" */
	struct slice label;            /* of "-- LABEL"; empty: none yet */
	uint64_t n_sections;           /* before the present one */
	struct slice dev;              /* of ifconfig: whose lines these are */
	struct facts_route pending;    /* of "ip route": head of its nexthops */
	struct facts_context *context; /* of [context XID] */
	bool big_endian;               /* for the kernel's hexadecimal IPv4 */
	bool nat;                      /* the firewall's table is for NAT */
	bool in_guest; /* it ran in a context, not on the host */
};

enum {
	FACTS_LIMITS_MAX = 64,      /* of a context; kernels have at most 24 */
	FACTS_CONTEXTS_MAX = 65536, /* ids of contexts have 16 bits */
};

/* Where the next limit of a context goes; NULL: it has enough. */
struct facts_limit *facts_read_limit(struct facts_reader *r,
				     struct facts_context *c);

/* The content line as a place; text is cut at a bound. */
struct facts_line facts_read_at(const struct facts_reader *r, struct slice s);

/* A whole slice as a decimal number. */
bool facts_read_number(struct slice s, uint64_t *ret);

/* The lines of the sections about the network. */
void facts_net_address(struct facts_reader *r, struct slice line);
void facts_net_link(struct facts_reader *r, struct slice line);
void facts_net_bridge(struct facts_reader *r, struct slice line);
void facts_net_route(struct facts_reader *r, struct slice line);
void facts_net_rule(struct facts_reader *r, struct slice line);
void facts_net_socket(struct facts_reader *r, struct slice line);

/* The lines of OpenVZ's sections. */
void facts_vz_list(struct facts_reader *r, struct slice line);
void facts_vz_counter(struct facts_reader *r, struct slice line);

#endif
