/* Changes of lines: commented out, substituted, appended. */
#include <regex.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "plan/edits.h"

/* So that an admin finds them and can take it back with one command of sed. */
static const char mark[] = "# rehost: ";

void edits_comment_out(struct buf *out, const char *line)
{
	buf_printf(out, "%s%s", mark, line);
}

static bool change_text(struct edits *ed, struct slice text, edits_line change,
			void *arg, struct buf *out)
{
	struct slice rest = text, line;
	bool changed = false;

	while (slice_next(&rest, '\n', &line)) {
		const bool last = line.p + line.n == text.p + text.n;

		if (change(arg, slice_dup(ed->mem, line), out))
			changed = true;
		else
			buf_add(out, line.p, line.n);
		if (!last)
			buf_addc(out, '\n');
	}
	return changed;
}

void edits_lines(struct edits *ed, const char *path, edits_line change,
		 void *arg)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	const char *real;
	struct slice text;

	if (edits_read(ed, path, &real, &text) &&
	    change_text(ed, text, change, arg, &out))
		edits_write(ed, real, buf_str(&out), out.n);
}

/* Compiled expressions of a row. */
struct match {
	regex_t pattern, except;
	bool has_except;
	const char *text;
};

static void match_done(struct match *m)
{
	regfree(&m->pattern);
	if (m->has_except)
		regfree(&m->except);
}

/* A table's expression that does not compile is a fault that tests find. */
static bool match_init(struct match *m, const struct edits_row *row,
		       bool except)
{
	if (regcomp(&m->pattern, row->pattern, REG_EXTENDED) != 0)
		return false;
	m->text = row->text;
	m->has_except =
		except && row->text != NULL &&
		regcomp(&m->except, row->text, REG_EXTENDED | REG_NOSUB) == 0;
	return true;
}

static bool comment(void *arg, const char *line, struct buf *out)
{
	const struct match *m = arg;

	if (line[0] == '#' || regexec(&m->pattern, line, 0, NULL, 0) != 0 ||
	    (m->has_except && regexec(&m->except, line, 0, NULL, 0) == 0))
		return false;
	edits_comment_out(out, line);
	return true;
}

static bool substitute(void *arg, const char *line, struct buf *out)
{
	const struct match *m = arg;
	regmatch_t at[2];
	const regmatch_t *part;

	if (regexec(&m->pattern, line, 2, at, 0) != 0)
		return false;
	part = m->pattern.re_nsub != 0 && at[1].rm_so >= 0 ? &at[1] : &at[0];
	if (strlen(m->text) == (size_t)(part->rm_eo - part->rm_so) &&
	    strncmp(m->text, line + part->rm_so, strlen(m->text)) == 0)
		return false;
	buf_add(out, line, (size_t)part->rm_so);
	buf_adds(out, m->text);
	buf_adds(out, line + part->rm_eo);
	return true;
}

static void each(struct edits *ed, edits_line change, bool except)
{
	const struct strv paths = edits_glob(ed, ed->row->path);
	struct match m CLEANUP(match_done) = { 0 };

	if (paths.n == 0 || !match_init(&m, ed->row, except))
		return;
	for (size_t i = 0; i < paths.n; i++)
		if (!tree_is_dir(ed->p->root, paths.v[i]))
			edits_lines(ed, paths.v[i], change, &m);
}

void edits_comment(struct edits *ed)
{
	each(ed, comment, true);
}

void edits_substitute(struct edits *ed)
{
	each(ed, substitute, false);
}

static bool any_line(struct edits *ed, struct slice text, const regex_t *re)
{
	struct slice line;

	while (slice_next(&text, '\n', &line))
		if (regexec(re, slice_dup(ed->mem, line), 0, NULL, 0) == 0)
			return true;
	return false;
}

void edits_add_line(struct edits *ed, const char *path, const char *line)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	const char *real = edits_place(ed, path);
	struct slice text = { "", 0 };

	if (edits_exists(ed, path) && !edits_read(ed, path, &real, &text))
		return;
	if (real == NULL)
		return;
	buf_add(&out, text.p, text.n);
	if (text.n != 0 && text.p[text.n - 1] != '\n')
		buf_addc(&out, '\n');
	buf_printf(&out, "%s\n", line);
	edits_write(ed, real, out.p, out.n);
}

void edits_append(struct edits *ed)
{
	const struct strv paths = edits_glob(ed, ed->row->path);
	struct match m CLEANUP(match_done) = { 0 };
	const char *real;
	struct slice text;

	if (paths.n == 0 || !match_init(&m, ed->row, false))
		return;
	for (size_t i = 0; i < paths.n; i++)
		if (!tree_is_dir(ed->p->root, paths.v[i]) &&
		    edits_read(ed, paths.v[i], &real, &text) &&
		    !any_line(ed, text, &m.pattern))
			edits_add_line(ed, paths.v[i], ed->row->text);
}
