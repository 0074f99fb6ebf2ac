/*
 * A guest that a fuzzer's importer has read, through the plan, every emitter
 * and every report: what they make of it is no fault of ours, or it aborts.
 */
#ifndef REHOST_TESTS_FUZZ_GUEST_H
#define REHOST_TESTS_FUZZ_GUEST_H

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "report/report.h"

enum { TARGETS = 8 };

/* What a report would have to call our own fault. */
static void no_fault(const struct guest *g)
{
	for (size_t i = 0; i < g->findings.n; i++) {
		const struct finding *f = g->findings.v[i];

		if (f->id != FIND_SYN_UNANNOUNCED &&
		    f->id != FIND_SYN_UNACCOUNTED)
			continue;
		fprintf(stderr, "%s\n", f->message);
		abort();
	}
}

static void tell(const struct report_input *in)
{
	static const char *const formats[] = { "text", "json", "html", "md",
					       "csv" };
	const char *targets[TARGETS];
	const struct report_options o = { .tool = "rehost",
					  .targets = targets,
					  .n_targets = in->n_emissions,
					  .single = true,
					  .verbose = 2 };
	json_t *g = report_guest(in);

	for (size_t i = 0; i < in->n_emissions; i++)
		targets[i] = in->emissions[i]->emitter->name;
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct buf b CLEANUP(buf_done) = { 0 };

		report_format(formats[i])->guest(&b, &o, g);
	}
	json_decref(g);
}

/* Written for every target; the number of them, 0 when that failed. */
static size_t emit_each(struct guest *g, struct arena *mem,
			struct emission **ret)
{
	size_t n;
	const struct emitter *const *all = emit_all(&n);

	for (size_t i = 0; i < n && i < TARGETS; i++) {
		struct emit_options *o = arena_alloc(mem, sizeof(*o));
		struct err e;

		*o = (struct emit_options){
			.version = all[i]->default_version,
			.path = all[i]->default_path,
			.cgroup = CGROUP_V2,
			.sets_addresses = all[i]->sets_addresses,
		};
		if (emit_run(all[i], g, o, mem, &ret[i], &e))
			return 0;
	}
	return n < TARGETS ? n : TARGETS;
}

static void plan_conf(struct guest *g, const struct source *s,
		      struct arena *mem)
{
	const struct plan_options options = { .live = false };
	struct plan p = { .g = g,
			  .source = s,
			  .site = site_new(mem),
			  .options = &options,
			  .target = { .cgroup = CGROUP_V2 } };
	struct emission *done[TARGETS];
	struct report_input in = { .g = g, .emissions = done };
	struct err e;

	if (plan_run(&p, &e))
		return;
	in.n_emissions = emit_each(g, mem, done);
	if (in.n_emissions == 0 || plan_accept(&p, &e))
		return;
	no_fault(g);
	tell(&in);
}

#endif
