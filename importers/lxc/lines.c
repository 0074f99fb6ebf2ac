/*
 * The lines of a config and of what it includes, in the order in which liblxc
 * takes them: an include is expanded in place. What counts as one setting, for
 * whoever counts a second time:
 *
 *	a line "key = value"
 *	    of lxc.cap.drop, lxc.cap.keep, lxc.mount.auto, lxc.group and
 *	    lxc.namespace.keep|clone   1 for each word between blanks and tabs,
 *	                               at least 1
 *	    of any other key           1
 *	a line that begins with no "lxc.", or has no '='                       1
 *	of a table that lxc.mount(.fstab) names each line that is neither
 *	empty nor a comment                                                    1
 *	NAME.conf in /etc/lxc/auto                                             1
 *
 * Lines of files beneath the root that are included are counted in the same
 * way; of a directory those of its *.conf in the order of their names.
 */
#include <errno.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/lxc/lxc.h"

enum {
	FILE_MAX = 256 << 10, /* bytes of a configuration: none has more */
	FILES_MAX = 64,       /* included, all together */
	DEPTH_MAX = 16,       /* of includes in includes */
	LINES_MAX = 10000,    /* of all files */
};

static const struct origin *place(struct reading *r, const struct lx_line *l)
{
	return reading_origin(r, ORIGIN_TEXT, l->file, l->line, l->key,
			      l->value);
}

/* What is wrong with the include on that line; it stays a setting. */
static void cannot(struct reading *r, struct lx_line *l, const char *why)
{
	l->dead = arena_printf(r->g->mem, "%s: not included", why);
	l->dead_bin = BIN_UNREADABLE;
	reading_find_at(r, FIND_SRC_INCLUDE, place(r, l), "%s: %s",
			lxc_shown(r, l->value), why);
}

/* --- numbers of lxc.network ------------------------------------------- */

/* "lxc.network.type" opens the next interface, the others belong to it. */
static void number_net(struct reading *r, struct lx_line *l)
{
	struct lxc *x = lxc_of(r);
	const char *sub = l->name + strlen("lxc.net.");
	const size_t n = strspn(sub, "0123456789");

	if (n > 0 && sub[n] == '.')
		return;
	if (str_eq(sub, "type")) {
		x->next_net += x->has_net ? 1 : 0;
		x->has_net = true;
	} else if (!x->has_net) {
		l->dead = "stands before any lxc.network.type: LXC refused "
			  "the file";
		l->dead_bin = BIN_INVALID;
	}
	l->name = arena_printf(r->g->mem, "lxc.net.%u.%s", x->next_net, sub);
}

/* --- files ------------------------------------------------------------- */

struct from {
	const char *file;
	bool assumed;
	unsigned line; /* of the include, for what is assumed */
};

static void cut(struct reading *r, const struct from *f, const char *text,
		size_t n);

static bool is_open(const struct lxc *x, const char *path)
{
	return strv_has(&x->open, path);
}

static int read_one(struct reading *r, const char *path, struct err *e)
{
	struct lxc *x = lxc_of(r);
	const struct from f = { .file = path };
	const char *data;
	size_t n;

	if (tree_read(x->t, path, FILE_MAX, r->g->mem, &data, &n, e) < 0)
		return -1;
	x->n_files++;
	reading_file(r, path);
	strv_add(r->g->mem, &x->open, path);
	cut(r, &f, data, n);
	x->open.n--;
	return 0;
}

/* Every *.conf of the directory, by name. */
static void include_dir(struct reading *r, size_t at, const char *path)
{
	struct lxc *x = lxc_of(r);
	struct tree_entries entries;
	struct err e;

	if (tree_list(x->t, path, r->g->mem, &entries, &e) < 0) {
		cannot(r, &x->lines.v[at], e.msg);
		return;
	}
	for (size_t i = 0; i < entries.n; i++) {
		const char *file;

		if (!str_ends(entries.v[i].name, ".conf"))
			continue;
		file = arena_printf(r->g->mem, "%s/%s", path,
				    entries.v[i].name);
		if (x->n_files >= FILES_MAX || is_open(x, file))
			cannot(r, &x->lines.v[at],
			       is_open(x, file) ? "it includes itself" :
						  "too many files");
		else if (read_one(r, file, &e) < 0)
			cannot(r, &x->lines.v[at], e.msg);
	}
}

/* A file of LXC's own that is not beneath the root. */
static void assume(struct reading *r, const struct lx_line *l, const char *text)
{
	const struct from f = { .file = l->value,
				.assumed = true,
				.line = l->line };

	reading_find_at(r, FIND_SRC_INCLUDE_KNOWN, place(r, l),
			"%s is not beneath the root: what LXC ships is taken",
			l->value);
	cut(r, &f, text, strlen(text));
}

static const char *fault_of(const struct lxc *x, const char *path)
{
	if (path[0] != '/')
		return "not an absolute path";
	if (is_open(x, path))
		return "it includes itself";
	if (x->open.n >= DEPTH_MAX)
		return "includes within includes, too deep";
	if (x->n_files >= FILES_MAX)
		return "too many files";
	return NULL;
}

/* The line at that place; later ones may move the array. */
static void include(struct reading *r, size_t at)
{
	struct lxc *x = lxc_of(r);
	const struct lx_line l = x->lines.v[at];
	const char *path = l.value, *why, *text;
	struct err e;

	if (l.assumed || path[0] == '\0')
		return;
	if (tree_resolve(x->t, path, r->g->mem, &path, &e) < 0) {
		text = lxc_shipped(l.value);
		if (text != NULL && e.code == ENOENT)
			assume(r, &l, text);
		else
			cannot(r, &x->lines.v[at], e.msg);
		return;
	}
	why = fault_of(x, path);
	if (why != NULL)
		cannot(r, &x->lines.v[at], why);
	else if (tree_is_dir(x->t, path))
		include_dir(r, at, path);
	else if (read_one(r, path, &e) < 0)
		cannot(r, &x->lines.v[at], e.msg);
}

/* --- lines ------------------------------------------------------------- */

static size_t add_line(struct reading *r, const struct from *f,
		       const struct lxc_line *l)
{
	struct lxc *x = lxc_of(r);
	struct arena *mem = r->g->mem;
	const bool setting = l->kind == LXC_LINE_SETTING;
	struct lx_line *new = vec_add(mem, &x->lines);

	*new = (struct lx_line){ .file = f->file,
				 .line = f->assumed ? 0 : l->number,
				 .kind = l->kind,
				 .assumed = f->assumed,
				 .quoted = l->quoted,
				 .crlf = l->crlf,
				 .control = l->control };
	new->key = slice_dup(mem, setting ? l->key : l->whole);
	new->value = setting ? slice_dup(mem, l->value) : NULL;
	new->name = lxc_current_name(mem, new->key, &new->legacy);
	if (str_starts(new->name, "lxc.net.") && setting && new->legacy)
		number_net(r, new);
	return x->lines.n - 1;
}

static void cut(struct reading *r, const struct from *f, const char *text,
		size_t n)
{
	struct lxc *x = lxc_of(r);
	struct lxc_lines rest = { .rest = { text, n } };
	struct lxc_line line;

	while (lxc_line_next(&rest, &line)) {
		size_t at;

		if (line.kind == LXC_LINE_BLANK ||
		    line.kind == LXC_LINE_COMMENT)
			continue;
		if (x->lines.n >= LINES_MAX) {
			reading_find_at(r, FIND_SRC_TOO_LARGE,
					reading_origin(r, ORIGIN_TEXT, f->file,
						       line.number, "file",
						       NULL),
					"more than %d lines: the rest is not "
					"read",
					LINES_MAX);
			return;
		}
		at = add_line(r, f, &line);
		if (line.kind == LXC_LINE_SETTING && !line.control &&
		    str_eq(x->lines.v[at].name, "lxc.include"))
			include(r, at);
	}
}

int lxc_collect(struct reading *r, const char *path, struct err *e)
{
	return read_one(r, path, e);
}

void lxc_collect_text(struct reading *r, const char *path, const char *text,
		      size_t n)
{
	const struct from f = { .file = path };
	struct lxc *x = lxc_of(r);

	strv_add(r->g->mem, &x->open, path);
	cut(r, &f, text, n);
	x->open.n--;
}
