/*
 * Mounts against the guest's own tree: LXC refuses a mount point that is a
 * link, so the place it leads to is used (the old tools mounted after chroot
 * and followed it).
 */
#include "base/str.h"
#include "derive.h"
#include "plan/plan.h"

static void follow(struct plan *p, struct mount *m)
{
	struct guest *g = p->g;
	const struct origin *from;
	const char *real, *old = m->target.v;
	struct finding *f;
	struct err e;

	if (m->target.from == NULL || m->target.from->kind > ORIGIN_TEXT ||
	    tree_resolve(p->root, old, g->mem, &real, &e) < 0 ||
	    str_eq(real, old) || str_eq(real, "/"))
		return;
	from = plan_origin(p, "mounts", m->target.from);
	f = finding_add(g, FIND_MNT_EXTRA, NULL, from,
			"mount point %s is a link: %s is used", old, real);
	finding_covers(g, f, FIELD_MOUNT_TARGET, old);
	finding_covers(g, f, FIELD_MOUNT_SOURCE, old);
	finding_covers(g, f, FIELD_MOUNT_TYPE, old);
	finding_covers(g, f, FIELD_MOUNT_OPTIONS, old);
	derive_str(g, FIELD_MOUNT_TARGET, m, real, from, f);
	finding_covers(g, f, FIELD_MOUNT_SOURCE, real);
	finding_covers(g, f, FIELD_MOUNT_TYPE, real);
	finding_covers(g, f, FIELD_MOUNT_OPTIONS, real);
}

int plan_mounts(struct plan *p, struct err *e)
{
	(void)e;
	if (p->root == NULL)
		return 0;
	for (size_t i = 0; i < p->g->mounts.n; i++)
		follow(p, p->g->mounts.v[i]);
	return 0;
}
