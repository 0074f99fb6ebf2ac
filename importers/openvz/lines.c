/* Cutting a configuration into assignments; openvz.md 2.1 and 2.2. */
#include <ctype.h>
#include <string.h>

#include "importers/openvz/lines.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice left_trim(struct slice s)
{
	while (s.n > 0 && is_blank(*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

static struct slice right_trim(struct slice s)
{
	while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

bool openvz_is_uuid(const char *s)
{
	size_t digits = 0, dashes = 0;

	if (*s == '{')
		s++;
	for (; *s != '\0' && *s != '}'; s++) {
		if (str_eq(s, ".conf"))
			break;
		if (*s == '-')
			dashes++;
		else if (isxdigit((unsigned char)*s))
			digits++;
		else
			return false;
	}
	return digits == 32 && dashes == 4;
}

/* The last quote of s that no backslash precedes; NULL: none. */
static const char *last_quote(struct slice s, char quote)
{
	const char *last = NULL;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (s.p[i] == quote)
			last = s.p + i;
	}
	return last;
}

/* "\x" is "x"; a backslash at the end stays. */
static const char *unescape(struct arena *mem, struct slice s)
{
	char *text = arena_alloc(mem, s.n + 1), *at = text;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		*at++ = s.p[i];
	}
	return text;
}

/* Where " #" begins in an unquoted value; its length when there is none. */
static size_t comment_at(struct slice s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == '#' && is_blank(s.p[i - 1]))
			return i;
	return s.n;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
			return false;
	return s.n > 0 && !isdigit((unsigned char)s.p[0]);
}

/* Whether the line sets something itself: it is no middle of a value. */
static bool is_assignment(struct slice s)
{
	const char *eq = memchr(s.p, '=', s.n);

	s = left_trim(s);
	return eq != NULL && eq > s.p &&
	       is_name((struct slice){ s.p, (size_t)(eq - s.p) });
}

struct cutter {
	struct arena *mem;
	enum ov_dialect dialect;
	struct slice rest; /* lines after the current one */
	unsigned line;
	struct ov_lines *ret;
};

/*
 * A value whose quote is closed on a later line, with only words between:
 * their texts joined. False, and nothing is taken, when there is none.
 */
static bool join(struct cutter *c, struct slice first, char quote,
		 struct slice *ret)
{
	struct slice rest = c->rest, line;
	unsigned n = 0;
	char *text = slice_dup(c->mem, first);

	while (slice_next(&rest, '\n', &line)) {
		const char *end = last_quote(line, quote);

		n++;
		if (is_assignment(line))
			return false;
		if (end != NULL)
			line.n = (size_t)(end - line.p);
		text = arena_printf(c->mem, "%s %.*s", text, (int)line.n,
				    line.p);
		if (end == NULL)
			continue;
		c->rest = rest;
		c->line += n;
		*ret = (struct slice){ text, strlen(text) };
		return true;
	}
	return false;
}

/* Between quotes; what is behind the last one does not count. */
static void quoted_value(struct cutter *c, struct ov_line *l, struct slice v)
{
	const char quote = v.p[0];
	const struct slice in = { v.p + 1, v.n - 1 };
	const char *end = last_quote(in, quote);
	struct slice text = in;

	if (end != NULL) {
		text.n = (size_t)(end - in.p);
		l->trailing = end + 1 < in.p + in.n;
	} else if (join(c, in, quote, &text)) {
		l->fault = OV_JOINED;
	} else {
		l->fault = OV_OPEN_QUOTE;
	}
	l->text = unescape(c->mem, text);
}

static void value(struct cutter *c, struct ov_line *l, struct slice v)
{
	const size_t end = comment_at(v);

	if (v.n > 0 &&
	    (v.p[0] == '"' || (v.p[0] == '\'' && c->dialect == OV_V7))) {
		quoted_value(c, l, v);
		return;
	}
	l->single_quoted = v.n > 0 && v.p[0] == '\'';
	l->comment = end < v.n;
	v.n = end;
	l->text = unescape(c->mem, right_trim(v));
}

static void cut_line(struct cutter *c, struct slice s)
{
	struct ov_line *l = vec_add(c->mem, c->ret);
	const char *eq = memchr(s.p, '=', s.n);
	struct slice name;

	*l = (struct ov_line){ .line = c->line, .key = "" };
	if (memchr(s.p, '\0', s.n) != NULL) {
		l->nul = true; /* the rest was lost to a C string */
		s.n = strnlen(s.p, s.n);
		eq = memchr(s.p, '=', s.n);
	}
	l->crlf = s.n > 0 && s.p[s.n - 1] == '\r';
	s = right_trim(s);
	if (eq == NULL || eq == s.p) {
		l->fault = OV_NO_ASSIGNMENT;
		l->text = slice_dup(c->mem, s);
		return;
	}
	name = (struct slice){ s.p, (size_t)(eq - s.p) };
	if (name.n > 7 && memcmp(name.p, "export", 6) == 0 &&
	    is_blank(name.p[6])) {
		name = left_trim((struct slice){ name.p + 7, name.n - 7 });
		l->fault = OV_UNSEEN;
	}
	l->key = slice_dup(c->mem, right_trim(name));
	if (right_trim(name).n != name.n)
		l->fault = OV_UNSEEN;
	for (const char *k = l->key; *k != '\0'; k++)
		if (islower((unsigned char)*k) || *k == '+')
			l->fault = OV_UNSEEN;
	s = (struct slice){ eq + 1, s.n - (size_t)(eq + 1 - s.p) };
	value(c, l, l->fault == OV_UNSEEN ? left_trim(s) : s);
}

static void comment(struct cutter *c, struct slice s)
{
	static const char word[] = "#UUID:";
	const size_t n = strlen(word);

	if (s.n <= n || memcmp(s.p, word, n) != 0 || c->ret->uuid != NULL)
		return;
	c->ret->uuid = slice_dup(
		c->mem, slice_trim((struct slice){ s.p + n, s.n - n }));
	c->ret->uuid_line = c->line;
}

void openvz_lines_cut(struct arena *mem, const char *data, size_t n,
		      enum ov_dialect dialect, struct ov_lines *ret)
{
	struct cutter c = {
		.mem = mem, .dialect = dialect, .rest = { data, n }, .ret = ret
	};
	struct slice line;

	*ret = (struct ov_lines){ 0 };
	if (n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		ret->bom = true;
		c.rest = (struct slice){ data + 3, n - 3 };
	}
	while (slice_next(&c.rest, '\n', &line)) {
		struct slice s = left_trim(line);

		c.line++;
		if (right_trim(s).n == 0)
			continue;
		if (s.p[0] == '#')
			comment(&c, s);
		else
			cut_line(&c, s);
	}
}

/* Whether a line begins with the word. */
static bool has_line(const char *data, size_t n, const char *word)
{
	struct slice rest = { data, n }, line;

	while (slice_next(&rest, '\n', &line)) {
		line = left_trim(line);
		if (line.n >= strlen(word) &&
		    memcmp(line.p, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

/* The value of a key as its line has it, quotes and all; n 0: none. */
static struct slice raw_value(const char *data, size_t n, const char *word)
{
	struct slice rest = { data, n }, line;

	while (slice_next(&rest, '\n', &line)) {
		line = left_trim(line);
		if (line.n > strlen(word) &&
		    memcmp(line.p, word, strlen(word)) == 0)
			return (struct slice){ line.p + strlen(word),
					       line.n - strlen(word) };
	}
	return (struct slice){ "", 0 };
}

static bool holds(struct slice s, const char *word)
{
	return s.n > 0 && memmem(s.p, s.n, word, strlen(word)) != NULL;
}

enum ov_dialect openvz_dialect_of(const char *path, const char *data, size_t n)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	struct slice netif = raw_value(data, n, "NETIF=");

	if (openvz_is_uuid(name) || str_starts(name, "ve.conf") ||
	    has_line(data, n, "DISK=") ||
	    holds(raw_value(data, n, "UUID="), "-") ||
	    has_line(data, n, "VEID=") || has_line(data, n, "DISTRIBUTION=") ||
	    holds(netif, "type=") || holds(netif, "network="))
		return OV_V7;
	if (strstr(path, "/openvz/") != NULL || has_line(data, n, "INITLOG="))
		return OV_PVE;
	return OV_LEGACY;
}
