/* Upstart's jobs: those that a container needs, those that are dead. */
#include <regex.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "plan/edits.h"

static const char jobs[] = "/etc/init/*.conf";

static bool matches(struct edits *ed, const char *path, const regex_t *re)
{
	const char *real;
	struct slice text, line;

	if (!edits_read(ed, path, &real, &text))
		return false;
	while (slice_next(&text, '\n', &line)) {
		const char *s = slice_dup(ed->mem, slice_trim(line));

		if (s[0] != '#' && regexec(re, s, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

void edits_job(struct edits *ed)
{
	const char *last = strrchr(ed->row->path, '/');
	const char *dir = arena_strndup(ed->mem, ed->row->path,
					(size_t)(last - ed->row->path));
	const struct strv all = edits_glob(
		ed, arena_printf(ed->mem, "%s/*%s", dir,
				 str_ends(last, ".conf") ? ".conf" : ""));
	const char *path = edits_place(ed, ed->row->path);
	regex_t re CLEANUP(regfree) = { 0 };
	bool found = false;

	if (path == NULL || all.n == 0 ||
	    regcomp(&re, ed->row->pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return;
	for (size_t i = 0; i < all.n && !found; i++)
		found = matches(ed, all.v[i], &re);
	if (!found)
		edits_add(ed, path, ed->row->text, strlen(ed->row->text), 0644);
}

/* A job of comments alone does nothing; Upstart wants at least a stanza. */
void edits_dead_jobs(struct edits *ed)
{
	const struct strv all = edits_glob(ed, jobs);
	regex_t re CLEANUP(regfree);
	struct strv dead = { 0 };

	if (regcomp(&re, "[a-z]", REG_EXTENDED | REG_NOSUB) != 0)
		return;
	for (size_t i = 0; i < all.n; i++)
		if (!matches(ed, all.v[i], &re))
			strv_add(ed->mem, &dead, strrchr(all.v[i], '/') + 1);
	if (dead.n != 0)
		edits_find(ed, ed->row->finding, "/etc/init",
			   arena_printf(ed->mem, "%s: %s", ed->row->reason,
					strv_join(ed->mem, &dead, " ")));
}

static bool has_word(struct slice text)
{
	struct slice line;

	while (slice_next(&text, '\n', &line)) {
		line = slice_trim(line);
		if (line.n != 0 && line.p[0] != '#')
			return true;
	}
	return false;
}

/* The build put a "#" before every line, those of comments too. */
static bool uncommented(struct slice text, struct buf *out)
{
	struct slice line;

	while (slice_next(&text, '\n', &line)) {
		if (line.n != 0 && line.p[0] != '#')
			return false;
		if (line.n != 0)
			buf_add(out, line.p + 1, line.n - 1);
		if (text.n != 0 || line.n != 0)
			buf_addc(out, '\n');
	}
	return has_word((struct slice){ buf_str(out), out->n });
}

static void restore(struct edits *ed, const char *path)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	const char *real, *old;
	struct slice text, saved;

	if (!edits_read(ed, path, &real, &text) || has_word(text))
		return;
	if (edits_read(ed, arena_printf(ed->mem, "%s.orig", path), &old,
		       &saved) &&
	    has_word(saved))
		edits_write(ed, real, saved.p, saved.n);
	else if (uncommented(text, &out))
		edits_write(ed, real, buf_str(&out), out.n);
}

void edits_restore_jobs(struct edits *ed)
{
	const struct strv names = strv_split(ed->mem, ed->row->pattern, " ");

	for (size_t i = 0; i < names.n; i++)
		restore(ed,
			arena_printf(ed->mem, "/etc/init/%s.conf", names.v[i]));
}

static bool level_line(void *arg, const char *line, struct buf *out)
{
	static const char key[] = "env DEFAULT_RUNLEVEL=";
	const char *level = arg;

	if (!str_starts(line, key) || str_eq(line + strlen(key), level))
		return false;
	buf_printf(out, "%s%s", key, level);
	return true;
}

void edits_default_runlevel(struct edits *ed)
{
	const char *level = ed->p->g->runlevel.v;

	if (strlen(level) == 1 && strchr("2345", level[0]) != NULL)
		edits_lines(ed, ed->row->path, level_line,
			    arena_strdup(ed->mem, level));
}
