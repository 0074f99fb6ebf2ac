/* What the documents of a package say. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "base/str.h"
#include "cli/package_parts.h"
#include "policy/from_facts.h"
#include "plan/plan.h"

void package_artefact(struct package *p, const char *path, const char *sha256,
		      uint64_t size)
{
	struct package_file *f = vec_add(p->w->mem, &p->files);

	f->path = arena_strdup(p->w->mem, path);
	memcpy(f->sha256, sha256, DIGEST_HEX);
	f->size = size;
}

static void find_names(struct package *p, enum finding_id id,
		       const struct pack_names *names, const char *what)
{
	struct guest *g = p->w->g;
	const char *first = "";

	if (names->n == 0)
		return;
	if (names->first.n != 0)
		first = str_show(g->mem, names->first.v[0],
				 strlen(names->first.v[0]), 120);
	finding_add(g, id, NULL, g->rootfs.from,
		    "%s: %" PRIu64 ", the first is %s", what, names->n, first);
}

static void find_count(struct package *p, enum finding_id id, uint64_t n,
		       const char *what)
{
	struct guest *g = p->w->g;

	if (n != 0)
		finding_add(g, id, NULL, g->rootfs.from, "%s: %" PRIu64, what,
			    n);
}

void package_findings(struct package *p)
{
	const struct pack_result *r = &p->packed;

	find_names(p, FIND_DSK_UNREADABLE, &r->unreadable,
		   "could not be read whole");
	find_names(p, FIND_DSK_CHANGED, &r->changed,
		   "changed while they were read");
	find_names(p, FIND_DSK_CHANGED, &r->vanished,
		   "vanished while the tree was read");
	find_names(p, FIND_DSK_IMMUTABLE, &r->flagged,
		   "immutable or append-only");
	find_count(p, FIND_DSK_SOCKETS, r->sockets, "sockets left out");
	find_count(p, FIND_DSK_NODES, r->nodes_skipped,
		   "device nodes left out");
	find_count(p, FIND_DSK_LABELS, r->xattrs_dropped,
		   "labels of a security module left out");
}

/*
 * Why the difference is accepted: the last reason given, when each finding
 * about it that is more than a note has one; else NULL.
 */
static const char *accepted(const struct guest *g, const char *target,
			    const struct policy_diff *d)
{
	const char *reason = NULL;

	for (size_t i = 0; i < g->findings.n; i++) {
		const struct finding *f = g->findings.v[i];

		if (!finding_announces(f, target, d->field, d->key))
			continue;
		if (f->accepted != NULL)
			reason = f->accepted;
		else if (finding_row(f->id)->severity != SEV_NOTE)
			return NULL;
	}
	return reason;
}

/* Several findings of one code may be about one item. */
static void add_once(json_t *codes, const char *code)
{
	const json_t *c;
	size_t i;

	json_array_foreach (codes, i, c)
		if (str_eq(json_string_value(c), code))
			return;
	json_array_append_new(codes, json_text(code));
}

static json_t *difference(const struct guest *g, const char *target,
			  const struct policy_diff *d)
{
	json_t *o = json_object(), *codes = json_array();

	json_put_str(o, "field", field_get(d->field)->name);
	json_put_str(o, "key", d->key);
	json_put(o, "expected", json_text(d->expected));
	json_put(o, "observed", json_text(d->observed));
	json_put_str(o, "relation", policy_relation_name(d->relation));
	for (size_t i = 0; i < g->findings.n; i++) {
		const struct finding *f = g->findings.v[i];

		if (finding_announces(f, target, d->field, d->key))
			add_once(codes, finding_row(f->id)->code);
	}
	json_put(o, "findings", codes);
	json_put(o, "accepted", json_text(accepted(g, target, d)));
	return o;
}

static json_t *differences(const struct package *p, const struct emission *em)
{
	struct policy_diffs diffs = { 0 };
	json_t *list = json_array();

	policy_compare(p->w->g->policy, em->policy, p->w->mem, &diffs);
	for (size_t i = 0; i < diffs.list.n; i++)
		json_array_append_new(list,
				      difference(p->w->g, em->emitter->name,
						 &diffs.list.v[i]));
	return list;
}

/* What capture saw of it on its old host: nothing where it saw nothing. */
static const struct policy *recorded(const struct work *w)
{
	const struct guest *g = w->g;

	return policy_from_facts(g->xid.from == NULL ? NULL :
						       w->source->host->facts,
				 g->xid.v, w->mem);
}

json_t *package_policy(const struct package *p)
{
	json_t *o = json_object(), *targets = json_object(),
	       *all = json_object(), *ports = json_array();

	json_put_int(o, "schema", 1);
	json_put_str(o, "key", p->w->g->key);
	json_put(o, "source", policy_json(p->w->g->policy));
	json_put(o, "recorded", policy_json(recorded(p->w)));
	for (size_t i = 0; i < p->w->g->ports.n; i++)
		json_array_append_new(ports, json_text(p->w->g->ports.v[i]));
	json_put(o, "ports", ports);
	for (size_t i = 0; i < p->w->emissions.n; i++) {
		const struct emission *em = p->w->emissions.v[i];

		if (em->policy == NULL)
			continue;
		json_put(targets, em->emitter->name, policy_json(em->policy));
		json_put(all, em->emitter->name, differences(p, em));
	}
	json_put(o, "targets", targets);
	json_put(o, "differences", all);
	return o;
}

static json_t *rootfs_json(const struct package *p)
{
	const struct pack_result *r = &p->packed;
	json_t *o = json_object();

	json_put_str(o, "path", p->rootfs);
	json_put_bool(o, "tree", p->is_tree);
	json_put_str(o, "sha256", r->sha256);
	if (*r->tar_sha256)
		json_put_str(o, "tar_sha256", r->tar_sha256);
	json_put_u64(o, "bytes", r->bytes_out);
	json_put_u64(o, "tar_bytes", r->bytes_tar);
	json_put_u64(o, "files", r->files);
	json_put_u64(o, "directories", r->dirs);
	json_put_u64(o, "links", r->links);
	json_put_u64(o, "hardlinks", r->hardlinks);
	json_put_u64(o, "fifos", r->fifos);
	json_put_u64(o, "edits", r->edits);
	json_put_u64(o, "sockets_left_out", r->sockets);
	json_put_u64(o, "nodes_left_out", r->nodes_skipped);
	json_put_u64(o, "unreadable", r->unreadable.n);
	json_put_u64(o, "changed", r->changed.n);
	json_put_u64(o, "vanished", r->vanished.n);
	json_put_bool(o, "complete", !r->incomplete);
	return o;
}

static const char *consistency(const struct work *w)
{
	if (w->session->o->snapshot)
		return "snapshot";
	if (str_eq(w->g->state, "running"))
		return "live";
	if (w->crashed)
		return "crash";
	return str_eq(w->g->state, "stopped") ? "stopped" : "unknown";
}

static json_t *artefacts(const struct package *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->files.n; i++) {
		json_t *o = json_object();

		json_put_str(o, "path", p->files.v[i].path);
		json_put_str(o, "sha256", p->files.v[i].sha256);
		json_put_u64(o, "bytes", p->files.v[i].size);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *checks(const struct package *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->checks.n; i++) {
		json_t *o = json_object();

		json_put_str(o, "tool", p->checks.v[i].tool);
		json_put_str(o, "result", p->checks.v[i].result);
		json_put(o, "output", json_text(p->checks.v[i].output));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *package_manifest(const struct package *p)
{
	const struct guest *g = p->w->g;
	json_t *o = json_object(), *targets = json_object();

	json_put_int(o, "schema", 1);
	json_put_str(o, "tool", "rehost " REHOST_VERSION);
	json_put_str(o, "key", g->key);
	json_put_str(o, "name", g->package);
	json_put_str(o, "source", g->source);
	json_put_str(o, "resume_key", p->key);
	json_put_str(o, "consistency", consistency(p->w));
	json_put_str(o, "consistency_how", g->state_how);
	for (size_t i = 0; i < p->w->emissions.n; i++) {
		const struct emission *em = p->w->emissions.v[i];
		json_t *t = json_object();

		json_put_str(t, "name", em->name);
		json_put_str(t, "version", em->options->version);
		json_put_str(
			t, "verdict",
			plan_verdict_name(plan_verdict(g, em->emitter->name)));
		json_put(targets, em->emitter->name, t);
	}
	json_put(o, "targets", targets);
	json_put(o, "rootfs", p->rootfs != NULL ? rootfs_json(p) : json_null());
	json_put(o, "validation", checks(p));
	json_put(o, "artefacts", artefacts(p));
	return o;
}

void package_sums(const struct package *p, struct buf *b)
{
	for (size_t i = 0; i < p->files.n; i++)
		buf_printf(b, "%s  %s\n", p->files.v[i].sha256,
			   p->files.v[i].path);
}

static bool has_lxc(const struct package *p)
{
	for (size_t i = 0; i < p->w->emissions.n; i++)
		if (str_eq(p->w->emissions.v[i]->emitter->name, "lxc"))
			return true;
	return false;
}

static void add_check(struct package *p, const char *result, const char *output)
{
	*vec_add(p->w->mem, &p->checks) = (struct package_check){
		.tool = "lxc-info",
		.result = result,
		.output = arena_strdup(p->w->mem, output),
	};
}

/* lxc-info parses a whole configuration (targets.md 1.8). */
int package_validate(struct package *p, struct err *e)
{
	const char *how = p->w->session->o->validate;
	const char *path = arena_printf(
		p->w->mem, "%s/%s", p->w->session->o->output, p->stage_name);
	const char *const argv[] = {
		"lxc-info",        "-P", path, "-n", "lxc", "-c",
		"lxc.rootfs.path", NULL
	};
	struct buf out CLEANUP(buf_done) = { 0 };
	int status;
	struct err why;

	if (str_eq(how, "off") || !has_lxc(p))
		return 0;
	if (proc_run(argv, 60, &out, &status, &why) < 0) {
		add_check(p, "not run", why.msg);
		if (str_eq(how, "require"))
			return err_set(e, 0, "validate: %s", why.msg);
		return 0;
	}
	add_check(p, status == 0 ? "accepted" : "refused", buf_str(&out));
	if (status != 0)
		return err_set(e, 0, "lxc-info refuses lxc/config: %s",
			       buf_str(&out));
	return 0;
}
