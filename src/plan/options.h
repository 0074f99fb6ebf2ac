/*
 * --set and --accept before and after the pass of the same name; plan.h
 * declares the passes.
 */
#ifndef REHOST_PLAN_OPTIONS_H
#define REHOST_PLAN_OPTIONS_H

#include "plan/plan.h"

/*
 * Once, before any guest: whether every --set and --accept can be understood.
 * The error names the option.
 */
int plan_options_check(const struct plan_options *o, struct err *e);

/*
 * The pass again, for items of lists (nic.0, idmap.0) that other passes made
 * since: what was applied already stays as it is. plan_options_last also
 * records a finding for each setting whose item is not there.
 */
int plan_options_last(struct plan *p, struct err *e);

/* One --accept: CODE[@GUEST]=REASON. */
struct plan_accept_option {
	enum finding_id id;
	const char *guest; /* NULL: every one */
	const char *reason;
};
int plan_accept_parse(const char *text, struct arena *mem,
		      struct plan_accept_option *ret, struct err *e);

/* Whether GUEST of an option is this guest: a pattern, its id or its name. */
bool plan_options_fits(const struct guest *g, const char *pattern);

#endif
