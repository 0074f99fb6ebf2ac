/*
 * OpenVZ and Virtuozzo guests (vzctl 3 and 4, libvzctl, Proxmox VE 1 to 3):
 * which there are beneath a root, and how one is read. The parts of the reader
 * stand in importers/openvz/.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/num.h"
#include "derive.h"
#include "facts.h"
#include "importers/openvz/dump.h"
#include "importers/openvz/read.h"
#include "importers/openvz/table.h"
#include "site.h"

enum {
	PAGE = 4096,        /* bytes in a page of x86 */
	CONF_MAX = 1 << 20, /* bytes that are looked at for a bid */
	SURE_KEYS = 2,      /* known keys that make a file ours */
};

/* How sure a file is to be one of our guests. */
enum bid {
	BID_NONE = 0,
	BID_ARCHIVE = 30, /* a tar: what is in it is seen when it is read */
	BID_KEYS = 60,    /* it sets what ours do */
	BID_SURE = 85,    /* and is called as ours are */
};

/* openvz.md 3.7: bit 30 was VE_ADMIN, which gave what the last two are here. */
static const struct default_value defaults[] = {
	{ .field = FIELD_CAPS,
	  .value = "chown dac_override dac_read_search fowner fsetid kill "
		   "setgid setuid setpcap linux_immutable net_bind_service "
		   "net_broadcast net_raw ipc_lock ipc_owner sys_chroot "
		   "sys_ptrace sys_boot sys_nice sys_resource sys_tty_config "
		   "mknod lease audit_write setfcap net_admin sys_admin",
	  .ref = "openvz.md 3.7, 5.7" },
	{ .field = FIELD_INIT_STYLE, .value = "plain", .ref = "openvz.md 5.1" },
	{ .field = FIELD_NS_PID, .value = "private", .ref = "openvz.md 0" },
	{ .field = FIELD_NS_NET, .value = "private", .ref = "openvz.md 0" },
	{ .field = FIELD_NS_MOUNT, .value = "private", .ref = "openvz.md 0" },
	{ .field = FIELD_NS_IPC, .value = "private", .ref = "openvz.md 0" },
	{ .field = FIELD_NS_UTS, .value = "private", .ref = "openvz.md 0" },
	{ .field = FIELD_NS_USER, .value = "host", .ref = "openvz.md 5.7" },
	{ .field = FIELD_NS_CGROUP, .value = "private", .ref = "openvz.md 0" },
	{ .field = FIELD_LSM, .value = "none", .ref = "openvz.md 5.7" },
	{ .field = FIELD_SECCOMP, .value = "none", .ref = "openvz.md 5.7" },
	{ .field = FIELD_PROC_VIEW,
	  .value = "filtered",
	  .ref = "openvz.md 3.8" },
	{ .field = FIELD_SYS_VIEW, .value = "ro", .ref = "openvz.md 3.8" },
	{ .field = FIELD_DEVICE_POLICY,
	  .value = "list",
	  .ref = "openvz.md 3.6" },
};

/* "101", or a UUID: of a guest's id. */
static bool is_id(const char *s)
{
	return s[0] != '\0' &&
	       (s[strspn(s, "0123456789")] == '\0' || openvz_is_uuid(s));
}

/* A UUID without its braces. */
static const char *plain_id(struct arena *mem, const char *s)
{
	const size_t n = strlen(s);

	return s[0] == '{' && n > 2 ? arena_strndup(mem, s + 1, n - 2) : s;
}

/*
 * The id that a path tells: of 101.conf its number, of PRIVATE/101/ve.conf the
 * folder's name, else the file's name.
 */
static const char *id_of(struct arena *mem, const char *path)
{
	const char *name = str_base(path);

	if (openvz_dump_id(mem, path) != NULL)
		return openvz_dump_id(mem, path);
	if (str_eq(name, "ve.conf"))
		return plain_id(mem, str_base(str_dir(mem, path)));
	if (str_ends(name, ".conf"))
		name = arena_strndup(mem, name, strlen(name) - 5);
	return plain_id(mem, name);
}

/* --- which guests there are --- */

static unsigned known_keys(struct arena *mem, const char *data, size_t n)
{
	struct ov_lines lines;
	unsigned known = 0;

	openvz_lines_cut(mem, data, n, OV_LEGACY, &lines);
	for (size_t i = 0; i < lines.n; i++)
		if (lines.v[i].fault == OV_FINE &&
		    importer_key(openvz_keys, openvz_n_keys, lines.v[i].key) !=
			    NULL)
			known++;
	return known;
}

static int bid(const struct host *h, const char *path)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *name = str_base(path), *data;
	struct err e;
	size_t n;

	if (openvz_dump_is(h, path))
		return openvz_dump_ctid(mem, name) != NULL ? BID_SURE :
							     BID_ARCHIVE;
	if (str_eq(name, "vz.conf") ||
	    tree_read(h->tree, path, CONF_MAX, mem, &data, &n, &e) < 0 ||
	    known_keys(mem, data, n) < SURE_KEYS)
		return BID_NONE;
	if (str_eq(name, "ve.conf") ||
	    (str_ends(name, ".conf") && is_id(id_of(mem, path))))
		return BID_SURE;
	return BID_KEYS;
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

static void add(struct lister *l, const char *path)
{
	const char *id = id_of(l->mem, path);
	struct tree_stat st;
	struct source *s;
	struct err e;

	if (tree_stat(l->h->tree, path, &st, &e) < 0 || !S_ISREG(st.mode) ||
	    is_listed(l, id))
		return;
	s = pvec_add(l->mem, &l->ret->list);
	*s = (struct source){
		.host = l->h, .kind = "openvz", .id = id, .path = path
	};
}

/* NNN.conf and UUID.conf; 0.conf is the host itself. */
static int list_dir(struct lister *l, const char *dir, struct err *e)
{
	struct tree_entries entries;

	if (!tree_is_dir(l->h->tree, dir))
		return 0;
	if (tree_list(l->h->tree, dir, l->mem, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++) {
		const char *name = entries.v[i].name;
		const char *id;

		if (!str_ends(name, ".conf"))
			continue;
		id = arena_strndup(l->mem, name, strlen(name) - 5);
		if (is_id(id) && !str_eq(id, "0"))
			add(l, arena_printf(l->mem, "%s/%s", dir, name));
	}
	return 0;
}

/* Private areas with a ve.conf of their own, registered or not. */
static int list_private(struct lister *l, const char *dir, struct err *e)
{
	struct tree_entries entries;

	if (!tree_is_dir(l->h->tree, dir))
		return 0;
	if (tree_list(l->h->tree, dir, l->mem, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++)
		if (is_id(entries.v[i].name))
			add(l, arena_printf(l->mem, "%s/%s/ve.conf", dir,
					    entries.v[i].name));
	return 0;
}

/* Proxmox: the folder of this node, or of all nodes of a cluster. */
static int list_pve(struct lister *l, struct err *e)
{
	static const char nodes[] = "/etc/pve/nodes";
	struct tree_entries entries;

	if (list_dir(l, "/etc/pve/openvz", e) < 0)
		return -1;
	if (!tree_is_dir(l->h->tree, nodes))
		return 0;
	if (tree_list(l->h->tree, nodes, l->mem, &entries, e) < 0)
		return -1;
	for (size_t i = 0; i < entries.n; i++)
		if (list_dir(l,
			     arena_printf(l->mem, "%s/%s/openvz", nodes,
					  entries.v[i].name),
			     e) < 0)
			return -1;
	return 0;
}

/* Numbers as numbers, then UUIDs. */
static int by_id(const void *a, const void *b)
{
	const struct source *const *x = a;
	const struct source *const *y = b;
	const size_t n = strlen((*x)->id), m = strlen((*y)->id);

	if (n != m)
		return n < m ? -1 : 1;
	return strcmp((*x)->id, (*y)->id);
}

static int list(const struct host *h, struct arena *mem, struct sources *ret,
		struct err *e)
{
	struct sources found = { 0 };
	struct lister l = { .h = h, .mem = mem, .ret = &found };

	if (list_dir(&l, "/etc/vz/conf", e) < 0 || list_pve(&l, e) < 0 ||
	    list_private(&l, "/vz/private", e) < 0)
		return -1;
	if (found.list.n > 0)
		qsort(found.list.v, found.list.n, sizeof(*found.list.v), by_id);
	*ret = found;
	return 0;
}

/* --- one guest --- */

static uint64_t page_size(const struct reading *r)
{
	const struct facts *facts = r->source->host->facts;
	const struct site *site = r->source->host->site;
	uint64_t bytes;
	struct err e;

	if (site != NULL && site_choice_line(site, "page-size") > 0 &&
	    num_u64(site_choice(site, "page-size"), &bytes, &e) == 0)
		return bytes;
	return facts != NULL && facts->page_size > 0 ? facts->page_size : PAGE;
}

struct openvz *openvz_begin(struct reading *r, const char *path)
{
	struct openvz *v = arena_alloc(r->g->mem, sizeof(*v));
	struct err e;

	v->t = r->source->host->tree;
	v->path = path;
	v->dir = str_dir(r->g->mem, path);
	v->id = id_of(r->g->mem, path);
	v->real = path;
	if (tree_resolve(v->t, path, r->g->mem, &v->real, &e) < 0)
		v->real = path;
	v->page = page_size(r);
	r->state = v;
	reading_defaults(r);
	return v;
}

void openvz_settle(struct reading *r)
{
	openvz_boot_settle(r);
	openvz_limits_settle(r);
	openvz_cpu_settle(r);
	openvz_caps_settle(r);
	openvz_devices_settle(r);
	openvz_net_settle(r);
	openvz_disks_settle(r);
	openvz_ids_settle(r);
	if (openvz_of(r)->dump != NULL)
		openvz_dump_settle(r);
	openvz_scripts(r);
}

static void set_identity(struct reading *r, const struct source *s)
{
	const struct openvz *v = openvz_of(r);
	struct guest *g = r->g;
	const struct origin *at = reading_origin(
		r, ORIGIN_FILE, s->path, 0, "name of the configuration", NULL);
	uint64_t id;
	struct err e;

	g->host = s->host->name;
	g->kind = "openvz";
	g->id = s->id;
	g->name = v->id;
	g->key = source_key(g->mem, s);
	g->source = s->path;
	g->state = "unknown";
	derive_str(g, FIELD_CONFIG_NAME, g, v->id, at, NULL);
	reading_default(r, FIELD_DISPLAY_NAME, g, v->id,
			"openvz.md 1.1: else the id");
	if (num_u64(v->id, &id, &e) == 0)
		derive_u64(g, FIELD_XID, g, id, at, NULL);
}

static int openvz_read(struct reading *r, const struct source *s, struct err *e)
{
	openvz_begin(r, s->path);
	set_identity(r, s);
	if (s->when != NULL && openvz_dump_open(r, e) < 0)
		return err_wrap(e, "read %s", s->path);
	if (openvz_read_files(r, e) < 0)
		return err_wrap(e, "read %s", s->path);
	openvz_settle(r);
	return reading_close(r, e);
}

const struct importer openvz_importer = {
	.name = "openvz",
	.summary = "OpenVZ and Virtuozzo guests, also of Proxmox VE 1 to 3",
	.keys = openvz_keys,
	.n_keys = OPENVZ_N_KEYS,
	.defaults = defaults,
	.n_defaults = COUNT(defaults),
	.bid = bid,
	.list = list,
	.list_dir = openvz_dump_list,
	.id = id_of,
	.when = openvz_dump_when,
	.places = "/etc/vz/conf, /etc/pve/openvz, /etc/pve/nodes/*/openvz, "
		  "/vz/private/*/ve.conf",
	.read = openvz_read,
};
