/* Left-overs, tables of file systems, files of the last run. */
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "plan/edits.h"

enum { FILES_MAX = 4096 }; /* of one row; more is no left-over of a run */

void edits_leave_out(struct edits *ed)
{
	const struct strv paths = edits_glob(ed, ed->row->path);

	for (size_t i = 0; i < paths.n; i++)
		edits_remove(ed, paths.v[i]);
}

/* What programs such as df read; the old tool wrote a dummy line into it. */
void edits_mtab(struct edits *ed)
{
	const char *path = edits_place(ed, ed->row->path);
	struct tree_stat st;
	struct err e;

	if (path == NULL)
		return;
	if (tree_lstat(ed->p->root, path, &st, &e) == 0 &&
	    (st.mode & S_IFMT) != S_IFREG)
		return;
	edits_link(ed, path, ed->row->text);
}

void edits_directory(struct edits *ed)
{
	const char *path = edits_place(ed, ed->row->path);
	struct tree_stat st;
	struct err e;

	if (path != NULL && tree_lstat(ed->p->root, path, &st, &e) < 0)
		edits_make_dir(ed, path);
}

/* Disks of another machine, swap, and the root, which the engine mounts. */
static bool is_stale(const struct strv *words)
{
	static const char *const heads[] = { "/dev/", "LABEL=", "UUID=",
					     "PARTUUID=", "PARTLABEL=" };

	if (words->n < 3 || words->v[0][0] == '#')
		return false;
	if (str_eq(words->v[1], "/") || str_eq(words->v[2], "swap"))
		return true;
	for (size_t i = 0; i < COUNT(heads); i++)
		if (str_starts(words->v[0], heads[i]))
			return true;
	return false;
}

static bool fstab_line(void *arg, const char *line, struct buf *out)
{
	struct edits *ed = arg;
	const struct strv words = strv_split(ed->mem, line, " \t\r");

	if (!is_stale(&words))
		return false;
	edits_comment_out(out, line);
	return true;
}

void edits_fstab(struct edits *ed)
{
	edits_lines(ed, ed->row->path, fstab_line, ed);
}

struct collect {
	struct edits *ed;
	const char *top;
	struct strv files;
	bool (*wanted)(const char *path);
};

/* Sockets are not packed anyway. */
static int collect(void *arg, const char *path, const struct tree_stat *st,
		   struct err *e)
{
	struct collect *c = arg;

	(void)e;
	if (st == NULL || (st->mode & S_IFMT) == S_IFDIR ||
	    (st->mode & S_IFMT) == S_IFSOCK || c->files.n == FILES_MAX ||
	    (c->wanted != NULL && !c->wanted(path)))
		return 0;
	strv_add(c->ed->mem, &c->files,
		 arena_printf(c->ed->mem, "%s/%s",
			      str_eq(c->top, "/") ? "" : c->top, path));
	return 0;
}

static void remove_below(struct edits *ed, const char *top,
			 bool (*wanted)(const char *path))
{
	struct collect c = { .ed = ed, .top = top, .wanted = wanted };
	struct err e;

	if (tree_walk(ed->p->root, top, true, collect, &c, &e) < 0)
		edits_find(ed, FIND_EDT_SKIPPED, top, e.msg);
	edits_remove_below(ed, top, &c.files);
}

/* Directories stay: daemons expect theirs. A link has a row of its own. */
void edits_runtime(struct edits *ed)
{
	const char *path = edits_place(ed, ed->row->path);
	struct tree_stat st;
	struct err e;

	if (path != NULL && tree_lstat(ed->p->root, path, &st, &e) == 0 &&
	    (st.mode & S_IFMT) == S_IFDIR)
		remove_below(ed, path, NULL);
}

/* "libfoo.so;a1B2c3": what an interrupted unification leaves; 2.13. */
static bool is_leftover(const char *path)
{
	const char *at = strrchr(path, ';');

	return at != NULL && strlen(at) == 7 && strchr(at, '/') == NULL;
}

/* Only a unified guest has them, and only a whole walk finds them. */
void edits_leftovers(struct edits *ed)
{
	const struct plan *p = ed->p;

	if (p->g->unified.from != NULL && p->g->unified.v &&
	    (p->options->writes || p->options->size))
		remove_below(ed, "/", is_leftover);
}
