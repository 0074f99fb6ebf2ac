/* One guest through reader, passes and writers. */
#include <errno.h>

#include "base/str.h"
#include "cli/work.h"
#include "reading.h"
#include "report/report.h"
#include "tree/tree_image.h"

static bool is_found(const struct guest *g, enum finding_id id)
{
	for (size_t i = 0; i < g->findings.n; i++)
		if (g->findings.v[i]->id == id)
			return true;
	return false;
}

static int open_root(struct work *w, struct err *e)
{
	struct guest *g = w->g;
	struct strv notes = { 0 };
	const struct tree_image_options o = {
		.snapshot = w->session->o->snapshot,
		.partition = w->session->o->partition,
		.mount = w->session->o->mount,
		.live = w->session->o->live,
		.mem = w->mem,
		.notes = &notes,
		.ret_crashed = &w->crashed,
	};
	struct err why;
	int r;

	(void)e;
	if (g->rootfs.from == NULL || w->root != NULL)
		return 0;
	r = tree_open_root(w->source->host->tree, g->rootfs.v, &o, &w->root,
			   &why);
	for (size_t i = 0; i < notes.n; i++)
		finding_add(g, FIND_DSK_IMAGE_STATE, NULL, g->rootfs.from, "%s",
			    notes.v[i]);
	if (r == 0)
		return 0;
	w->root = NULL;
	if (is_found(g, FIND_DSK_NO_ROOT)) /* the importer said why */
		return 0;
	finding_add(g, FIND_DSK_NO_ROOT, NULL, g->rootfs.from, "%s", why.msg);
	return 0;
}

static int read_any(const struct session *s, size_t i, bool brief,
		    struct work **ret, struct err *e)
{
	struct arena *mem = arena_new();
	struct work *w = arena_alloc(mem, sizeof(*w));
	const struct importer *imp;
	struct reading *r;
	bool failed;

	w->mem = mem;
	w->session = s;
	w->source = s->sources.list.v[i];
	imp = importer_find(w->source->kind);
	w->g = guest_new(mem);
	w->g->host = w->source->host->name;
	w->g->kind = w->source->kind;
	w->g->id = w->source->id;
	w->g->name = w->source->id;
	w->g->source = w->source->path;
	w->g->state = "unknown";
	w->g->key = source_key(mem, w->source);
	w->g->package = w->g->name;
	r = reading_new(w->g, w->source, imp);
	r->brief = brief;
	failed = imp->read(r, w->source, e) < 0;
	w->root = r->root;
	if (failed || reading_close(r, e) < 0 ||
	    (!brief && open_root(w, e) < 0)) {
		work_freep(&w);
		return -1;
	}
	*ret = w;
	return 0;
}

int work_read(const struct session *s, size_t i, struct work **ret,
	      struct err *e)
{
	return read_any(s, i, false, ret, e);
}

int work_read_brief(const struct session *s, size_t i, struct work **ret,
		    struct err *e)
{
	return read_any(s, i, true, ret, e);
}

int work_read_source(struct work *w, const char *path, const char **ret_data,
		     size_t *ret_n, struct err *e)
{
	const char *own = w->source->path;
	const size_t n = strlen(own);
	const bool inside = w->root != NULL && str_starts(path, own) &&
			    path[n] == '/' && w->g->rootfs.from != NULL &&
			    str_eq(w->g->rootfs.v, own);

	return tree_read(inside ? w->root : w->source->host->tree,
			 inside ? path + n : path, WORK_SOURCE_MAX, w->mem,
			 ret_data, ret_n, e);
}

static int emit_all_targets(struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->session->targets.n; i++) {
		const struct session_target *t = w->session->targets.v[i];
		struct emission *em;

		if (emit_run(t->emitter, w->g, &t->options, w->mem, &em, e) < 0)
			return -1;
		*vec_add(w->mem, &w->emissions) = em;
	}
	return 0;
}

static struct plan plan_of(struct work *w)
{
	struct plan p = {
		.g = w->g,
		.source = w->source,
		.facts = w->source->host->facts,
		.site = w->session->site,
		.fleet = w->session->fleet,
		.options = &w->session->plan,
		.root = w->root,
	};

	if (w->session->targets.n != 0)
		p.target = w->session->targets.v[0]->options;
	return p;
}

int work_options(struct work *w, struct err *e)
{
	struct plan p = plan_of(w);

	w->g->policy = policy_new(w->mem); /* nothing is compared here */
	return plan_options_pass(&p, e);
}

int work_look(struct work *w, struct err *e)
{
	struct plan p = plan_of(w);

	return plan_look(&p, e) < 0 ? -1 : plan_state(&p, e);
}

int work_plan(struct work *w, struct err *e)
{
	struct plan p = plan_of(w);

	if (w->session->fleet != NULL)
		w->g->package = fleet_name(w->session->fleet, w->g->key);
	if (plan_run(&p, e) < 0 || emit_all_targets(w, e) < 0 ||
	    plan_accept(&p, e) < 0)
		return -1;
	w->verdict = VERDICT_READY;
	for (size_t i = 0; i < w->emissions.n; i++) {
		const char *name = w->emissions.v[i]->emitter->name;
		const enum verdict v = plan_verdict(w->g, name);

		if (v > w->verdict)
			w->verdict = v;
	}
	return 0;
}

void work_freep(struct work **w)
{
	if (*w == NULL)
		return;
	tree_close((*w)->root);
	arena_free((*w)->mem);
	*w = NULL;
}

json_t *work_document(struct work *w, bool for_record)
{
	const struct report_input in = {
		.g = w->g,
		.emissions = w->emissions.v,
		.n_emissions = w->emissions.n,
		.for_record = for_record,
	};

	return report_guest(&in);
}
