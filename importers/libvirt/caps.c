/*
 * Capabilities and mapped ids. The set is that of libvirtd itself, which has
 * all that its kernel knows, less five by default. Reference: libvirt.md 2.6,
 * 2.7.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "importers/libvirt/table.h"

enum {
	IDS_MAX = 340,   /* lines of a map that the kernel takes */
	KNOWN_CAPS = 37, /* names that libvirt knows: up to block_suspend */
};

/* What policy default takes away; libvirt.md 3.5. */
static const char *const dropped[] = { "sys_module", "sys_time", "mknod",
				       "audit_control", "mac_admin" };

static uint64_t default_set(void)
{
	uint64_t set = CAP_ALL;

	for (size_t i = 0; i < COUNT(dropped); i++)
		set &= ~CAP_BIT(cap_find(dropped[i]));
	return set;
}

static void begin_with(struct reading *r, uint64_t set)
{
	take_caps(r, FIELD_CAPS, r->g, CAP_ALL & ~set, false);
	take_caps(r, FIELD_CAPS, r->g, set, true);
}

/* The policy that counts: the last; its word. */
static const char *policy(struct reading *r, const struct lv_nodes *all)
{
	const char *word = "default";

	for (size_t i = 0; i < all->list.n; i++) {
		const struct lv_value v =
			libvirt_attr(all->list.v[i], "policy");

		if (v.s == NULL)
			continue;
		reading_resume(r, v.s);
		if (str_eq(v.text, "default")) {
			begin_with(r, default_set());
		} else if (str_eq(v.text, "allow")) {
			begin_with(r, CAP_ALL);
		} else if (str_eq(v.text, "deny")) {
			begin_with(r, 0);
		} else {
			libvirt_end_find(r, v.s, BIN_INVALID,
					 FIND_SRC_NOT_STARTED,
					 "none of default, allow, deny");
			continue;
		}
		word = v.text;
	}
	return word;
}

static void capability(struct reading *r, const struct xml_node *node,
		       const char *word)
{
	const struct lv_value state = libvirt_attr(node, "state");
	struct setting *s = state.s != NULL ? state.s : node->of;
	const int bit = cap_find(node->name);

	if (s == NULL)
		return;
	reading_resume(r, s);
	if (bit < 0 || bit >= KNOWN_CAPS ||
	    !str_eq(node->name, cap_name((unsigned)bit))) {
		libvirt_end_find(r, s, BIN_INVALID, FIND_CAP_UNKNOWN,
				 arena_printf(r->g->mem,
					      "%s: no capability that libvirt "
					      "knows",
					      libvirt_shown(r, node->name)));
	} else if (state.s != NULL && !str_eq(state.text, "on") &&
		   !str_eq(state.text, "off")) {
		libvirt_end_find(r, s, BIN_INVALID, FIND_SRC_NOT_STARTED,
				 "neither on nor off");
	} else if (str_eq(node->name, "sys_boot") && str_eq(word, "default") &&
		   libvirt_is(state, "off")) {
		libvirt_end(r, s, BIN_INERT,
			    "libvirt keeps it: a reboot acts on the guest "
			    "alone");
	} else {
		take_caps(r, FIELD_CAPS, r->g, CAP_BIT(bit),
			  !libvirt_is(state, "off"));
	}
	libvirt_end_below(r, node, BIN_INERT, "not looked at");
}

/* --- ids --- */

static bool map_number(struct reading *r, const struct xml_node *node,
		       const char *name, uint64_t *ret)
{
	const struct lv_value v = libvirt_attr(node, name);
	struct err e;

	if (v.s == NULL)
		return false;
	if (libvirt_number(v.text, 0, UINT32_MAX, ret, &e) == 0)
		return true;
	libvirt_end_find(r, v.s, BIN_INVALID, FIND_SRC_NOT_STARTED,
			 arena_strdup(r->g->mem, e.msg));
	return false;
}

static void map_line(struct reading *r, const struct xml_node *node)
{
	static const struct {
		const char *name;
		enum field_id field;
	} rows[] = {
		{ "start", FIELD_IDMAP_INSIDE },
		{ "target", FIELD_IDMAP_OUTSIDE },
		{ "count", FIELD_IDMAP_COUNT },
	};
	uint64_t n[COUNT(rows)] = { 0 };
	struct idmap *m;
	bool fine = true;

	for (size_t i = 0; i < COUNT(rows); i++)
		fine = map_number(r, node, rows[i].name, &n[i]) && fine;
	if (!fine || n[2] == 0 || n[1] + n[2] > UINT64_C(1) << 32 ||
	    n[0] + n[2] > UINT64_C(1) << 32) {
		reading_find_at(r, FIND_SRC_NOT_STARTED,
				libvirt_at(r, node, node->name),
				"no range of ids: left out");
		libvirt_end_below(r, node, BIN_INVALID, "no range of ids");
		return;
	}
	m = take_idmap(r);
	for (size_t i = 0; i < COUNT(rows); i++) {
		reading_resume(r, libvirt_attr(node, rows[i].name).s);
		if (i == 0)
			take_str(r, FIELD_IDMAP_KIND, m,
				 str_eq(node->name, "uid") ? "u" : "g");
		take_u64(r, rows[i].field, m, n[i]);
	}
	if (n[1] == 0)
		reading_find(r, FIND_SRC_MEANT,
			     "ids of the guest are those of the host's root");
}

/* Ids that two lines map: the kernel refuses such a map. */
static bool overlap(const struct idmap *a, const struct idmap *b)
{
	return str_eq(a->kind.v, b->kind.v) &&
	       ((a->inside.v < b->inside.v + b->count.v &&
		 b->inside.v < a->inside.v + a->count.v) ||
		(a->outside.v < b->outside.v + b->count.v &&
		 b->outside.v < a->outside.v + a->count.v));
}

static const char *map_fault(const struct guest *g)
{
	bool zero[2] = { false, false };

	for (size_t i = 0; i < g->idmaps.n; i++) {
		const struct idmap *m = g->idmaps.v[i];

		if (m->inside.v == 0)
			zero[str_eq(m->kind.v, "g")] = true;
		for (size_t k = 0; k < i; k++)
			if (overlap(m, g->idmaps.v[k]))
				return "ranges of ids overlap";
	}
	if (g->idmaps.n > (size_t)2 * IDS_MAX)
		return "more ranges of ids than the kernel takes";
	return zero[0] && zero[1] ? NULL :
				    "no range of both kinds begins with id 0";
}

static void ids(struct reading *r)
{
	static const char *const paths[] = { "idmap/uid", "idmap/gid" };
	const char *why;
	const struct origin *at;

	for (size_t i = 0; i < COUNT(paths); i++) {
		const struct lv_nodes all = libvirt_all(r, paths[i]);

		for (size_t k = 0; k < all.list.n; k++)
			map_line(r, all.list.v[k]);
	}
	if (r->g->idmaps.n == 0)
		return;
	at = r->g->idmaps.v[0]->kind.from;
	take_str(r, FIELD_NS_USER, r->g, "private");
	why = map_fault(r->g);
	if (why != NULL)
		reading_find_at(r, FIND_IDM_BAD, at, "%s", why);
	take_bool(r, FIELD_ROOT_SHIFTED, r->g, true);
}

void libvirt_caps_settle(struct reading *r)
{
	const struct lv_nodes all = libvirt_all(r, "features/capabilities");
	const char *word;

	if (libvirt_is_machine(r)) {
		for (size_t i = 0; i < all.list.n; i++)
			libvirt_end_below(r, all.list.v[i], BIN_INERT,
					  "of containers");
		return;
	}
	word = policy(r, &all);
	for (size_t i = 0; i < all.list.n; i++)
		for (const struct xml_node *c = all.list.v[i]->child; c != NULL;
		     c = c->next)
			capability(r, c, word);
	ids(r);
}
