/*
 * Keys: which ones LXC 2.1 renamed, and which row stands for a key. Reference:
 * targets.md 2.5; the names of liblxc 2.0's confile.c.
 */
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "importers/lxc/lxc.h"

/* A name that ends in '.' stands for all that begin so. */
static const struct rename_row {
	const char *old, *now;
} renames[] = {
	{ "lxc.utsname", "lxc.uts.name" },
	{ "lxc.rootfs", "lxc.rootfs.path" },
	{ "lxc.mount", "lxc.mount.fstab" },
	{ "lxc.tty", "lxc.tty.max" },
	{ "lxc.pts", "lxc.pty.max" },
	{ "lxc.devttydir", "lxc.tty.dir" },
	{ "lxc.console", "lxc.console.path" },
	{ "lxc.id_map", "lxc.idmap" },
	{ "lxc.seccomp", "lxc.seccomp.profile" },
	{ "lxc.aa_profile", "lxc.apparmor.profile" },
	{ "lxc.aa_allow_incomplete", "lxc.apparmor.allow_incomplete" },
	{ "lxc.se_context", "lxc.selinux.context" },
	{ "lxc.init_cmd", "lxc.init.cmd" },
	{ "lxc.init_uid", "lxc.init.uid" },
	{ "lxc.init_gid", "lxc.init.gid" },
	{ "lxc.haltsignal", "lxc.signal.halt" },
	{ "lxc.rebootsignal", "lxc.signal.reboot" },
	{ "lxc.stopsignal", "lxc.signal.stop" },
	{ "lxc.logfile", "lxc.log.file" },
	{ "lxc.loglevel", "lxc.log.level" },
	{ "lxc.syslog", "lxc.log.syslog" },
	{ "lxc.limit.", "lxc.prlimit." },
	{ "lxc.network", "lxc.net" },
	{ "lxc.network.", "lxc.net." },
};

/* LXC 3 has no word for these at all. */
static const char *const gone[] = { "lxc.kmsg", "lxc.pivotdir",
				    "lxc.rootfs.backend" };

const char *lxc_current_name(struct arena *mem, const char *key, bool *ret)
{
	*ret = true;
	for (size_t i = 0; i < COUNT(renames); i++) {
		const struct rename_row *row = &renames[i];

		if (str_eq(row->old, key))
			return row->now;
		if (str_ends(row->old, ".") && str_starts(key, row->old))
			return arena_printf(mem, "%s%s", row->now,
					    key + strlen(row->old));
	}
	for (size_t i = 0; i < COUNT(gone); i++)
		if (str_eq(gone[i], key))
			return key;
	*ret = false;
	return key;
}

/* Families of keys of which no row names each; the row's name has a '*'. */
static const char *const families[] = {
	"lxc.cgroup2.", "lxc.cgroup.",          "lxc.prlimit.", "lxc.limit.",
	"lxc.sysctl.",  "lxc.namespace.share.", "lxc.proc.",
};

/* "lxc.net.3.type" -> "lxc.net.N.type"; "lxc.network.3.type" without it. */
static const char *without_number(struct arena *mem, const char *key)
{
	static const struct {
		const char *prefix, *put;
	} rows[] = { { "lxc.net.", "N." }, { "lxc.network.", "" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *rest = key + strlen(rows[i].prefix);
		size_t n;

		if (!str_starts(key, rows[i].prefix))
			continue;
		n = strspn(rest, "0123456789");
		if (n > 0 && rest[n] == '.')
			return arena_printf(mem, "%s%s%s", rows[i].prefix,
					    rows[i].put, rest + n + 1);
	}
	return key;
}

const char *lxc_row_name(struct arena *mem, const char *key)
{
	const char *name = without_number(mem, key);

	if (importer_key(lxc_keys, lxc_n_keys, name) != NULL)
		return name;
	for (size_t i = 0; i < COUNT(families); i++)
		if (str_starts(key, families[i]) &&
		    key[strlen(families[i])] != '\0')
			return arena_printf(mem, "%s*", families[i]);
	return name;
}

const struct key *lxc_row(struct arena *mem, const char *key)
{
	/* names of rows with a letter in place of what a key has there */
	if (strchr(key, '*') != NULL || str_starts(key, "lxc.net.N.") ||
	    !str_starts(key, "lxc."))
		return NULL;
	return importer_key(lxc_keys, lxc_n_keys, lxc_row_name(mem, key));
}

/* --- what LXC ships ---------------------------------------------------- */

static const char common[] =
	"lxc.tty.dir = lxc\n"
	"lxc.pty.max = 1024\n"
	"lxc.tty.max = 4\n"
	"lxc.cap.drop = mac_admin mac_override sys_time sys_module sys_rawio\n"
	"lxc.cgroup.devices.deny = a\n"
	"lxc.cgroup.devices.allow = c *:* m\n"
	"lxc.cgroup.devices.allow = b *:* m\n"
	"lxc.cgroup.devices.allow = c 1:3 rwm\n"
	"lxc.cgroup.devices.allow = c 1:5 rwm\n"
	"lxc.cgroup.devices.allow = c 1:7 rwm\n"
	"lxc.cgroup.devices.allow = c 5:0 rwm\n"
	"lxc.cgroup.devices.allow = c 5:1 rwm\n"
	"lxc.cgroup.devices.allow = c 5:2 rwm\n"
	"lxc.cgroup.devices.allow = c 1:8 rwm\n"
	"lxc.cgroup.devices.allow = c 1:9 rwm\n"
	"lxc.cgroup.devices.allow = c 136:* rwm\n"
	"lxc.cgroup.devices.allow = c 10:229 rwm\n"
	"lxc.mount.auto = cgroup:mixed proc:mixed sys:mixed\n"
	"lxc.mount.entry = /sys/fs/fuse/connections "
	"sys/fs/fuse/connections none bind,optional 0 0\n"
	"lxc.seccomp.profile = /usr/share/lxc/config/common.seccomp\n";

static const char userns[] = "lxc.cgroup.devices.deny =\n"
			     "lxc.cgroup.devices.allow =\n"
			     "lxc.cap.drop =\n"
			     "lxc.cap.keep =\n"
			     "lxc.tty.dir =\n"
			     "lxc.mount.auto = sys:rw\n";

static const char nesting[] =
	"lxc.apparmor.profile = lxc-container-default-with-nesting\n"
	"lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0\n"
	"lxc.mount.entry = sys dev/.lxc/sys sysfs create=dir,optional 0 0\n";

/*
 * Files of LXC's own by the end of their path, first match; targets.md 2.2,
 * config/templates of LXC 3.0 and 5.0. DISTRIBUTION.common.conf includes
 * common.conf and adds what no policy shows; so does DISTRIBUTION.userns.conf.
 */
static const struct shipped_row {
	const char *end;
	const char *text;
} shipped[] = {
	{ "/common.conf", common },   { ".common.conf", common },
	{ "/userns.conf", userns },   { ".userns.conf", userns },
	{ "/nesting.conf", nesting }, { "/common.conf.d", "" },
	{ "/common.conf.d/", "" },
};

const char *lxc_shipped(const char *path)
{
	if (strstr(path, "/lxc/config/") == NULL)
		return NULL;
	for (size_t i = 0; i < COUNT(shipped); i++)
		if (str_ends(path, shipped[i].end))
			return shipped[i].text;
	return NULL;
}
