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
	const struct strv all = edits_glob(ed, jobs);
	const char *path = edits_place(ed, ed->row->path);
	regex_t re CLEANUP(regfree);
	bool found = false;

	if (regcomp(&re, ed->row->pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return;
	for (size_t i = 0; i < all.n && !found; i++)
		found = matches(ed, all.v[i], &re);
	if (!found && path != NULL && all.n != 0)
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
