/*
 * Start groups: the lines of apps/init/mark, and which of them the boot script
 * of the host started. Source: util-vserver scripts/functions, getAllVservers
 * (grep -qx of a whole line; groups between commas, "!" or "~" before one
 * starts all others); scripts/vserver-wrapper; sysv/vservers-default.
 */
#include <string.h>

#include "base/str.h"
#include "importers/vserver/boot.h"

enum { DEFAULTS_MAX = 64 << 10 /* bytes of a file */ };

static const char ref_mark[] = "no start group: not started by the host";
static const char ref_inverted[] = "MARK of the host: all groups but others";

/* Where the boot script of the host reads MARK; the last wins. */
static const char *const mark_files[] = { "/etc/sysconfig/vservers-default",
					  "/etc/default/vservers-default" };

struct mark {
	struct setting *s;
	const char *text;
};

struct vserver_groups {
	VEC(struct mark) marks;
};

struct vserver_groups *vserver_groups_new(struct reading *r)
{
	return arena_alloc(r->g->mem, sizeof(struct vserver_groups));
}

int vserver_groups_keep(struct reading *r, struct vserver_groups *g,
			const char *value, struct err *e)
{
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == '\x7f')
			return err_set(e, 0, "no name of a start group");
	if (!str_utf8(value, strlen(value)))
		return err_set(e, 0, "no name of a start group");
	*vec_add(r->g->mem, &g->marks) = (struct mark){ r->cur, value };
	return 0;
}

/* The value of MARK= in a line, without quotes; NULL: another line. */
static const char *mark_line(struct arena *mem, struct slice line)
{
	const char *text = slice_dup(mem, slice_trim(line));
	size_t n;

	if (!str_starts(text, "MARK="))
		return NULL;
	text += strlen("MARK=");
	n = strcspn(text, text[0] == '"' || text[0] == '\'' ? "" : " \t#");
	if (text[0] == '"' || text[0] == '\'') {
		const char *close = strchr(text + 1, text[0]);

		text++;
		n = close == NULL ? strlen(text) : (size_t)(close - text);
	}
	return arena_strndup(mem, text, n);
}

/* The groups that the boot script of the host starts. */
static const char *host_marks(struct reading *r)
{
	const char *marks = "default", *data;
	struct err e;
	size_t n;

	for (size_t i = 0; i < COUNT(mark_files); i++) {
		struct slice rest, line;

		if (tree_read(vserver_of(r)->t, mark_files[i], DEFAULTS_MAX,
			      r->g->mem, &data, &n, &e) < 0)
			continue;
		rest = (struct slice){ data, n };
		while (slice_next(&rest, '\n', &line)) {
			const char *v = mark_line(r->g->mem, line);

			if (v != NULL && v[0] != '\0')
				marks = v;
		}
	}
	return marks;
}

/* Of a MARK of several words the tools used the first. */
static struct strv wanted_groups(struct reading *r, bool *ret_inverted)
{
	struct strv words = strv_split(r->g->mem, host_marks(r), " \t");
	struct strv wanted = { 0 };

	*ret_inverted = false;
	if (words.n > 0)
		wanted = strv_split(r->g->mem, words.v[0], ",");
	for (size_t i = 0; i < wanted.n; i++) {
		if (wanted.v[i][0] != '!' && wanted.v[i][0] != '~')
			continue;
		*ret_inverted = true;
		wanted.v[i]++;
	}
	return wanted;
}

static void start_at_boot(struct reading *r, const char *group)
{
	take_bool(r, FIELD_AUTOSTART, r->g, true);
	reading_find(r, FIND_INI_AUTOSTART, "group %s is started with the host",
		     group);
}

/* A line with blanks around the name of a group is not that group. */
static void near_miss(struct reading *r, const char *text,
		      const struct strv *wanted)
{
	const char *meant = slice_dup(
		r->g->mem, slice_trim((struct slice){ text, strlen(text) }));

	if (!str_eq(meant, text) && strv_has(wanted, meant))
		reading_find(r, FIND_SRC_MEANT,
			     "\"%s\" is not the group \"%s\", for a line "
			     "counts with its blanks: not started by it",
			     text, meant);
}

void vserver_groups_settle(struct reading *r, const struct vserver_groups *g)
{
	const struct vserver *v = vserver_of(r);
	bool inverted, found = false;
	const struct strv wanted = wanted_groups(r, &inverted);
	const bool disabled = tree_exists(
		v->t, arena_printf(r->g->mem, "%s/disabled", v->cfg));

	for (size_t i = 0; i < g->marks.n; i++) {
		const char *text = g->marks.v[i].text;

		reading_resume(r, g->marks.v[i].s);
		take_element(r, FIELD_START_GROUPS, r->g, text);
		near_miss(r, text, &wanted);
		if (!strv_has(&wanted, text))
			continue;
		found = true;
		if (!disabled && !inverted)
			start_at_boot(r, text);
	}
	if (inverted && !found && !disabled)
		reading_default(r, FIELD_AUTOSTART, r->g, "yes", ref_inverted);
	else
		reading_default(r, FIELD_AUTOSTART, r->g, "no", ref_mark);
}
