/*
 * Directories of the guest, listed once for all rows: most of what the table
 * looks for is in no guest, and the list says so without a system call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plan/edits.h"

struct edits_dir edits_dir(struct edits *ed, const char *path)
{
	struct edits_dir dir = { 0 };
	struct err e;

	for (size_t i = 0; i < ed->dirs.n; i++)
		if (str_eq(ed->dirs.v[i].path, path))
			return ed->dirs.v[i];
	dir.path = arena_strdup(ed->mem, path);
	if (tree_resolve(ed->p->root, *path == '\0' ? "/" : path, ed->mem,
			 &dir.real, &e) < 0)
		dir.real = NULL;
	else if (tree_list(ed->p->root, dir.real, ed->mem, &dir.list, &e) < 0) {
		dir.is_closed = e.code != ENOTDIR;
		if (!dir.is_closed)
			dir.real = NULL;
	}
	*vec_add(ed->mem, &ed->dirs) = dir;
	return dir;
}

static int by_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct tree_entry *)entry)->name);
}

static struct edits_dir above(struct edits *ed, const char *path)
{
	const size_t n = (size_t)(strrchr(path, '/') - path);

	return edits_dir(ed, arena_strndup(ed->mem, path, n));
}

bool edits_is_entry(struct edits *ed, const char *path)
{
	const struct edits_dir dir = above(ed, path);

	if (dir.list.n == 0)
		return dir.is_closed;
	return bsearch(strrchr(path, '/') + 1, dir.list.v, dir.list.n,
		       sizeof(dir.list.v[0]), by_name) != NULL;
}

bool edits_exists(struct edits *ed, const char *path)
{
	return edits_is_entry(ed, path) && tree_exists(ed->p->root, path);
}

static const char *join(struct edits *ed, const struct edits_dir *dir,
			const char *name)
{
	return arena_printf(ed->mem, "%s/%s",
			    str_eq(dir->real, "/") ? "" : dir->real, name);
}

const char *edits_place(struct edits *ed, const char *path)
{
	const struct edits_dir dir = above(ed, path);

	return dir.real == NULL ? NULL : join(ed, &dir, strrchr(path, '/') + 1);
}

const char *edits_place_new(struct edits *ed, const char *path)
{
	const char *slash = strrchr(path, '/'), *place, *dir;
	struct tree_stat st;
	struct err e;

	place = edits_place(ed, path);
	if (place != NULL || slash == path)
		return place;
	dir = arena_strndup(ed->mem, path, (size_t)(slash - path));
	if (tree_lstat(ed->p->root, dir, &st, &e) == 0 || e.code != ENOENT)
		return NULL;
	place = edits_place_new(ed, dir);
	return place == NULL ? NULL :
			       arena_printf(ed->mem, "%s%s", place, slash);
}

struct strv edits_glob(struct edits *ed, const char *pattern)
{
	const struct edits_dir dir = above(ed, pattern);
	const char *last = strrchr(pattern, '/') + 1;
	struct strv found = { 0 };

	for (size_t i = 0; dir.real != NULL && i < dir.list.n; i++)
		if (str_glob(last, dir.list.v[i].name))
			strv_add(ed->mem, &found,
				 join(ed, &dir, dir.list.v[i].name));
	return found;
}
