/*
 * Prepares the site file for libconfuse 3.3, which counts the lines of
 * comments wrongly, keeps no line for a block, lets a block replace an earlier
 * one of the same title, and takes a block that is never closed. Only quotes,
 * comments and braces are looked at here.
 */
#include <string.h>

#include "site_text.h"

struct scan {
	const char *path;
	char *text; /* a copy; comments become blanks in it */
	size_t n, at;
	unsigned line, depth;
	struct site_piece piece; /* the one under way */
};

/* One byte on; counts lines. */
static void step(struct scan *s)
{
	if (s->text[s->at] == '\n')
		s->line++;
	s->at++;
}

static bool looking_at(const struct scan *s, const char *what)
{
	const size_t n = strlen(what);

	return s->n - s->at >= n && memcmp(s->text + s->at, what, n) == 0;
}

/* A word goes on over slashes: "http://x" is no comment, "#" ends a word. */
static bool at_word_start(const struct scan *s)
{
	return s->at == 0 ||
	       strchr(" \t\r\n={}()+,\"'", s->text[s->at - 1]) != NULL;
}

static void blank(struct scan *s)
{
	if (s->text[s->at] != '\n')
		s->text[s->at] = ' ';
	step(s);
}

static int skip_comment(struct scan *s, struct err *e)
{
	const unsigned line = s->line;

	if (!looking_at(s, "/*")) {
		while (s->at < s->n && s->text[s->at] != '\n')
			blank(s);
		return 0;
	}
	blank(s);
	blank(s);
	while (s->at < s->n && !looking_at(s, "*/"))
		blank(s);
	if (s->at == s->n)
		return err_set(e, 0, "%s:%u: the comment has no end", s->path,
			       line);
	blank(s);
	blank(s);
	return 0;
}

static int skip_string(struct scan *s, struct err *e)
{
	const char quote = s->text[s->at];
	const unsigned line = s->line;

	step(s);
	while (s->at < s->n && s->text[s->at] != quote) {
		if (s->text[s->at] == '\\' && s->at + 1 < s->n)
			step(s);
		step(s);
	}
	if (s->at == s->n)
		return err_set(e, 0, "%s:%u: the text has no closing quote",
			       s->path, line);
	step(s);
	return 0;
}

static void end_piece(struct scan *s, size_t *start, struct arena *mem,
		      struct site_pieces *ret)
{
	s->piece.text = arena_strndup(mem, s->text + *start, s->at - *start);
	*vec_add(mem, ret) = s->piece;
	*start = s->at;
	s->piece = (struct site_piece){ .line = s->line };
}

/* A brace; true at the end of a piece. */
static bool brace(struct scan *s)
{
	const char c = s->text[s->at];

	if (c == '{' && s->depth++ == 0)
		s->piece.block = s->line;
	step(s);
	return c == '}' && s->depth > 0 && --s->depth == 0;
}

static int scan_one(struct scan *s, bool *ret_end, struct err *e)
{
	const char c = s->text[s->at];

	if (c == '\0')
		return err_set(e, 0, "%s:%u: a NUL byte", s->path, s->line);
	if (c == '"' || c == '\'')
		return skip_string(s, e);
	if (c == '#' ||
	    ((looking_at(s, "//") || looking_at(s, "/*")) && at_word_start(s)))
		return skip_comment(s, e);
	if (c == '{' || c == '}')
		*ret_end = brace(s);
	else
		step(s);
	return 0;
}

int site_text_cut(const char *path, const char *text, size_t n,
		  struct arena *mem, struct site_pieces *ret, struct err *e)
{
	struct scan s = { .path = path, .n = n, .line = 1 };
	struct site_pieces pieces = { 0 };
	size_t start = 0;

	s.text = arena_strndup(mem, text, n);
	if (strlen(s.text) < n)
		s.n = strlen(s.text) + 1; /* the NUL is told at its line */
	s.piece.line = 1;
	while (s.at < s.n) {
		bool end = false;

		if (scan_one(&s, &end, e) < 0)
			return -1;
		if (end)
			end_piece(&s, &start, mem, &pieces);
	}
	if (s.depth > 0)
		return err_set(e, 0, "%s:%u: the block is not closed", path,
			       s.piece.block);
	end_piece(&s, &start, mem, &pieces);
	*ret = pieces;
	return 0;
}
