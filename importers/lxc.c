/*
 * Guests of LXC itself, 0.9 to 7: which there are beneath a root, and how one
 * is read. The parts of the reader stand in importers/lxc/.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "derive.h"
#include "importers/lxc/table.h"

enum {
	CONF_MAX = 1 << 20, /* bytes that are looked at for a bid */
	SURE_KEYS = 2,      /* known keys that make a file ours */
};

/* How sure a file is to be one of our guests. */
enum bid {
	BID_NONE = 0,
	BID_KEYS = 60, /* it sets what ours do */
	BID_SURE = 90, /* and lies where LXC looks for it */
};

static const struct default_value defaults[] = {
	{ .field = FIELD_INIT_STYLE,
	  .value = "plain",
	  .ref = "targets.md 2.2" },
	{ .field = FIELD_INIT_CMD,
	  .value = "/sbin/init",
	  .ref = "targets.md 2.2" },
	{ .field = FIELD_STOP_SIGNAL,
	  .value = "SIGPWR",
	  .ref = "targets.md 2.2" },
	{ .field = FIELD_REBOOT_SIGNAL,
	  .value = "SIGINT",
	  .ref = "targets.md 2.2" },
	{ .field = FIELD_AUTOSTART, .value = "no", .ref = "targets.md 2.2" },
	{ .field = FIELD_NS_PID, .value = "private", .ref = "targets.md 2.2" },
	{ .field = FIELD_NS_NET, .value = "private", .ref = "targets.md 2.3" },
	{ .field = FIELD_NS_MOUNT,
	  .value = "private",
	  .ref = "targets.md 2.2" },
	{ .field = FIELD_NS_IPC, .value = "private", .ref = "targets.md 2.2" },
	{ .field = FIELD_NS_UTS, .value = "private", .ref = "targets.md 2.2" },
	{ .field = FIELD_NS_USER, .value = "host", .ref = "targets.md 2.2" },
	{ .field = FIELD_NS_CGROUP,
	  .value = "private",
	  .ref = "targets.md 2.2" },
	{ .field = FIELD_SECCOMP, .value = "none", .ref = "targets.md 2.2" },
};

/* "web" of /var/lib/lxc/web/config, else the file's name without .conf. */
static const char *id_of(struct arena *mem, const char *path)
{
	const char *name = str_base(path);

	if (str_eq(name, "config"))
		name = str_base(str_dir(mem, path));
	if (str_ends(name, ".conf"))
		name = arena_strndup(mem, name, strlen(name) - 5);
	return name[0] == '\0' ? "guest" : name;
}

/* --- which guests there are -------------------------------------------- */

static unsigned known_keys(struct arena *mem, const char *data, size_t n)
{
	struct lxc_lines lines = { .rest = { data, n } };
	struct lxc_line l;
	unsigned known = 0;

	while (known < SURE_KEYS && lxc_line_next(&lines, &l))
		if (l.kind == LXC_LINE_SETTING &&
		    lxc_row(mem, slice_dup(mem, l.key)) != NULL)
			known++;
	return known;
}

static int bid(const struct host *h, const char *path)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *data;
	unsigned known;
	struct err e;
	size_t n;

	if (tree_is_dir(h->tree, path))
		path = arena_printf(mem, "%s/config", path);
	if (tree_read(h->tree, path, CONF_MAX, mem, &data, &n, &e) < 0)
		return BID_NONE;
	known = known_keys(mem, data, n);
	if (known > 0 && str_eq(str_base(path), "config"))
		return BID_SURE;
	return known >= SURE_KEYS ? BID_KEYS : BID_NONE;
}

struct lister {
	const struct host *h;
	struct arena *mem;
	struct sources *ret;
};

static bool is_listed(const struct lister *l, const char *id)
{
	for (size_t i = 0; i < l->ret->list.n; i++)
		if (str_eq(l->ret->list.v[i]->id, id))
			return true;
	return false;
}

/* "web@srv-lxc": two directories may hold guests of one name. */
static const char *other_id(struct arena *mem, const char *name,
			    const char *dir)
{
	char *id = arena_printf(mem, "%s@%s", name, dir + (dir[0] == '/'));

	for (char *c = id + strlen(name); *c != '\0'; c++)
		if (*c == '/')
			*c = '-';
	return id;
}

static void add(struct lister *l, const char *dir, const char *name)
{
	const char *path = arena_printf(l->mem, "%s/%s/config", dir, name);
	struct tree_stat st;
	struct source *s;
	struct err e;

	if (tree_stat(l->h->tree, path, &st, &e) < 0 || !S_ISREG(st.mode))
		return;
	s = pvec_add(l->mem, &l->ret->list);
	*s = (struct source){ .host = l->h, .kind = "lxc", .path = path };
	s->id = is_listed(l, name) ? other_id(l->mem, name, dir) : name;
}

static int list_dir(struct lister *l, const char *dir, struct err *e)
{
	struct tree_entries entries;

	if (!tree_is_dir(l->h->tree, dir))
		return 0;
	if (tree_list(l->h->tree, dir, l->mem, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++)
		add(l, dir, entries.v[i].name);
	return 0;
}

/* A directory of guests that was named: somebody's lxcpath. */
static int list_named(const struct host *h, const char *dir, struct arena *mem,
		      struct sources *ret, struct err *e)
{
	struct lister l = { .h = h, .mem = mem, .ret = ret };

	return list_dir(&l, dir, e);
}

/* "lxc.lxcpath = DIR" of the tools' own file; LXC 0.9 had no "lxc.". */
static const char *lxcpath(struct lister *l, const char *file)
{
	struct slice rest, line;
	const char *data, *path = NULL;
	struct err e;
	size_t n;

	if (tree_read(l->h->tree, file, CONF_MAX, l->mem, &data, &n, &e) < 0)
		return NULL;
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		const char *text = slice_dup(l->mem, slice_trim(line));
		const char *eq = strchr(text, '=');

		if (eq == NULL || (!str_starts(text, "lxc.lxcpath") &&
				   !str_starts(text, "lxcpath")))
			continue;
		path = slice_dup(l->mem, slice_trim((struct slice){
						 eq + 1, strlen(eq + 1) }));
	}
	return path != NULL && path[0] == '/' ? path : NULL;
}

/* Guests of ordinary users. */
static int list_homes(struct lister *l, struct err *e)
{
	struct tree_entries entries;

	if (list_dir(l, "/root/.local/share/lxc", e) < 0)
		return -1;
	if (!tree_is_dir(l->h->tree, "/home"))
		return 0;
	if (tree_list(l->h->tree, "/home", l->mem, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++)
		if (list_dir(l,
			     arena_printf(l->mem, "/home/%s/.local/share/lxc",
					  entries.v[i].name),
			     e) < 0)
			return -1;
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
	static const char usual[] = "/var/lib/lxc";
	struct sources found = { 0 };
	struct lister l = { .h = h, .mem = mem, .ret = &found };
	const char *path = lxcpath(&l, "/etc/lxc/lxc.conf");

	if (list_dir(&l, usual, e) < 0 ||
	    (path != NULL && !str_eq(path, usual) &&
	     list_dir(&l, path, e) < 0) ||
	    list_homes(&l, e) < 0)
		return -1;
	if (found.list.n > 0)
		qsort(found.list.v, found.list.n, sizeof(*found.list.v), by_id);
	*ret = found;
	return 0;
}

/* --- one guest --------------------------------------------------------- */

struct lxc *lxc_begin(struct reading *r, const char *path)
{
	struct lxc *x = arena_alloc(r->g->mem, sizeof(*x));
	struct tree *t = r->source->host->tree;

	if (tree_is_dir(t, path))
		path = arena_printf(r->g->mem, "%s/config", path);
	x->t = t;
	x->path = path;
	x->dir = str_dir(r->g->mem, path);
	x->id = id_of(r->g->mem, path);
	r->state = x;
	reading_defaults(r);
	return x;
}

void lxc_settle(struct reading *r)
{
	lxc_fold(r);
	lxc_read_lines(r);
	lxc_read_fstab(r);
	lxc_boot_settle(r);
	lxc_caps_settle(r);
	lxc_limits_settle(r);
	lxc_net_settle(r);
	lxc_root_settle(r);
	lxc_devices_settle(r);
	lxc_mounts_settle(r);
	lxc_beside(r);
}

void lxc_read_text(struct reading *r, const char *text, size_t n)
{
	lxc_collect_text(r, lxc_of(r)->path, text, n);
	lxc_settle(r);
}

static void set_identity(struct reading *r, const struct source *s)
{
	const struct lxc *x = lxc_of(r);
	struct guest *g = r->g;
	const struct origin *at = reading_origin(r, ORIGIN_FILE, x->path, 0,
						 "name of the container", NULL);

	g->host = s->host->name;
	g->kind = "lxc";
	g->id = s->id;
	g->name = x->id;
	g->key = source_key(g->mem, s);
	g->source = x->path;
	g->state = "unknown";
	derive_str(g, FIELD_CONFIG_NAME, g, x->id, at, NULL);
}

static int lxc_read(struct reading *r, const struct source *s, struct err *e)
{
	struct lxc *x = lxc_begin(r, s->path);

	set_identity(r, s);
	if (lxc_collect(r, x->path, e) < 0)
		return err_wrap(e, "read %s", x->path);
	lxc_settle(r);
	return reading_close(r, e);
}

const struct importer lxc_importer = {
	.name = "lxc",
	.summary = "containers of LXC 0.9 to 7, with keys of any of them",
	.keys = lxc_keys,
	.n_keys = LXC_N_KEYS,
	.defaults = defaults,
	.n_defaults = COUNT(defaults),
	.bid = bid,
	.list = list,
	.list_dir = list_named,
	.id = id_of,
	.places = "/var/lib/lxc/*/config, the lxcpath of /etc/lxc/lxc.conf, "
		  "/root and /home/*/.local/share/lxc/*/config",
	.read = lxc_read,
};
