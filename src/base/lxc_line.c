/* The lines of an LXC config. */
#include <string.h>

#include "lxc_line.h"

static struct slice trim(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct slice){ s.p + 1, s.n - 1 };
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool is_quoted(struct slice s)
{
	return s.n > 1 && (s.p[0] == '"' || s.p[0] == '\'') &&
	       s.p[s.n - 1] == s.p[0];
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return true;
	return false;
}

static void cut_setting(struct lxc_line *l, const char *eq)
{
	const struct slice w = l->whole;

	l->kind = LXC_LINE_SETTING;
	l->key = trim((struct slice){ w.p, (size_t)(eq - w.p) });
	l->value = trim((struct slice){ eq + 1, w.n - (size_t)(eq + 1 - w.p) });
	l->quoted = is_quoted(l->value);
	if (l->quoted)
		l->value = (struct slice){ l->value.p + 1, l->value.n - 2 };
}

bool lxc_line_next(struct lxc_lines *l, struct lxc_line *ret)
{
	struct slice line;
	const char *eq;

	if (!slice_next(&l->rest, '\n', &line))
		return false;
	*ret = (struct lxc_line){ .number = ++l->number };
	if (line.n > 0 && line.p[line.n - 1] == '\r') {
		ret->crlf = true;
		line.n--;
	}
	ret->control = has_control(line);
	ret->whole = trim(line);
	eq = memchr(ret->whole.p, '=', ret->whole.n);
	if (ret->whole.n == 0)
		ret->kind = LXC_LINE_BLANK;
	else if (ret->whole.p[0] == '#')
		ret->kind = LXC_LINE_COMMENT;
	else if (ret->whole.n < 4 || memcmp(ret->whole.p, "lxc.", 4) != 0)
		ret->kind = LXC_LINE_FOREIGN;
	else if (eq == NULL)
		ret->kind = LXC_LINE_NO_VALUE;
	else
		cut_setting(ret, eq);
	return true;
}

bool lxc_line_ignores(const struct strv *options, const char *word)
{
	static const char *const flags[] = {
		"nosuid",     "suid",     "nodev",    "dev",
		"noexec",     "exec",     "noatime",  "atime",
		"nodiratime", "diratime", "relatime", "norelatime",
		"strictatime"
	};

	if ((!strv_has(options, "bind") && !strv_has(options, "rbind")) ||
	    strv_has(options, "ro"))
		return false;
	for (size_t i = 0; i < COUNT(flags); i++)
		if (str_eq(word, flags[i]))
			return true;
	return false;
}
