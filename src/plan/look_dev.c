/*
 * The device allow list of a guest that could open every node its /dev held
 * and make none: VServer, and any guest whose device.policy says "nodes".
 * Reference: vserver.md 3.7.
 */
#include <errno.h>

#include "base/cap.h"
#include "base/devrule.h"
#include "base/str.h"
#include "derive.h"
#include "plan/look.h"

enum { NODES_MAX = 4096 }; /* a full MAKEDEV makes some 3,000 */

/* Whether a rule stands for the node already, or takes it away. */
static bool is_ruled(const struct guest *g, const struct devrule *node)
{
	for (size_t i = 0; i < g->devices.n; i++) {
		const struct device *d = g->devices.v[i];
		const bool denied = d->access.from != NULL &&
				    d->access.v[0] == '\0';
		struct devrule rule;
		struct err e;

		if (d->rule.from != NULL &&
		    devrule_parse(d->rule.v, &rule, &e) == 0 &&
		    devrule_covers(&rule, node) &&
		    (denied || devrule_covers(node, &rule)))
			return true;
	}
	return false;
}

static void add_node(struct plan *p, const char *path,
		     const struct tree_stat *st)
{
	struct guest *g = p->g;
	const bool makes = (g->caps.v & CAP_BIT(cap_find("mknod"))) != 0;
	const struct origin *from = look_origin(p, path, NULL);
	struct devrule rule = { .major = st->rdev_major,
				.minor = st->rdev_minor,
				.access = DEV_READ | DEV_WRITE };
	char id[DEVRULE_TEXT], access[4];
	struct finding *f;
	struct device *d;

	rule.type = (st->mode & S_IFMT) == S_IFBLK ? 'b' : 'c';
	if (makes)
		rule.access |= DEV_MKNOD;
	devrule_show_id(&rule, id);
	devrule_show_access(rule.access, access);
	if (is_ruled(g, &rule))
		return;
	f = finding_add(g, FIND_DEV_LIST, NULL, g->device_policy.from,
			"the nodes of %s/dev are the devices it may open",
			g->rootfs.v);
	d = pvec_add(g->mem, &g->devices);
	derive_str(g, FIELD_DEVICE_RULE, d, id, from, f);
	derive_str(g, FIELD_DEVICE_ACCESS, d, access, from, f);
	derive_str(g, FIELD_DEVICE_PATH, d, path, from, f);
	derive_u64(g, FIELD_DEVICE_MODE, d, st->mode & 07777, from, NULL);
}

static void scan(struct plan *p, const char *dir, unsigned depth,
		 unsigned *budget)
{
	struct tree_entries list;
	struct err e;

	if (depth > 8 || tree_list(p->root, dir, p->g->mem, &list, &e) < 0)
		return;
	for (size_t i = 0; i<list.n && * budget> 0; i++) {
		const char *path =
			arena_printf(p->g->mem, "%s/%s", dir, list.v[i].name);
		struct tree_stat st;

		if (tree_lstat(p->root, path, &st, &e) < 0)
			continue;
		if ((st.mode & S_IFMT) == S_IFDIR)
			scan(p, path, depth + 1, budget);
		if ((st.mode & S_IFMT) != S_IFCHR &&
		    (st.mode & S_IFMT) != S_IFBLK)
			continue;
		(*budget)--;
		add_node(p, path, &st);
	}
}

void look_dev(struct plan *p)
{
	struct guest *g = p->g;
	unsigned budget = NODES_MAX;
	struct tree_stat st;
	struct err e;

	if (g->device_policy.from == NULL ||
	    !str_eq(g->device_policy.v, "nodes"))
		return;
	if (tree_lstat(p->root, "/dev", &st, &e) < 0) {
		/* that it has no nodes is told by the pass devices */
		if (e.code != ENOENT)
			finding_add(g, FIND_DEV_NO_TREE, NULL,
				    g->device_policy.from, "%s", e.msg);
		return;
	}
	if ((st.mode & S_IFMT) == S_IFDIR)
		scan(p, "/dev", 0, &budget);
	if (budget == 0)
		finding_add(g, FIND_DEV_UNKNOWN, NULL, g->device_policy.from,
			    "more than %d nodes in /dev: the rest is left out",
			    NODES_MAX);
}
