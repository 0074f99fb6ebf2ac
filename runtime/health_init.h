/*
 * What a guest's init shows of its start. An init is told by its name and its
 * files; one that is not known is up when its processes no longer come and go.
 */
#ifndef REHOST_RUNTIME_HEALTH_INIT_H
#define REHOST_RUNTIME_HEALTH_INIT_H

#include "runtime/probe.h"

enum health_kind {
	HEALTH_SYSTEMD,
	HEALTH_SYSVINIT,
	HEALTH_BUSYBOX,
	HEALTH_SHIM,
	HEALTH_OTHER,
};

struct health_init {
	struct probe *p;
	enum health_kind kind;
	bool openrc;
	/* commands that it runs once and waits for, and those it keeps */
	struct strv once, kept;
	const char *level;  /* of inittab's initdefault or rehost-init.conf */
	const char *state;  /* systemd's last word, NULL: none yet */
	const char *cannot; /* why systemd cannot be asked, NULL: it can */
};

/* Pid 1 has to run its init already. */
void health_init_find(struct probe *p, struct health_init *ret);

/* The children of pid 1: what its init started and looks after. */
const char *health_init_children(struct probe *p);

/* Whether its goal is reached, as far as this init says so itself. */
bool health_init_at_goal(struct health_init *h);

/* What it says of how that went: facts of area boot. */
void health_init_facts(struct health_init *h);

void health_init_fact(struct probe *p, const char *item, const char *expected,
		      const char *observed);

#endif
