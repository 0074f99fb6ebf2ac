/*
 * Pid 1: which program, whether it can run on the target at all, how it is
 * asked to stop, and what was done for it outside. Reference: targets.md 1.4
 * and 1.6, vserver.md 4.4 and 5.2.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/num.h"
#include "base/str.h"
#include "derive.h"
#include "plan/fleet.h"
#include "plan/plan.h"
#include "plan/shim.h"

/* The signal by which each init shuts its system down. */
static const struct stop_row {
	const char *init;
	const char *signal, *reboot;
	const char *text;
} stop_rows[] = {
	{ "sysvinit", "SIGPWR", "SIGINT",
	  "sysvinit shuts down on SIGPWR by the powerfail lines of inittab" },
	{ "upstart", "SIGPWR", "SIGINT",
	  "upstart shuts down on SIGPWR by a job on power-status-changed" },
	{ "systemd", "SIGRTMIN+3", "SIGINT", "systemd halts on SIGRTMIN+3" },
	{ "openrc", "SIGPWR", "SIGINT",
	  "init shuts down on SIGPWR by the powerfail lines of inittab" },
	{ "busybox", "SIGUSR2", "SIGTERM",
	  "busybox init powers off on SIGUSR2 and reboots on SIGTERM" },
	{ "none", "SIGTERM", "SIGINT", "the command is ended by SIGTERM" },
	{ "shim", "SIGPWR", "SIGINT",
	  "the small init runs the stop command of the style on SIGPWR" },
};

static bool has_shim(const struct guest *g)
{
	return g->init_shim.from != NULL && g->init_shim.v;
}

static const struct stop_row *stop_row(const struct guest *g)
{
	const char *kind = has_shim(g) ? "shim" : g->init_kind.v;

	for (size_t i = 0; i < COUNT(stop_rows); i++)
		if (str_eq(stop_rows[i].init, kind))
			return &stop_rows[i];
	return NULL;
}

static void stop_signals(struct plan *p)
{
	struct guest *g = p->g;
	const struct stop_row *row = stop_row(g);
	const struct origin *from = plan_origin(p, "boot", g->init_kind.from);
	struct finding *f;

	if (row == NULL)
		return;
	f = finding_add(g, FIND_INI_STOP, NULL, from, "%s", row->text);
	derive_str(g, FIELD_STOP_SIGNAL, g, row->signal, from, f);
	derive_str(g, FIELD_REBOOT_SIGNAL, g, row->reboot, from, f);
}

static bool is_program(struct plan *p, const char *path)
{
	struct tree_stat st;
	struct err e;

	return tree_stat(p->root, path, &st, &e) == 0 &&
	       (st.mode & S_IFMT) == S_IFREG && (st.mode & 0111) != 0;
}

/* The guest's own init takes the place of the scripts that were run. */
static void use_init(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "boot", g->init_cmd.from);
	const char *old = g->init_cmd.from == NULL ?
				  "nothing" :
				  strv_join(g->mem, &g->init_cmd.v, " ");
	struct strv argv = { 0 };
	struct finding *f;

	strv_add(g->mem, &argv, "/sbin/init");
	if (g->runlevel.from != NULL && g->runlevel.v[0] != '\0' &&
	    !str_eq(g->init_kind.v, "systemd") &&
	    !str_eq(g->init_kind.v, "openrc"))
		strv_add(g->mem, &argv, g->runlevel.v);
	f = finding_add(g, FIND_INI_NO_INIT, NULL, from,
			"style %s ran \"%s\" without an init: %s of the guest "
			"becomes pid 1 and runs its whole boot sequence",
			g->init_style.v, old, strv_join(g->mem, &argv, " "));
	derive_strv(g, FIELD_INIT_CMD, g, &argv, from, f);
}

static void check_program(struct plan *p)
{
	struct guest *g = p->g;
	const char *path;

	if (g->init_cmd.from == NULL || g->init_cmd.v.n == 0 || p->root == NULL)
		return;
	path = g->init_cmd.v.v[0];
	if (path[0] == '/' && !is_program(p, path))
		finding_add(g, FIND_INI_MISSING, NULL,
			    plan_origin(p, "boot", g->init_cmd.from),
			    "%s is not a program in the guest", path);
}

static void pid_one(struct plan *p)
{
	struct guest *g = p->g;

	if (g->init_cmd.from != NULL && g->init_cmd.from->kind > ORIGIN_TEXT) {
		check_program(p);
		return;
	}
	if (!plan_shim_style(g) || p->root == NULL) {
		check_program(p);
		return;
	}
	if (plan_shim(p))
		return;
	if (is_program(p, "/sbin/init"))
		use_init(p);
	else
		finding_add(g, FIND_INI_MISSING, NULL,
			    plan_origin(p, "boot", g->init_cmd.from),
			    "style %s needed no init, the guest has none "
			    "(/sbin/init), and the small one cannot take its "
			    "place: %s",
			    g->init_style.v, plan_shim_obstacle(p));
}

static bool is_systemd(const struct guest *g)
{
	return !has_shim(g) && g->init_kind.from != NULL &&
	       str_eq(g->init_kind.v, "systemd");
}

/* Below 232 systemd needs its v1 hierarchy; from 258 on it refuses v1. */
static void systemd_version(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from;
	uint64_t version;
	struct err e;

	if (has_shim(g) || g->init_kind.from == NULL ||
	    !str_eq(g->init_kind.v, "systemd") ||
	    g->init_version.from == NULL ||
	    num_u64(g->init_version.v, &version, &e) < 0)
		return;
	from = plan_origin(p, "boot", g->init_version.from);
	if (version < 232 && p->target.cgroup == CGROUP_V2)
		finding_add(g, FIND_INI_SYSTEMD_V2, NULL, from,
			    "systemd %" PRIu64 " does not boot on a host with "
			    "cgroup v2 only",
			    version);
	if (version >= 258 && p->target.cgroup == CGROUP_V1)
		finding_add(g, FIND_INI_SYSTEMD_V1, NULL, from,
			    "systemd %" PRIu64 " refuses cgroup v1", version);
}

/* What a systemd without SYS_ADMIN cannot mount itself; reference 6.9. */
static const struct api_mount {
	const char *target, *options;
} api_mounts[] = {
	{ "/run", "nosuid,nodev,mode=755" },
	{ "/run/lock", "nosuid,nodev,noexec,mode=1777" },
	{ "/dev/shm", "nosuid,nodev,mode=1777" },
};

static bool has_mount(const struct guest *g, const char *target)
{
	for (size_t i = 0; i < g->mounts.n; i++)
		if (g->mounts.v[i]->target.from != NULL &&
		    str_eq(g->mounts.v[i]->target.v, target))
			return true;
	return false;
}

static void premount(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "boot", g->init_kind.from);
	struct finding *f;

	if (!is_systemd(g) || (g->caps.v & CAP_BIT(cap_find("sys_admin"))) != 0)
		return;
	f = finding_add(g, FIND_CAP_SYSTEMD, NULL, from,
			"systemd without SYS_ADMIN: /run, /run/lock, /dev/shm "
			"and the cgroups are mounted for it");
	derive_bool(g, FIELD_API_MOUNTS, g, true, from, NULL);
	for (size_t i = 0; i < COUNT(api_mounts); i++) {
		struct strv options;
		struct mount *m;

		if (has_mount(g, api_mounts[i].target))
			continue;
		m = pvec_add(g->mem, &g->mounts);
		options = strv_split(g->mem, api_mounts[i].options, ",");
		derive_str(g, FIELD_MOUNT_TARGET, m, api_mounts[i].target, from,
			   f);
		derive_str(g, FIELD_MOUNT_SOURCE, m, "tmpfs", from, f);
		derive_str(g, FIELD_MOUNT_TYPE, m, "tmpfs", from, f);
		derive_strv(g, FIELD_MOUNT_OPTIONS, m, &options, from, f);
	}
}

/*
 * systemd takes capabilities from services, the journal among them, and does
 * not start a service where it may not (exit status 218/CAPABILITIES).
 */
static void service_caps(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "boot", g->caps.from);
	const uint64_t bit = CAP_BIT(cap_find("setpcap"));
	struct finding *f;

	if (!is_systemd(g) || g->caps.from == NULL || (g->caps.v & bit) != 0 ||
	    g->caps.from->kind > ORIGIN_TEXT)
		return;
	f = finding_add(g, FIND_CAP_ADDED, NULL, from,
			"setpcap added: systemd takes capabilities from "
			"services with it, and does not start them without; "
			"it gives nobody more");
	finding_covers(g, f, FIELD_CAPS, "setpcap");
	derive_caps(g, FIELD_CAPS, g, g->caps.v | bit, from, f);
}

static void order(struct plan *p)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "boot", g->depends.from);
	struct finding *f;
	struct strv bad;
	long place;

	if (p->fleet == NULL)
		return;
	bad = fleet_bad_depends(p->fleet, g->mem, g->key);
	for (size_t i = 0; i < bad.n; i++)
		finding_add(g, FIND_INI_DEPENDS, NULL, from, "depends on %s",
			    bad.v[i]);
	place = fleet_order(p->fleet, g->key);
	if (place == 0 || g->start_order.from != NULL)
		return;
	f = finding_add(g, FIND_INI_ORDER, NULL, from,
			"place %ld in the order of starting", place);
	derive_i64(g, FIELD_START_ORDER, g, place, from, f);
}

/* C libraries before 2.14 call the kernel through vsyscall; targets.md 1.4. */
enum { GLIBC_WITHOUT_VSYSCALL = 14 };

/* "libc-2.5.so" -> 5; false when the directory has none. */
static bool glibc_minor(struct plan *p, const char *dir, uint64_t *ret)
{
	static const char head[] = "libc-2.";
	struct tree_entries list;
	struct err e;

	if (tree_list(p->root, dir, p->g->mem, &list, &e) < 0)
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const char *v = list.v[i].name;

		if (!str_starts(v, head))
			continue;
		v += strlen(head);
		if (num_u64(arena_strndup(p->g->mem, v,
					  strspn(v, "0123456789")),
			    ret, &e) == 0)
			return true;
	}
	return false;
}

static void old_library(struct plan *p)
{
	static const char *const dirs[] = { "/lib64", "/lib",
					    "/lib/x86_64-linux-gnu",
					    "/lib/i386-linux-gnu" };
	uint64_t minor;

	for (size_t i = 0; i < COUNT(dirs) && p->root != NULL; i++) {
		if (!glibc_minor(p, dirs[i], &minor))
			continue;
		if (minor < GLIBC_WITHOUT_VSYSCALL)
			finding_add(p->g, FIND_INI_VSYSCALL, NULL,
				    plan_origin(p, "boot", p->g->rootfs.from),
				    "%s has glibc 2.%" PRIu64, dirs[i], minor);
		return;
	}
}

static void host_kernel(struct plan *p)
{
	struct guest *g = p->g;

	old_library(p);
	if (g->arch.from != NULL &&
	    (str_eq(g->arch.v, "i686") || str_eq(g->arch.v, "i386")))
		finding_add(g, FIND_INI_32BIT, NULL, g->arch.from,
			    "programs are for %s", g->arch.v);
	if (g->paused.from != NULL && g->paused.v) {
		struct finding *f;
		const struct origin *from =
			plan_origin(p, "boot", g->paused.from);

		f = finding_add(g, FIND_INI_PAUSED, NULL, from,
				"kept frozen: not started with the host");
		from = plan_origin(p, "boot", g->autostart.from);
		derive_bool(g, FIELD_AUTOSTART, g, false, from, f);
		finding_covers(g, f, FIELD_AUTOSTART, "");
	}
}

int plan_boot(struct plan *p, struct err *e)
{
	(void)e;
	pid_one(p);
	stop_signals(p);
	systemd_version(p);
	premount(p);
	service_caps(p);
	order(p);
	host_kernel(p);
	return 0;
}
