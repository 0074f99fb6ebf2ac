/*
 * What stands beside capabilities, limits, network, mounts and boot: the root
 * file system, names and ids, personality, package management, bookkeeping of
 * the old tools, and the files of other tools for the same kernel.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/boot.h"
#include "importers/vserver/misc.h"
#include "importers/vserver/read.h"

enum {
	UTS_MAX = 64,       /* bytes the kernel keeps of a uname field */
	ID_MAX = 50,        /* bytes of a context file that are read */
	RUN_MAX = 4096,     /* bytes of a run file */
	CACHED_MAX = 4096,  /* bytes of a file of the cache */
	CACHED_N = 64,      /* of them that are looked at */
	XID_STATIC_MIN = 2, /* 0 is the host, 1 the spectator */
	XID_STATIC_MAX = 49151,
};

static const char *below_cfg(struct reading *r, const char *name)
{
	return arena_printf(r->g->mem, "%s/%s", vserver_of(r)->cfg, name);
}

static bool has(struct reading *r, const char *name)
{
	return tree_exists(vserver_of(r)->t, below_cfg(r, name));
}

int vserver_inert(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	reading_decide(r, BIN_INERT, "%s", r->cur->row->note);
	return 0;
}

/* --- the root ---------------------------------------------------------- */

/* Whether a directory above the root is the root of a system itself. */
static bool is_inside_guest(struct reading *r, const char *root)
{
	struct tree *t = vserver_of(r)->t;
	char *dir = arena_strdup(r->g->mem, root);

	for (char *p = strrchr(dir, '/'); p != NULL && p != dir;
	     p = strrchr(dir, '/')) {
		*p = '\0';
		if (tree_exists(t, arena_printf(r->g->mem, "%s/etc/passwd",
						dir)) &&
		    tree_is_dir(t, arena_printf(r->g->mem, "%s/bin", dir)))
			return true;
	}
	return false;
}

static bool is_beneath(const char *path, const char *dir)
{
	const size_t n = strlen(dir);

	return str_starts(path, dir) && (path[n] == '/' || path[n] == '\0');
}

static const char *bad_root(struct reading *r, const char *root)
{
	const struct vserver *v = vserver_of(r);
	const char *confdir = v->confdir;
	struct err e;

	if (tree_resolve(v->t, confdir, r->g->mem, &confdir, &e) < 0)
		confdir = v->confdir;
	if (str_eq(root, "/"))
		return "the root of the host itself";
	if (is_beneath(confdir, root))
		return "the directory that holds the configuration";
	if (is_inside_guest(r, root))
		return "inside another guest's root";
	return NULL;
}

int vserver_misc_vdir(struct reading *r, const char *value, struct err *e)
{
	const struct vserver *v = vserver_of(r);
	const char *root, *bad;
	struct err why;

	(void)e;
	if (tree_resolve(v->t, r->cur->from.file, r->g->mem, &root, &why) < 0) {
		take_str(r, FIELD_ROOTFS, r->g, value == NULL ? "" : value);
		reading_find(r, FIND_DSK_NO_ROOT,
			     "vdir leads to %s, which is not there: %s",
			     vserver_shown(r, r->g->rootfs.v),
			     why.code != 0 ? strerror(why.code) : why.msg);
		return 0;
	}
	take_str(r, FIELD_ROOTFS, r->g, root);
	if (!tree_is_dir(v->t, root)) {
		reading_find(r, FIND_DSK_NO_ROOT,
			     "vdir leads to %s, which is no directory",
			     vserver_shown(r, root));
		return 0;
	}
	bad = bad_root(r, root);
	if (bad != NULL)
		reading_find(r, FIND_DSK_BAD_ROOT, "vdir leads to %s: %s",
			     vserver_shown(r, root), bad);
	return 0;
}

/* The number behind NAME= in a file of the cache; false: it has none. */
static bool cached(const char *text, const char *name, uint64_t *ret)
{
	const char *p = strstr(text, name);
	char digits[24];
	size_t n;
	struct err e;

	if (p == NULL)
		return false;
	p += strlen(name);
	n = strspn(p, "0123456789");
	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, p, n);
	digits[n] = '\0';
	return num_u64(digits, ret, &e) == 0;
}

/* dlimits/XID_DIRECTORY: the tools set the counters from it at the start. */
static void find_cached(struct reading *r, const char *dir, const char *name)
{
	uint64_t space, inodes;
	const char *text;
	struct err e;
	size_t n;

	if (tree_read(vserver_of(r)->t,
		      arena_printf(r->g->mem, "%s/%s", dir, name), CACHED_MAX,
		      r->g->mem, &text, &n, &e) < 0 ||
	    !cached(text, "space_used=", &space) ||
	    !cached(text, "inodes_used=", &inodes))
		return;
	reading_find(r, FIND_DSK_USED,
		     "%s: %" PRIu64 " KiB and %" PRIu64
		     " inodes were in use at the last stop",
		     vserver_shown(r, name), space, inodes);
}

int vserver_misc_cache(struct reading *r, const char *value, struct err *e)
{
	const char *dir =
		arena_printf(r->g->mem, "%s/dlimits", r->cur->from.file);
	struct tree_entries entries;
	struct err none;

	(void)value;
	(void)e;
	reading_decide(r, BIN_INERT, "%s", r->cur->row->note);
	if (tree_list(vserver_of(r)->t, dir, r->g->mem, &entries, &none) < 0)
		return 0;
	for (size_t i = 0; i < entries.n && i < CACHED_N; i++)
		find_cached(r, dir, entries.v[i].name);
	return 0;
}

int vserver_misc_run(struct reading *r, const char *value, struct err *e)
{
	const struct vserver *v = vserver_of(r);
	const char *data;
	struct err none;
	size_t n;

	(void)e;
	reading_decide(r, BIN_INERT, "%s", r->cur->row->note);
	if (tree_read(v->t, r->cur->from.file, RUN_MAX, r->g->mem, &data, &n,
		      &none) < 0)
		return 0;
	reading_find(r, FIND_SRC_STALE_RUN,
		     "%s says that context %s ran; no proof that it runs now",
		     value != NULL ? vserver_shown(r, value) : "run",
		     str_show(r->g->mem, data, strcspn(data, "\n"), 24));
	return 0;
}

/* --- names and ids ----------------------------------------------------- */

int vserver_misc_text(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (value == NULL || value[0] == '\0')
		reading_decide(r, BIN_INERT, "empty: as if it were not there");
	else
		take_str(r, r->cur->row->field, r->g, value);
	return 0;
}

int vserver_misc_id(struct reading *r, const char *value, struct err *e)
{
	const char *meant = vserver_meant(r, value);
	uint64_t id;

	if (strlen(meant) > ID_MAX || num_u64(meant, &id, e) < 0)
		return err_set(e, 0, "\"%s\" is no context id",
			       vserver_shown(r, value));
	take_u64(r, r->cur->row->field, r->g, id);
	if (id < XID_STATIC_MIN || id > XID_STATIC_MAX)
		reading_find(r, FIND_SRC_ID,
			     "%s %" PRIu64 " is outside of %d to %d: kept as "
			     "it is",
			     r->cur->from.key, id, XID_STATIC_MIN,
			     XID_STATIC_MAX);
	return 0;
}

/* Programs of a 32-bit guest; what uname -m says then. */
static void take_arch(struct reading *r, const char *arch)
{
	if (r->g->arch.from != NULL && str_eq(r->g->arch.v, arch))
		take_part(r, FIELD_ARCH, r->g);
	else
		take_str(r, FIELD_ARCH, r->g, arch);
}

static bool is_ix86(const char *machine)
{
	return strlen(machine) == 4 && machine[0] == 'i' &&
	       strchr("3456", machine[1]) != NULL && str_eq(machine + 2, "86");
}

int vserver_misc_uts(struct reading *r, const char *value, struct err *e)
{
	const enum field_id field = r->cur->row->field;
	const char *text = value;

	if (value[0] == '\0')
		return vserver_misc_text(r, value, e);
	if (strlen(value) > UTS_MAX) {
		text = arena_strndup(r->g->mem, value, UTS_MAX);
		reading_find(r, FIND_INI_HOSTNAME,
			     "%s has %zu bytes: cut to 64 as the kernel did, "
			     "\"%s\"",
			     r->cur->from.key, strlen(value),
			     str_show(r->g->mem, text, strlen(text), 0));
	}
	take_str(r, field, r->g, text);
	if (field == FIELD_UTS_MACHINE && is_ix86(text))
		take_arch(r, "i686");
	return 0;
}

int vserver_misc_old_uts(struct reading *r, const char *value, struct err *e)
{
	const char *newer = r->cur->row->field == FIELD_HOSTNAME ?
				    "uts/nodename" :
				    "uts/domainname";

	if (!has(r, newer))
		return vserver_misc_uts(r, value, e);
	reading_decide(r, BIN_OVERRIDDEN, "%s is read in its place", newer);
	reading_find(r, FIND_SRC_SHADOWED, "\"%s\" not taken: %s is there",
		     vserver_shown(r, value), newer);
	return 0;
}

/* --- personality ------------------------------------------------------- */

/* Types of personality(2) that the tools knew; reference 2.12. */
static const char *const types[] = {
	"linux",  "linux_32bit", "linux32", "linux32_3gb", "svr4",
	"svr3",   "scosvr3",     "osr5",    "wysev386",    "iscr4",
	"bsd",    "sunos",       "xenix",   "irix32",      "irixn32",
	"irix64", "riscos",      "solaris", "uw7",         "hpux",
	"osf4",
};

static const char *const flags[] = {
	"mmap_page_zero",  "addr_limit_32bit", "short_inode", "whole_seconds",
	"sticky_timeouts", "addr_limit_3gb",   "uname26",
};

static const char *find_in(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (str_caseeq(words[i], word))
			return words[i];
	return NULL;
}

static int take_type(struct reading *r, const char *value, struct err *e)
{
	const bool prefixed = strncasecmp(value, "PER_", 4) == 0;
	const char *type =
		find_in(types, COUNT(types), value + (prefixed ? 4 : 0));

	if (value[0] == '\0') {
		reading_find(r, FIND_SRC_NOT_STARTED,
			     "no type on the first line: the start ended "
			     "there; the flags are taken");
		return vserver_misc_text(r, value, e);
	}
	if (type == NULL)
		return err_set(e, 0, "\"%s\" is no personality",
			       vserver_shown(r, value));
	if (str_eq(type, "linux"))
		reading_decide(r, BIN_CARRIED,
			       "the personality of every "
			       "process");
	else if (str_starts(type, "linux_32") || str_starts(type, "linux32"))
		take_arch(r, "i686");
	else
		take_element(r, FIELD_PERSONALITY, r->g, type);
	return 0;
}

int vserver_misc_personality(struct reading *r, const char *value,
			     struct err *e)
{
	const char *flag;

	if (r->cur->item == NULL || str_eq(r->cur->item, "type"))
		return take_type(r, value, e);
	flag = find_in(flags, COUNT(flags), value);
	if (flag == NULL)
		return err_set(e, 0, "\"%s\" is no personality flag",
			       vserver_shown(r, value));
	if (vserver_of(r)->unterminated) {
		reading_decide(r, BIN_INERT,
			       "the last line has no end and was lost");
		reading_find(r, FIND_SRC_NO_NEWLINE,
			     "\"%s\" is on a last line without newline: lost "
			     "by the old tools, not taken",
			     value);
		return 0;
	}
	take_element(r, FIELD_PERSONALITY, r->g, flag);
	return 0;
}

/* --- flags of the guest ------------------------------------------------ */

int vserver_misc_nonamespace(struct reading *r, const char *value,
			     struct err *e)
{
	struct finding *f;

	(void)value;
	(void)e;
	if (has(r, "namespace")) {
		reading_decide(r, BIN_OVERRIDDEN,
			       "the file namespace turns it on");
		return 0;
	}
	take_str(r, FIELD_NS_MOUNT, r->g, "host");
	f = reading_find(r, FIND_MNT_PRIVATE,
			 "its mounts were made in the host's namespace; the "
			 "guest gets one of its own");
	finding_covers(r->g, f, FIELD_NS_MOUNT, NULL);
	return 0;
}

int vserver_misc_disabled(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	take_bool(r, FIELD_AUTOSTART, r->g, false);
	reading_find(r, FIND_INI_DISABLED, "the old tools never started it");
	return 0;
}

int vserver_misc_unified(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	take_bool(r, FIELD_UNIFIED, r->g, true);
	return 0;
}

/* --- package management ------------------------------------------------ */

/* What the guest has where its own package database would lie. */
static const char *database_inside(struct reading *r)
{
	struct tree *root CLEANUP(tree_closep) = NULL;
	struct tree_entries entries;
	struct err e;

	if (tree_sub(vserver_of(r)->t, vserver_boot_root(r), &root, &e) < 0)
		return "could not be looked at";
	if (tree_list(root, "/var/lib/rpm", r->g->mem, &entries, &e) < 0)
		return "is not there";
	return entries.n == 0 ? "is empty" : "holds files: look at both";
}

static int take_database(struct reading *r, const char *path)
{
	struct finding *f;

	if (has(r, "apps/pkgmgmt/internal")) {
		reading_decide(r, BIN_INERT,
			       "the package database is inside (internal)");
		return 0;
	}
	take_str(r, FIELD_PKG_DATABASE, r->g, path);
	f = reading_find(r, FIND_INI_PKGDB,
			 "the package database is %s on the old host; copy it "
			 "to /var/lib/rpm of the guest, which %s",
			 vserver_shown(r, path), database_inside(r));
	finding_covers(r->g, f, FIELD_PKG_DATABASE, NULL);
	return 0;
}

int vserver_misc_rpmstate(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	return take_database(r, value != NULL ? value : r->cur->from.file);
}

int vserver_misc_pkgbase(struct reading *r, const char *value, struct err *e)
{
	const struct vserver *v = vserver_of(r);

	if (has(r, "apps/pkgmgmt/rpmstate"))
		return vserver_inert(r, value, e);
	return take_database(r, arena_printf(r->g->mem, "%s/%s/rpm/state",
					     value != NULL ? value :
							     r->cur->from.file,
					     v->name));
}

int vserver_misc_pkgdir(struct reading *r, const char *value, struct err *e)
{
	const struct vserver *v = vserver_of(r);

	(void)value;
	(void)e;
	return take_database(
		r, arena_printf(r->g->mem, "%s/.pkg/%s/rpm/state",
				vserver_root_base(v->t, v->confdir, r->g->mem),
				v->name));
}

/* --- others' files ----------------------------------------------------- */

int vserver_misc_foreign(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	reading_decide(r, BIN_UNKNOWN, "%s", r->cur->row->note);
	reading_find(r, FIND_SRC_FOREIGN, "%s; kept, not carried",
		     r->cur->row->note);
	return 0;
}
