/* Unified diffs of small texts, for people. */
#include <regex.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "plan/edits.h"

enum { CONTEXT = 3, WINDOW = 200 /* lines */ };

struct text {
	VEC(struct slice) lines;
	bool open; /* the last line has no end */
};

/* A line of the script that leads from old to new: ' ', '-' or '+'. */
struct step {
	char sign;
	struct slice line;
	bool open;
};

struct script {
	VEC(struct step) steps;
};

static void split(struct arena *mem, struct slice s, struct text *ret)
{
	struct slice line;

	ret->open = s.n != 0 && s.p[s.n - 1] != '\n';
	while (slice_next(&s, '\n', &line))
		*vec_add(mem, &ret->lines) = line;
}

static bool is_open(const struct text *t, size_t i)
{
	return t->open && i + 1 == t->lines.n;
}

static bool same(const struct text *a, size_t i, const struct text *b, size_t j)
{
	const struct slice *x = &a->lines.v[i], *y = &b->lines.v[j];

	return x->n == y->n && is_open(a, i) == is_open(b, j) &&
	       memcmp(x->p, y->p, x->n) == 0;
}

/* The nearest pair of lines that are the same again; false: none near. */
static bool resync(const struct text *a, size_t *i, const struct text *b,
		   size_t *j)
{
	for (size_t sum = 1; sum < WINDOW; sum++)
		for (size_t k = 0; k <= sum; k++) {
			if (*i + k >= a->lines.n || *j + sum - k >= b->lines.n)
				continue;
			if (!same(a, *i + k, b, *j + sum - k))
				continue;
			*i += k;
			*j += sum - k;
			return true;
		}
	return false;
}

static void step(struct arena *mem, struct script *s, char sign,
		 const struct text *t, size_t i)
{
	*vec_add(mem, &s->steps) = (struct step){ .sign = sign,
						  .line = t->lines.v[i],
						  .open = is_open(t, i) };
}

static void compare(struct arena *mem, const struct text *a,
		    const struct text *b, struct script *s)
{
	size_t i = 0, j = 0;

	while (i < a->lines.n || j < b->lines.n) {
		size_t to_i = i, to_j = j;

		if (i < a->lines.n && j < b->lines.n && same(a, i, b, j)) {
			step(mem, s, ' ', a, i);
			i++;
			j++;
			continue;
		}
		if (!resync(a, &to_i, b, &to_j)) {
			to_i = a->lines.n - i > WINDOW ? i + WINDOW :
							 a->lines.n;
			to_j = b->lines.n - j > WINDOW ? j + WINDOW :
							 b->lines.n;
		}
		for (; i < to_i; i++)
			step(mem, s, '-', a, i);
		for (; j < to_j; j++)
			step(mem, s, '+', b, j);
	}
}

/* Secrets are never printed: mount options, keys of wireless networks. */
static void put_line(struct buf *out, const struct step *s,
		     const regex_t *secret, struct arena *mem)
{
	const char *text = slice_dup(mem, s->line);

	buf_addc(out, s->sign);
	if (regexec(secret, text, 0, NULL, 0) == 0)
		buf_adds(out, "(hidden)");
	else
		buf_add(out, s->line.p, s->line.n);
	buf_addc(out, '\n');
	if (s->open)
		buf_adds(out, "\\ No newline at end of file\n");
}

/* Where the hunk that begins at `from` ends: before a long stretch of ' '. */
static size_t hunk_end(const struct script *s, size_t from)
{
	size_t end = from, quiet = 0;

	for (size_t i = from; i < s->steps.n; i++) {
		quiet = s->steps.v[i].sign == ' ' ? quiet + 1 : 0;
		if (quiet == 0)
			end = i + 1;
		if (quiet > 2 * CONTEXT)
			break;
	}
	return end + CONTEXT < s->steps.n ? end + CONTEXT : s->steps.n;
}

static size_t count(const struct script *s, size_t from, size_t to, char sign)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += s->steps.v[i].sign == ' ' || s->steps.v[i].sign == sign;
	return n;
}

static void put_hunk(struct buf *out, const struct script *s, size_t from,
		     size_t to)
{
	const size_t old_n = count(s, from, to, '-');
	const size_t new_n = count(s, from, to, '+');

	buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n",
		   count(s, 0, from, '-') + (old_n != 0), old_n,
		   count(s, 0, from, '+') + (new_n != 0), new_n);
}

const char *edits_diff(struct arena *mem, const char *path, struct slice old,
		       struct slice new)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	regex_t secret CLEANUP(regfree);
	struct text a = { 0 }, b = { 0 };
	struct script s = { 0 };
	size_t i = 0;

	if (regcomp(&secret,
		    "(passw(or)?d|passphrase|secret|psk|key|credentials)"
		    "[[:space:]\"']*[=:]",
		    REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		regcomp(&secret, "", REG_NOSUB); /* everything is hidden */
	split(mem, old, &a);
	split(mem, new, &b);
	compare(mem, &a, &b, &s);
	path = str_show(mem, path, strlen(path), 0);
	buf_printf(&out, "--- a%s\n+++ b%s\n", path, path);
	while (i < s.steps.n) {
		const size_t from = i > CONTEXT ? i - CONTEXT : 0;
		size_t end;

		if (s.steps.v[i].sign == ' ') {
			i++;
			continue;
		}
		end = hunk_end(&s, i);
		put_hunk(&out, &s, from, end);
		for (i = from; i < end; i++)
			put_line(&out, &s.steps.v[i], &secret, mem);
	}
	return arena_strdup(mem, buf_str(&out));
}
