/*
 * A configuration of OpenVZ, from its bytes to the reports of every target;
 * beneath the root there is nothing else. As no file may, it cannot fail.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "importers/openvz/read.h"
#include "report/report.h"
#include "tree/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { TARGETS = 8 };

static const char conf_path[] = "/etc/vz/conf/101.conf";

/* A tree of an empty directory. */
static struct tree *nothing(void)
{
	char dir[] = "/tmp/fuzz_openvz.XXXXXX";
	struct tree *t;
	struct err e;

	if (!mkdtemp(dir) || tree_open_dir(dir, &t, &e) || rmdir(dir))
		abort();
	tree_set_name(t, "");
	return t;
}

static void read_conf(struct guest *g, const struct source *s, const char *text)
{
	struct reading *r = reading_new(g, s, importer_find(s->kind));
	struct err e;

	g->key = "h/openvz:101";
	g->kind = s->kind;
	g->host = s->host->name;
	g->id = g->name = g->package = s->id;
	g->source = s->path;
	g->state = "stopped";
	openvz_begin(r, conf_path)->dialect =
		openvz_dialect_of(conf_path, text, strlen(text));
	openvz_read_text(r, text);
	openvz_settle(r);
	if (reading_close(r, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		abort(); /* a setting was not accounted for */
	}
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree *t CLEANUP(tree_closep) = nothing();
	const struct host host = { .name = "h", .dir = "/", .tree = t };
	const struct source source = {
		.host = &host, .kind = "openvz", .id = "101", .path = conf_path
	};
	struct guest *g = guest_new(mem);

	read_conf(g, &source, arena_strndup(mem, (const char *)data, n));
	plan_conf(g, &source, mem);
	return 0;
}
