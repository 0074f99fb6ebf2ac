/*
 * CUTOVER.txt: the check list of the switch from the old guest to the new one,
 * as rows. Reference: vserver.md part 7, its closing list and gotchas.
 */
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "cli/package_parts.h"

enum when { BEFORE, AT, AFTER, BACK };

/* Which guests a row is for. */
enum whom { ALWAYS, HAS_ADDRESS, HAS_REMOTE, HAS_BIND, HAS_HOOK, IS_UNIFIED };

static const struct cutover_row {
	enum when when;
	enum whom whom;
	const char *text;
} rows[] = {
	{ BEFORE, ALWAYS,
	  "read report.txt; every loss and change is known and "
	  "agreed with the guest's owner" },
	{ BEFORE, HAS_ADDRESS, "lower the time to live of its DNS records" },
	{ BEFORE, HAS_ADDRESS,
	  "firewall and NAT rules are written for the new "
	  "host: FORWARD in place of INPUT and OUTPUT, "
	  "hairpin where guests reach themselves" },
	{ BEFORE, HAS_REMOTE,
	  "NFS and CIFS servers export to the new host's "
	  "address" },
	{ BEFORE, HAS_BIND,
	  "directories of the old host that are mounted into "
	  "it are there on the new one" },
	{ BEFORE, HAS_HOOK, "what the scripts in source/ did is ported" },
	{ BEFORE, IS_UNIFIED,
	  "the new host has room for files that are no "
	  "longer shared" },
	{ BEFORE, ALWAYS,
	  "backup, monitoring, logrotate and inventory of the "
	  "old host no longer expect it (vserver-stat, "
	  "/proc/virtual, /vservers/NAME)" },
	{ BEFORE, ALWAYS,
	  "licence keys bound to uname or hardware address are "
	  "renewed" },
	{ AT, ALWAYS,
	  "stop it on the old host and take its mark away, so that "
	  "it never starts again by itself" },
	{ AT, ALWAYS,
	  "convert once more without --live, if it ran when it was "
	  "converted" },
	{ AT, HAS_ADDRESS,
	  "its addresses are gone from the old host: those of "
	  "nodev entries do not vanish with the guest" },
	{ AT, ALWAYS, "install it as README.txt says, start it" },
	{ AT, HAS_ADDRESS,
	  "announce its addresses: arping -U, or ndsend for "
	  "IPv6, so that switches and routers learn the new "
	  "place" },
	{ AFTER, ALWAYS,
	  "its services answer; logs show no denied devices, "
	  "capabilities or mounts" },
	{ AFTER, ALWAYS, "mail queue and cron run once, here only" },
	{ AFTER, ALWAYS, "time zone and clock are right" },
	{ AFTER, ALWAYS, "backup of the new place has run and can be read" },
	{ AFTER, ALWAYS,
	  "stop it once by lxc-stop: it ends by itself, not by "
	  "the kill" },
	{ BACK, ALWAYS,
	  "stop the new guest before the old one starts: never "
	  "both" },
	{ BACK, HAS_ADDRESS,
	  "give the addresses back to the old host and "
	  "announce them there" },
	{ BACK, ALWAYS,
	  "what was written since the switch is only in the new "
	  "guest: copy mail, databases and uploads back" },
};

static bool has_mount(const struct guest *g, bool remote)
{
	for (size_t i = 0; i < g->mounts.n; i++) {
		const struct mount *m = g->mounts.v[i];

		if (remote ? m->remote.from != NULL && m->remote.v :
			     m->source.from != NULL && m->source.v[0] == '/')
			return true;
	}
	return false;
}

static bool concerns(const struct guest *g, enum whom whom)
{
	switch (whom) {
	case ALWAYS:
		return true;
	case HAS_ADDRESS:
		return g->addrs.n != 0;
	case HAS_REMOTE:
		return has_mount(g, true);
	case HAS_BIND:
		return has_mount(g, false);
	case HAS_HOOK:
		return g->hooks.n != 0;
	case IS_UNIFIED:
		return g->unified.from != NULL && g->unified.v;
	}
	return false;
}

static void print_part(const struct guest *g, enum when when, const char *title,
		       struct buf *b)
{
	buf_printf(b, "\n%s\n\n", title);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].when == when && concerns(g, rows[i].whom))
			buf_printf(b, "[ ] %s\n", rows[i].text);
}

void package_cutover(const struct package *p, struct buf *b)
{
	const struct guest *g = p->w->g;

	buf_printf(b, "The switch of %s\n", g->key);
	if (g->addrs.n != 0)
		buf_adds(b, "Addresses:");
	for (size_t i = 0; i < g->addrs.n; i++)
		if (g->addrs.v[i]->ip.from != NULL)
			buf_printf(b, " %s", g->addrs.v[i]->ip.v);
	if (g->addrs.n != 0)
		buf_addc(b, '\n');
	print_part(g, BEFORE, "Before", b);
	print_part(g, AT, "At the switch", b);
	print_part(g, AFTER, "After", b);
	print_part(g, BACK, "The way back", b);
}
