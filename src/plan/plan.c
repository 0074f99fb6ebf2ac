/* The ordered table of passes, and the verdict that their findings make. */
#include "base/attr.h"
#include "base/str.h"
#include "plan/options.h"
#include "plan/plan.h"
#include "policy/from_guest.h"

/*
 * What the guest was, as far as its own tree shows it, belongs to the source:
 * the policy is taken after plan_look and before the first decision.
 */
static int take_policy(struct plan *p, struct err *e)
{
	(void)e;
	p->g->policy = policy_from_guest(p->g, p->g->mem);
	return 0;
}

static const struct plan_pass passes[] = {
	{ .name = "look", .run = plan_look },
	{ .name = "carriers", .run = plan_carriers },
	{ .name = "policy", .run = take_policy },
	{ .name = "options", .run = plan_options_pass },
	{ .name = "state", .run = plan_state },
	{ .name = "caps", .run = plan_caps },
	{ .name = "devices", .run = plan_devices },
	{ .name = "limits", .run = plan_limits },
	{ .name = "net", .run = plan_net },
	{ .name = "ping", .run = plan_ping },
	{ .name = "ports", .run = plan_ports },
	{ .name = "boot", .run = plan_boot },
	{ .name = "owner", .run = plan_owner },
	{ .name = "mounts", .run = plan_mounts },
	{ .name = "edits", .run = plan_edits },
	{ .name = "idmap", .run = plan_idmap },
	{ .name = "options", .run = plan_options_last },
	{ .name = "validate", .run = plan_validate },
};

int plan_run(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < COUNT(passes); i++)
		if (passes[i].run(p, e) < 0)
			return err_wrap(e, "plan %s", passes[i].name);
	return 0;
}

const char *plan_verdict_name(enum verdict v)
{
	static const char *const names[] = { "ready", "review", "blocked",
					     "failed" };

	return names[v];
}

/* A fault of ours fails the guest; nobody can accept it. */
static enum verdict verdict_of(const struct finding *f)
{
	const struct finding_row *row = finding_row(f->id);

	if (f->id == FIND_SYN_UNANNOUNCED || f->id == FIND_SYN_UNACCOUNTED)
		return VERDICT_FAILED;
	if (f->accepted != NULL)
		return VERDICT_READY;
	if (row->severity == SEV_BLOCKER)
		return VERDICT_BLOCKED;
	if (row->severity == SEV_LOSS || row->isolation == ISO_WEAKER)
		return VERDICT_REVIEW;
	if (row->action == ACT_SITE && row->severity == SEV_CHANGE)
		return VERDICT_REVIEW;
	return VERDICT_READY;
}

enum verdict plan_verdict(const struct guest *g, const char *target)
{
	enum verdict worst = VERDICT_READY;

	for (size_t i = 0; i < g->findings.n; i++) {
		const struct finding *f = g->findings.v[i];
		const enum verdict v = verdict_of(f);

		if (f->target != NULL && !str_eq(f->target, target))
			continue;
		if (v > worst)
			worst = v;
	}
	return worst;
}

bool plan_was_container(const struct guest *g)
{
	return str_eq(g->kind, "lxc") ||
	       (str_eq(g->kind, "libvirt") && str_eq(g->init_style.v, "plain"));
}

const struct origin *plan_origin(struct plan *p, const char *pass,
				 const struct origin *because)
{
	struct origin *o = arena_alloc(p->g->mem, sizeof(*o));

	*o = (struct origin){ .kind = ORIGIN_DERIVED,
			      .file = p->g->source,
			      .key = pass,
			      .because = because };
	if (because != NULL && because->kind != ORIGIN_DEFAULT) {
		o->file = because->file;
		o->line = because->line;
	}
	return o;
}
