/* The rows of all parts together, and the look-up of a path. */
#include <string.h>

#include "base/str.h"
#include "importers/vserver/table.h"

const struct key vserver_keys[] = {
#include "importers/vserver/keys.def"
};

const size_t vserver_n_keys = VSERVER_N_KEYS;

/* Names of rows that are no path: legacy variables, bits of a list. */
static bool is_path(const char *name)
{
	return strchr(name, ':') == NULL;
}

/* Matches component by component; '*' is one that has something in it. */
static bool fits(const char *name, const char *path, struct slice stars[2])
{
	struct slice a, b, x, y;
	size_t n = 0;

	if (name[0] != path[0] && name[0] != '*')
		return false;
	a = (struct slice){ name, strlen(name) };
	b = (struct slice){ path, strlen(path) };
	for (;;) {
		const bool more = slice_next(&a, '/', &x);

		if (more != slice_next(&b, '/', &y))
			return false;
		if (!more)
			break;
		if (!slice_eq(x, "*")) {
			if (x.n != y.n || memcmp(x.p, y.p, x.n) != 0)
				return false;
		} else if (n < 2) {
			stars[n++] = y;
		}
	}
	return str_ends(name, "/") == str_ends(path, "/");
}

const struct key *vserver_table_find(struct arena *mem, const char *path,
				     const char *ret_stars[2])
{
	const struct key *row = NULL;

	ret_stars[0] = ret_stars[1] = NULL;
	row = importer_key(vserver_keys, vserver_n_keys, path);
	if (row != NULL && (!is_path(path) || strchr(path, '*') != NULL))
		row = NULL; /* a file that is called like a row */
	for (size_t i = 0; row == NULL && i < vserver_n_keys; i++) {
		struct slice stars[2] = { { NULL, 0 }, { NULL, 0 } };

		if (!fits(vserver_keys[i].name, path, stars) ||
		    !is_path(vserver_keys[i].name) ||
		    strchr(vserver_keys[i].name, '*') == NULL)
			continue;
		row = &vserver_keys[i];
		for (size_t k = 0; k < 2; k++)
			if (stars[k].p != NULL)
				ret_stars[k] = slice_dup(mem, stars[k]);
	}
	return row;
}

/* Whether the first components of a row's name fit all of path. */
static bool lies_below(const char *name, const char *path, bool stars)
{
	struct slice a = { name, strlen(name) }, b = { path, strlen(path) };
	struct slice x, y;

	while (slice_next(&b, '/', &y)) {
		if (!slice_next(&a, '/', &x))
			return false;
		if (!(stars && slice_eq(x, "*")) &&
		    (x.n != y.n || memcmp(x.p, y.p, x.n) != 0))
			return false;
	}
	return a.n > 0;
}

static bool has_below(const char *path, bool stars)
{
	for (size_t i = 0; i < vserver_n_keys; i++)
		if (is_path(vserver_keys[i].name) &&
		    lies_below(vserver_keys[i].name, path, stars))
			return true;
	return false;
}

bool vserver_table_is_dir(const char *path)
{
	return has_below(path, true);
}

bool vserver_table_names_dir(const char *path)
{
	return has_below(path, false);
}
