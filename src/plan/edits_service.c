/* Services switched off the way each family does it itself. */
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "plan/edits.h"

/* Folders that hold rc0.d to rc6.d and rcS.d, links to each other included. */
static const char *const rc_bases[] = { "/etc", "/etc/rc.d", "/etc/init.d" };
static const char rc_levels[] = "S0123456";

static bool is_named(const struct strv *names, const char *entry)
{
	return strlen(entry) > 3 && (entry[0] == 'S' || entry[0] == 'K') &&
	       strv_has(names, entry + 3);
}

static bool has_kill(const struct tree_entries *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].name[0] == 'K' && strlen(list->v[i].name) > 3 &&
		    str_eq(list->v[i].name + 3, name))
			return true;
	return false;
}

/*
 * As `update-rc.d NAME disable` would: a K link takes the place of the S link,
 * or the next update of the package would switch the service on again.
 */
static void off(struct edits *ed, const char *dir, const char *entry,
		const struct tree_entries *list, bool keep)
{
	const char *path = arena_printf(ed->mem, "%s/%s", dir, entry);
	const char *target;
	struct err e;

	edits_remove(ed, path);
	if (keep && !has_kill(list, entry + 3) &&
	    tree_readlink(ed->p->root, path, ed->mem, &target, &e) == 0)
		edits_link_too(
			ed, arena_printf(ed->mem, "%s/K01%s", dir, entry + 3),
			target);
}

static void rc_level(struct edits *ed, const char *base, char level,
		     const struct strv *names)
{
	const bool ends = level == '0' || level == '6';
	const bool all = ends && ed->row->text != NULL;
	const struct edits_dir dir =
		edits_dir(ed, arena_printf(ed->mem, "%s/rc%c.d", base, level));

	for (size_t i = 0; i < dir.list.n; i++) {
		const char *entry = dir.list.v[i].name;

		if (is_named(names, entry) && (all || entry[0] == 'S'))
			off(ed, dir.real, entry, &dir.list, !ends);
	}
}

static void openrc(struct edits *ed, const char *name)
{
	const struct strv levels = edits_glob(ed, "/etc/runlevels/*");

	for (size_t i = 0; i < levels.n; i++) {
		const char *path =
			arena_printf(ed->mem, "%s/%s", levels.v[i], name);

		if (edits_is_entry(ed, path))
			edits_remove(ed, path);
	}
}

/* Upstart 0.3 reads each file in its directory, whatever its name. */
static void event(struct edits *ed, const char *name)
{
	const char *job = arena_printf(ed->mem, "/etc/event.d/%s", name);

	if (edits_exists(ed, job))
		edits_remove(ed, job);
}

/* Upstart before 1.3 (RHEL 6) does not read NAME.override. */
static void upstart(struct edits *ed, const char *name)
{
	static const char manual[] = "manual\n";
	const struct opt_str *os = &ed->p->g->os_id;
	const char *conf = arena_printf(ed->mem, "/etc/init/%s.conf", name);
	const char *override =
		arena_printf(ed->mem, "/etc/init/%s.override", name);

	if (!edits_exists(ed, conf) || edits_exists(ed, override))
		return;
	if (os->from != NULL &&
	    (str_eq(os->v, "ubuntu") || str_eq(os->v, "debian")))
		edits_add(ed, override, manual, strlen(manual), 0644);
	else
		edits_remove(ed, conf);
}

void edits_service(struct edits *ed)
{
	const struct strv names = strv_split(ed->mem, ed->row->pattern, " ");
	struct strv group = { 0 };

	ed->group = &group;
	for (size_t i = 0; i < COUNT(rc_bases); i++)
		for (size_t j = 0; rc_levels[j] != '\0'; j++)
			rc_level(ed, rc_bases[i], rc_levels[j], &names);
	for (size_t i = 0; i < names.n; i++) {
		openrc(ed, names.v[i]);
		upstart(ed, names.v[i]);
		event(ed, names.v[i]);
	}
	ed->group = NULL;
	edits_find_group(ed, &group, "switched off");
}

static bool has_unit(struct edits *ed, const char *unit)
{
	static const char *const dirs[] = { "/lib/systemd/system",
					    "/usr/lib/systemd/system",
					    "/etc/systemd/system" };

	for (size_t i = 0; i < COUNT(dirs); i++)
		if (edits_exists(ed,
				 arena_printf(ed->mem, "%s/%s", dirs[i], unit)))
			return true;
	return false;
}

void edits_mask(struct edits *ed)
{
	const struct strv units = strv_split(ed->mem, ed->row->pattern, " ");
	struct strv group = { 0 };

	ed->group = &group;
	for (size_t i = 0; i < units.n; i++) {
		const char *path = edits_place(
			ed, arena_printf(ed->mem, "/etc/systemd/system/%s",
					 units.v[i]));
		const char *target;
		struct err e;

		if (path == NULL || !has_unit(ed, units.v[i]))
			continue;
		if (tree_readlink(ed->p->root, path, ed->mem, &target, &e) ==
			    0 &&
		    str_eq(target, "/dev/null"))
			continue;
		edits_link(ed, path, "/dev/null");
	}
	ed->group = NULL;
	edits_find_group(ed, &group, "masked");
}

void edits_rc_scripts(struct edits *ed)
{
	const struct strv names = strv_split(ed->mem, ed->row->pattern, " ");
	struct strv group = { 0 };

	ed->group = &group;
	for (size_t i = 0; i < names.n; i++) {
		const struct strv paths = edits_glob(
			ed, arena_printf(ed->mem, "/etc/rc.d/%s", names.v[i]));

		for (size_t j = 0; j < paths.n; j++)
			if (edits_is_program(ed, paths.v[j]))
				edits_chmod(ed, paths.v[j], 0, 0111);
	}
	ed->group = NULL;
	edits_find_group(ed, &group, "switched off");
}
