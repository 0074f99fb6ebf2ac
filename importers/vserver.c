/*
 * Linux-VServer guests (util-vserver, alpha to 0.30.216-pre, and the legacy
 * NAME.conf): which there are beneath a root, and how one is read. The parts
 * of the reader stand in importers/vserver/.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/num.h"
#include "derive.h"
#include "facts.h"
#include "site.h"
#include "importers/vserver/read.h"
#include "importers/vserver/table.h"

enum {
	PAGE = 4096,          /* bytes in a page of x86 */
	VARS_MAX = 256 << 10, /* bytes of util-vserver-vars */
	CONF_MAX = 1 << 20,   /* bytes of a NAME.conf */
};

/* How sure a directory or file is to be one of our guests. */
enum bid {
	BID_NONE = 0,
	BID_FOREIGN = 30,
	BID_CONF = 70,
	BID_NAMES = 80,
	BID_SURE = 90,
	BID_GUEST = 50, /* list takes what bids more */
};

static const struct default_value defaults[] = {
	{ .field = FIELD_INIT_STYLE, .value = "sysv", .ref = "vserver.md 2.2" },
	{ .field = FIELD_CAPS,
	  .value =
		  "chown dac_override dac_read_search fowner fsetid kill setgid setuid "
		  "net_bind_service sys_chroot sys_ptrace sys_boot sys_tty_config "
		  "lease audit_write setfcap",
	  .ref = "vserver.md 3.1; lib/getinsecurebcaps.c" },
	{ .field = FIELD_NS_PID, .value = "filtered", .ref = "vserver.md 2.7" },
	{ .field = FIELD_NS_NET, .value = "filtered", .ref = "vserver.md 2.7" },
	{ .field = FIELD_NS_MOUNT,
	  .value = "private",
	  .ref = "vserver.md 2.7" },
	{ .field = FIELD_NS_IPC, .value = "private", .ref = "vserver.md 2.7" },
	{ .field = FIELD_NS_UTS, .value = "private", .ref = "vserver.md 2.7" },
	{ .field = FIELD_NS_USER, .value = "host", .ref = "vserver.md 2.7" },
	{ .field = FIELD_NS_CGROUP, .value = "host", .ref = "vserver.md 2.7" },
	{ .field = FIELD_LSM, .value = "none", .ref = "vserver.md 3.9" },
	{ .field = FIELD_SECCOMP, .value = "none", .ref = "vserver.md 3.9" },
	{ .field = FIELD_PROC_VIEW,
	  .value = "filtered",
	  .ref = "vserver.md 3.9" },
	{ .field = FIELD_SYS_VIEW, .value = "none", .ref = "vserver.md 4.7" },
	{ .field = FIELD_DEVICE_POLICY,
	  .value = "nodes",
	  .ref = "vserver.md 3.7" },
};

/* The set of releases up to 0.30.215: SETPCAP as well; reference 3.1. */
static const char caps_old[] =
	"chown dac_override dac_read_search fowner fsetid kill setgid setuid "
	"setpcap net_bind_service sys_chroot sys_ptrace sys_boot "
	"sys_tty_config lease audit_write setfcap";
/* 0.30.216-pre of October 2008 to May 2011: no SETFCAP. */
static const char caps_middle[] =
	"chown dac_override dac_read_search fowner fsetid kill setgid setuid "
	"net_bind_service sys_chroot sys_ptrace sys_boot sys_tty_config "
	"lease audit_write";

/* --- which guests there are -------------------------------------------- */

/* The files that make a directory one of ours, and how sure they do. */
static const struct sign {
	const char *name;
	bool foreign, weak; /* weak: two are needed */
} signs[] = {
	{ .name = "vdir" },
	{ .name = "context" },
	{ .name = "bcapabilities" },
	{ .name = "ccapabilities" },
	{ .name = "ncapabilities" },
	{ .name = "cflags" },
	{ .name = "nflags" },
	{ .name = "interfaces" },
	{ .name = "rlimits" },
	{ .name = "apps/init" },
	{ .name = "uts" },
	{ .name = "flags", .weak = true },
	{ .name = "name", .weak = true },
	{ .name = "fstab", .weak = true },
	{ .name = "run", .weak = true },
	{ .name = "nice", .weak = true },
	{ .name = "schedule", .weak = true },
	{ .name = "personality", .weak = true },
	{ .name = "capabilities", .weak = true },
	{ .name = "bcaps", .foreign = true },
	{ .name = "ccaps", .foreign = true },
	{ .name = "fstab.external", .foreign = true },
	{ .name = "fstab.internal", .foreign = true },
	{ .name = "nsopts", .foreign = true },
};

/* Whether there is something of that name, be it a link that dangles. */
static bool is_there(struct tree *t, const char *dir, const char *name)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree_stat st;
	struct err e;

	return tree_lstat(t, arena_printf(mem, "%s/%s", dir, name), &st, &e) ==
	       0;
}

static int bid_dir(struct tree *t, const char *path)
{
	unsigned weak = 0, strong = 0, foreign = 0;

	if (is_there(t, path, "vdir") || is_there(t, path, "context"))
		return BID_SURE;
	for (size_t i = 0; i < COUNT(signs); i++) {
		if (!is_there(t, path, signs[i].name))
			continue;
		if (signs[i].foreign)
			foreign++;
		else if (signs[i].weak)
			weak++;
		else
			strong++;
	}
	if (strong > 0 || weak > 1)
		return BID_NAMES;
	return foreign > 0 ? BID_FOREIGN : BID_NONE;
}

/* Whether a line of the text sets the variable. */
static bool sets(const char *text, const char *name)
{
	const size_t n = strlen(name);

	for (const char *p = strstr(text, name); p != NULL;
	     p = strstr(p + 1, name))
		if (p[n] == '=' && (p == text || strchr("\n\t ;", p[-1])))
			return true;
	return false;
}

static int bid_conf(struct tree *t, const char *path)
{
	static const char *const names[] = { "S_CONTEXT", "IPROOT",
					     "S_HOSTNAME", "S_CAPS" };
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *text;
	struct err e;
	size_t n;

	if (!str_ends(path, ".conf") ||
	    tree_read(t, path, CONF_MAX, mem, &text, &n, &e) < 0)
		return BID_NONE;
	for (size_t i = 0; i < COUNT(names); i++)
		if (sets(text, names[i]))
			return BID_CONF;
	return BID_NONE;
}

static int bid(const struct host *h, const char *path)
{
	if (tree_is_dir(h->tree, path))
		return bid_dir(h->tree, path);
	return bid_conf(h->tree, path);
}

/* A variable of the installation, read as text: "__CONFDIR". NULL: none. */
static const char *variable(struct tree *t, const char *name, struct arena *mem)
{
	static const char *const files[] = {
		"/usr/lib/util-vserver/util-vserver-vars",
		"/usr/lib64/util-vserver/util-vserver-vars",
		"/usr/share/util-vserver/util-vserver-vars",
		"/usr/local/lib/util-vserver/util-vserver-vars",
	};
	struct slice rest, line;
	const char *text;
	struct err e;
	size_t n;

	for (size_t i = 0; i < COUNT(files); i++) {
		if (tree_read(t, files[i], VARS_MAX, mem, &text, &n, &e) < 0)
			continue;
		rest = (struct slice){ text, n };
		while (slice_next(&rest, '\n', &line)) {
			const char *s = slice_dup(mem, slice_trim(line));
			const struct strv w = strv_split(mem, s, "=\"'");

			if (w.n == 2 && str_eq(w.v[0], name) &&
			    w.v[1][0] == '/')
				return w.v[1];
		}
	}
	return NULL;
}

const char *vserver_root_base(struct tree *t, const char *confdir,
			      struct arena *mem)
{
	const char *base, *named;
	struct err e;

	base = arena_printf(mem, "%s/.defaults/vdirbase", confdir);
	if (tree_resolve(t, base, mem, &base, &e) == 0)
		return base;
	named = variable(t, "__DEFAULT_VSERVERDIR", mem);
	if (named != NULL && tree_is_dir(t, named))
		return named;
	return tree_is_dir(t, "/vservers") ? "/vservers" : "/var/lib/vservers";
}

/* Left behind by editors, package managers, forced rebuilds: never a guest. */
static bool is_backup(const char *name)
{
	static const char *const ends[] = { ".rpmsave", ".rpmnew", ".rpmorig",
					    "~" };

	for (size_t i = 0; i < COUNT(ends); i++)
		if (str_ends(name, ends[i]))
			return true;
	return strstr(name, ".cfsaved") != NULL || str_glob("*.~*~*", name);
}

static bool is_listed(const struct sources *list, const char *id)
{
	for (size_t i = 0; i < list->list.n; i++)
		if (str_eq(list->list.v[i]->id, id))
			return true;
	return false;
}

struct lister {
	const struct host *h;
	struct arena *mem;
	struct sources *ret;
};

static void add_source(struct lister *l, const char *id, const char *path)
{
	struct source *s;

	if (is_listed(l->ret, id))
		return;
	s = pvec_add(l->mem, &l->ret->list);
	*s = (struct source){
		.host = l->h, .kind = "vserver", .id = id, .path = path
	};
}

/* A directory, unless it says "legacy" and there is the NAME.conf it means. */
static void list_dir(struct lister *l, const char *name, const char *path)
{
	const char *conf = arena_printf(l->mem, "%s.conf", path);

	if (bid(l->h, path) < BID_GUEST)
		return;
	if (is_there(l->h->tree, path, "legacy") &&
	    bid(l->h, conf) >= BID_GUEST)
		path = conf;
	add_source(l, arena_strdup(l->mem, name), path);
}

/* A NAME.conf that sets what ours do, or that has a root beside the others. */
static void list_conf(struct lister *l, const char *confdir, const char *name)
{
	struct tree *t = l->h->tree;
	const char *path = arena_printf(l->mem, "%s/%s", confdir, name);
	const char *id = arena_strndup(l->mem, name, strlen(name) - 5);
	struct tree_stat st;
	struct err e;

	if (tree_stat(t, path, &st, &e) < 0 || !S_ISREG(st.mode))
		return;
	if (bid_conf(t, path) >= BID_GUEST ||
	    (id[0] != '\0' &&
	     tree_is_dir(t, arena_printf(l->mem, "%s/%s",
					 vserver_root_base(t, confdir, l->mem),
					 id))))
		add_source(l, id, path);
}

static int list_confdir(struct lister *l, const char *confdir, struct err *e)
{
	struct tree_entries entries;

	if (tree_list(l->h->tree, confdir, l->mem, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++) {
		const char *name = entries.v[i].name;
		const char *path = arena_printf(l->mem, "%s/%s", confdir, name);

		if (name[0] != '.' && !is_backup(name) &&
		    tree_is_dir(l->h->tree, path))
			list_dir(l, name, path);
	}
	for (size_t i = 0; i < entries.n; i++)
		if (entries.v[i].name[0] != '.' &&
		    str_ends(entries.v[i].name, ".conf"))
			list_conf(l, confdir, entries.v[i].name);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct source *const *x = a;
	const struct source *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static int list(const struct host *h, struct arena *mem, struct sources *ret,
		struct err *e)
{
	const char *dirs[] = { variable(h->tree, "__CONFDIR", mem),
			       "/etc/vservers", "/usr/local/etc/vservers" };
	struct sources found = { 0 };
	struct lister l = { .h = h, .mem = mem, .ret = &found };

	for (size_t i = 0; i < COUNT(dirs); i++)
		if (dirs[i] != NULL && tree_is_dir(h->tree, dirs[i]) &&
		    list_confdir(&l, dirs[i], e) < 0)
			return -1;
	if (found.list.n > 0)
		qsort(found.list.v, found.list.n, sizeof(*found.list.v), by_id);
	*ret = found;
	return 0;
}

/* --- one guest --------------------------------------------------------- */

static const char *dir_of(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return slash == path ? "/" :
			       arena_strndup(mem, path, (size_t)(slash - path));
}

/*
 * Builds of 0.30.216-pre that gave another default set: from 27 October 2008
 * (8d15096, first in pre2773) a list of what to keep took the place of a list
 * of what to remove, and SETFCAP was added on 1 June 2011 (e3f1125), after
 * pre2955. Debian 6 had pre2864.
 */
enum { PRE_KEEP_LIST = 2773, PRE_SETFCAP = 2956 };

static enum vserver_release release_of_text(const char *version)
{
	static const char pre[] = "0.30.216-pre";
	const char *p = strstr(version, pre);
	uint64_t n;
	struct err e;

	if (strstr(version, "0.30.216") == NULL)
		return VS_RELEASE_OLD;
	if (p == NULL || num_u64(p + strlen(pre), &n, &e) < 0 ||
	    n >= PRE_SETFCAP)
		return VS_RELEASE_NEW;
	return n >= PRE_KEEP_LIST ? VS_RELEASE_MIDDLE : VS_RELEASE_OLD;
}

/*
 * Which release's default set holds: as recorded of the host, else the newest
 * when there are files that only that one knows, else the newest as a guess
 * (*ret_how NULL).
 */
static enum vserver_release release_of(const struct reading *r,
				       const struct vserver *v,
				       const char **ret_how)
{
	static const char *const newest[] = { "cflags", "umask", "cgroup",
					      "netns", "ionice" };
	const struct facts *facts = r->source->host->facts;

	*ret_how = vserver_choice(r, "vserver-release");
	if (*ret_how != NULL)
		return str_eq(*ret_how, "old") ? VS_RELEASE_OLD :
						 VS_RELEASE_NEW;
	if (v->legacy)
		*ret_how = "legacy";
	else if (facts != NULL && facts->tools_version != NULL)
		*ret_how = facts->tools_version;
	if (*ret_how != NULL)
		return v->legacy ? VS_RELEASE_OLD : release_of_text(*ret_how);
	for (size_t i = 0; i < COUNT(newest); i++)
		if (is_there(v->t, v->cfg, newest[i]))
			*ret_how = newest[i];
	return VS_RELEASE_NEW;
}

static void set_default_caps(struct reading *r)
{
	struct vserver *v = vserver_of(r);
	const char *how;

	v->release = release_of(r, v, &how);
	if (v->release == VS_RELEASE_OLD)
		reading_default(r, FIELD_CAPS, r->g, caps_old,
				"vserver.md 3.1: up to 0.30.215");
	else if (v->release == VS_RELEASE_MIDDLE)
		reading_default(r, FIELD_CAPS, r->g, caps_middle,
				"vserver.md 3.1: 0.30.216-pre of 2008 to 2011");
	if (how == NULL)
		reading_find_at(r, FIND_CAP_RELEASE,
				reading_origin(r, ORIGIN_FILE, v->cfg, 0,
					       "bcapabilities", NULL),
				"nothing says which release of the tools it "
				"was: default set of 0.30.216 taken (0.30.215 "
				"had SETPCAP as well)");
}

const char *vserver_choice(const struct reading *r, const char *name)
{
	const struct site *site = r->source->host->site;

	if (site == NULL || site_choice_line(site, name) == 0)
		return NULL;
	return site_choice(site, name);
}

/* As the site file says, as recorded of the host, or as on x86. */
static unsigned page_size(const struct reading *r)
{
	const struct facts *facts = r->source->host->facts;
	const char *word = vserver_choice(r, "page-size");
	uint64_t bytes;
	struct err e;

	if (word != NULL && num_u64(word, &bytes, &e) == 0)
		return (unsigned)bytes;
	return facts != NULL && facts->page_size > 0 ? facts->page_size : PAGE;
}

struct vserver *vserver_begin(struct reading *r, const char *path)
{
	struct vserver *v = arena_alloc(r->g->mem, sizeof(*v));
	const char *name = str_base(path);

	v->t = r->source->host->tree;
	v->legacy = !tree_is_dir(v->t, path) && str_ends(name, ".conf");
	v->confdir = dir_of(r->g->mem, path);
	v->name = v->legacy ? arena_strndup(r->g->mem, name, strlen(name) - 5) :
			      arena_strdup(r->g->mem, name);
	v->cfg = arena_printf(r->g->mem, "%s/%s",
			      str_eq(v->confdir, "/") ? "" : v->confdir,
			      v->name);
	v->page = page_size(r);
	v->path = "";
	r->state = v;
	set_default_caps(r);
	reading_defaults(r);
	vserver_caps_begin(r);
	vserver_limits_begin(r);
	vserver_net_begin(r);
	vserver_mounts_begin(r);
	vserver_boot_begin(r);
	return v;
}

void vserver_settle(struct reading *r)
{
	vserver_caps_settle(r);
	vserver_limits_settle(r);
	vserver_net_settle(r);
	vserver_mounts_settle(r);
	vserver_boot_settle(r);
}

static void set_identity(struct reading *r, const struct source *s)
{
	const struct vserver *v = vserver_of(r);
	struct guest *g = r->g;
	const struct origin *at = reading_origin(
		r, ORIGIN_FILE, s->path, 0, "name of the configuration", NULL);

	g->host = s->host->name;
	g->kind = "vserver";
	g->id = s->id;
	g->name = v->name;
	g->key = source_key(g->mem, s);
	g->source = s->path;
	g->state = "unknown";
	derive_str(g, FIELD_CONFIG_NAME, g, v->name, at, NULL);
	reading_default(r, FIELD_DISPLAY_NAME, g, v->name,
			"vserver.md 1.5: else the name of the configuration");
}

static void differs(struct reading *r, const char *what,
		    const struct opt_u64 *id)
{
	if (id->from != NULL && id->v != r->g->xid.v)
		reading_find_at(r, FIND_SRC_ID, id->from,
				"%s %" PRIu64 " is not context %" PRIu64
				": both are kept",
				what, id->v, r->g->xid.v);
}

/* The directory apps/vunify is enough, whatever lies in it. */
static void mark_unified(struct reading *r)
{
	struct guest *g = r->g;

	for (size_t i = 0; i < g->settings.n && g->unified.from == NULL; i++) {
		struct setting *s = g->settings.v[i];

		if (!str_starts(s->from.key, "apps/vunify/"))
			continue;
		reading_resume(r, s);
		take_bool(r, FIELD_UNIFIED, g, true);
	}
}

/* What nothing said of the root and of the ids. */
static void fill_in(struct reading *r)
{
	const struct vserver *v = vserver_of(r);
	struct guest *g = r->g;
	const struct origin *at =
		reading_origin(r, ORIGIN_FILE, g->source, 0, "vdir", NULL);
	const char *root;

	if (v->legacy && g->rootfs.from == NULL) {
		root = arena_printf(g->mem, "%s/%s",
				    vserver_root_base(v->t, v->confdir, g->mem),
				    v->name);
		reading_default(r, FIELD_ROOTFS, g, root, "vserver.md 1.2");
		if (!tree_is_dir(v->t, root))
			reading_find_at(r, FIND_DSK_NO_ROOT, at,
					"%s is not there", root);
	} else if (!v->legacy && !is_there(v->t, v->cfg, "vdir")) {
		reading_find_at(r, FIND_DSK_NO_ROOT, at,
				"no vdir: the root file system is not known");
	}
	if (g->xid.from == NULL) {
		reading_find_at(r, FIND_SRC_ID, at,
				"no context id: the kernel chose one at each "
				"start");
		return;
	}
	differs(r, "ncontext", &g->nid);
	differs(r, "tag", &g->tag);
	root = arena_printf(g->mem, "%" PRIu64, g->xid.v);
	reading_default(r, FIELD_NID, g, root, "vserver.md 1.5: as context");
	reading_default(r, FIELD_TAG, g, root, "vserver.md 1.5: as context");
}

static int vserver_read(struct reading *r, const struct source *s,
			struct err *e)
{
	struct vserver *v = vserver_begin(r, s->path);

	set_identity(r, s);
	if (v->legacy && vserver_legacy_read(r, s->path, e) < 0)
		return err_wrap(e, "read %s", s->path);
	if (!v->legacy && !tree_is_dir(v->t, s->path))
		return err_set(e, 0, "read %s: neither a directory nor a .conf",
			       s->path);
	vserver_read_tree(r);
	vserver_settle(r);
	if (!v->legacy)
		mark_unified(r);
	fill_in(r);
	return reading_close(r, e);
}

const struct importer vserver_importer = {
	.name = "vserver",
	.summary = "Linux-VServer guests of util-vserver",
	.keys = vserver_keys,
	.n_keys = VSERVER_N_KEYS,
	.defaults = defaults,
	.n_defaults = COUNT(defaults),
	.bid = bid,
	.list = list,
	.places = "/etc/vservers, /usr/local/etc/vservers, "
		  "__CONFDIR of util-vserver-vars",
	.read = vserver_read,
};
