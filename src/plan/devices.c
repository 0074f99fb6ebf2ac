/*
 * Device policy: the nodes that a guest's /dev held became rules when its tree
 * was looked at (look_dev.c); here those that must not follow are taken out.
 * Reference: vserver.md 3.7.
 */
#include "base/attr.h"
#include "base/cap.h"
#include "base/devrule.h"
#include "base/str.h"
#include "derive.h"
#include "plan/plan.h"

/* What a node is, by its numbers (Documentation/admin-guide/devices.txt). */
static const struct node_row {
	const char *rule; /* '*' for every minor */
	const char *name;
	enum { NODE_STANDARD, NODE_EXTRA, NODE_RAW, NODE_QUOTA } class;
} node_rows[] = {
	{ "c 1:3", "null", NODE_STANDARD },
	{ "c 1:5", "zero", NODE_STANDARD },
	{ "c 1:7", "full", NODE_STANDARD },
	{ "c 1:8", "random", NODE_STANDARD },
	{ "c 1:9", "urandom", NODE_STANDARD },
	{ "c 5:0", "tty", NODE_STANDARD },
	{ "c 5:1", "console", NODE_STANDARD },
	{ "c 5:2", "ptmx", NODE_STANDARD },
	{ "c 136:*", "pts", NODE_STANDARD },
	{ "c 1:1", "mem: the host's memory", NODE_RAW },
	{ "c 1:2", "kmem: the kernel's memory", NODE_RAW },
	{ "c 1:4", "port: the host's I/O ports", NODE_RAW },
	{ "c 1:11", "kmsg: the kernel log", NODE_EXTRA },
	{ "c 4:*", "a terminal of the host", NODE_EXTRA },
	{ "c 7:*", "screen of a terminal of the host", NODE_EXTRA },
	{ "c 10:135", "rtc: the host's clock", NODE_EXTRA },
	{ "c 254:0", "rtc: the host's clock", NODE_EXTRA },
	{ "c 10:200", "net/tun", NODE_EXTRA },
	{ "c 10:229", "fuse", NODE_EXTRA },
	{ "c 10:130", "watchdog", NODE_EXTRA },
	{ "c 10:237", "loop-control", NODE_EXTRA },
	{ "c 108:0", "ppp", NODE_EXTRA },
	{ "c 116:*", "sound", NODE_EXTRA },
	{ "c 14:*", "sound", NODE_EXTRA },
	{ "c 226:*", "graphics", NODE_EXTRA },
	{ "b 4:0", "hdv1: root of the quota helper", NODE_QUOTA },
	{ "b 4:*", "vroot: root of the quota helper", NODE_QUOTA },
	{ "b 7:*", "loop", NODE_EXTRA },
	{ "b *:*", "a block device", NODE_RAW },
	{ "c *:*", "a character device", NODE_EXTRA },
};

static const struct node_row *node_row(const struct devrule *dev)
{
	struct devrule rule;
	struct err e;

	for (size_t i = 0; i < COUNT(node_rows); i++)
		if (devrule_parse(node_rows[i].rule, &rule, &e) == 0 &&
		    devrule_covers(&rule, dev))
			return &node_rows[i];
	return &node_rows[COUNT(node_rows) - 1];
}

/* The guest keeps no access to it: an empty access list, and said so. */
static void withhold(struct plan *p, struct device *d, enum finding_id id,
		     const struct node_row *row)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "devices", d->access.from);
	struct finding *f;

	f = finding_add(g, id, NULL, from, "%s (%s, %s): left out",
			d->path.from != NULL ? d->path.v : d->rule.v, d->rule.v,
			row->name);
	finding_covers(g, f, FIELD_DEVICE_RULE, d->rule.v);
	finding_covers(g, f, FIELD_DEVICE_PATH, d->rule.v);
	derive_str(g, FIELD_DEVICE_ACCESS, d, "", from, f);
}

/*
 * The source lets nobody open it: no access at all, or only the right to make
 * a node of it.
 */
static bool is_closed(const struct device *d)
{
	return d->access.from != NULL && strpbrk(d->access.v, "rw") == NULL;
}

static void judge(struct plan *p, struct device *d)
{
	const struct node_row *row;
	struct devrule dev;
	struct err e;

	if (d->rule.from == NULL || devrule_parse(d->rule.v, &dev, &e) < 0 ||
	    dev.type == 'a' || d->rule.from->kind > ORIGIN_TEXT || is_closed(d))
		return;
	row = node_row(&dev);
	switch (row->class) {
	case NODE_STANDARD:
		break;
	case NODE_RAW:
		withhold(p, d, FIND_DEV_RAW, row);
		break;
	case NODE_QUOTA:
		withhold(p, d, FIND_DEV_VIRTUAL_DISK, row);
		break;
	case NODE_EXTRA:
		finding_add(p->g, FIND_DEV_NODE, NULL, d->rule.from,
			    "%s (%s, %s): allowed, as it was there",
			    d->path.from != NULL ? d->path.v : d->rule.v,
			    d->rule.v, row->name);
		break;
	}
}

/* The standard nodes; reference 3.7. Every engine makes them. */
static const char *const standard[] = { "c 1:3", "c 1:5", "c 1:7",
					"c 1:8", "c 1:9", "c 5:0" };

static bool has_rule(const struct guest *g, const char *rule)
{
	for (size_t i = 0; i < g->devices.n; i++)
		if (g->devices.v[i]->rule.from != NULL &&
		    str_eq(g->devices.v[i]->rule.v, rule))
			return true;
	return false;
}

/*
 * A tree without nodes was copied without them: no guest ran so. The standard
 * set is allowed in any case, for the engine makes the nodes and a program that
 * finds /dev/null refused is worse off than one that finds it absent.
 */
static void add_standard(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from =
		plan_origin(p, "devices", g->device_policy.from);
	const bool none = g->devices.n == 0;
	struct device *d;
	struct finding *f;

	for (size_t i = 0; i < COUNT(standard); i++) {
		if (has_rule(g, standard[i]))
			continue;
		f = finding_add(g,
				none ? FIND_DEV_NO_TREE : FIND_DEV_MISSING_NODE,
				NULL, from,
				none ? "no node in its /dev: the copy has "
				       "none, the standard set is allowed" :
				       "standard nodes that its /dev lacked "
				       "are made and allowed");
		d = pvec_add(g->mem, &g->devices);
		derive_str(g, FIELD_DEVICE_RULE, d, standard[i], from, f);
		derive_str(g, FIELD_DEVICE_ACCESS, d, "rw", from, f);
	}
}

static const char tun_rule[] = "c 10:200";

/*
 * A guest that may make tun and tap interfaces needs the node, and NET_ADMIN
 * over its own stack, which the old kernels did not ask for.
 */
static void add_tun(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from =
		plan_origin(p, "devices", g->tun_create.from);
	struct device *d;
	struct finding *f;

	if ((g->caps.v & CAP_BIT(cap_find("net_admin"))) == 0)
		finding_add(g, FIND_NET_TUN, NULL, from,
			    "without NET_ADMIN the guest cannot make the "
			    "device: make it in its network stack from the "
			    "host (ip tuntap add dev NAME mode tun)");
	if (has_rule(g, tun_rule))
		return;
	f = finding_add(g, FIND_NET_TUN, NULL, from,
			"/dev/net/tun (%s) is made and allowed", tun_rule);
	d = pvec_add(g->mem, &g->devices);
	derive_str(g, FIELD_DEVICE_RULE, d, tun_rule, from, f);
	derive_str(g, FIELD_DEVICE_ACCESS, d, "rw", from, f);
	derive_str(g, FIELD_DEVICE_PATH, d, "/dev/net/tun", from, f);
}

int plan_devices(struct plan *p, struct err *e)
{
	const struct opt_str *policy = &p->g->device_policy;

	(void)e;
	if (policy->from != NULL && str_eq(policy->v, "nodes"))
		add_standard(p);
	for (size_t i = 0; i < p->g->devices.n; i++)
		judge(p, p->g->devices.v[i]);
	if (p->g->tun_create.from != NULL && p->g->tun_create.v)
		add_tun(p);
	return 0;
}
