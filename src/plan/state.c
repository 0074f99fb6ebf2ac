/*
 * Whether the guest runs: a copy of a running one may be inconsistent.
 * Evidence, best first: what capture recorded, /proc/virtual beneath the root
 * (only of a live host), and else that a kernel without contexts runs none.
 * Reference: vserver.md 1.7, openvz.md 1.7, targets.md 2.2 (lxc.cgroup.dir),
 * libvirt.md 1.1.
 */
#include <inttypes.h>
#include <sys/statfs.h>

#include "base/attr.h"
#include "base/str.h"
#include "facts.h"
#include "plan/plan.h"

/* File systems whose files another kernel may be using; linux/magic.h. */
static const uint32_t remote_magic[] = {
	0x6969,     /* NFS */
	0xff534d42, /* CIFS */
	0xfe534d42, /* SMB2 */
	0x65735546, /* FUSE: sshfs and the like */
	0x01021997, /* 9P */
};

static bool is_remote(const char *dir)
{
	struct statfs s;

	if (statfs(dir, &s) < 0)
		return false;
	for (size_t i = 0; i < COUNT(remote_magic); i++)
		if ((uint32_t)s.f_type == remote_magic[i])
			return true;
	return false;
}

static const char *from_facts(struct plan *p, const char **ret_how)
{
	const struct facts_context *c;

	if (!p->facts->has_virtual || p->g->xid.from == NULL)
		return NULL;
	c = facts_context(p->facts, p->g->xid.v);
	if (c == NULL) {
		*ret_how = "no context of its id when the host was captured";
		return "stopped";
	}
	*ret_how = arena_printf(p->g->mem,
				"%" PRIu64 " tasks when the host was captured "
				"(%s:%u)",
				c->tasks, p->facts->file, c->at.line);
	return c->tasks > 0 ? "running" : "stopped";
}

/* OpenVZ of the host as captured: who is not named there is stopped. */
static const char *from_veinfo(struct plan *p, const char **ret_how)
{
	const struct facts_context *c = facts_container(p->facts, p->g->id);

	if (c == NULL || !c->runs) {
		*ret_how = "/proc/vz did not name it when the host was "
			   "captured";
		return "stopped";
	}
	*ret_how = arena_printf(p->g->mem,
				"/proc/vz named it when the host was captured "
				"(%s:%u)",
				p->facts->file, c->at.line);
	return "running";
}

static const char *from_kernel(struct plan *p, const char **ret_how)
{
	struct tree *t = p->source->host->tree;
	const char *dir;

	if (!tree_is_dir(t, "/proc/virtual")) {
		if (is_remote(p->source->host->dir)) {
			*ret_how = "the root is a network file system: the old "
				   "host may be running it";
			return "unknown";
		}
		*ret_how = "the kernel here has no contexts";
		return "stopped";
	}
	if (p->g->xid.from == NULL) {
		*ret_how = "no context id to look for in /proc/virtual";
		return "unknown";
	}
	dir = arena_printf(p->g->mem, "/proc/virtual/%" PRIu64, p->g->xid.v);
	*ret_how = arena_printf(p->g->mem, "%s is %s", dir,
				tree_is_dir(t, dir) ? "there" : "absent");
	return tree_is_dir(t, dir) ? "running" : "stopped";
}

/* One of the lines of /proc/vz/vestat after its head begins with the id. */
static bool runs_here(struct plan *p, const char *text, size_t n)
{
	struct slice rest = { text, n }, line, word;

	while (slice_next(&rest, '\n', &line))
		if (slice_word(&line, &word) && slice_eq(word, p->g->id))
			return true;
	return false;
}

/*
 * OpenVZ: /proc/vz/vestat has a line for each guest that runs, and only a
 * kernel of its own has the file. Reference: openvz.md 1.7.
 */
static const char *from_vestat(struct plan *p, const char **ret_how)
{
	static const char path[] = "/proc/vz/vestat";
	struct tree *t = p->source->host->tree;
	const char *text;
	struct err e;
	size_t n;
	bool runs;

	if (!tree_is_dir(t, "/proc/vz")) {
		if (is_remote(p->source->host->dir)) {
			*ret_how = "the root is a network file system: the old "
				   "host may be running it";
			return "unknown";
		}
		*ret_how = "the kernel here runs no guests of OpenVZ";
		return "stopped";
	}
	if (tree_read(t, path, 1 << 20, p->g->mem, &text, &n, &e) < 0) {
		*ret_how = arena_printf(p->g->mem, "%s", e.msg);
		return "unknown";
	}
	runs = runs_here(p, text, n);
	*ret_how = arena_printf(p->g->mem, "%s %s it", path,
				runs ? "names" : "does not name");
	return runs ? "running" : "stopped";
}

/* Where LXC 1 to 7 put the group of a guest: its name stands behind. */
static const char *const group_places[] = {
	"/sys/fs/cgroup/lxc.payload.",
	"/sys/fs/cgroup/lxc/",
	"/sys/fs/cgroup/unified/lxc.payload.",
	"/sys/fs/cgroup/freezer/lxc.payload.",
	"/sys/fs/cgroup/freezer/lxc/",
	"/sys/fs/cgroup/memory/lxc/",
	"/sys/fs/cgroup/devices/lxc/",
	"/sys/fs/cgroup/systemd/lxc/",
	"/cgroup/",
};

/* LXC: a guest that runs has a group of its own, on a live host alone. */
static const char *from_groups(struct plan *p, const char **ret_how)
{
	struct tree *t = p->source->host->tree;

	for (size_t i = 0; i < COUNT(group_places); i++) {
		const char *dir = arena_printf(p->g->mem, "%s%s",
					       group_places[i], p->g->name);

		if (!tree_is_dir(t, dir))
			continue;
		*ret_how =
			arena_printf(p->g->mem, "its group %s is there", dir);
		return "running";
	}
	if (is_remote(p->source->host->dir)) {
		*ret_how = "the root is a network file system: the old "
			   "host may be running it";
		return "unknown";
	}
	*ret_how = "it has no group beneath the root";
	return "stopped";
}

/*
 * libvirt: each driver keeps a file of a domain that runs, and takes it away
 * when it stops; what was handed over may be that file. libvirt.md 1.1.
 */
static const char *from_libvirt(struct plan *p, const char **ret_how)
{
	static const char *const dirs[] = {
		"/run/libvirt/lxc",       "/run/libvirt/libxl",
		"/run/libvirt/qemu",      "/var/run/libvirt/lxc",
		"/var/run/libvirt/libxl", "/var/run/libvirt/qemu",
	};

	if (str_eq(p->g->state, "running")) {
		*ret_how = "its status file says so";
		return "running";
	}
	for (size_t i = 0; i < COUNT(dirs); i++) {
		const char *path = arena_printf(p->g->mem, "%s/%s.xml", dirs[i],
						p->g->name);

		if (!tree_exists(p->source->host->tree, path))
			continue;
		*ret_how = arena_printf(p->g->mem, "%s is there", path);
		return "running";
	}
	if (is_remote(p->source->host->dir)) {
		*ret_how = "the root is a network file system: the old host "
			   "may be running it";
		return "unknown";
	}
	*ret_how = "no status file of it is there";
	return "stopped";
}

int plan_state(struct plan *p, struct err *e)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "state", g->xid.from);
	const char *how = "not known", *state = NULL;

	(void)e;
	/* its importer knows: a backup; a domain may be known to run */
	if (str_eq(g->state, "suspended")) {
		state = g->state;
		how = g->state_how;
	} else if (!str_eq(g->state, "unknown") &&
		   !str_eq(g->kind, "libvirt")) {
		return 0;
	}
	if (state != NULL)
		; /* its memory is where its importer saw it */
	else if (str_eq(g->kind, "openvz") && p->facts != NULL &&
		 p->facts->has_vz)
		state = from_veinfo(p, &how);
	else if (str_eq(g->kind, "openvz"))
		state = from_vestat(p, &how);
	else if (str_eq(g->kind, "lxc"))
		state = from_groups(p, &how);
	else if (str_eq(g->kind, "libvirt"))
		state = from_libvirt(p, &how);
	else if (p->facts != NULL)
		state = from_facts(p, &how);
	if (state == NULL)
		state = from_kernel(p, &how);
	g->state = state;
	g->state_how = how;
	if (str_eq(state, "stopped"))
		return 0;
	if (p->options->live)
		finding_add(g, FIND_SRC_COPY_LIVE, NULL, from,
			    "%s (%s): converted with --live", state, how);
	else
		finding_add(g,
			    p->options->writes ? FIND_SRC_RUNNING :
						 FIND_SRC_RUNS_NOW,
			    NULL, from, "%s: %s", state, how);
	return 0;
}
