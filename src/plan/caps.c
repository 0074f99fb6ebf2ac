/*
 * Capabilities that a container needs otherwise than the old kernels did, and
 * those that no namespace confines. Reference: vserver.md 4.3.
 */
#include <inttypes.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/str.h"
#include "derive.h"
#include "plan/plan.h"
#include "plan/shim.h"

/*
 * What confines a capability on a mainline kernel. NONE: root with it rules
 * the host unless its ids are mapped (capabilities(7)).
 */
enum confined { BY_NAMESPACE, BY_NONE };

static const struct cap_row {
	const char *name;
	enum confined confined;
	enum finding_id finding; /* when granted; FIND__MAX: nothing to say */
	const char *text;
} cap_rows[] = {
	{ "net_admin", BY_NAMESPACE, FIND_CAP_CONFINED,
	  "NET_ADMIN ruled the host's interfaces, now only the guest's own" },
	{ "net_raw", BY_NAMESPACE, FIND_CAP_CONFINED,
	  "NET_RAW reached the host's stack, now only the guest's own" },
	{ "sys_admin", BY_NONE, FIND_CAP_SYS_ADMIN,
	  "SYS_ADMIN is kept: no other namespace confines it" },
	{ "sys_time", BY_NONE, FIND_CAP_SYS_TIME,
	  "SYS_TIME is kept: it sets the clock of the host" },
	{ "sys_module", BY_NONE, FIND_CAP_HOST_WIDE,
	  "SYS_MODULE loads modules into the host's kernel" },
	{ "sys_rawio", BY_NONE, FIND_CAP_HOST_WIDE,
	  "SYS_RAWIO reaches the host's memory and ports" },
	{ "mac_override", BY_NONE, FIND_CAP_HOST_WIDE,
	  "MAC_OVERRIDE bypasses the host's security module" },
	{ "mac_admin", BY_NONE, FIND_CAP_HOST_WIDE,
	  "MAC_ADMIN changes the host's security module" },
	{ "syslog", BY_NONE, FIND_CAP_UNNAMED,
	  "SYSLOG reads the kernel log of the host" },
	{ "perfmon", BY_NONE, FIND_CAP_UNNAMED,
	  "PERFMON observes the whole host" },
	{ "bpf", BY_NONE, FIND_CAP_UNNAMED,
	  "BPF loads programs into the host's kernel" },
	{ "audit_read", BY_NONE, FIND_CAP_UNNAMED,
	  "AUDIT_READ reads the audit log of the host" },
};

/* Bits of the capabilities that only mapped ids confine. */
uint64_t plan_caps_unconfined(uint64_t set)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < COUNT(cap_rows); i++)
		if (cap_rows[i].confined == BY_NONE)
			bits |= CAP_BIT(cap_find(cap_rows[i].name));
	return set & bits;
}

/* What is left out, if anything, confines nobody. */
static void find_all(struct plan *p, const struct origin *from)
{
	const uint64_t left_out = CAP_ALL & ~p->g->caps.v;

	finding_add(p->g, FIND_CAP_ALL, NULL, from,
		    "all capabilities%s%s are granted",
		    left_out != 0 ? " but " : "",
		    cap_show(p->g->mem, left_out, ", "));
}

static void report(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "caps", g->caps.from);

	if (str_eq(g->kind, "openvz") || str_eq(g->init_style.v, "machine"))
		return; /* confined by a kernel of its own, and by mapped ids */
	if (plan_was_container(g))
		return; /* of the same kernel: they reached as far before */
	if (plan_caps_unconfined(g->caps.v) == plan_caps_unconfined(CAP_ALL)) {
		find_all(p, from);
		return;
	}
	for (size_t i = 0; i < COUNT(cap_rows); i++) {
		const struct cap_row *row = &cap_rows[i];

		if ((g->caps.v & CAP_BIT(cap_find(row->name))) != 0 &&
		    row->finding != FIND__MAX)
			finding_add(g, row->finding, NULL, from, "%s",
				    row->text);
	}
}

static void add_cap(struct plan *p, enum finding_id id, const char *name,
		    const char *why)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "caps", g->caps.from);
	const uint64_t bit = CAP_BIT(cap_find(name));
	struct finding *f;

	if ((g->caps.v & bit) != 0 || g->caps.from->kind > ORIGIN_TEXT)
		return;
	f = finding_add(g, id, NULL, from, "%s added: %s", name, why);
	finding_covers(g, f, FIELD_CAPS, name);
	derive_caps(g, FIELD_CAPS, g, g->caps.v | bit, from, f);
}

static bool has_partial(const struct guest *g, const char *name)
{
	return g->partial_caps.from != NULL &&
	       strv_has(&g->partial_caps.v, name);
}

static bool needs_reboot(struct plan *p)
{
	return plan_shim_wanted(p) || (p->g->init_kind.from != NULL &&
				       !str_eq(p->g->init_kind.v, "none"));
}

/* Every interface goes through the host, where sources are checked. */
static bool all_routed(const struct guest *g)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->attach.from == NULL ||
		    !str_starts(g->nics.v[i]->attach.v, "routed"))
			return false;
	return true;
}

/* "ping" of the site file: the capability, or a range of groups. */
static void ping(struct plan *p)
{
	static const char key[] = "net.ipv4.ping_group_range";
	struct guest *g = p->g;
	const struct origin *from =
		plan_origin(p, "caps", g->partial_caps.from);
	struct finding *f;
	struct sysctl *s;

	if (!has_partial(g, "raw_icmp") || str_eq(g->ns_net.v, "host") ||
	    (g->caps.v & CAP_BIT(cap_find("net_raw"))) != 0)
		return;
	if (str_eq(site_choice(p->site, "ping"), "sysctl")) {
		f = finding_add(g, FIND_CAP_PING, NULL, from,
				"raw ICMP: %s lets every group ping; old ping "
				"programs do not know it",
				key);
		s = pvec_add(g->mem, &g->sysctls);
		derive_str(g, FIELD_SYSCTL_NAME, s, key, from, NULL);
		derive_str(g, FIELD_SYSCTL_VALUE, s, "0 2147483647", from, f);
		return;
	}
	add_cap(p, all_routed(g) ? FIND_CAP_PING : FIND_CAP_ADDED, "net_raw",
		"raw ICMP was allowed and programs such as ping need it; "
		"confined to the guest's own stack");
}

/* After the network is known: what ping needs depends on it. */
int plan_ping(struct plan *p, struct err *e)
{
	(void)e;
	if (p->g->caps.from != NULL)
		ping(p);
	return 0;
}

int plan_caps(struct plan *p, struct err *e)
{
	struct guest *g = p->g;

	(void)e;
	if (g->caps.from == NULL)
		return 0;
	report(p);
	if (needs_reboot(p))
		add_cap(p, FIND_CAP_ADDED, "sys_boot",
			"an init that is pid 1 ends with reboot(2), which acts "
			"on the guest only");
	return 0;
}
