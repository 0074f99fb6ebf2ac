/*
 * A real init ends the container by reboot(2), which the last script of levels
 * 0 and 6 asks for. The old build took it away: the old kernel killed what was
 * left. Reference: vserver.md 5.1, 5.2 row 7.
 */
#include <regex.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "plan/edits.h"

/* How each family calls its last script; the first whose dir is there. */
static const struct halt_row {
	const char *dir, *name, *script, *target;
} halt_rows[] = {
	{ "/etc/rc.d/rc0.d", "S01halt", "/etc/rc.d/init.d/halt",
	  "../init.d/halt" },
	{ "/etc/rc.d/rc6.d", "S01reboot", "/etc/rc.d/init.d/halt",
	  "../init.d/halt" },
	{ "/etc/rc0.d", "S90halt", "/etc/init.d/halt", "../init.d/halt" },
	{ "/etc/rc6.d", "S90reboot", "/etc/init.d/reboot", "../init.d/reboot" },
};

static bool has_link(struct edits *ed, const char *dir, const char *name)
{
	const struct strv all =
		edits_glob(ed, arena_printf(ed->mem, "%s/*", dir));

	for (size_t i = 0; i < all.n; i++) {
		const char *entry = strrchr(all.v[i], '/') + 1;

		if ((entry[0] == 'S' || entry[0] == 'K') && strlen(entry) > 3 &&
		    str_eq(entry + 3, name))
			return true;
	}
	return false;
}

void edits_halt_links(struct edits *ed)
{
	for (size_t i = 0; i < COUNT(halt_rows); i++) {
		const struct halt_row *row = &halt_rows[i];
		const char *dir;
		struct err e;

		if (tree_resolve(ed->p->root, row->dir, ed->mem, &dir, &e) <
			    0 ||
		    !str_eq(dir, row->dir) || /* the other family's */
		    !edits_is_program(ed, row->script) ||
		    has_link(ed, dir, row->name + 3))
			continue;
		edits_link(ed, arena_printf(ed->mem, "%s/%s", dir, row->name),
			   row->target);
	}
}

/* Whether a line that is no comment calls reboot(2) through a program. */
static bool ends(struct edits *ed, struct slice text)
{
	regex_t re CLEANUP(regfree);
	struct slice line;

	if (regcomp(&re,
		    "HALTARGS|(halt|reboot|poweroff)[[:space:]].*-[a-z]*[fdip]",
		    REG_EXTENDED | REG_NOSUB) != 0)
		return true;
	while (slice_next(&text, '\n', &line)) {
		const char *s = slice_dup(ed->mem, slice_trim(line));

		if (s[0] != '#' && regexec(&re, s, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

void edits_halt_script(struct edits *ed)
{
	const char *path;
	struct slice text;

	if (edits_read(ed, ed->row->path, &path, &text) &&
	    edits_is_program(ed, ed->row->path) && !ends(ed, text))
		edits_add_line(ed, path, ed->row->text);
}
