/* The plan's edits as the packer wants them. */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "plan/overlay.h"

static const struct action_row {
	const char *action;
	enum overlay_kind kind;
} action_rows[] = {
	{ "replace", OVERLAY_FILE }, { "add", OVERLAY_FILE },
	{ "link", OVERLAY_LINK },    { "remove", OVERLAY_HIDE },
	{ "empty", OVERLAY_EMPTY },  { "directory", OVERLAY_DIR },
};

static enum overlay_kind kind_of(const char *action)
{
	for (size_t i = 0; i < COUNT(action_rows); i++)
		if (str_eq(action_rows[i].action, action))
			return action_rows[i].kind;
	return OVERLAY_HIDE;
}

static int by_path(const void *a, const void *b)
{
	const struct overlay_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

struct overlay plan_edits_overlay(const struct guest *g, struct arena *mem)
{
	struct overlay_entry *v =
		arena_alloc(mem, (g->edits.n + 1) * sizeof(*v));

	for (size_t i = 0; i < g->edits.n; i++) {
		const struct edit *ed = g->edits.v[i];

		v[i] = (struct overlay_entry){
			.path = ed->path,
			.kind = kind_of(ed->action),
			.data = ed->data,
			.n = ed->n,
			.target = ed->link,
			.mode = ed->mode,
		};
	}
	qsort(v, g->edits.n, sizeof(*v), by_path);
	return (struct overlay){ .v = v, .n = g->edits.n };
}
