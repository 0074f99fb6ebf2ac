/*
 * Rules of the devices cgroup, in the order of the lines, and nodes. Without a
 * rule for all devices, and after "allow = a", every device can be opened;
 * after "deny = a" those that are listed. Reference: targets.md 2.2.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/devrule.h"
#include "importers/lxc/table.h"

int lxc_device(struct reading *r, const char *value, struct err *e)
{
	const char *key = r->cur->from.key;
	struct devrule rule;

	if (devrule_parse(value, &rule, e) < 0)
		return -1;
	*vec_add(r->g->mem, &lxc_of(r)->rules) = (struct lx_rule){
		.s = r->cur,
		.allow = str_ends(key, ".allow"),
		.v2 = str_starts(key, "lxc.cgroup2."),
		.text = value,
	};
	return 0;
}

/* Nodes that lxc.autodev makes. */
static const struct node_row {
	const char *id, *path;
} standard[] = {
	{ "c 1:3", "/dev/null" },    { "c 1:5", "/dev/zero" },
	{ "c 1:7", "/dev/full" },    { "c 1:8", "/dev/random" },
	{ "c 1:9", "/dev/urandom" }, { "c 5:0", "/dev/tty" },
	{ "c 5:1", "/dev/console" }, { "c 5:2", "/dev/ptmx" },
};

/* Nodes that guests are given by a bind (devices.txt of Linux). */
static const struct node_row known[] = {
	{ "c 10:200", "/dev/net/tun" },
	{ "c 10:229", "/dev/fuse" },
	{ "c 10:232", "/dev/kvm" },
	{ "c 108:0", "/dev/ppp" },
	{ "c 10:237", "/dev/loop-control" },
	{ "c 226:0", "/dev/dri/card0" },
	{ "c 226:128", "/dev/dri/renderD128" },
};

static bool autodev(const struct lxc *x)
{
	return x->kept[LXK_AUTODEV].s == NULL ||
	       !str_eq(x->kept[LXK_AUTODEV].text, "0");
}

static struct device *find(const struct guest *g, const char *id)
{
	for (size_t i = 0; i < g->devices.n; i++)
		if (str_eq(g->devices.v[i]->rule.v, id))
			return g->devices.v[i];
	return NULL;
}

/* The bits of a device so far; none where it is not there. */
static unsigned access_of(const struct device *d)
{
	unsigned bits = 0;

	if (d == NULL || d->access.from == NULL)
		return 0;
	bits |= strchr(d->access.v, 'r') != NULL ? DEV_READ : 0;
	bits |= strchr(d->access.v, 'w') != NULL ? DEV_WRITE : 0;
	bits |= strchr(d->access.v, 'm') != NULL ? DEV_MKNOD : 0;
	return bits;
}

static void allow(struct reading *r, const struct devrule *rule)
{
	char id[DEVRULE_TEXT], access[4];
	struct device *d;

	devrule_show_id(rule, id);
	d = find(r->g, id);
	devrule_show_access(rule->access | access_of(d), access);
	if (d == NULL) {
		d = take_device(r);
		take_str(r, FIELD_DEVICE_RULE, d, id);
	} else {
		take_part(r, FIELD_DEVICE_RULE, d);
	}
	take_str(r, FIELD_DEVICE_ACCESS, d, access);
}

static void forget(struct guest *g, const struct device *d)
{
	size_t n = 0;

	for (size_t i = 0; i < g->devices.n; i++)
		if (g->devices.v[i] != d)
			g->devices.v[n++] = g->devices.v[i];
	g->devices.n = n;
}

/* Takes out of a list what the list names in the same words. */
static void deny(struct reading *r, const struct lx_rule *l,
		 const struct devrule *rule)
{
	char id[DEVRULE_TEXT], access[4];
	struct device *d;
	unsigned left;

	devrule_show_id(rule, id);
	d = find(r->g, id);
	if (d == NULL) {
		lxc_end(r, l->s, BIN_INERT, "the list does not name it");
		return;
	}
	left = access_of(d) & ~rule->access;
	devrule_show_access(left, access);
	reading_resume(r, l->s);
	if (left == 0) {
		forget(r->g, d);
		reading_decide(r, BIN_CARRIED, "%s is not allowed", id);
	} else {
		take_str(r, FIELD_DEVICE_ACCESS, d, access);
	}
}

/* A bare rule begins anew; what stood before it had no effect. */
static size_t last_bare(const struct lxc *x, bool v2)
{
	size_t at = x->rules.n;

	for (size_t i = 0; i < x->rules.n; i++) {
		struct devrule rule;
		struct err e;

		if (x->rules.v[i].v2 == v2 &&
		    devrule_parse(x->rules.v[i].text, &rule, &e) == 0 &&
		    rule.type == 'a')
			at = i;
	}
	return at;
}

static void one_rule(struct reading *r, const struct lx_rule *l, bool listed)
{
	struct devrule rule;
	struct err e;

	if (devrule_parse(l->text, &rule, &e) < 0)
		return;
	reading_resume(r, l->s);
	if (rule.type == 'a')
		take_str(r, FIELD_DEVICE_POLICY, r->g,
			 l->allow ? "any" : "list");
	else if (l->allow && listed)
		allow(r, &rule);
	else if (l->allow)
		lxc_end(r, l->s, BIN_INERT,
			"every device is allowed: nothing begins a list");
	else if (listed)
		deny(r, l, &rule);
	else
		lxc_end_find(r, l->s, BIN_DROPPED, FIND_DEV_DENIED,
			     arena_printf(r->g->mem,
					  "%s was taken out of all devices, "
					  "which are allowed: it is not",
					  l->text));
}

static bool has_v2(const struct lxc *x)
{
	for (size_t i = 0; i < x->rules.n; i++)
		if (x->rules.v[i].v2)
			return true;
	return false;
}

static void all_rules(struct reading *r)
{
	struct lxc *x = lxc_of(r);
	const bool v2 = has_v2(x);
	const size_t bare = last_bare(x, v2);
	const bool listed = bare < x->rules.n && !x->rules.v[bare].allow;

	for (size_t i = 0; i < x->rules.n; i++) {
		const struct lx_rule *l = &x->rules.v[i];

		if (l->v2 != v2)
			lxc_end(r, l->s, BIN_OVERRIDDEN,
				"the rules for cgroup v2 are taken");
		else if (bare < x->rules.n && i < bare)
			lxc_end(r, l->s, BIN_OVERRIDDEN,
				"a later rule for all devices begins anew");
		else
			one_rule(r, l, listed);
	}
	reading_default(r, FIELD_DEVICE_POLICY, r->g, "any",
			"targets.md 2.2: without rules every device");
}

/* Whether the guest's own /dev holds the node. */
static bool is_there(struct reading *r, const char *path)
{
	struct tree_stat st;
	struct err e;

	return r->g->rootfs.from != NULL &&
	       tree_lstat(lxc_of(r)->t,
			  arena_printf(r->g->mem, "%s%s", r->g->rootfs.v, path),
			  &st, &e) == 0 &&
	       (S_ISCHR(st.mode) || S_ISBLK(st.mode));
}

/* Every device is allowed: so is what lxc.autodev makes a node of. */
static struct device *any_node(struct reading *r, const char *id)
{
	static const char ref[] = "targets.md 2.2: without rules every device";
	struct device *d = take_device(r);

	reading_default(r, FIELD_DEVICE_RULE, d, id, ref);
	reading_default(r, FIELD_DEVICE_ACCESS, d, "rwm", ref);
	return d;
}

static void standard_nodes(struct reading *r)
{
	const bool made = autodev(lxc_of(r));

	for (size_t i = 0; i < COUNT(standard); i++) {
		struct device *d = find(r->g, standard[i].id);

		if (d == NULL && made && str_eq(r->g->device_policy.v, "any"))
			d = any_node(r, standard[i].id);
		if (d != NULL && (made || is_there(r, standard[i].path)))
			reading_default(r, FIELD_DEVICE_PATH, d,
					standard[i].path,
					"targets.md 2.2: lxc.autodev, or the "
					"guest's own /dev");
	}
}

static void end_autodev(struct reading *r)
{
	const struct lx_value *k = &lxc_of(r)->kept[LXK_AUTODEV];

	if (k->s == NULL)
		return;
	if (str_eq(k->text, "0"))
		lxc_end_find(r, k->s, BIN_APPROXIMATED, FIND_MNT_EXTRA,
			     "LXC makes /dev now, with the nodes that the "
			     "guest may open; it had the one of its tree");
	else
		lxc_end(r, k->s, BIN_CARRIED, "LXC makes /dev");
}

void lxc_devices_settle(struct reading *r)
{
	all_rules(r);
	standard_nodes(r);
	end_autodev(r);
}

/* --- nodes ------------------------------------------------------------- */

/* "c 10:200" of the node that the path is; NULL: not known. */
static const char *node_id(struct reading *r, const char *path)
{
	struct tree_stat st;
	struct err e;

	if (tree_stat(lxc_of(r)->t, path, &st, &e) == 0 &&
	    (S_ISCHR(st.mode) || S_ISBLK(st.mode)))
		return arena_printf(r->g->mem, "%c %u:%u",
				    S_ISBLK(st.mode) ? 'b' : 'c', st.rdev_major,
				    st.rdev_minor);
	for (size_t i = 0; i < COUNT(known); i++)
		if (str_eq(known[i].path, path))
			return known[i].id;
	return NULL;
}

bool lxc_take_node(struct reading *r, const char *source, const char *target)
{
	struct device *d;
	const char *id;

	if (!str_starts(source, "/dev/") || !str_eq(source, target))
		return false;
	id = node_id(r, source);
	d = id == NULL ? NULL : find(r->g, id);
	if (d == NULL || d->path.from != NULL)
		return false;
	take_str(r, FIELD_DEVICE_PATH, d, target);
	return true;
}
