/*
 * Planning: ordered passes over a guest, each adding decisions as DERIVED
 * values with findings. No pass reads findings back or touches a disk other
 * than through the guest's tree.
 */
#ifndef REHOST_PLAN_PLAN_H
#define REHOST_PLAN_PLAN_H

#include "emit/emit.h"
#include "model/guest.h"
#include "site.h"
#include "source.h"

struct fleet;

struct plan_options {
	bool native;            /* --profile native */
	bool live;              /* --live */
	bool writes;            /* convert: a guest that runs is a blocker */
	bool size;              /* measure the tree */
	const char *const *set; /* --set [GUEST:]FIELD=VALUE */
	size_t n_set;
	const char *const *accept; /* --accept CODE[@GUEST]=REASON */
	size_t n_accept;
};

struct plan {
	struct guest *g;
	const struct source *source;
	const struct facts *facts; /* NULL: none */
	const struct site *site;   /* never NULL */
	const struct fleet *fleet; /* NULL: a single guest */
	const struct plan_options *options;
	struct tree *root;          /* the guest's tree; NULL: not there */
	struct emit_options target; /* of the first target, for cgroup mode */
};

struct plan_pass {
	const char *name; /* "net": the key of DERIVED origins */
	int (*run)(struct plan *p, struct err *e);
};

/*
 * Runs every pass in order. A pass that fails ends the guest ("failed"); what
 * it cannot decide is a finding.
 */
int plan_run(struct plan *p, struct err *e);

/* The passes, one file each: plan/NAME.c. */
int plan_options_pass(struct plan *p, struct err *e); /* options.c */
int plan_look(struct plan *p, struct err *e);     /* look.c: into the tree */
int plan_state(struct plan *p, struct err *e);    /* state.c: running? */
int plan_caps(struct plan *p, struct err *e);     /* caps.c */
int plan_devices(struct plan *p, struct err *e);  /* devices.c */
int plan_limits(struct plan *p, struct err *e);   /* limits.c */
int plan_carriers(struct plan *p, struct err *e); /* net_carrier.c */
int plan_net(struct plan *p, struct err *e);      /* net.c */
int plan_ping(struct plan *p, struct err *e);     /* caps.c */
int plan_ports(struct plan *p, struct err *e);    /* ports.c */
int plan_boot(struct plan *p, struct err *e);     /* boot.c */
int plan_mounts(struct plan *p, struct err *e);   /* mounts.c */
int plan_owner(struct plan *p, struct err *e);    /* owner.c */
int plan_edits(struct plan *p, struct err *e);    /* edits.c */
int plan_idmap(struct plan *p, struct err *e);    /* idmap.c */
int plan_validate(struct plan *p, struct err *e); /* validate.c */

/* Whether the guest's own files set its addresses (owner.c). */
bool plan_guest_owns(const struct guest *g);

/*
 * Whether the guest was a container of a mainline kernel already: what its
 * capabilities and interfaces reached there they reach on the new host.
 */
bool plan_was_container(const struct guest *g);

/* Bits of the set that no namespace but mapped ids confines (caps.c). */
uint64_t plan_caps_unconfined(uint64_t set);

/* After emitting: --accept and the site file's accept blocks. */
int plan_accept(struct plan *p, struct err *e); /* accept.c */

/*
 * The origin of a decision: kind DERIVED, at the place of what it was derived
 * from (or of the guest's configuration), key naming the pass.
 */
const struct origin *plan_origin(struct plan *p, const char *pass,
				 const struct origin *because);

enum verdict { VERDICT_READY, VERDICT_REVIEW, VERDICT_BLOCKED, VERDICT_FAILED };
const char *plan_verdict_name(enum verdict v);
/* From the findings that concern the target (NULL: those before emitting). */
enum verdict plan_verdict(const struct guest *g, const char *target);

#endif
