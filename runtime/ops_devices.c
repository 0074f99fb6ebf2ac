/* The guest's /dev, and which devices can be opened at all. */
#include <stdint.h>
#include <string.h>

#include "base/cap.h"
#include "base/devrule.h"
#include "base/str.h"
#include "runtime/ops.h"

/*
 * Opening one of these does something to the machine (design 2.4): the node is
 * not made. Memory, ports, serial lines, printers, tapes, clocks, watchdog.
 */
static const struct {
	uint32_t major, first, last;
} effect_rows[] = {
	{ 1, 1, 2 },      { 1, 4, 4 },       { 4, 64, 255 },
	{ 6, 0, 255 },    { 9, 0, 1 << 20 }, { 10, 130, 130 },
	{ 10, 135, 135 }, { 248, 0, 255 },   { 254, 0, 255 },
};

static bool has_effect(const struct devrule *r)
{
	if (r->type != 'c' || r->any_major)
		return false;
	for (size_t i = 0; i < COUNT(effect_rows); i++)
		if (r->major == effect_rows[i].major &&
		    (r->any_minor || (r->minor >= effect_rows[i].first &&
				      r->minor <= effect_rows[i].last)))
			return true;
	return false;
}

static const char *withheld_rule(const struct ops *ops, const struct devrule *r)
{
	const bool opens = (r->access & (DEV_READ | DEV_WRITE)) != 0;
	const bool mknod = (ops->caps & CAP_BIT(cap_find("mknod"))) != 0;

	if (r->type != 'c' && opens)
		return "withheld: block devices are the host's";
	if (has_effect(r) && opens && mknod)
		return "withheld: opening it does something to the machine";
	return NULL;
}

/* Adds a rule in v1's spelling; on v2 they become a program. */
static void allow(struct ops *ops, const struct policy_item *it,
		  struct strv *rules)
{
	const char *text = arena_printf(ops->mem, "%s %s", it->key, it->value);
	const char *why;
	struct devrule r;
	struct err e;

	if (devrule_parse(text, &r, &e) < 0) {
		ops_withhold(ops, it->field, it->key, "no device rule");
		return;
	}
	why = withheld_rule(ops, &r);
	if (why == NULL) {
		strv_add(ops->mem, rules, text);
		return;
	}
	ops_withhold(ops, FIELD_DEVICE_RULE, it->key, why);
	ops_withhold(ops, FIELD_DEVICE_ACCESS, it->key, why);
}

/* A rule a line, as the kernel takes them. */
static void write_list(struct ops *ops, const char *dir, bool any,
		       const struct strv *rules)
{
	if (!any)
		ops_add(ops, OP_GROUP_SET, dir, "devices.deny", "a", "devices");
	for (size_t i = 0; i < rules->n; i++)
		ops_add(ops, OP_GROUP_SET, dir,
			any ? "devices.deny" : "devices.allow", rules->v[i],
			"devices");
}

static void plan_rules(const struct ops_input *in, struct ops *ops)
{
	const struct host_group *v1 = host_controller(in->h, "devices");
	const struct host_group *g = v1 != NULL ? v1 : host_v2(in->h);
	const bool any =
		str_eq(policy_get(in->p, FIELD_DEVICE_POLICY, ""), "any");
	struct strv rules = { 0 };
	const char *dir;

	if (g == NULL) {
		ops_withhold(ops, FIELD_DEVICE_POLICY, "",
			     "no list of devices on this host");
		return;
	}
	dir = arena_printf(ops->mem, "%s/%s", g->path, ops->group);
	if (any) {
		strv_add(ops->mem, &rules, "b *:* rw");
		ops_withhold(ops, FIELD_DEVICE_POLICY, "",
			     "withheld: block devices are the host's");
	}
	for (size_t i = 0; !any && i < in->p->items.n; i++)
		if (in->p->items.v[i].field == FIELD_DEVICE_ACCESS)
			allow(ops, &in->p->items.v[i], &rules);
	if (v1 != NULL)
		write_list(ops, dir, any, &rules);
	else
		ops_add(ops, OP_DEVICES, dir, any ? "all but" : "only",
			strv_join(ops->mem, &rules, ", "), NULL);
}

/* Those that are made by other means: console, pseudo terminals. */
static bool is_special(const char *path)
{
	return str_eq(path, "/dev/console") || str_eq(path, "/dev/ptmx");
}

static void plan_node(const struct ops_input *in, struct ops *ops,
		      const struct policy_item *it)
{
	struct devrule r;
	struct err e;

	(void)in;
	if (is_special(it->value))
		return;
	if (devrule_parse(arena_printf(ops->mem, "%s r", it->key), &r, &e) <
		    0 ||
	    r.any_major || r.any_minor)
		return; /* a whole range has no one node */
	if (has_effect(&r))
		ops_withhold(ops, it->field, it->key,
			     "withheld: opening it does something to the "
			     "machine");
	else if (r.type != 'c')
		ops_withhold(ops, it->field, it->key,
			     "withheld: block devices are the host's");
	else
		ops_add(ops, OP_NODE, it->value, it->key, NULL, NULL);
}

static bool may_open(const struct ops_input *in, const char *id)
{
	const char *access = policy_get(in->p, FIELD_DEVICE_ACCESS, id);

	return access != NULL && strchr(access, 'r') != NULL &&
	       strchr(access, 'w') != NULL;
}

/* Whether a terminal of the guest's own can be opened once it is listed. */
static bool own_terminal(const struct ops_input *in)
{
	return str_eq(policy_get(in->p, FIELD_DEVICE_POLICY, ""), "any") ||
	       may_open(in, "c *:*") ||
	       (may_open(in, "c 5:2") && may_open(in, "c 136:*"));
}

void ops_devices(const struct ops_input *in, struct ops *ops)
{
	plan_rules(in, ops);
	if (policy_get(in->p, FIELD_MOUNT_TARGET, "/dev") != NULL)
		ops_add(ops, OP_DEV, "/dev", NULL, NULL, NULL);
	for (size_t i = 0; i < in->p->items.n; i++)
		if (in->p->items.v[i].field == FIELD_DEVICE_PATH)
			plan_node(in, ops, &in->p->items.v[i]);
	if ((host_controller(in->h, "devices") != NULL ||
	     host_v2(in->h) != NULL) &&
	    !own_terminal(in))
		ops_add(ops, OP_TERMINAL, NULL, NULL, NULL, NULL);
}
