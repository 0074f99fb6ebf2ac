/*
 * The list of edits: one for a path, whatever number of rows had a part in it,
 * with content and diff as they stand after the last.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "plan/edits.h"
#include "plan/look.h"

enum { FILE_MAX = 1 << 20, DIFF_MAX = 64 << 10 /* bytes */ };
enum { GROUP_SHOWN = 8 };

static struct edit *find(struct edits *ed, const char *path)
{
	for (size_t i = 0; i < ed->p->g->edits.n; i++)
		if (str_eq(ed->p->g->edits.v[i]->path, path))
			return ed->p->g->edits.v[i];
	return NULL;
}

void edits_find(struct edits *ed, enum finding_id id, const char *path,
		const char *what)
{
	finding_add(ed->p->g, id, NULL, look_origin(ed->p, path, NULL),
		    "%s: %s", str_show(ed->mem, path, strlen(path), 200), what);
}

/* The edit of the path, with the row's reason. */
static struct edit *note(struct edits *ed, const char *path, const char *action)
{
	struct edit *edit = find(ed, path);
	const char *reason = ed->row->reason;

	if (edit == NULL) {
		edit = pvec_add(ed->mem, &ed->p->g->edits);
		edit->path = arena_strdup(ed->mem, path);
		edit->reason = reason;
	} else if (strstr(edit->reason, reason) == NULL) {
		edit->reason =
			arena_printf(ed->mem, "%s; %s", edit->reason, reason);
	}
	edit->action = action;
	return edit;
}

/* And with a finding of its own. */
static struct edit *record(struct edits *ed, const char *path,
			   const char *action)
{
	if (ed->group != NULL && !strv_has(ed->group, path))
		strv_add(ed->mem, ed->group, arena_strdup(ed->mem, path));
	else if (ed->group == NULL)
		edits_find(ed, ed->row->finding, path,
			   arena_printf(ed->mem, "%s: %s", action,
					ed->row->reason));
	return note(ed, path, action);
}

void edits_find_group(struct edits *ed, const struct strv *paths,
		      const char *what)
{
	const struct origin *from;
	struct strv first = *paths;
	const char *more = "";

	if (paths->n == 0)
		return;
	if (paths->n > GROUP_SHOWN) {
		first.n = GROUP_SHOWN;
		more = arena_printf(ed->mem, " and %zu more",
				    paths->n - first.n);
	}
	from = look_origin(ed->p, paths->v[0], NULL);
	finding_add(ed->p->g, ed->row->finding, NULL, from, "%s%s: %s: %s",
		    strv_join(ed->mem, &first, " "), more, what,
		    ed->row->reason);
}

void edits_link_too(struct edits *ed, const char *path, const char *target)
{
	note(ed, path, "link")->link = target;
}

/* The file as it is in the tree; empty when it is not there. */
static struct slice original(struct edits *ed, const char *path)
{
	struct slice s = { "", 0 };
	struct err e;

	if (tree_read(ed->p->root, path, FILE_MAX, ed->mem, &s.p, &s.n, &e) < 0)
		return (struct slice){ "", 0 };
	return s;
}

bool edits_read(struct edits *ed, const char *path, const char **ret_path,
		struct slice *ret)
{
	const bool there = edits_is_entry(ed, path);
	const struct edit *edit;
	const char *real;
	struct slice s;
	struct err e;

	if (!there || tree_resolve(ed->p->root, path, ed->mem, &real, &e) < 0)
		real = path;
	edit = find(ed, real);
	if (edit != NULL && edit->data == NULL)
		return false; /* left out, or a link to elsewhere */
	if (edit != NULL) {
		*ret_path = edit->path;
		*ret = (struct slice){ edit->data, edit->n };
		return true;
	}
	if (!there)
		return false;
	if (tree_read(ed->p->root, real, FILE_MAX, ed->mem, &s.p, &s.n, &e) <
	    0) {
		if (e.code != ENOENT && e.code != ENOTDIR && e.code != EISDIR)
			edits_find(ed, FIND_EDT_SKIPPED, path, e.msg);
		return false;
	}
	if (memchr(s.p, '\0', s.n) != NULL) {
		edits_find(ed, FIND_EDT_SKIPPED, path, "holds NUL bytes");
		return false;
	}
	*ret_path = real;
	*ret = s;
	return true;
}

/* Of mode and content together, as they stand now. */
static void renew_diff(struct edits *ed, struct edit *edit)
{
	const struct slice old = original(ed, edit->path);
	const char *modes = "";
	struct tree_stat st;
	struct err e;

	if (tree_lstat(ed->p->root, edit->path, &st, &e) == 0 &&
	    (st.mode & 07777) != edit->mode)
		modes = arena_printf(ed->mem, "old mode %04o\nnew mode %04o\n",
				     st.mode & 07777, edit->mode);
	edit->diff = edits_diff(ed->mem, edit->path, old,
				(struct slice){ edit->data, edit->n });
	if (modes[0] != '\0')
		edit->diff = arena_printf(
			ed->mem, "%s%s", modes,
			old.n == edit->n &&
					memcmp(old.p, edit->data, old.n) == 0 ?
				"" :
				edit->diff);
	if (strlen(edit->diff) > DIFF_MAX)
		edit->diff = arena_printf(ed->mem, "%.*s\n(cut)\n", DIFF_MAX,
					  edit->diff);
}

void edits_write(struct edits *ed, const char *path, const char *text, size_t n)
{
	const struct edit *before = find(ed, path);
	const bool keep = before != NULL && before->data != NULL;
	struct edit *edit = record(ed, path, "replace");
	struct tree_stat st;
	struct err e;

	edit->data = arena_memdup(ed->mem, text, n + 1);
	edit->n = n;
	if (tree_lstat(ed->p->root, path, &st, &e) < 0) {
		edit->action = "add";
		st.mode = 0644;
	}
	if (!keep)
		edit->mode = st.mode & 07777;
	renew_diff(ed, edit);
}

/* What has to be there first belongs to the change: it needs no finding. */
static void make_above(struct edits *ed, const char *path)
{
	const char *slash = strchr(path + 1, '/');

	for (; slash != NULL; slash = strchr(slash + 1, '/')) {
		const char *dir =
			arena_strndup(ed->mem, path, (size_t)(slash - path));

		if (find(ed, dir) == NULL && !edits_exists(ed, dir))
			note(ed, dir, "directory")->mode = 0755;
	}
}

void edits_add(struct edits *ed, const char *path, const void *data, size_t n,
	       uint32_t mode)
{
	const bool there = edits_exists(ed, path);
	struct edit *edit = record(ed, path, there ? "replace" : "add");
	const bool text = memchr(data, '\0', n) == NULL;

	make_above(ed, path);
	edit->data = data;
	edit->n = n;
	edit->mode = mode;
	if (text)
		edit->diff = edits_diff(ed->mem, path, original(ed, path),
					(struct slice){ data, n });
}

void edits_chmod(struct edits *ed, const char *path, uint32_t set,
		 uint32_t clear)
{
	struct tree_stat st;
	struct slice text;
	struct edit *edit;
	uint32_t mode;
	struct err e;

	if (!edits_read(ed, path, &path, &text))
		return;
	edit = find(ed, path);
	if (edit == NULL && tree_lstat(ed->p->root, path, &st, &e) < 0)
		return;
	mode = edit == NULL ? st.mode & 07777 : edit->mode;
	if (((mode | set) & ~clear) == mode)
		return;
	if (edit == NULL)
		edits_write(ed, path, text.p, text.n);
	else
		record(ed, path, edit->action);
	edit = find(ed, path);
	edit->mode = (mode | set) & ~clear;
	renew_diff(ed, edit);
}

void edits_remove(struct edits *ed, const char *path)
{
	record(ed, path, "remove");
}

void edits_remove_below(struct edits *ed, const char *path,
			const struct strv *files)
{
	if (files->n == 0)
		return;
	for (size_t i = 0; i < files->n; i++)
		note(ed, files->v[i], "remove");
	edits_find(ed, ed->row->finding, path,
		   arena_printf(ed->mem, "remove %zu file%s: %s", files->n,
				files->n == 1 ? "" : "s", ed->row->reason));
}

void edits_link(struct edits *ed, const char *path, const char *target)
{
	record(ed, path, "link")->link = target;
	make_above(ed, path);
}

void edits_make_dir(struct edits *ed, const char *path)
{
	record(ed, path, "directory")->mode = 0755;
}

bool edits_is_program(struct edits *ed, const char *path)
{
	struct tree_stat st;
	struct err e;

	return edits_is_entry(ed, path) &&
	       tree_stat(ed->p->root, path, &st, &e) == 0 &&
	       (st.mode & S_IFMT) == S_IFREG && (st.mode & 0111) != 0;
}
