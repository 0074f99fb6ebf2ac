/* What this host can: cgroup hierarchies, capabilities, LSM, limits. */
#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/cap.h"
#include "base/proc.h"
#include "base/str.h"
#include "policy/host_side.h"
#include "runtime/host.h"
#include "runtime/net.h"

/* Options of a v1 mount that name no controller. */
static bool is_flag(const char *word)
{
	static const char *const flags[] = {
		"rw",       "ro",       "nosuid",  "nodev",
		"noexec",   "relatime", "noatime", "clone_children",
		"noprefix", "xattr",    "none"
	};

	for (size_t i = 0; i < COUNT(flags); i++)
		if (str_eq(flags[i], word))
			return true;
	return str_starts(word, "release_agent=");
}

static const char *controllers_of(struct arena *mem, const char *options)
{
	const struct strv words = strv_split(mem, options, ",");
	struct strv kept = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (!is_flag(words.v[i]))
			strv_add(mem, &kept, words.v[i]);
	return strv_join(mem, &kept, ",");
}

/* The first line of a file; NULL: it is not there. */
static const char *line_of(struct arena *mem, const char *path)
{
	char line[512] = "";
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return NULL;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return arena_strdup(mem, line);
}

static const char *v2_controllers(struct arena *mem, const char *path)
{
	const char *line =
		line_of(mem, arena_printf(mem, "%s/cgroup.controllers", path));

	return line == NULL ? "" : line;
}

static bool known(const struct host *h, const char *path)
{
	for (size_t i = 0; i < h->groups.n; i++)
		if (str_eq(h->groups.v[i].path, path))
			return true;
	return false;
}

static int read_groups(struct arena *mem, struct host *h, struct err *e)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;

	if (f == NULL)
		return err_set(e, errno, "read /proc/self/mounts");
	while ((m = getmntent(f)) != NULL) {
		const bool v2 = str_eq(m->mnt_type, "cgroup2");

		if ((!v2 && !str_eq(m->mnt_type, "cgroup")) ||
		    known(h, m->mnt_dir))
			continue;
		*vec_add(mem, &h->groups) = (struct host_group){
			.controllers = v2 ? "" :
					    controllers_of(mem, m->mnt_opts),
			.path = arena_strdup(mem, m->mnt_dir),
			.v2 = v2,
		};
		if (v2)
			h->v2_controllers = v2_controllers(mem, m->mnt_dir);
	}
	endmntent(f);
	return 0;
}

/* Files that depend on the kernel's configuration. */
static void find_missing(struct arena *mem, struct host *h)
{
	static const char *const files[][2] = {
		{ "memory", "memory.memsw.limit_in_bytes" },
		{ "cpu", "cpu.cfs_quota_us" },
		{ "cpu", "cpu.cfs_burst_us" },
		{ "blkio", "blkio.weight" },
	};
	const struct host_group *v2 = host_v2(h);

	/* a root shows what its groups' weights are made by */
	if (v2 != NULL &&
	    access(arena_printf(mem, "%s/io.cost.qos", v2->path), F_OK) < 0)
		strv_add(mem, &h->missing, "io.weight");

	for (size_t i = 0; i < COUNT(files); i++) {
		const struct host_group *g = host_controller(h, files[i][0]);

		if (g != NULL && !g->v2 &&
		    access(arena_printf(mem, "%s/%s", g->path, files[i][1]),
			   F_OK) < 0)
			strv_add(mem, &h->missing, files[i][1]);
	}
}

static uint64_t bounding(void)
{
	uint64_t set = 0;

	for (unsigned bit = 0; bit < CAP_N; bit++)
		if (cap_get_bound((cap_value_t)bit) > 0)
			set |= CAP_BIT(bit);
	return set;
}

/* What a guest may be attached by, and not every kernel has. */
static void find_links(struct arena *mem, struct host *h)
{
	static const char *const kinds[] = { "ipvlan", "macvlan", "vlan" };

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!net_knows(kinds[i]))
			strv_add(mem, &h->no_links, kinds[i]);
	if (!net_filters_vlans())
		strv_add(mem, &h->no_links, HOST_VLAN_BRIDGE);
}

/* Of partitions the kernel takes no limits. */
static void find_disks(struct arena *mem, struct host *h)
{
	static const char dir[] = "/sys/dev/block";
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' &&
		    access(arena_printf(mem, "%s/%s/partition", dir,
					entry->d_name),
			   F_OK) < 0)
			strv_add(mem, &h->disks,
				 arena_strdup(mem, entry->d_name));
	if (d != NULL)
		closedir(d);
}

/*
 * nft -c asks the kernel, and changes nothing. Only root may ask; who may not
 * plans as if it could.
 */
static const char *find_filter(struct arena *mem)
{
	static const char *const ask[] = {
		"nft", "-c",
		"add table inet rehost-asks; "
		"add chain inet rehost-asks source { " HOST_SIDE_CHAIN " }; "
		"add rule inet rehost-asks source fib saddr . iif oif missing "
		"drop",
		NULL
	};
	struct buf out CLEANUP(buf_done) = { 0 };
	struct slice rest, line = { "", 0 };
	struct err e;
	int status;

	if (geteuid() != 0)
		return NULL;
	if (proc_run(ask, 60, &out, &status, &e) < 0)
		return arena_printf(mem, "no source filter can be loaded: %s",
				    e.msg);
	if (status == 0)
		return NULL;
	rest = (struct slice){ buf_str(&out), strlen(buf_str(&out)) };
	slice_next(&rest, '\n', &line);
	return arena_printf(mem, "no source filter can be loaded: %.*s",
			    (int)line.n, line.p);
}

int host_read(struct arena *mem, bool filters, struct host *ret, struct err *e)
{
	struct host h = { .v2_controllers = "", .lsm = "" };

	if (read_groups(mem, &h, e) < 0)
		return -1;
	find_missing(mem, &h);
	find_links(mem, &h);
	find_disks(mem, &h);
	if (filters)
		h.no_filter = find_filter(mem);
	h.caps = bounding();
	h.cpus = line_of(mem, "/sys/devices/system/cpu/online");
	h.nodes = line_of(mem, "/sys/devices/system/node/online");
	if (access("/sys/kernel/security/apparmor", F_OK) == 0)
		h.lsm = "apparmor";
	else if (access("/sys/fs/selinux/enforce", F_OK) == 0)
		h.lsm = "selinux";
	for (int i = 0; i < HOST_RLIMITS; i++)
		if (getrlimit(i, &h.rlimits[i]) < 0)
			return err_set(e, errno, "getrlimit %d", i);
	*ret = h;
	return 0;
}

const struct host_group *host_v2(const struct host *h)
{
	for (size_t i = 0; i < h->groups.n; i++)
		if (h->groups.v[i].v2)
			return &h->groups.v[i];
	return NULL;
}

const struct host_group *host_controller(const struct host *h,
					 const char *controller)
{
	const size_t n = strlen(controller);

	for (size_t i = 0; i < h->groups.n; i++) {
		const struct host_group *g = &h->groups.v[i];
		const char *list = g->v2 ? h->v2_controllers : g->controllers;

		for (const char *s = strstr(list, controller); s != NULL;
		     s = strstr(s + 1, controller))
			if ((s == list || s[-1] == ',' || s[-1] == ' ') &&
			    (s[n] == '\0' || s[n] == ',' || s[n] == ' '))
				return g;
	}
	return NULL;
}
