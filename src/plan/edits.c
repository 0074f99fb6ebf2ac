/* The pass: every row of the table, where its condition holds. */
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/str.h"
#include "plan/edits_own.h"
#include "plan/shim.h"

static const struct edits_row rows[] = {
#define EDIT(name_, family_, when_, make_, path_, pattern_, text_, finding_,   \
	     reason_)                                                          \
	{ .name = name_,                                                       \
	  .family = family_,                                                   \
	  .when = EDITS_##when_,                                               \
	  .make = edits_##make_,                                               \
	  .path = path_,                                                       \
	  .pattern = pattern_,                                                 \
	  .text = text_,                                                       \
	  .finding = FIND_EDT_##finding_,                                      \
	  .reason = reason_ },
#include "plan/edits.def"
#undef EDIT
};

const struct edits_row *edits_rows(size_t *ret_n)
{
	*ret_n = COUNT(rows);
	return rows;
}

bool edits_own_init(const struct plan *p)
{
	return p->g->init_shim.from == NULL || !p->g->init_shim.v;
}

static bool is_init(const struct plan *p, const char *kind)
{
	return edits_own_init(p) && p->g->init_kind.from != NULL &&
	       str_eq(p->g->init_kind.v, kind);
}

/*
 * Every interface is a routed one of the old host, as venet was: its tools
 * wrote the guest's files, which set up what the engine does now. A guest with
 * a link of its own beside it keeps its files for that one.
 */
static bool all_routed(const struct guest *g)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->attach.from == NULL ||
		    !str_starts(g->nics.v[i]->attach.v, "routed:"))
			return false;
	return str_eq(g->kind, "openvz");
}

/*
 * The old host owned the addresses and the guest only used them. What stands
 * in its own files was never in force, or is not any more.
 */
static bool engine_addresses(const struct plan *p)
{
	const struct policy *was = p->g->policy;

	return p->g->addrs.n != 0 && was != NULL && !plan_guest_owns(p->g) &&
	       (str_eq(policy_get(was, FIELD_NS_NET, ""), "filtered") ||
		all_routed(p->g));
}

/* venet and a link of the guest's own: the engine sets the one alone. */
static bool venet_beside(const struct plan *p)
{
	const struct guest *g = p->g;

	if (plan_guest_owns(g) || engine_addresses(p))
		return false;
	for (size_t i = 0; i < g->nics.n; i++)
		if (str_eq(g->kind, "openvz") &&
		    str_eq(g->nics.v[i]->name.v, "venet0") &&
		    g->nics.v[i]->attach.from != NULL &&
		    str_starts(g->nics.v[i]->attach.v, "routed:"))
			return true;
	return false;
}

/*
 * A script whose link is gone is waited for by nobody: what came after it
 * would run at once, such as the halt before services have stopped.
 */
static bool is_parallel(const struct plan *p)
{
	return tree_exists(p->root, "/etc/init.d/.depend.stop");
}

static bool holds(const struct plan *p, enum edits_when when)
{
	switch (when) {
	case EDITS_ALWAYS:
		return true;
	case EDITS_OPENVZ:
		return str_eq(p->g->kind, "openvz");
	case EDITS_NAMED:
		return !str_eq(p->g->kind, "libvirt");
	case EDITS_INIT:
		return edits_own_init(p);
	case EDITS_INITTAB:
		return is_init(p, "sysvinit") || is_init(p, "openrc") ||
		       is_init(p, "busybox");
	case EDITS_SYSVINIT:
		return is_init(p, "sysvinit") || is_init(p, "openrc");
	case EDITS_UPSTART:
		return is_init(p, "upstart");
	case EDITS_UPSTART_RC:
		return is_init(p, "upstart") && p->g->runlevel.from != NULL &&
		       str_eq(p->g->init_style.v, "sysv");
	case EDITS_SYSTEMD:
		return is_init(p, "systemd");
	case EDITS_NETWORK:
		return engine_addresses(p);
	case EDITS_NETWORK_SYSTEMD:
		return engine_addresses(p) && is_init(p, "systemd");
	case EDITS_NETWORK_UPSTART:
		return engine_addresses(p) && is_init(p, "upstart");
	case EDITS_VENET:
		return venet_beside(p);
	case EDITS_OWN_NETWORK:
		return plan_guest_owns(p->g);
	case EDITS_NO_TIME:
		return p->g->caps.from != NULL &&
		       (p->g->caps.v & CAP_BIT(cap_find("sys_time"))) == 0;
	case EDITS_NUMBERED:
		return !is_parallel(p);
	case EDITS_PARALLEL:
		return is_parallel(p);
	}
	return false;
}

static bool is_there(const struct plan *p, const char *path)
{
	const size_t n = strlen(path);

	if (path[n - 1] != '/')
		return tree_exists(p->root, path);
	return tree_is_dir(p->root, arena_strndup(p->g->mem, path, n - 1));
}

static bool is_any_there(const struct plan *p, const char *paths)
{
	const struct strv all = strv_split(p->g->mem, paths, "|");

	for (size_t i = 0; i < all.n; i++)
		if (is_there(p, all.v[i]))
			return true;
	return false;
}

const struct edits_row *edits_own_row(const struct plan *p)
{
	for (size_t i = 0; p->root != NULL && i < COUNT(rows); i++) {
		struct strv all;
		size_t n = 0;

		if (rows[i].when != EDITS_OWN_NETWORK)
			continue;
		all = strv_split(p->g->mem, rows[i].pattern, " ");
		while (n < all.n && is_any_there(p, all.v[n]))
			n++;
		if (n == all.n)
			return &rows[i];
	}
	return NULL;
}

int plan_edits(struct plan *p, struct err *e)
{
	struct edits ed = { .p = p, .mem = p->g->mem };

	(void)e;
	if (p->root == NULL)
		return 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ed.row = &rows[i];
		if (holds(p, rows[i].when) &&
		    (rows[i].when != EDITS_OWN_NETWORK ||
		     &rows[i] == edits_own_row(p)))
			rows[i].make(&ed);
	}
	return 0;
}
