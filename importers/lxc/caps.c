/*
 * Capabilities, ids, namespaces. LXC drops from all that the kernel has, or
 * keeps a list; the two exclude each other. Reference: targets.md 2.2, 2.4.
 */
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/num.h"
#include "importers/lxc/table.h"

/* Lower-case names without cap_, or a number: another one ends the start. */
static int cap_bit(const char *value, uint64_t *ret, struct err *e)
{
	const int bit = cap_find(value);
	uint64_t n;

	if (num_u64(value, &n, e) == 0) {
		if (n >= 64)
			return err_set(e, 0, "no capability has that number");
		*ret = CAP_BIT(n);
		return 0;
	}
	if (bit < 0 || !str_eq(cap_name((unsigned)bit), value))
		return err_set(e, 0,
			       "no capability: LXC wants lower-case names "
			       "without cap_");
	*ret = CAP_BIT(bit);
	return 0;
}

static void add_cap(struct reading *r, bool keep, uint64_t bits)
{
	*vec_add(r->g->mem, &lxc_of(r)->caps) =
		(struct lx_cap){ .s = r->cur, .keep = keep, .bits = bits };
}

int lxc_cap_drop(struct reading *r, const char *value, struct err *e)
{
	uint64_t bits;

	if (cap_bit(value, &bits, e) < 0)
		return -1;
	add_cap(r, false, bits);
	return 0;
}

/* "none" takes back what was kept before it. */
int lxc_cap_keep(struct reading *r, const char *value, struct err *e)
{
	uint64_t bits = 0;

	if (!str_eq(value, "none") && cap_bit(value, &bits, e) < 0)
		return -1;
	add_cap(r, true, bits);
	return 0;
}

static void take_kept(struct reading *r)
{
	struct lxc *x = lxc_of(r);
	uint64_t set = 0;

	for (size_t i = 0; i < x->caps.n; i++) {
		const struct lx_cap *c = &x->caps.v[i];

		if (!c->keep)
			continue;
		reading_resume(r, c->s);
		if (c->bits == 0)
			take_caps(r, FIELD_CAPS, r->g, set, false);
		set = c->bits == 0 ? 0 : set | c->bits;
		take_caps(r, FIELD_CAPS, r->g, c->bits, true);
	}
}

static void take_dropped(struct reading *r)
{
	struct lxc *x = lxc_of(r);

	for (size_t i = 0; i < x->caps.n; i++) {
		if (x->caps.v[i].keep)
			continue;
		reading_resume(r, x->caps.v[i].s);
		take_caps(r, FIELD_CAPS, r->g, x->caps.v[i].bits, false);
	}
}

void lxc_caps_settle(struct reading *r)
{
	const struct lxc *x = lxc_of(r);
	bool keep = false, drop = false;

	for (size_t i = 0; i < x->caps.n; i++) {
		keep = keep || x->caps.v[i].keep;
		drop = drop || !x->caps.v[i].keep;
	}
	if (keep)
		take_kept(r);
	else
		reading_default(r, FIELD_CAPS, r->g,
				cap_show(r->g->mem, CAP_ALL, " "),
				"targets.md 2.2: nothing is dropped");
	take_dropped(r);
	if (keep && drop)
		reading_find_at(r, FIND_SRC_NOT_STARTED, r->g->caps.from,
				"lxc.cap.keep and lxc.cap.drop exclude each "
				"other: what both leave was taken");
}

/* --- ids --------------------------------------------------------------- */

static int id_number(const char *s, uint64_t *ret, struct err *e)
{
	if (num_u64(s, ret, e) < 0)
		return -1;
	if (*ret > UINT32_MAX)
		return err_set(e, 0, "ids have 32 bits");
	return 0;
}

/* "u 0 100000 65536"; LXC 4 and later also "b" for both. */
int lxc_idmap(struct reading *r, const char *value, struct err *e)
{
	const struct strv w = strv_split(r->g->mem, value, " \t");
	uint64_t n[3];

	if (w.n != 4 || strlen(w.v[0]) != 1 || strchr("ugb", w.v[0][0]) == NULL)
		return err_set(e, 0, "not \"u|g GUEST HOST COUNT\"");
	for (size_t i = 0; i < COUNT(n); i++)
		if (id_number(w.v[i + 1], &n[i], e) < 0)
			return -1;
	if (n[2] == 0)
		return err_set(e, 0, "a map of no ids");
	for (const char *kind = "ug"; *kind != '\0'; kind++) {
		struct idmap *m;

		if (w.v[0][0] != *kind && w.v[0][0] != 'b')
			continue;
		m = pvec_add(r->g->mem, &r->g->idmaps);
		take_str(r, FIELD_IDMAP_KIND, m,
			 arena_strndup(r->g->mem, kind, 1));
		take_u64(r, FIELD_IDMAP_INSIDE, m, n[0]);
		take_u64(r, FIELD_IDMAP_OUTSIDE, m, n[1]);
		take_u64(r, FIELD_IDMAP_COUNT, m, n[2]);
	}
	if (r->g->ns_user.from->kind == ORIGIN_DEFAULT)
		take_str(r, FIELD_NS_USER, r->g, "private");
	return 0;
}

/* --- namespaces -------------------------------------------------------- */

static const struct ns_row {
	const char *name;
	enum field_id field;
} ns_rows[] = {
	{ "pid", FIELD_NS_PID },       { "net", FIELD_NS_NET },
	{ "mnt", FIELD_NS_MOUNT },     { "ipc", FIELD_NS_IPC },
	{ "uts", FIELD_NS_UTS },       { "user", FIELD_NS_USER },
	{ "cgroup", FIELD_NS_CGROUP },
};

static enum field_id ns_field(const char *name)
{
	for (size_t i = 0; i < COUNT(ns_rows); i++)
		if (str_eq(ns_rows[i].name, name))
			return ns_rows[i].field;
	return FIELD__MAX;
}

int lxc_ns_keep(struct reading *r, const char *value, struct err *e)
{
	const enum field_id f = ns_field(value);

	if (str_eq(value, "time")) {
		reading_decide(r, BIN_INERT, "the clock is the host's");
		return 0;
	}
	if (f == FIELD__MAX)
		return err_set(e, 0, "no namespace of that name");
	take_str(r, f, r->g, "host");
	if (f == FIELD_NS_NET)
		reading_find(r, FIND_NET_HOST_STACK,
			     "the guest has the host's network");
	return 0;
}

int lxc_ns_share(struct reading *r, const char *value, struct err *e)
{
	const char *name = r->cur->from.key + strlen("lxc.namespace.share.");
	const enum field_id f = ns_field(name);

	if (f == FIELD__MAX)
		return err_set(e, 0, "no namespace of that name");
	take_str(r, f, r->g, arena_printf(r->g->mem, "shared:%s", value));
	if (f == FIELD_NS_NET)
		reading_find(r, FIND_NET_SHARED_STACK,
			     "the network stack is that of %s",
			     lxc_shown(r, value));
	return 0;
}
