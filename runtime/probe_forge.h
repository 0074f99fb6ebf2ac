/* What the two probes of source filters share: probe_forge.c. */
#ifndef REHOST_RUNTIME_PROBE_FORGE_H
#define REHOST_RUNTIME_PROBE_FORGE_H

#include "base/buf.h"
#include "runtime/probe.h"

/* What no guest has: of the documentation's nets. */
#define FORGE_FOREIGN4 "203.0.113.77"
#define FORGE_FOREIGN6 "2001:db8:ffff::77"

/* The Internet checksum (RFC 1071) of whole words, in network order. */
uint16_t probe_forge_sum16(const void *p, size_t n);

/* A socket that hears all that the neighbour gets; the caller closes it. */
int probe_forge_open_ear(struct probe *p, struct err *e);
/* Everything that has come until it is quiet, as one text, to *ret. */
void probe_forge_listen(int ear, struct buf *ret);

struct probe_forge_outcome {
	bool sent, arrived;
	int why; /* errno where it was not sent */
};

/* What the nic lets out, as a fact; must: whether it was to let it. */
void probe_forge_add_fact(struct probe *p, const char *nic, const char *words,
			  bool must, const struct probe_forge_outcome *o);

/*
 * Interfaces that are routed: what they send reaches the neighbour beyond the
 * host or not. The names are in the probe's memory.
 */
int probe_beyond(struct probe *p, const struct strv *nics, int ear,
		 struct err *e);

#endif
