/*
 * A scanner for the little of the shell that legacy configurations are made
 * of: statements, quotes, comments, line continuation, case "$PROFILE". It
 * errs on the side of not understanding.
 */
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "importers/vserver/legacy_scan.h"

enum {
	CASE_DEPTH_MAX = 8,
	STATEMENTS_MAX = 10000, /* of a file: no configuration is that long */
	VALUE_MAX = 64 << 10,   /* bytes, for $A$A could grow without bound */
};

struct scanner {
	struct legacy_scan *out;
	struct arena *mem;
	const char *p, *end;
	unsigned line;
	unsigned cases; /* case statements around */
	const char
		*profile; /* of the branch that is read, not active; or NULL */
	unsigned unknown; /* code blocks around: if, for, ... */
	unsigned open;    /* case statements whose esac is not read yet */
	bool form;        /* in the block of LEGACY_FORM */
	bool gave_up;     /* what follows was not read, and that is said */
};

/* How a statement ended. */
enum stop { STOP_LINE, STOP_BRANCH /* ;; */, STOP_END };

/* --- characters --- */

static bool at_end(const struct scanner *s)
{
	return s->p >= s->end;
}

static char look(const struct scanner *s, size_t n)
{
	return (size_t)(s->end - s->p) > n ? s->p[n] : '\0';
}

static char take(struct scanner *s)
{
	if (*s->p == '\n')
		s->line++;
	return *s->p++;
}

static void skip_comment(struct scanner *s)
{
	while (!at_end(s) && *s->p != '\n')
		s->p++;
}

static bool is_joined(const struct scanner *s)
{
	return look(s, 0) == '\\' && look(s, 1) == '\n';
}

/* Blanks; with lines also newlines, comments and empty statements. */
static void skip(struct scanner *s, bool lines)
{
	while (!at_end(s)) {
		const char c = look(s, 0);

		if (c == ' ' || c == '\t') {
			take(s);
		} else if (is_joined(s)) {
			take(s);
			take(s);
		} else if (lines && c == '#') {
			skip_comment(s);
		} else if (lines &&
			   (c == '\n' || (c == ';' && look(s, 1) != ';'))) {
			take(s);
		} else {
			break;
		}
	}
}

static bool next_is(const struct scanner *s, const char *word)
{
	const size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, word, n) == 0 &&
	       (look(s, n) == '\0' || strchr(" \t\n;", look(s, n)) != NULL);
}

/* Copies a quoted part with its quotes; false: it is never closed. */
static bool copy_quoted(struct scanner *s, struct buf *b)
{
	const char quote = look(s, 0);

	buf_addc(b, take(s));
	while (!at_end(s)) {
		if (look(s, 0) == quote) {
			buf_addc(b, take(s));
			return true;
		}
		if (quote != '\'' && is_joined(s)) {
			take(s);
			take(s);
			continue;
		}
		if (quote != '\'' && look(s, 0) == '\\' && s->end - s->p > 1)
			buf_addc(b, take(s));
		buf_addc(b, take(s));
	}
	return false;
}

/* One statement as it stands, lines joined; ends behind its newline or ;;. */
static enum stop read_statement(struct scanner *s, struct buf *b,
				bool *ret_open)
{
	*ret_open = false;
	while (!at_end(s)) {
		const char c = look(s, 0);

		if (is_joined(s)) {
			take(s);
			take(s);
		} else if (c == '\'' || c == '"' || c == '`') {
			*ret_open = !copy_quoted(s, b) || *ret_open;
		} else if (c == '\\') {
			buf_addc(b, take(s));
			if (!at_end(s))
				buf_addc(b, take(s));
		} else if (c == '#' && (b->n == 0 || b->p[b->n - 1] == ' ' ||
					b->p[b->n - 1] == '\t')) {
			skip_comment(s);
		} else if (c == '\n' || c == ';') {
			take(s);
			if (c == '\n' || look(s, 0) != ';')
				return STOP_LINE;
			take(s);
			return STOP_BRANCH;
		} else {
			buf_addc(b, take(s));
		}
	}
	return STOP_END;
}

/* --- values --- */

static struct legacy_statement *last_value(struct scanner *s, const char *name)
{
	for (size_t i = s->out->list.n; i > 0; i--) {
		struct legacy_statement *x = &s->out->list.v[i - 1];

		if (x->name == NULL || !str_eq(x->name, name))
			continue;
		if (x->kind == LEGACY_VALUE)
			return x;
		if (x->kind == LEGACY_BAD || x->kind == LEGACY_MAYBE)
			return NULL;
	}
	return NULL;
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	if (!isalpha((unsigned char)p[0]) && p[0] != '_')
		return 0;
	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* $NAME or ${NAME} at *p; false: anything else, or not known. */
static bool expand(struct scanner *s, const char **p, struct buf *b)
{
	const bool brace = (*p)[1] == '{';
	const char *at = *p + 1 + brace;
	const size_t n = name_length(at);
	const char *name = arena_strndup(s->mem, at, n);
	struct legacy_statement *x;

	if (n == 0 || (brace && at[n] != '}'))
		return false;
	*p = at + n + brace;
	x = last_value(s, name);
	if (x == NULL && str_eq(name, "PROFILE")) {
		buf_adds(b, s->out->profile);
		return true;
	}
	if (x == NULL)
		return false;
	x->used = true;
	buf_adds(b, x->value);
	return true;
}

/* A character of a word where quote is 0, '"' or '\''; false: code. */
static bool unquote_one(struct scanner *s, const char **p, char *quote,
			struct buf *b)
{
	const char c = **p;

	if (*quote != '\0' && c == *quote) {
		*quote = '\0';
	} else if (*quote == '\'') {
		buf_addc(b, c);
	} else if (*quote == '\0' && (c == '"' || c == '\'')) {
		*quote = c;
	} else if (c == '$') {
		return expand(s, p, b);
	} else if (c == '`' ||
		   (*quote == '\0' && strchr("()&|<>*?[~", c) != NULL)) {
		return false;
	} else if (c == '\\' && (*p)[1] != '\0' &&
		   (*quote == '\0' || strchr("\\\"$`", (*p)[1]) != NULL)) {
		(*p)++;
		buf_addc(b, **p);
	} else {
		buf_addc(b, c);
	}
	(*p)++;
	return true;
}

/* The value of the word at *p, which ends at a blank; NULL: code. */
static const char *word_value(struct scanner *s, const char **p)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	char quote = '\0';

	while (**p != '\0' && (quote != '\0' || (**p != ' ' && **p != '\t'))) {
		if (!unquote_one(s, p, &quote, &b) || b.n > VALUE_MAX)
			return NULL;
	}
	return quote != '\0' ? NULL : arena_strdup(s->mem, buf_str(&b));
}

/* --- statements --- */

static struct legacy_statement *add(struct scanner *s, enum legacy_kind kind,
				    unsigned line, const char *text)
{
	struct legacy_statement *x = vec_add(s->mem, &s->out->list);

	*x = (struct legacy_statement){
		.kind = kind, .line = line, .text = text, .profile = s->profile
	};
	return x;
}

static void add_code(struct scanner *s, unsigned line, const char *text,
		     const char *why)
{
	enum legacy_kind kind = LEGACY_CODE;

	if (s->profile != NULL)
		kind = LEGACY_INACTIVE;
	else if (s->unknown > 0)
		kind = LEGACY_QUIET;
	else if (s->form)
		kind = LEGACY_FORM;
	add(s, kind, line, text)->why = why;
}

/* Keywords that open or close a block, or stand before a statement. */
static const struct keyword {
	const char *word;
	int depth;   /* +1 opens, -1 closes */
	bool before; /* a statement follows on the line */
} keywords[] = {
	{ "if", 1, false },    { "for", 1, false },    { "while", 1, false },
	{ "until", 1, false }, { "select", 1, false }, { "{", 1, false },
	{ "(", 1, false },     { "fi", -1, false },    { "done", -1, false },
	{ "}", -1, false },    { ")", -1, false },     { "then", 0, true },
	{ "else", 0, true },   { "do", 0, true },      { "elif", 0, false },
};

static const struct keyword *keyword_of(const char *text)
{
	for (size_t i = 0; i < COUNT(keywords); i++) {
		const size_t n = strlen(keywords[i].word);

		if (str_starts(text, keywords[i].word) &&
		    strchr(" \t&|;)", text[n]) != NULL)
			return &keywords[i];
	}
	return NULL;
}

static bool opens_function(const char *text)
{
	return str_ends(text, "{") && strstr(text, "()") != NULL;
}

/* Assignments of a statement that has nothing else in it. */
static bool only_assignments(const char *text)
{
	struct slice rest = { text, strlen(text) };
	char quote = '\0';
	bool start = true;

	for (size_t i = 0; i < rest.n; i++) {
		const char c = text[i];

		if (start && c != ' ' && c != '\t') {
			const size_t n = name_length(text + i);

			if (n == 0 || text[i + n] != '=')
				return false;
			start = false;
		}
		if (quote != '\0' ? c == quote :
				    c == '"' || c == '\'' || c == '`')
			quote = quote != '\0' ? '\0' : c;
		else if (c == '\\' && quote != '\'')
			i++;
		else if (quote == '\0' && (c == ' ' || c == '\t'))
			start = true;
		else if (quote == '\0' && c == '(') /* $(...), or a list */
			return text[i - 1] == '$' || text[i - 1] == '=';
		else if (quote == '\0' && (c == '&' || c == '|'))
			return false;
	}
	return true;
}

static void assign(struct scanner *s, unsigned line, const char *name,
		   const char *value, const char *text)
{
	enum legacy_kind kind = LEGACY_VALUE;
	struct legacy_statement *x;

	if (s->profile != NULL)
		kind = LEGACY_INACTIVE;
	else if (s->unknown > 0)
		kind = LEGACY_MAYBE;
	else if (value == NULL)
		kind = LEGACY_BAD;
	else if (s->form && s->out->known)
		kind = LEGACY_FORM;
	x = add(s, kind, line, text);
	x->name = name;
	x->value = value;
	x->why = kind == LEGACY_MAYBE ? "whether it holds is decided by code" :
					"the value is made by code";
	if (kind == LEGACY_VALUE && str_eq(name, "PROFILE")) {
		s->out->profile = value;
		s->out->known = true;
	}
}

/* NAME=VALUE ... with or without export. */
static void assignments(struct scanner *s, unsigned line, const char *text)
{
	const char *p = text;

	while (*p != '\0') {
		const char *from = p, *value, *name;
		size_t n;

		p += strspn(p, " \t");
		if (*p == '\0')
			break;
		n = name_length(p);
		name = arena_strndup(s->mem, p, n);
		from = p;
		p += n + 1;
		value = word_value(s, &p);
		assign(s, line, name, value,
		       value == NULL ?
			       from :
			       arena_strndup(s->mem, from, (size_t)(p - from)));
		if (value == NULL)
			return;
	}
}

static void plain(struct scanner *s, unsigned line, const char *text)
{
	const char *rest = text;

	if (str_starts(text, "export ") || str_starts(text, "export\t")) {
		rest = text + 7;
		rest += strspn(rest, " \t");
		if (name_length(rest) > 0 && rest[name_length(rest)] == '\0') {
			add(s,
			    s->profile != NULL ? LEGACY_INACTIVE :
						 LEGACY_EXPORT,
			    line, text);
			return;
		}
	}
	if (str_starts(rest + name_length(rest), "+=") && name_length(rest) > 0)
		assign(s, line, arena_strndup(s->mem, rest, name_length(rest)),
		       NULL, rest);
	else if (name_length(rest) > 0 && only_assignments(rest))
		assignments(s, line, rest);
	else
		add_code(s, line, text, "it is not understood and was not run");
}

/* What stands behind then, else and do on their lines. */
static const char *behind_keywords(struct scanner *s, unsigned line,
				   const char *text)
{
	const struct keyword *k = keyword_of(text);

	while (k != NULL && k->before) {
		add_code(s, line, k->word, "a part of code");
		text += strlen(k->word);
		text += strspn(text, " \t");
		k = keyword_of(text);
	}
	return text;
}

/* What follows cannot be told from data: nothing more is taken. */
static void give_up(struct scanner *s, unsigned line, const char *text,
		    const char *why)
{
	add_code(s, line, text, why);
	s->p = s->end;
	s->gave_up = true;
}

/* The block of LEGACY_FORM begins. */
static bool opens_form(const struct scanner *s, const char *text)
{
	static const char *const spellings[] = {
		"if [ \"$PROFILE\" = \"\" ]",
		"if [ -z \"$PROFILE\" ]",
		"if test -z \"$PROFILE\"",
	};

	if (s->profile != NULL || s->unknown > 0 || s->form)
		return false;
	for (size_t i = 0; i < COUNT(spellings); i++)
		if (str_eq(text, spellings[i]))
			return true;
	return false;
}

/* In that block: whether the statement belongs to it; else it is code. */
static bool in_form(struct scanner *s, unsigned line, const char *text)
{
	if (str_eq(text, "fi")) {
		add_code(s, line, text, NULL);
		s->form = false;
		return true;
	}
	if (!str_starts(text, "PROFILE=") || !only_assignments(text) ||
	    strpbrk(text, " \t") != NULL) {
		s->form = false;
		s->unknown++;
		return false;
	}
	assignments(s, line, text);
	return true;
}

static void statement(struct scanner *s, unsigned line, const char *text,
		      bool open)
{
	const struct keyword *k;

	if (open || strstr(text, "<<") != NULL) {
		give_up(s, line, text,
			open ? "a quote is never closed" :
			       "text for a program: the rest is not read");
		return;
	}
	if (opens_form(s, text)) {
		s->form = true;
		add_code(s, line, text, NULL);
		return;
	}
	text = behind_keywords(s, line, text);
	k = keyword_of(text);
	if (text[0] == '\0' || (s->form && in_form(s, line, text)))
		return;
	if (k == NULL && !opens_function(text)) {
		plain(s, line, text);
	} else if (k != NULL && k->depth < 0 && s->unknown > 0) {
		add_code(s, line, text, "a part of code");
		s->unknown--;
	} else {
		add_code(s, line, text, "it is not understood and was not run");
		if (k == NULL || k->depth > 0)
			s->unknown++;
	}
}

/* --- case --- */

static bool read_list(struct scanner *s, bool in_case);

/* Text up to one of the stops or the line's end; the stop is taken. */
static const char *read_until(struct scanner *s, char stop)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	while (!at_end(s) && look(s, 0) != stop && look(s, 0) != '\n') {
		if (look(s, 0) != '"' && look(s, 0) != '\'')
			buf_addc(&b, look(s, 0));
		take(s);
	}
	if (at_end(s) || look(s, 0) != stop)
		return NULL;
	take(s);
	return arena_strdup(s->mem, buf_str(&b));
}

static bool pattern_fits(struct scanner *s, const char *pattern)
{
	const struct strv words = strv_split(s->mem, pattern, "| \t");

	for (size_t i = 0; i < words.n; i++)
		if (str_glob(words.v[i], s->out->profile))
			return true;
	return false;
}

static bool take_esac(struct scanner *s)
{
	if (!next_is(s, "esac"))
		return false;
	s->p += strlen("esac");
	s->open--;
	return true;
}

/* The branches; those of an unknown case are code, whatever they hold. */
static void read_branches(struct scanner *s, bool known)
{
	const char *outside = s->profile;
	bool found = false, more = true;

	while (more) {
		const char *pattern;

		skip(s, true);
		if (at_end(s))
			break;
		if (take_esac(s))
			break;
		if (look(s, 0) == '(')
			take(s);
		pattern = read_until(s, ')');
		if (pattern == NULL) {
			give_up(s, s->line, "case", "a branch without )");
			break;
		}
		if (known && outside == NULL) {
			const bool fits = !found && pattern_fits(s, pattern);

			s->profile = fits ? NULL : pattern;
			found = found || fits;
		}
		more = read_list(s, true);
		s->profile = outside;
	}
}

/* The subject of a case statement is PROFILE, however it is spelled. */
static bool is_profile(const char *subject)
{
	static const char *const spellings[] = { "$PROFILE", "${PROFILE}",
						 "$PROFILE ", "${PROFILE} " };

	for (size_t i = 0; i < COUNT(spellings); i++)
		if (str_eq(subject, spellings[i]))
			return true;
	return false;
}

/* The shell runs nothing of a case before it has seen its end. */
static void never_run(struct scanner *s, size_t first)
{
	for (size_t i = first; i < s->out->list.n; i++) {
		struct legacy_statement *x = &s->out->list.v[i];

		if (x->kind == LEGACY_VALUE) {
			x->kind = LEGACY_MAYBE;
			x->why = "it stands in a case that is never closed";
		}
	}
}

static void read_case(struct scanner *s)
{
	const unsigned line = s->line;
	size_t first;
	struct buf b CLEANUP(buf_done) = { 0 };
	const char *text;
	bool known;

	s->p += strlen("case");
	skip(s, false);
	while (!at_end(s) && look(s, 0) != '\n' && !next_is(s, "in")) {
		if (look(s, 0) != '"')
			buf_addc(&b, look(s, 0));
		take(s);
	}
	skip(s, true);
	known = is_profile(buf_str(&b)) && s->unknown == 0;
	if (!next_is(s, "in") || s->cases >= CASE_DEPTH_MAX) {
		give_up(s, line, "case", "it is not understood");
		return;
	}
	s->p += strlen("in");
	text = arena_printf(s->mem, "case %s in",
			    slice_dup(s->mem, slice_trim((struct slice){
						      buf_str(&b), b.n })));
	s->cases++;
	s->open++;
	if (!known) {
		add_code(s, line, text, "it is not understood and was not run");
		s->unknown++;
	}
	first = s->out->list.n;
	read_branches(s, known);
	if (!known)
		s->unknown--;
	if (s->open == s->cases && !s->gave_up) {
		s->gave_up = true;
		never_run(s, first);
		add_code(s, line, text, "it is never closed");
	}
	s->cases--;
}

/* Statements up to the end, or of a branch; false: the case is over. */
static bool read_list(struct scanner *s, bool in_case)
{
	for (;;) {
		struct buf b CLEANUP(buf_done) = { 0 };
		unsigned line;
		enum stop stop;
		bool open;

		skip(s, true);
		if (at_end(s))
			return false;
		if (in_case && take_esac(s))
			return false;
		if (look(s, 0) == ';') { /* ;; behind a newline */
			take(s);
			take(s);
			if (in_case)
				return true;
			continue;
		}
		if (next_is(s, "case")) {
			read_case(s);
			continue;
		}
		line = s->line;
		if (s->out->list.n >= STATEMENTS_MAX) {
			give_up(s, line, "...",
				"too long: the rest is not read");
			return false;
		}
		stop = read_statement(s, &b, &open);
		statement(s, line,
			  slice_dup(s->mem, slice_trim((struct slice){
						    buf_str(&b), b.n })),
			  open);
		if (stop == STOP_BRANCH && in_case)
			return true;
	}
}

/* Without DOS line ends and NUL bytes. */
static void clean(struct legacy_scan *scan, const char *data, size_t n,
		  struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\r' && (i + 1 == n || data[i + 1] == '\n'))
			scan->crlf = true;
		else if (data[i] != '\0')
			buf_addc(out, data[i]);
	}
}

void legacy_scan(struct legacy_scan *scan, struct arena *mem, const char *data,
		 size_t n)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct scanner s = { .out = scan, .mem = mem, .line = 1 };

	clean(scan, data, n, &b);
	s.p = buf_str(&b);
	s.end = s.p + b.n;
	read_list(&s, false);
}
