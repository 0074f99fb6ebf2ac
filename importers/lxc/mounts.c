/*
 * Mounts: lines as in fstab(5), of the config and of the file that
 * lxc.mount.fstab names, and what lxc.mount.auto makes. Reference: targets.md
 * 2.1, 2.2.
 */
#include <string.h>

#include "base/attr.h"
#include "importers/lxc/table.h"

enum { FSTAB_MAX = 256 << 10 }; /* bytes of a mount table */

int lxc_mount_entry(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	*vec_add(r->g->mem, &lxc_of(r)->entries) =
		(struct lx_value){ .s = r->cur, .text = value };
	return 0;
}

int lxc_mount_auto(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	*vec_add(r->g->mem, &lxc_of(r)->autos) =
		(struct lx_value){ .s = r->cur, .text = value };
	return 0;
}

/* --- the file ---------------------------------------------------------- */

static void fstab_line(struct reading *r, const char *file, unsigned number,
		       struct slice line)
{
	const char *text = slice_dup(r->g->mem, line);
	const struct origin at = { .kind = ORIGIN_TEXT,
				   .line = number,
				   .file = file,
				   .key = "fstab",
				   .text = text };

	if (memchr(line.p, '\0', line.n) == NULL) {
		reading_setting(r, lxc_keys, lxc_n_keys, &at, "fstab", NULL);
		return;
	}
	reading_bare(r, &at, NULL)->row =
		importer_key(lxc_keys, lxc_n_keys, "fstab");
	reading_decide(r, BIN_INVALID, "a NUL byte in the line");
	reading_find(r, FIND_SRC_BINARY, "%s: left out", r->cur->note);
}

void lxc_read_fstab(struct reading *r)
{
	struct lxc *x = lxc_of(r);
	const struct lx_value *k = &x->kept[LXK_FSTAB];
	struct slice rest, line;
	unsigned number = 0;
	const char *data;
	struct err e;
	size_t n;

	if (k->s == NULL)
		return;
	if (tree_read(x->t, k->text, FSTAB_MAX, r->g->mem, &data, &n, &e) < 0) {
		lxc_end_find(r, k->s, BIN_UNREADABLE, FIND_SRC_INCLUDE,
			     arena_strdup(r->g->mem, e.msg));
		return;
	}
	reading_file(r, k->text);
	lxc_end(r, k->s, BIN_CARRIED, "its lines are settings of their own");
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		number++;
		line = slice_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			fstab_line(r, k->text, number, line);
	}
}

/* --- one entry --------------------------------------------------------- */

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' &&
	       s[2] >= '0' && s[2] <= '7';
}

/* As getmntent(3): "\040" is a blank. */
static char *unescaped(struct arena *mem, const char *s)
{
	char *copy = arena_strdup(mem, s), *to = copy;

	while (*s != '\0') {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
	return copy;
}

/*
 * The place in the guest: a path is relative to its root, or leads there
 * through the host's path of it.
 */
static const char *target_of(struct reading *r, const char *field)
{
	struct arena *mem = r->g->mem;
	const char *path = unescaped(mem, field);
	const char *root = r->g->rootfs.v;
	size_t n = root == NULL ? 0 : strlen(root);

	if (path[0] == '/' && n > 1 && strncmp(path, root, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0'))
		path += n;
	while (*path == '/')
		path++;
	n = strlen(path);
	while (n > 0 && path[n - 1] == '/')
		n--;
	return arena_printf(mem, "/%.*s", (int)n, path);
}

static bool is_bind(const struct strv *options)
{
	return strv_has(options, "bind") || strv_has(options, "rbind");
}

/* What LXC itself reads among the options; the rest is the kernel's. */
static void take_options(struct reading *r, struct mount *m,
			 const struct strv *options)
{
	for (size_t i = 0; i < options->n; i++) {
		const char *o = unescaped(r->g->mem, options->v[i]);

		if (str_eq(o, "create=file"))
			take_bool(r, FIELD_MOUNT_FILE, m, true);
		else if (str_eq(o, "optional"))
			take_bool(r, FIELD_MOUNT_OPTIONAL, m, true);
		else if (str_starts(o, "idmap="))
			reading_find(r, FIND_MNT_OPTION,
				     "%s: the mount is made without it",
				     lxc_shown(r, o));
		else if (!str_eq(o, "create=dir") && !str_eq(o, "relative") &&
			 !str_eq(o, "defaults"))
			take_element(r, FIELD_MOUNT_OPTIONS, m, o);
	}
}

static bool is_mounted(const struct guest *g, const char *target)
{
	for (size_t i = 0; i < g->mounts.n; i++)
		if (str_eq(g->mounts.v[i]->target.v, target))
			return true;
	return false;
}

/* By a word of lxc.mount.auto, and not by a line of a table. */
static bool is_made(const struct guest *g, const char *target)
{
	for (size_t i = 0; i < g->mounts.n; i++)
		if (str_eq(g->mounts.v[i]->target.v, target))
			return g->mounts.v[i]->target.from->kind ==
			       ORIGIN_DEFAULT;
	return false;
}

static bool is_network(const char *type)
{
	static const char *const types[] = { "nfs",  "nfs4", "cifs",
					     "smb3", "ceph", "9p" };

	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(types[i], type))
			return true;
	return false;
}

static void find_source(struct reading *r, const char *source, const char *type,
			const struct strv *options)
{
	if (is_network(type))
		reading_find(r, FIND_MNT_NETWORK, "%s of type %s",
			     lxc_shown(r, source), type);
	else if (is_bind(options))
		reading_find(r, FIND_MNT_HOST_PATH,
			     "%s of the old host: it has to be there on the "
			     "new one",
			     lxc_shown(r, source));
	else if (str_starts(source, "/dev/"))
		reading_find(r, FIND_MNT_DEVICE, "%s of type %s",
			     lxc_shown(r, source), type);
}

static void carry_mount(struct reading *r, const struct strv *f,
			const struct strv *options)
{
	const char *target = target_of(r, f->v[1]);
	const char *source = unescaped(r->g->mem, f->v[0]);
	struct mount *m;

	if (is_made(r->g, target)) {
		reading_decide(r, BIN_CARRIED,
			       "LXC mounts %s itself, by lxc.mount.auto",
			       target);
		return;
	}
	if (is_mounted(r->g, target)) {
		reading_decide(r, BIN_DROPPED,
			       "%s is mounted twice: the first one is carried",
			       target);
		reading_find(r, FIND_MNT_TARGET, "%s", r->cur->note);
		return;
	}
	m = take_mount(r);
	take_str(r, FIELD_MOUNT_TARGET, m, target);
	take_str(r, FIELD_MOUNT_SOURCE, m, source);
	take_str(r, FIELD_MOUNT_TYPE, m, unescaped(r->g->mem, f->v[2]));
	take_options(r, m, options);
	find_source(r, source, f->v[2], options);
}

/* Of a lone proc or sysfs the guest sees all that it has. */
static void take_view(struct reading *r, const char *type,
		      const struct strv *options)
{
	const char *how = strv_has(options, "ro") ? "ro" : "rw";

	if (str_eq(type, "proc"))
		reading_default(r, FIELD_PROC_VIEW, r->g, how,
				"proc(5): a mount of the guest's own");
	else if (str_eq(type, "sysfs"))
		reading_default(r, FIELD_SYS_VIEW, r->g, how,
				"sysfs(5): a mount of the guest's own");
}

static void settle_entry(struct reading *r, const struct lx_value *entry)
{
	const struct strv f = strv_split(r->g->mem, entry->text, " \t");
	struct strv options = { 0 };
	const char *target;

	reading_resume(r, entry->s);
	if (f.n < 3 || f.n > 6) {
		lxc_end_find(r, entry->s, BIN_INVALID, FIND_SRC_NOT_STARTED,
			     "not a line of fstab(5): left out");
		return;
	}
	if (f.n > 3)
		options = strv_split(r->g->mem, f.v[3], ",");
	target = target_of(r, f.v[1]);
	if (str_eq(target, "/proc") || str_eq(target, "/sys"))
		take_view(r, f.v[2], &options);
	if (str_starts(target, "/dev/.lxc/")) {
		lxc_end(r, entry->s, BIN_INERT,
			"of LXC's nesting.conf, for guests that map ids again");
		return;
	}
	if (str_eq(target, "/sys/fs/fuse/connections") &&
	    str_eq(target, f.v[0])) {
		lxc_end_find(r, entry->s, BIN_DROPPED, FIND_MNT_CLEANUP,
			     "shows the host's FUSE connections, of which the "
			     "guest needs none: not mounted");
		return;
	}
	if (f.n > 3 && str_eq(f.v[2], "none") && is_bind(&options) &&
	    lxc_take_node(r, unescaped(r->g->mem, f.v[0]), target))
		return;
	carry_mount(r, &f, &options);
}

/* --- what LXC mounts itself -------------------------------------------- */

static const struct auto_row {
	const char *word;
	enum field_id field;
	const char *view, *target, *type;
} auto_rows[] = {
	{ "proc", FIELD_PROC_VIEW, "mixed", "/proc", "proc" },
	{ "proc:mixed", FIELD_PROC_VIEW, "mixed", "/proc", "proc" },
	{ "proc:rw", FIELD_PROC_VIEW, "rw", "/proc", "proc" },
	{ "sys", FIELD_SYS_VIEW, "mixed", "/sys", "sysfs" },
	{ "sys:mixed", FIELD_SYS_VIEW, "mixed", "/sys", "sysfs" },
	{ "sys:ro", FIELD_SYS_VIEW, "ro", "/sys", "sysfs" },
	{ "sys:rw", FIELD_SYS_VIEW, "rw", "/sys", "sysfs" },
};

/* A mount that LXC makes unasked, or by a word. */
static void made_by_lxc(struct reading *r, const char *target, const char *type)
{
	static const char ref[] = "targets.md 2.2: LXC mounts it";
	struct mount *m;

	if (is_mounted(r->g, target))
		return;
	m = take_mount(r);
	reading_default(r, FIELD_MOUNT_TARGET, m, target, ref);
	reading_default(r, FIELD_MOUNT_TYPE, m, type, ref);
}

/* The word without ":force", which only an engine on another host needs. */
static const char *plain_word(struct reading *r, const char *word)
{
	if (!str_ends(word, ":force"))
		return word;
	return arena_strndup(r->g->mem, word, strlen(word) - 6);
}

static void settle_cgroups(struct reading *r, const struct lx_value *w,
			   const char *word)
{
	const bool mixed = str_eq(word, "cgroup:mixed") ||
			   str_eq(word, "cgroup");
	struct mount *m;

	take_bool(r, FIELD_API_MOUNTS, r->g, true);
	if (!is_mounted(r->g, "/sys/fs/cgroup")) {
		m = take_mount(r);
		take_str(r, FIELD_MOUNT_TARGET, m, "/sys/fs/cgroup");
	}
	if (mixed)
		return;
	w->s->approx = true;
	w->s->note = "cgroup:mixed is written";
	reading_find(r, FIND_MNT_OPTION,
		     "%s became cgroup:mixed: the guest's own group is "
		     "writable, the others are not",
		     lxc_shown(r, w->text));
}

static void settle_word(struct reading *r, const struct lx_value *w)
{
	const char *word = plain_word(r, w->text);

	reading_resume(r, w->s);
	for (size_t i = 0; i < COUNT(auto_rows); i++) {
		if (!str_eq(auto_rows[i].word, word))
			continue;
		take_str(r, auto_rows[i].field, r->g, auto_rows[i].view);
		made_by_lxc(r, auto_rows[i].target, auto_rows[i].type);
		return;
	}
	if (str_starts(word, "cgroup")) {
		settle_cgroups(r, w, word);
	} else if (str_starts(word, "shmounts:")) {
		lxc_end_find(r, w->s, BIN_DROPPED, FIND_MNT_OPTION,
			     "mounts that a host injects while the guest runs "
			     "are not carried");
	} else {
		lxc_end_find(r, w->s, BIN_INVALID, FIND_SRC_NOT_STARTED,
			     "lxc.mount.auto has no such word: left out");
	}
}

void lxc_mounts_settle(struct reading *r)
{
	struct lxc *x = lxc_of(r);

	for (size_t i = 0; i < x->autos.n; i++)
		settle_word(r, &x->autos.v[i]);
	for (size_t i = 0; i < x->entries.n; i++)
		settle_entry(r, &x->entries.v[i]);
	if (x->kept[LXK_AUTODEV].s == NULL ||
	    !str_eq(x->kept[LXK_AUTODEV].text, "0"))
		made_by_lxc(r, "/dev", "tmpfs");
	made_by_lxc(r, "/dev/pts", "devpts");
	reading_default(r, FIELD_PROC_VIEW, r->g, "none",
			"targets.md 2.2: nothing is mounted by itself");
	reading_default(r, FIELD_SYS_VIEW, r->g, "none",
			"targets.md 2.2: nothing is mounted by itself");
}
