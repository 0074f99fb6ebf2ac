/*
 * The walk over a guest's files: CFG, then CONFDIR/.defaults. Every file finds
 * its row by its path, is cut by the row's format, and every piece becomes a
 * setting. What counts as one, for whoever counts a second time:
 *
 *	flag, whole file, number, link, data, program    1
 *	scalar       1, and 1 for each further line that is not blank
 *	list         1 for each item between commas (an empty one counts, none
 *	             after a final comma); blank and comment lines 0
 *	lines, array, raw
 *	             1 for each line that is not blank (lines: nor a comment)
 *	fstab        of each line 1 for source, target and type, 1 for each
 *	             option that is not empty, 1 each for dump and pass where
 *	             present; 1 for a line of less than four words
 *	personality  1 for the type and 1 for each flag
 *	schedule     1 for each line that is not blank
 *	any of these without one of them                 1
 *	directory    0, but 1 when it is empty (with a meaning or without), and
 *	             1 beside its files where a flag or a link belongs; 1 as a
 *	             whole where it is a place of its own (vdir, a pool)
 *	CVS .git .svn and the like                       1 as a whole
 *	unknown file 1; an unknown directory: its files, to any depth
 *	a link to a directory: as that directory where the tools look into it,
 *	             else 1; a link that leads nowhere or in a circle 1
 *	a file that is too large or cannot be read       1
 *	FIFO, socket, device                             1, never opened; it
 *	             counts as a flag where one belongs
 *
 * Of a legacy guest the file NAME.conf is read by legacy.c; what lies in its
 * directory has no effect. Beside the directory of another guest NAME.conf and
 * NAME.sh are 1 each.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/str.h"
#include "importers/vserver/format.h"
#include "importers/vserver/read.h"
#include "importers/vserver/table.h"

enum {
	SHOWN_MAX = 80, /* bytes of a value in a message */
	DEPTH_MAX = 40, /* of directories, as the kernel's bound for links */
	KNOWN_DEPTH_MAX = 6, /* through links: no row is deeper */
	NAMED_MAX = 12,      /* files of .defaults in one note */
};

static const char defaults_dir[] = ".defaults/";

/* A file or directory of the walk. */
struct place {
	const char *abs; /* "/etc/vservers/web/uts/nodename" */
	const char *rel; /* "uts/nodename", ".defaults/shell" */
	unsigned depth;
	bool through_link; /* some directory above was a link */
};

static void walk_dir(struct reading *r, const struct place *p);

static const struct origin *file_origin(struct reading *r,
					const struct place *p)
{
	return reading_origin(r, ORIGIN_FILE, p->abs, 0, p->rel, NULL);
}

const char *vserver_shown(struct reading *r, const char *s)
{
	return str_show(r->g->mem, s, strlen(s), SHOWN_MAX);
}

const char *vserver_meant(struct reading *r, const char *value)
{
	struct slice s = { value, strlen(value) };
	const char *hash = strstr(value, " #"), *meant;

	if (hash == NULL)
		hash = strstr(value, "\t#");
	if (hash != NULL)
		s.n = (size_t)(hash - value);
	meant = slice_dup(r->g->mem, slice_trim(s));
	if (!str_eq(meant, value))
		reading_find(r, FIND_SRC_NOT_STARTED,
			     "\"%s\": taken as \"%s\"; blanks and comments "
			     "are not allowed there",
			     vserver_shown(r, value), vserver_shown(r, meant));
	return meant;
}

/* A setting that needs no parser, decided at once. */
static void whole(struct reading *r, const struct place *p,
		  const struct key *row, enum bin bin, const char *note)
{
	reading_bare(r, file_origin(r, p), NULL)->row = row;
	reading_decide(r, bin, "%s", note);
}

static void whole_find(struct reading *r, const struct place *p, enum bin bin,
		       enum finding_id id, const char *note)
{
	whole(r, p, NULL, bin, note);
	reading_find(r, id, "%s", note);
}

static void unreadable(struct reading *r, const struct place *p,
		       const struct key *row, const struct err *why)
{
	const bool large = why->code == EFBIG;

	whole(r, p, row, BIN_UNREADABLE,
	      large ? "too large: not read" :
		      arena_printf(r->g->mem, "not read: %s",
				   why->code ? strerror(why->code) : why->msg));
	reading_find(r, large ? FIND_SRC_TOO_LARGE : FIND_SRC_UNREADABLE, "%s",
		     r->cur->note);
}

static bool is_vcs(const char *name)
{
	static const char *const names[] = { "CVS",  ".git", ".svn",  ".hg",
					     ".bzr", "RCS",  "_darcs" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* Defaults that a file of the guest's own replaces; reference 1.9. */
static const struct replaced {
	const char *defaults; /* below .defaults; a final '/': each file */
	const char *own;      /* below CFG; NULL: the same name */
	bool whole_dir;       /* the guest's directory replaces it all */
	const char *off;      /* flag in CFG that switches the defaults off */
} replaced[] = {
	{ .defaults = "cgroup/", .whole_dir = true, .off = "nocgroup" },
	{ .defaults = "netns/", .whole_dir = true, .off = "nonetns" },
	{ .defaults = "shell" },
	{ .defaults = "apps/init/environment" },
	{ .defaults = "apps/init/tty" },
	{ .defaults = "init/mtab", .own = "apps/init/mtab" },
	{ .defaults = "namespace-cleanup-skip" },
	{ .defaults = "apps/vunify/exclude" },
	{ .defaults = "apps/vshelper/" },
	{ .defaults = "apps/pkgmgmt/" },
};

static bool in_cfg(struct reading *r, const char *name)
{
	const struct vserver *v = vserver_of(r);

	return tree_exists(v->t,
			   arena_printf(r->g->mem, "%s/%s", v->cfg, name));
}

/* The cgroup settings that are for all guests, whatever they have. */
static bool is_host_cgroup(const char *name)
{
	static const char *const names[] = { "cgroup/mnt", "cgroup/subsys",
					     "cgroup/inherit", "cgroup/base",
					     "cgroup/per-ss" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* Why a default does not hold for this guest; NULL: it does. */
static const char *replaced_by(struct reading *r, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < COUNT(replaced); i++) {
		const struct replaced *x = &replaced[i];
		const char *own = x->own != NULL ? x->own : name;

		if (!(str_ends(x->defaults, "/") ?
			      str_starts(name, x->defaults) && n > 0 :
			      str_eq(name, x->defaults)))
			continue;
		if (is_host_cgroup(name))
			return NULL;
		if (x->off != NULL && in_cfg(r, x->off))
			return x->off;
		if (x->whole_dir)
			own = x->defaults;
		if (in_cfg(r, own))
			return own;
	}
	return NULL;
}

/*
 * Ends what has no effect here: a default that the guest replaced, all files
 * of a legacy guest but its NAME.conf; false: it has.
 */
static bool decide_unread(struct reading *r, const struct origin *at,
			  const struct vserver_token *t, const struct key *row)
{
	const struct vserver *v = vserver_of(r);
	const char *by = NULL;

	if (v->in_defaults)
		by = replaced_by(r, v->path + strlen(defaults_dir));
	if (by == NULL && !v->legacy)
		return false;
	reading_bare(r, at, t->item)->row = row;
	if (v->legacy)
		reading_decide(r, BIN_INERT, "the legacy tools never read %s",
			       v->path);
	else
		reading_decide(r, BIN_OVERRIDDEN,
			       "the guest's own %s replaces it", by);
	return true;
}

static void decide_extra(struct reading *r, const struct origin *at,
			 const struct key *row)
{
	reading_bare(r, at, NULL)->row = row;
	reading_decide(r, BIN_INERT, "after what the old tools read of %s",
		       at->key);
	if (row->field == FIELD_ADDR_IP)
		reading_find(r, FIND_NET_EXTRA_ADDRESS,
			     "line %u, \"%s\": never set up, not carried",
			     at->line, vserver_shown(r, at->text));
	else
		reading_find(r, FIND_SRC_EXTRA_LINES,
			     "line %u, \"%s\": never had an effect, not "
			     "carried",
			     at->line, vserver_shown(r, at->text));
}

static void take_token(struct reading *r, const struct place *p,
		       const struct key *row, const struct vserver_token *t)
{
	struct vserver *v = vserver_of(r);
	const struct origin *at =
		reading_origin(r, t->line > 0 ? ORIGIN_TEXT : ORIGIN_FILE,
			       p->abs, t->line, p->rel, t->value);

	v->unterminated = t->unterminated;
	if (decide_unread(r, at, t, row))
		return;
	if (t->extra) {
		decide_extra(r, at, row);
		return;
	}
	reading_setting(r, vserver_keys, vserver_n_keys, at, row->name,
			t->item);
	if (t->expanded)
		reading_find_at(r, FIND_SRC_EXPANSION, at,
				"\"%s\": taken as it stands, nothing was run",
				vserver_shown(r, t->value));
}

/*
 * Files whose value was read although the last line has no end, but the read
 * "failed" and the start stopped; reference 2.0.
 */
static const char *const stops_unterminated[] = {
	"apps/init/style",
	"apps/init/runlevel",
	"apps/init/runlevel.start",
	"context",
	"ncontext",
	"tag",
	"badness",
	"nice",
	"ionice/class",
	"ionice/priority",
	"apps/init/runlevel.stop",
	"cpuset/name",
	"interfaces/bcast",
	"interfaces/lback",
	"netns/name",
};

static void find_text(struct reading *r, const struct place *p,
		      const struct vserver_text *text)
{
	const struct origin *at = file_origin(r, p);

	if (text->crlf)
		reading_find_at(r, FIND_SRC_CRLF, at,
				"read without the carriage returns");
	if (text->binary)
		reading_find_at(r, FIND_SRC_BINARY, at,
				"holds bytes that are no text: read without "
				"NUL and byte order mark");
	for (size_t i = 0; i < COUNT(stops_unterminated); i++)
		if (text->unterminated && str_eq(p->rel, stops_unterminated[i]))
			reading_find_at(r, FIND_SRC_NO_NEWLINE, at,
					"no newline at the end: the old tools "
					"stop there; the value is used");
}

static void set_place(struct vserver *v, const struct place *p,
		      const char *const stars[2])
{
	v->path = p->rel;
	v->star = stars[0];
	v->star2 = stars[1];
	v->in_defaults = str_starts(p->rel, defaults_dir);
}

/* A list without entries is there all the same. */
static void read_nothing(struct reading *r, const struct place *p,
			 const struct key *row)
{
	const struct vserver_token t = { 0 };

	if (decide_unread(r, file_origin(r, p), &t, row))
		return;
	whole(r, p, row, BIN_INERT, "no entry in it");
	if (!vserver_of(r)->in_defaults)
		vserver_boot_nothing(r);
}

static void read_data(struct reading *r, const struct place *p,
		      const struct key *row, const char *data, size_t n)
{
	struct vserver_text text;

	vserver_format_cut(r->g->mem, VS_FORMAT_OF(row->arg), data, n, &text);
	find_text(r, p, &text);
	for (size_t i = 0; i < text.tokens.n; i++)
		take_token(r, p, row, &text.tokens.v[i]);
	if (text.tokens.n == 0)
		read_nothing(r, p, row);
}

static void read_file(struct reading *r, const struct place *p)
{
	struct vserver *v = vserver_of(r);
	const char *stars[2], *data = "";
	const struct key *row = vserver_table_find(r->g->mem, p->rel, stars);
	enum vserver_format format;
	struct err e;
	size_t n = 0;

	reading_file(r, p->abs);
	if (row == NULL && vserver_table_names_dir(p->rel)) {
		whole_find(r, p, BIN_UNREADABLE, FIND_SRC_UNREADABLE,
			   "a file where a directory belongs");
		return;
	}
	if (row == NULL) {
		whole_find(r, p, BIN_UNKNOWN, FIND_SRC_UNKNOWN_FILE,
			   "a file that the old tools never read: kept, not "
			   "carried");
		return;
	}
	set_place(v, p, stars);
	format = VS_FORMAT_OF(row->arg);
	if (vserver_format_is_text(format) &&
	    tree_read(v->t, p->abs, vserver_format_max(format), r->g->mem,
		      &data, &n, &e) < 0) {
		unreadable(r, p, row, &e);
		return;
	}
	read_data(r, p, row, data, n);
}

static void read_token(struct reading *r, const struct place *p,
		       const struct key *row, const char *const stars[2],
		       const char *value)
{
	const struct vserver_token t = { .value = value };

	set_place(vserver_of(r), p, stars);
	take_token(r, p, row, &t);
}

/* A flag is there whatever its type is; nothing is opened. */
static void read_special(struct reading *r, const struct place *p,
			 uint32_t mode)
{
	const char *stars[2];
	const struct key *row = vserver_table_find(r->g->mem, p->rel, stars);
	const char *what = S_ISFIFO(mode) ? "a FIFO" :
			   S_ISSOCK(mode) ? "a socket" :
					    "a device node";

	if (row != NULL && VS_FORMAT_OF(row->arg) == VS_FLAG) {
		read_token(r, p, row, stars, NULL);
		return;
	}
	whole_find(r, p, row != NULL ? BIN_UNREADABLE : BIN_UNKNOWN,
		   row != NULL ? FIND_SRC_UNREADABLE : FIND_SRC_UNKNOWN_FILE,
		   arena_printf(r->g->mem, "%s: not opened, not carried",
				what));
}

static bool is_link_row(const struct key *row)
{
	return row != NULL && (VS_FORMAT_OF(row->arg) == VS_LINK ||
			       VS_FORMAT_OF(row->arg) == VS_PLACE);
}

/*
 * Whether it counts that the directory is there: it has a row of a flag or
 * link. A '*' does not stand for a directory that the tools look into.
 */
static bool is_named(const struct key *row, const char *rel)
{
	if (!is_link_row(row) &&
	    (row == NULL || VS_FORMAT_OF(row->arg) != VS_FLAG))
		return false;
	return strchr(row->name, '*') == NULL || !vserver_table_is_dir(rel);
}

/* What lies below a place is no configuration, nor what a flag links to. */
static bool is_whole(const struct key *row, const struct place *p)
{
	return VS_FORMAT_OF(row->arg) == VS_PLACE ||
	       (p->through_link && !vserver_table_is_dir(p->rel));
}

/* An empty directory: the row of "path/", or nothing but there. */
static void read_empty(struct reading *r, const struct place *p)
{
	struct place dir = *p;
	const char *stars[2];
	const struct key *row;

	dir.rel = arena_printf(r->g->mem, "%s/", p->rel);
	row = vserver_table_find(r->g->mem, dir.rel, stars);
	if (row != NULL)
		read_token(r, &dir, row, stars, NULL);
	else if (vserver_table_is_dir(p->rel))
		whole(r, p, NULL, BIN_INERT, "an empty directory");
	else if (vserver_table_find(r->g->mem, p->rel, stars) != NULL)
		whole_find(r, p, BIN_UNREADABLE, FIND_SRC_UNREADABLE,
			   "a directory where a file belongs");
	else
		whole_find(r, p, BIN_UNKNOWN, FIND_SRC_UNKNOWN_FILE,
			   "an empty directory that the old tools never read");
}

static void read_dir(struct reading *r, const struct place *p)
{
	struct vserver *v = vserver_of(r);
	struct tree_entries entries;
	const char *stars[2];
	const struct key *row = vserver_table_find(r->g->mem, p->rel, stars);
	const bool named = is_named(row, p->rel);
	struct err e;

	if (named)
		read_token(r, p, row, stars, NULL);
	if (named && is_whole(row, p))
		return;
	if (p->depth > DEPTH_MAX ||
	    (p->through_link && p->depth > KNOWN_DEPTH_MAX)) {
		whole_find(r, p, BIN_UNREADABLE, FIND_SRC_UNREADABLE,
			   "directories too deep: not read");
		return;
	}
	if (tree_list(v->t, p->abs, r->g->mem, &entries, &e) < 0)
		unreadable(r, p, NULL, &e);
	else if (entries.n > 0)
		walk_dir(r, p);
	else if (!named)
		read_empty(r, p);
}

static void read_dangling(struct reading *r, const struct place *p,
			  const struct err *why)
{
	whole_find(r, p, BIN_INERT, FIND_SRC_UNTRUSTED_LINK,
		   why->code == ELOOP ?
			   "a link that leads in a circle: not read" :
			   "a link that leads nowhere: as if it were not "
			   "there");
}

static void read_link(struct reading *r, struct place *p)
{
	struct vserver *v = vserver_of(r);
	const char *stars[2], *text;
	const struct key *row = vserver_table_find(r->g->mem, p->rel, stars);
	struct tree_stat st;
	struct err e;

	if (is_link_row(row)) {
		if (tree_readlink(v->t, p->abs, r->g->mem, &text, &e) < 0)
			unreadable(r, p, row, &e);
		else
			read_token(r, p, row, stars, text);
		return;
	}
	p->through_link = true;
	if (tree_stat(v->t, p->abs, &st, &e) < 0)
		read_dangling(r, p, &e);
	else if (S_ISREG(st.mode))
		read_file(r, p);
	else if (!S_ISDIR(st.mode))
		read_special(r, p, st.mode);
	else if (is_named(row, p->rel) || vserver_table_is_dir(p->rel))
		read_dir(r, p);
	else
		whole_find(r, p, BIN_UNKNOWN, FIND_SRC_UNKNOWN_FILE,
			   "a link to a directory: not followed");
}

/* Who may write the configuration ruled the host. */
static void check_writable(struct reading *r, const struct place *p,
			   const struct tree_stat *st)
{
	if (S_ISLNK(st->mode) || (st->mode & S_IWOTH) == 0)
		return;
	reading_find_at(r, FIND_SRC_WRITABLE, file_origin(r, p),
			"%s can be written by everybody",
			p->rel[0] == '\0' ? vserver_shown(r, p->abs) :
					    vserver_shown(r, p->rel));
}

static void check_owner(struct reading *r, const struct place *cfg)
{
	struct tree *t = vserver_of(r)->t;
	struct tree_stat root, st;
	struct err e;

	if (tree_stat(t, cfg->abs, &st, &e) < 0)
		return;
	check_writable(r, cfg, &st);
	/* In a copy that an ordinary user made everything is that user's. */
	if (tree_stat(t, "/", &root, &e) < 0 || root.uid == st.uid)
		return;
	reading_find_at(r, FIND_SRC_WRITABLE, file_origin(r, cfg),
			"the configuration belongs to uid %u", st.uid);
}

static void read_entry(struct reading *r, const struct place *parent,
		       const char *name)
{
	struct vserver *v = vserver_of(r);
	struct place p = *parent;
	struct tree_stat st;
	struct err e;

	p.abs = arena_printf(r->g->mem, "%s/%s", parent->abs, name);
	p.rel = parent->rel[0] == '\0' ?
			arena_strdup(r->g->mem, name) :
			arena_printf(r->g->mem, "%s/%s", parent->rel, name);
	p.depth++;
	if (tree_lstat(v->t, p.abs, &st, &e) < 0) {
		unreadable(r, &p, NULL, &e);
		return;
	}
	check_writable(r, &p, &st);
	if (S_ISLNK(st.mode))
		read_link(r, &p);
	else if (S_ISDIR(st.mode) && is_vcs(name))
		whole_find(r, &p, BIN_INERT, FIND_SRC_VCS,
			   "a version control system's: skipped");
	else if (S_ISDIR(st.mode))
		read_dir(r, &p);
	else if (S_ISREG(st.mode))
		read_file(r, &p);
	else
		read_special(r, &p, st.mode);
}

static void walk_dir(struct reading *r, const struct place *p)
{
	struct tree_entries entries;
	struct err e;

	if (tree_list(vserver_of(r)->t, p->abs, r->g->mem, &entries, &e) < 0) {
		unreadable(r, p, NULL, &e);
		return;
	}
	for (size_t i = 0; i < entries.n; i++)
		read_entry(r, p, entries.v[i].name);
}

void vserver_read_text(struct reading *r, const char *path, const char *text)
{
	const char *stars[2];
	const struct key *row = vserver_table_find(r->g->mem, path, stars);
	const struct place p = {
		.abs = arena_printf(r->g->mem, "%s/%s", vserver_of(r)->cfg,
				    path),
		.rel = path,
	};

	set_place(vserver_of(r), &p, stars);
	if (row == NULL)
		whole(r, &p, NULL, BIN_UNKNOWN, "no row");
	else if (is_link_row(row))
		read_token(r, &p, row, stars, text);
	else
		read_data(r, &p, row, text, strlen(text));
}

/* Defaults that are for building guests or for the tools: one note. */
static void note_defaults(struct reading *r)
{
	const struct vserver *v = vserver_of(r);
	struct strv names = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < r->g->settings.n; i++) {
		const struct setting *s = r->g->settings.v[i];
		const char *name;

		if (!str_starts(s->from.key, defaults_dir) || s->row == NULL ||
		    s->row->fate != FATE_INERT)
			continue;
		name = vserver_shown(r, s->from.key + strlen(defaults_dir));
		if (strv_has(&names, name))
			continue;
		if (n++ < NAMED_MAX)
			strv_add(r->g->mem, &names, name);
	}
	if (n > 0)
		reading_find_at(
			r, FIND_SRC_DEFAULTS_TREE,
			reading_origin(r, ORIGIN_FILE,
				       arena_printf(r->g->mem, "%s/.defaults",
						    v->confdir),
				       0, ".defaults", NULL),
			"for building guests or for the tools, not of this "
			"guest: %s%s",
			strv_join(r->g->mem, &names, ", "),
			n > NAMED_MAX ? " and more" : "");
}

/* Other things in CONFDIR are no guest's; they are named, not read. */
static void note_others(struct reading *r)
{
	struct vserver *v = vserver_of(r);
	const char *dir =
		arena_printf(r->g->mem, "%s/.distributions", v->confdir);

	if (tree_is_dir(v->t, dir))
		reading_find_at(r, FIND_SRC_DEFAULTS_TREE,
				reading_origin(r, ORIGIN_FILE, dir, 0,
					       ".distributions", NULL),
				".distributions is for building guests: not "
				"read");
}

/* NAME.conf and NAME.sh beside a directory that is the guest's. */
static void unread_legacy(struct reading *r, const char *end)
{
	const struct vserver *v = vserver_of(r);
	const char *path = arena_printf(r->g->mem, "%s%s", v->cfg, end);
	struct tree_stat st;
	struct err e;

	if (tree_stat(v->t, path, &st, &e) < 0 || !S_ISREG(st.mode))
		return;
	reading_bare(r,
		     reading_origin(r, ORIGIN_FILE, path, 0,
				    arena_printf(r->g->mem, "NAME%s", end),
				    NULL),
		     NULL);
	reading_decide(r, BIN_INERT, "the directory is read in its place");
	reading_find(r, FIND_SRC_SHADOWED,
		     "not read: the directory of that name is the guest's");
}

void vserver_read_tree(struct reading *r)
{
	struct vserver *v = vserver_of(r);
	const struct place cfg = { .abs = v->cfg, .rel = "" };
	const struct place defaults = {
		.abs = arena_printf(r->g->mem, "%s/.defaults", v->confdir),
		.rel = ".defaults",
	};

	if (!v->legacy) {
		check_owner(r, &cfg);
		walk_dir(r, &cfg);
		unread_legacy(r, ".conf");
		unread_legacy(r, ".sh");
	} else if (tree_is_dir(v->t, v->cfg)) {
		reading_find_at(r, FIND_SRC_SHADOWED, file_origin(r, &cfg),
				"the directory is not read: %s.conf is the "
				"guest's",
				vserver_shown(r, v->name));
		walk_dir(r, &cfg);
	}
	if (tree_is_dir(v->t, defaults.abs))
		walk_dir(r, &defaults);
	v->in_defaults = false;
	note_defaults(r);
	note_others(r);
}
