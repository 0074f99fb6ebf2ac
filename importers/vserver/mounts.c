/*
 * The mounts of fstab and its kin. Options are looked up as the old tools did:
 * the first row that starts with what was written. What is kept is what held
 * in the end, nodev included. Source: util-vserver src/secure-mount.c.
 */
#include <string.h>
#include <sys/mount.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "importers/vserver/mounts.h"

enum {
	RESET = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS,
	USERS = MS_NOEXEC | MS_NOSUID | MS_NODEV,
	PROPAGATION = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED,
	NOAUTO = 1 << 30, /* no flag of mount(2): the entry is skipped */
};

/* FSTAB_OPTIONS in secure-mount.c: the order decides abbreviations. */
static const struct option_row {
	const char *name;
	unsigned set, clear;
} option_rows[] = {
	{ .name = "defaults", .set = MS_NODEV, .clear = RESET },
	{ .name = "rbind", .set = MS_BIND | MS_REC },
	{ .name = "bind", .set = MS_BIND },
	{ .name = "move", .set = MS_MOVE },
	{ .name = "async", .clear = MS_SYNCHRONOUS },
	{ .name = "sync", .set = MS_SYNCHRONOUS },
	{ .name = "atime", .clear = MS_NOATIME },
	{ .name = "noatime", .set = MS_NOATIME },
	{ .name = "dev", .clear = MS_NODEV },
	{ .name = "nodev", .set = MS_NODEV },
	{ .name = "exec", .clear = MS_NOEXEC },
	{ .name = "noexec", .set = MS_NOEXEC },
	{ .name = "suid", .clear = MS_NOSUID },
	{ .name = "nosuid", .set = MS_NOSUID },
	{ .name = "ro", .set = MS_RDONLY },
	{ .name = "rw", .clear = MS_RDONLY },
	{ .name = "remount", .set = MS_REMOUNT },
	{ .name = "users", .set = USERS },
	{ .name = "mandlock", .set = MS_MANDLOCK },
	{ .name = "nodiratime", .set = MS_NODIRATIME },
	{ .name = "dirsync", .set = MS_DIRSYNC },
	{ .name = "_netdev" },
	{ .name = "auto" },
	{ .name = "noauto", .set = NOAUTO },
	{ .name = "user" },
	{ .name = "nouser" },
	{ .name = "rec", .set = MS_REC },
	{ .name = "unbindable", .set = MS_UNBINDABLE },
	{ .name = "private", .set = MS_PRIVATE },
	{ .name = "slave", .set = MS_SLAVE },
	{ .name = "shared", .set = MS_SHARED },
	{ .name = "nomtab" },
};

/* The flags that stand in mount.options, in that order. */
static const struct flag_row {
	unsigned flag;
	const char *name, *recursive; /* with MS_REC; NULL: the same */
} flag_rows[] = {
	{ .flag = MS_BIND, .name = "bind", .recursive = "rbind" },
	{ .flag = MS_RDONLY, .name = "ro" },
	{ .flag = MS_NOSUID, .name = "nosuid" },
	{ .flag = MS_NODEV, .name = "nodev" },
	{ .flag = MS_NOEXEC, .name = "noexec" },
	{ .flag = MS_SYNCHRONOUS, .name = "sync" },
	{ .flag = MS_DIRSYNC, .name = "dirsync" },
	{ .flag = MS_MANDLOCK, .name = "mand" },
	{ .flag = MS_NOATIME, .name = "noatime" },
	{ .flag = MS_NODIRATIME, .name = "nodiratime" },
	{ .flag = MS_UNBINDABLE,
	  .name = "unbindable",
	  .recursive = "runbindable" },
	{ .flag = MS_PRIVATE, .name = "private", .recursive = "rprivate" },
	{ .flag = MS_SLAVE, .name = "slave", .recursive = "rslave" },
	{ .flag = MS_SHARED, .name = "shared", .recursive = "rshared" },
};

/* Options of the old kernel's file tags; a '=' takes any value. */
static const char *const tag_options[] = { "tag", "tagxid", "tagid=", "notag",
					   "xid=" };

static const char *const network_types[] = {
	"nfs", "nfs4", "cifs",      "smbfs",          "smb3", "ncpfs", "coda",
	"afs", "9p",   "glusterfs", "fuse.glusterfs", "ceph", "ocfs2", "gfs2",
};

/* Bytes that stand for themselves in the names of udev's links. */
static const char device_word[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789#+-.:=@_";

/* What the legacy tool mounted in every guest; scripts/legacy/vserver. */
static const struct legacy_row {
	const char *target, *type, *options;
} legacy_rows[] = {
	{ .target = "/proc", .type = "proc", .options = "defaults" },
	{ .target = "/dev/pts",
	  .type = "devpts",
	  .options = "gid=5 mode=0620" },
};

struct option {
	struct setting *s;
	const char *word;
	const struct option_row *row; /* NULL: data of the file system */
};

struct entry { /* a line */
	struct setting *s;
	enum vserver_mounts_file file;
	const char *source, *target, *type;
	VEC(struct option) options;
	unsigned flags;
};

struct vserver_mounts {
	PVEC(struct entry) entries;
	unsigned broken[MOUNTS__MAX]; /* line that stopped the parser; 0 none */
};

void vserver_mounts_begin(struct reading *r)
{
	vserver_of(r)->mounts =
		arena_alloc(r->g->mem, sizeof(struct vserver_mounts));
}

static const struct option_row *option_row(const char *word)
{
	for (size_t i = 0; i < COUNT(option_rows); i++)
		if (str_starts(option_rows[i].name, word))
			return &option_rows[i];
	return NULL;
}

static const char *next_word(struct reading *r, struct slice *rest)
{
	struct slice w;

	return slice_word(rest, &w) ? slice_dup(r->g->mem, w) : "";
}

static void add_entry(struct reading *r, const char *value)
{
	struct vserver_mounts *m = vserver_of(r)->mounts;
	struct slice rest = { value, strlen(value) };
	struct entry *e = pvec_add(r->g->mem, &m->entries);

	e->s = r->cur;
	e->file = VS_N_OF(r->cur->row->arg);
	e->source = next_word(r, &rest);
	e->target = next_word(r, &rest);
	e->type = next_word(r, &rest);
}

static void add_option(struct reading *r, const char *value)
{
	struct vserver_mounts *m = vserver_of(r)->mounts;
	struct entry *e = m->entries.v[m->entries.n - 1];

	*vec_add(r->g->mem, &e->options) = (struct option){
		.s = r->cur,
		.word = value,
		.row = option_row(value),
	};
}

/* Everything behind an incomplete line was never read. */
static bool skip_broken(struct reading *r, const char *item)
{
	struct vserver_mounts *m = vserver_of(r)->mounts;
	const enum vserver_mounts_file file = VS_N_OF(r->cur->row->arg);
	const unsigned line = m->broken[file];

	if (line == 0)
		return false;
	reading_decide(r, BIN_INERT,
		       "never read: line %u is incomplete and ended the file",
		       line);
	if (str_eq(item, "entry") || str_eq(item, "malformed"))
		reading_find(r, FIND_MNT_SYNTAX,
			     "never mounted, for line %u is incomplete", line);
	return true;
}

static void malformed(struct reading *r)
{
	struct vserver_mounts *m = vserver_of(r)->mounts;

	m->broken[VS_N_OF(r->cur->row->arg)] =
		r->cur->from.line > 0 ? r->cur->from.line : 1;
	reading_decide(r, BIN_INVALID, "less than four fields");
	reading_find(r, FIND_MNT_SYNTAX,
		     "less than four fields: neither this line nor any after "
		     "it had an effect");
}

static void piece(struct reading *r, const char *item, const char *value)
{
	if (skip_broken(r, item))
		return;
	if (str_eq(item, "malformed"))
		malformed(r);
	else if (str_eq(item, "entry"))
		add_entry(r, value);
	else if (str_eq(item, "option"))
		add_option(r, value);
	else
		reading_decide(r, BIN_INERT,
			       "for dump and fsck of the old host alone");
}

/* A further piece of the line that the setting `line` is. */
static void more(struct reading *r, struct setting *line, const char *item,
		 const char *value)
{
	struct origin at = line->from;

	at.text = value;
	reading_bare(r, &at, item)->row = line->row;
	piece(r, item, value);
}

static void whole_line(struct reading *r, const char *value)
{
	struct setting *line = r->cur;
	const struct strv w = strv_split(r->g->mem, value, " \t");
	struct strv options;

	if (w.n < 4) {
		piece(r, "malformed", value);
		return;
	}
	options = strv_split(r->g->mem, w.v[3], ",");
	piece(r, "entry",
	      arena_printf(r->g->mem, "%s %s %s", w.v[0], w.v[1], w.v[2]));
	for (size_t i = 0; i < options.n; i++)
		more(r, line, "option", options.v[i]);
	if (w.n > 4)
		more(r, line, "dump", w.v[4]);
	if (w.n > 5)
		more(r, line, "pass", w.v[5]);
	reading_resume(r, line);
}

int vserver_mounts_entry(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (r->cur->item == NULL)
		whole_line(r, value);
	else
		piece(r, r->cur->item, value);
	return 0;
}

/* --- when all is read --- */

static void end_entry(struct reading *r, struct entry *e, enum bin bin,
		      const char *note)
{
	for (size_t i = 0; i < e->options.n; i++) {
		if (e->options.v[i].s->decided)
			continue;
		reading_resume(r, e->options.v[i].s);
		reading_decide(r, bin, "%s", note);
	}
	reading_resume(r, e->s);
	reading_decide(r, bin, "%s", note);
}

static void end_find(struct reading *r, struct entry *e, enum bin bin,
		     enum finding_id id, const char *note)
{
	end_entry(r, e, bin, note);
	reading_find(r, id, "%s on %s: %s", e->source, e->target, note);
}

static bool is_tag(const char *word)
{
	for (size_t i = 0; i < COUNT(tag_options); i++)
		if (str_ends(tag_options[i], "=") ?
			    str_starts(word, tag_options[i]) :
			    str_eq(word, tag_options[i]))
			return true;
	return false;
}

/* The flags in the end, and what is odd about a word. */
static void judge_options(struct reading *r, struct entry *e)
{
	e->flags = str_eq(e->type, "devpts") ? 0 : MS_NODEV;
	for (size_t i = 0; i < e->options.n; i++) {
		const struct option *o = &e->options.v[i];

		reading_resume(r, o->s);
		if (o->row != NULL) {
			e->flags = (e->flags & ~o->row->clear) | o->row->set;
			if (!str_eq(o->row->name, o->word))
				reading_find(r, FIND_MNT_USER,
					     "%s was taken as %s", o->word,
					     o->row->name);
		} else if (is_tag(o->word)) {
			reading_decide(r, BIN_DROPPED,
				       "file tags have no counterpart");
			reading_find(r, FIND_MNT_OPTION,
				     "%s of %s: file tags are not carried",
				     o->word, e->target);
		}
	}
}

/*
 * A path as the old tools took it after chroot: from the root, also without a
 * leading '/'; ".." never leads out of it.
 */
static const char *absolute(struct arena *mem, const char *path)
{
	const struct strv parts = strv_split(mem, path, "/");
	struct strv kept = { 0 };

	for (size_t i = 0; i < parts.n; i++)
		if (str_eq(parts.v[i], ".."))
			kept.n -= kept.n > 0;
		else if (!str_eq(parts.v[i], "."))
			strv_add(mem, &kept, parts.v[i]);
	return arena_printf(mem, "/%s", strv_join(mem, &kept, "/"));
}

/* A path whose "\040" somebody meant as a blank: never decoded. */
static void find_octal(struct reading *r, const char *path)
{
	const char *p = strchr(path, '\\');

	while (p != NULL && (strspn(p + 1, "01234567") < 3))
		p = strchr(p + 1, '\\');
	if (p != NULL)
		reading_find(r, FIND_SRC_MEANT,
			     "%s: %.4s stands for itself, the old tools "
			     "decoded nothing; meant was a path with that "
			     "byte",
			     path, p);
}

static void take_target(struct reading *r, struct entry *e)
{
	const char *target = absolute(r->g->mem, e->target);
	const struct strv parts = strv_split(r->g->mem, e->target, "/");

	reading_resume(r, e->s);
	if (strv_has(&parts, ".."))
		reading_find(r, FIND_SRC_MEANT,
			     "%s: \"..\" ends at the guest's root: mounted on "
			     "%s",
			     e->target, target);
	find_octal(r, e->source);
	find_octal(r, target);
	e->target = target;
}

static struct mount *mounted_on(const struct guest *g, const char *target)
{
	for (size_t i = g->mounts.n; i > 0; i--)
		if (g->mounts.v[i - 1]->target.from != NULL &&
		    str_eq(g->mounts.v[i - 1]->target.v, target))
			return g->mounts.v[i - 1];
	return NULL;
}

/* The last word that asked for the flag; the line itself where none did. */
static struct setting *asked_for(const struct entry *e, unsigned flag)
{
	for (size_t i = e->options.n; i > 0; i--)
		if (e->options.v[i - 1].row != NULL &&
		    (e->options.v[i - 1].row->set & flag) != 0)
			return e->options.v[i - 1].s;
	return e->s;
}

static void add_flag(struct reading *r, const struct entry *e, struct mount *m,
		     const struct flag_row *row)
{
	const char *name = row->name;

	if (row->recursive != NULL && (e->flags & MS_REC) != 0)
		name = row->recursive;
	if (m->options.from != NULL && strv_has(&m->options.v, name))
		return;
	reading_resume(r, asked_for(e, row->flag));
	take_element(r, FIELD_MOUNT_OPTIONS, m, name);
	if (row->flag == MS_NODEV && r->cur == e->s)
		reading_find(r, FIND_MNT_NODEV,
			     "%s had nodev by default: written out", e->target);
}

/* Data of the file system; a bind mount has none. */
static void add_data(struct reading *r, const struct entry *e, struct mount *m,
		     const struct option *o)
{
	if (o->s->decided)
		return;
	reading_resume(r, o->s);
	if ((e->flags & MS_BIND) == 0) {
		take_element(r, FIELD_MOUNT_OPTIONS, m, o->word);
		return;
	}
	reading_decide(r, BIN_INERT, "without effect on a bind mount");
	reading_find(r, FIND_MNT_OPTION,
		     "%s of %s never had an effect on a bind mount", o->word,
		     e->target);
}

/* Words that leave no trace of their own took part in what holds. */
static void take_options(struct reading *r, const struct entry *e,
			 struct mount *m)
{
	for (size_t i = 0; i < COUNT(flag_rows); i++)
		if ((e->flags & flag_rows[i].flag) != 0)
			add_flag(r, e, m, &flag_rows[i]);
	for (size_t i = 0; i < e->options.n; i++)
		if (e->options.v[i].row == NULL)
			add_data(r, e, m, &e->options.v[i]);
	for (size_t i = 0; i < e->options.n; i++) {
		if (e->options.v[i].row == NULL)
			continue;
		reading_resume(r, e->options.v[i].s);
		if (m->options.from == NULL)
			take_element(r, FIELD_MOUNT_OPTIONS, m, "defaults");
		take_part(r, FIELD_MOUNT_OPTIONS, m);
	}
}

static void root_mount(struct reading *r, struct entry *e)
{
	struct strv words = { 0 };

	for (size_t i = 0; i < e->options.n; i++) {
		strv_add(r->g->mem, &words, e->options.v[i].word);
		reading_resume(r, e->options.v[i].s);
		if (!r->cur->decided)
			take_part(r, FIELD_ROOT_MOUNT, r->g);
	}
	reading_resume(r, e->s);
	take_str(r, FIELD_ROOT_MOUNT, r->g,
		 arena_printf(r->g->mem, "%s %s %s", e->source, e->type,
			      strv_join(r->g->mem, &words, ",")));
	reading_find(r, FIND_MNT_ROOT,
		     "%s (type %s) was mounted over the root at the start",
		     e->source, e->type);
}

/* What changes a mount that is there; false: it is none of those. */
static bool change(struct reading *r, struct entry *e)
{
	struct mount *m;

	if ((e->flags & MS_REMOUNT) == 0 &&
	    ((e->flags & PROPAGATION) == 0 ||
	     (e->flags & (MS_BIND | MS_MOVE)) != 0))
		return false;
	m = mounted_on(r->g, e->target);
	if (m == NULL) {
		end_find(r, e, BIN_DROPPED, FIND_MNT_OPTION,
			 "changes a mount that is not in this file: not "
			 "carried");
		return true;
	}
	reading_resume(r, e->s);
	take_part(r, FIELD_MOUNT_OPTIONS, m);
	take_options(r, e, m);
	return true;
}

static bool is_network(const struct entry *e)
{
	for (size_t i = 0; i < COUNT(network_types); i++)
		if (str_eq(e->type, network_types[i]))
			return true;
	return false;
}

static bool is_device(const struct entry *e)
{
	return str_starts(e->source, "/dev/") ||
	       str_starts(e->source, "UUID=") ||
	       str_starts(e->source, "LABEL=");
}

/* Where the source lies, at the current setting. */
static void find_source(struct reading *r, const struct entry *e)
{
	if ((e->flags & (MS_BIND | MS_MOVE)) != 0) {
		reading_find(r, FIND_MNT_HOST_PATH,
			     "%s of the old host is mounted on %s%s", e->source,
			     e->target,
			     (e->flags & MS_MOVE) != 0 ?
				     ": it was moved there, now it is bound" :
				     "");
		if ((e->flags & MS_RDONLY) != 0)
			reading_find(r, FIND_MNT_RO_BIND,
				     "%s: old kernels without the patch for it "
				     "left such a bind writable",
				     e->target);
	} else if (is_network(e)) {
		reading_find(r, FIND_MNT_NETWORK,
			     "%s (%s) on %s: mounted by the new host, with its "
			     "address",
			     e->source, e->type, e->target);
	} else if (is_device(e)) {
		reading_find(r, FIND_MNT_DEVICE,
			     "%s (%s) on %s: attach it to the new host",
			     e->source, e->type, e->target);
	}
}

/* mount(8) looked for a device by what is on it; udev has links for that. */
static void take_source(struct reading *r, const struct entry *e,
			struct mount *m)
{
	static const char *const by[][2] = {
		{ "LABEL=", "/dev/disk/by-label/" },
		{ "UUID=", "/dev/disk/by-uuid/" },
	};

	for (size_t i = 0; i < COUNT(by); i++) {
		const char *what = e->source + strlen(by[i][0]);

		if (!str_starts(e->source, by[i][0]) ||
		    strspn(what, device_word) != strlen(what))
			continue;
		take_str(r, FIELD_MOUNT_SOURCE, m,
			 arena_printf(r->g->mem, "%s%s", by[i][1], what));
		reading_approx(r, "%s: %s", e->source, m->source.v);
		return;
	}
	take_str(r, FIELD_MOUNT_SOURCE, m, e->source);
}

/* A file that holds a file system: the engine makes no loop device for it. */
static bool is_image(const struct entry *e)
{
	for (size_t i = 0; i < e->options.n; i++)
		if (str_eq(e->options.v[i].word, "loop") ||
		    str_starts(e->options.v[i].word, "loop="))
			return (e->flags & (MS_BIND | MS_MOVE)) == 0;
	return false;
}

static void take_entry(struct reading *r, struct entry *e)
{
	struct mount *m;

	if (is_image(e)) {
		end_find(r, e, BIN_HOSTSIDE, FIND_MNT_IMAGE,
			 "through a loop device, which the engine does not "
			 "make: not carried");
		return;
	}

	reading_resume(r, e->s);
	if (mounted_on(r->g, e->target) != NULL)
		reading_find(r, FIND_SRC_MULTIPLE,
			     "%s is mounted over an earlier mount on it",
			     e->target);
	if ((e->flags & MS_MOVE) != 0)
		e->flags |= MS_BIND;
	m = take_mount(r);
	take_str(r, FIELD_MOUNT_TARGET, m, e->target);
	take_source(r, e, m);
	take_str(r, FIELD_MOUNT_TYPE, m,
		 (e->flags & MS_BIND) != 0 ? "none" : e->type);
	if (e->file == MOUNTS_REMOTE)
		take_bool(r, FIELD_MOUNT_REMOTE, m, true);
	find_source(r, e);
	take_options(r, e, m);
}

/* An entry that is not mounted, for whatever reason; false: it is. */
static bool left_out(struct reading *r, struct entry *e)
{
	if (str_eq(e->type, "swap")) {
		end_find(r, e, BIN_INERT, FIND_MNT_SWAP, "never mounted");
		return true;
	}
	judge_options(r, e);
	if ((e->flags & NOAUTO) != 0) {
		end_find(r, e, BIN_INERT, FIND_MNT_NOAUTO,
			 "noauto: not mounted at the start");
		return true;
	}
	take_target(r, e);
	return false;
}

static void relative_source(struct reading *r, struct entry *e)
{
	const char *path = arena_printf(r->g->mem, "/%s", e->source);

	reading_resume(r, e->s);
	reading_find(r, FIND_SRC_MEANT,
		     "%s is no absolute path of the host: taken as %s; a "
		     "placeholder that nobody filled in?",
		     str_show(r->g->mem, e->source, strlen(e->source), 80),
		     str_show(r->g->mem, path, strlen(path), 80));
	e->source = path;
}

/* Binds are made from "/" of the host; without type only a device will do. */
static bool no_source(struct reading *r, struct entry *e)
{
	if ((e->flags & (MS_BIND | MS_MOVE)) != 0) {
		if (e->source[0] != '/')
			relative_source(r, e);
		return false;
	}
	if (!str_eq(e->type, "none"))
		return false;
	if (is_device(e)) {
		e->type = "auto";
		return false;
	}
	end_find(r, e, BIN_INVALID, FIND_SRC_NOT_STARTED,
		 "neither a type nor bind: the mount failed and is left out");
	return true;
}

static void legacy_mounts(struct reading *r)
{
	static const char ref[] = "scripts/legacy/vserver, mountproc";

	for (size_t i = 0; i < COUNT(legacy_rows); i++) {
		const struct legacy_row *row = &legacy_rows[i];
		struct mount *m = take_mount(r);

		reading_default(r, FIELD_MOUNT_TARGET, m, row->target, ref);
		reading_default(r, FIELD_MOUNT_SOURCE, m, "none", ref);
		reading_default(r, FIELD_MOUNT_TYPE, m, row->type, ref);
		reading_default(r, FIELD_MOUNT_OPTIONS, m, row->options, ref);
	}
}

void vserver_mounts_settle(struct reading *r)
{
	struct vserver_mounts *m = vserver_of(r)->mounts;

	if (vserver_of(r)->legacy)
		legacy_mounts(r);
	for (size_t i = 0; i < m->entries.n; i++) {
		struct entry *e = m->entries.v[i];

		if (left_out(r, e))
			continue;
		if (str_eq(e->target, "/") && (e->flags & MS_REMOUNT) == 0)
			root_mount(r, e);
		else if (!change(r, e) && !no_source(r, e))
			take_entry(r, e);
	}
}
