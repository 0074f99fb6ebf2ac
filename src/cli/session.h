/*
 * What a command works on: the roots, what was captured on them, the site
 * file, the guests that were asked for, and the fleet they make.
 */
#ifndef REHOST_CLI_SESSION_H
#define REHOST_CLI_SESSION_H

#include "cli/options.h"
#include "importer.h"
#include "plan/fleet.h"
#include "plan/plan.h"
#include "site.h"
#include "source.h"

struct session {
	struct arena *mem;
	const struct options *o;
	PVEC(struct host) hosts;
	struct site *site;
	struct sources sources; /* sorted by key */
	struct fleet *fleet;    /* after session_fleet */
	struct plan_options plan;
	PVEC(struct session_target) targets;
	size_t n_skipped; /* by the site file */
};

/* One -t and what the site file says of it. */
struct session_target {
	const struct emitter *emitter;
	struct emit_options options;
};

/*
 * Opens roots, facts and site file and finds the guests. A usage error is
 * e->code EINVAL, anything else a failure. Warnings (a capture that is cut, a
 * guest path without importer) go to standard error.
 */
int session_open(const struct options *o, struct arena *mem,
		 struct session **ret, struct err *e);
void session_closep(struct session **s); /* for CLEANUP */

/*
 * In a worker: no more rights than reading beneath the roots (and the system's
 * programs, for validators) and writing below `output` (NULL: nowhere). Without
 * Landlock in the kernel nothing is given up.
 */
int session_confine(const struct session *s, const char *output, struct err *e);

/* The places that were looked at, for the message when no guest was found. */
char *session_places(const struct session *s, struct arena *mem);

/*
 * Reads every guest once, in workers, for what concerns all of them. Guests
 * that fail here fail again when they are planned, with their message.
 */
int session_fleet(struct session *s, struct err *e);

#endif
