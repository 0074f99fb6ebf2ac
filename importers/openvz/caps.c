/*
 * Capabilities, features and the firewall. VE_ADMIN, which every guest had,
 * was NET_ADMIN and SYS_ADMIN over the guest alone: what a user namespace
 * gives today. Reference: openvz.md 3.7, 3.8, 5.7.
 */
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "importers/openvz/table.h"

static uint64_t admin_bits(void)
{
	return CAP_BIT(cap_find("net_admin")) | CAP_BIT(cap_find("sys_admin"));
}

/* "NAME:on" cut in two; -1: neither on nor off. */
static int cut_switch(struct reading *r, const char *value,
		      const char **ret_name, bool *ret_on, struct err *e)
{
	const char *colon = strrchr(value, ':');

	if (colon == NULL || (!str_eq(colon, ":on") && !str_eq(colon, ":off")))
		return err_set(e, 0, "\"%s\": neither :on nor :off",
			       openvz_shown(r, value));
	*ret_name = arena_strndup(r->g->mem, value, (size_t)(colon - value));
	*ret_on = str_eq(colon, ":on");
	return 0;
}

static void switch_ve_admin(struct reading *r, bool on)
{
	struct openvz *v = openvz_of(r);

	if (on) {
		reading_decide(r, BIN_CARRIED, "as by default");
		return;
	}
	v->ve_admin_off = true;
	take_caps(r, FIELD_CAPS, r->g, admin_bits() & ~v->caps_on, false);
}

static void switch_cap(struct reading *r, const char *name, bool on)
{
	struct openvz *v = openvz_of(r);
	const uint64_t bit = CAP_BIT(cap_find(name));

	if (!on && (bit & admin_bits()) != 0 && !v->ve_admin_off) {
		reading_decide(r, BIN_CARRIED,
			       "off by default; VE_ADMIN gives it over the "
			       "guest alone");
		return;
	}
	if (on)
		v->caps_on |= bit;
	take_caps(r, FIELD_CAPS, r->g, bit, on);
}

int openvz_capability(struct reading *r, const char *value, struct err *e)
{
	struct openvz *v = openvz_of(r);
	const char *name;
	bool on;

	if (v->dialect == OV_V7 || value[0] == '\0') {
		reading_decide(r, BIN_INERT,
			       value[0] == '\0' ? "empty" :
						  "libvzctl ignores it");
		return 0;
	}
	if (v->caps_lost)
		return err_set(e, 0,
			       "a wrong word stands before: vzctl read "
			       "no further");
	v->caps_lost = true;
	if (cut_switch(r, value, &name, &on, e) < 0)
		return -1;
	if (str_caseeq(name, "FS_MASK")) {
		v->caps_lost = false;
		reading_decide(r, BIN_INERT, "a mask of the old kernel");
		return 0;
	}
	if (!str_caseeq(name, "VE_ADMIN") &&
	    (str_starts(name, "cap_") || str_starts(name, "CAP_") ||
	     cap_find(name) < 0 || cap_find(name) >= 32))
		return err_set(e, 0,
			       "\"%s\" is no capability: vzctl read no "
			       "further",
			       openvz_shown(r, name));
	v->caps_lost = false;
	if (str_caseeq(name, "VE_ADMIN"))
		switch_ve_admin(r, on);
	else
		switch_cap(r, name, on);
	return 0;
}

/* --- features --------------------------------------------------------- */

static const struct feature_row {
	const char *name;
	enum bin bin; /* when it is on */
	enum finding_id finding;
	const char *note;
} feature_rows[] = {
	{ "sysfs", BIN_CARRIED, FIND__MAX, "/sys may be mounted" },
	{ "nfs", BIN_DROPPED, FIND_CAP_PARTIAL_MOUNT,
	  "NFS cannot be mounted in a user namespace: mount it on the host and "
	  "bind it" },
	{ "nfsd", BIN_DROPPED, FIND_CAP_KTHREAD,
	  "the kernel's NFS server does not run in a container" },
	{ "sit", BIN_HOSTSIDE, FIND_HST_PACKAGE,
	  "load the module sit on the host" },
	{ "ipip", BIN_HOSTSIDE, FIND_HST_PACKAGE,
	  "load the module ipip on the host" },
	{ "ppp", BIN_HOSTSIDE, FIND_HST_PACKAGE,
	  "load the module ppp_generic on the host; the device is c 108:0" },
	{ "ipgre", BIN_HOSTSIDE, FIND_HST_PACKAGE,
	  "load the module ip_gre on the host" },
	{ "bridge", BIN_HOSTSIDE, FIND_HST_PACKAGE,
	  "load the module bridge on the host" },
	{ "time", BIN_DROPPED, FIND_CAP_PARTIAL_LOST,
	  "the guest cannot set the clock: set it on the host" },
};

int openvz_feature(struct reading *r, const char *value, struct err *e)
{
	const char *name;
	bool on;

	if (value[0] == '\0') {
		reading_decide(r, BIN_INERT, "empty");
		return 0;
	}
	if (cut_switch(r, value, &name, &on, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(feature_rows); i++) {
		const struct feature_row *row = &feature_rows[i];

		if (!str_eq(row->name, name))
			continue;
		if (!on && str_eq(name, "sysfs"))
			take_str(r, FIELD_SYS_VIEW, r->g, "none");
		else if (!on)
			reading_decide(r, BIN_CARRIED, "not there by default");
		else
			reading_decide(r, row->bin, "%s", row->note);
		if (on && row->finding != FIND__MAX)
			reading_find(r, row->finding, "%s", row->note);
		return 0;
	}
	return err_set(e, 0, "\"%s\" is no feature", openvz_shown(r, name));
}

/* --- firewall --------------------------------------------------------- */

/* The name a module has on a mainline kernel; openvz.md 5.5.3. */
static const struct module_row {
	const char *old, *new;
} module_rows[] = {
	{ "ip_tables", "ip_tables" },
	{ "iptable_filter", "iptable_filter" },
	{ "iptable_mangle", "iptable_mangle" },
	{ "iptable_nat", "iptable_nat" },
	{ "ip_conntrack", "nf_conntrack" },
	{ "ip_conntrack_ftp", "nf_conntrack_ftp" },
	{ "ip_conntrack_irc", "nf_conntrack_irc" },
	{ "ip_nat_ftp", "nf_nat_ftp" },
	{ "ip_nat_irc", "nf_nat_irc" },
	{ "ipt_limit", "xt_limit" },
	{ "ipt_multiport", "xt_multiport" },
	{ "ipt_tos", "xt_dscp" },
	{ "ipt_TOS", "xt_DSCP" },
	{ "ipt_REJECT", "ipt_REJECT" },
	{ "ipt_TCPMSS", "xt_TCPMSS" },
	{ "ipt_tcpmss", "xt_tcpmss" },
	{ "ipt_ttl", "xt_hl" },
	{ "ipt_LOG", "xt_LOG" },
	{ "ipt_length", "xt_length" },
	{ "ipt_conntrack", "xt_conntrack" },
	{ "ipt_state", "xt_state" },
	{ "ipt_helper", "xt_helper" },
	{ "ipt_REDIRECT", "xt_REDIRECT" },
	{ "ipt_recent", "xt_recent" },
	{ "ipt_owner", "xt_owner" },
	{ "xt_mac", "xt_mac" },
};

int openvz_module(struct reading *r, const char *value, struct err *e)
{
	struct openvz *v = openvz_of(r);

	for (size_t i = 0; i < COUNT(module_rows); i++) {
		if (!str_eq(module_rows[i].old, value))
			continue;
		reading_decide(r, BIN_HOSTSIDE, "load %s on the host",
			       module_rows[i].new);
		if (v->modules == NULL) {
			v->modules = r->cur;
			reading_find(r, FIND_HST_PACKAGE,
				     "modules of the firewall are loaded by "
				     "the host: the settings name them");
		}
		return 0;
	}
	if (value[0] == '\0') {
		reading_decide(r, BIN_INERT, "empty");
		return 0;
	}
	return err_set(e, 0, "\"%s\" is no module that a guest could use",
		       openvz_shown(r, value));
}

int openvz_netfilter(struct reading *r, const char *value, struct err *e)
{
	const bool more = str_eq(value, "stateful") || str_eq(value, "full");

	if (!more && !str_eq(value, "disabled") && !str_eq(value, "stateless"))
		return err_set(e, 0,
			       "\"%s\" is none of disabled, stateless, "
			       "stateful, full",
			       openvz_shown(r, value));
	if (more || openvz_of(r)->dialect == OV_V7) {
		reading_decide(r, BIN_HOSTSIDE,
			       "load the firewall's modules on the host");
		return 0;
	}
	reading_decide(r, BIN_DROPPED,
		       "the guest's own stack has every table: connection "
		       "tracking and NAT as well");
	reading_find(r, FIND_NET_TABLES, "%s: %s", value, r->cur->note);
	return 0;
}

void openvz_caps_settle(struct reading *r)
{
	const struct openvz *v = openvz_of(r);

	if (!v->ve_admin_off)
		reading_find_at(r, FIND_CAP_VE_ADMIN,
				reading_origin(r, ORIGIN_FILE, v->path, 0,
					       "VE_ADMIN", NULL),
				"VE_ADMIN, which every guest had, is NET_ADMIN "
				"and SYS_ADMIN over the guest alone: its ids "
				"are mapped");
}
