/*
 * What a capture has of OpenVZ: which containers ran and with which addresses
 * (/proc/vz/veinfo, vestat), and their beancounters. Reference: openvz.md 1.7.
 */
#include <string.h>

#include "facts_read.h"

/* Bytes of an id; a UUID has 36, in braces 38. */
enum { ID_MAX = 38 };

static struct facts_context *container(struct facts_reader *r, struct slice id,
				       struct slice line)
{
	struct facts_context *c;
	const char *text;
	uint64_t xid = 0;

	if (id.n == 0 || id.n > ID_MAX || slice_eq(id, "0"))
		return NULL; /* 0 is the host itself */
	text = slice_dup(r->mem, id);
	for (size_t i = r->f->contexts.n; i-- > 0;) {
		c = &r->f->contexts.v[i];
		if (c->id != NULL && str_eq(c->id, text))
			return c;
	}
	if (r->f->contexts.n == FACTS_CONTEXTS_MAX)
		return NULL;
	facts_read_number(id, &xid);
	c = vec_add(r->mem, &r->f->contexts);
	*c = (struct facts_context){ .at = facts_read_at(r, line),
				     .xid = xid,
				     .id = text };
	return c;
}

/* "Version: 2.2" and the names of the columns; anything else is an id. */
static bool is_id(struct slice word)
{
	bool digit = false;

	for (size_t i = 0; i < word.n; i++) {
		digit |= word.p[i] >= '0' && word.p[i] <= '9';
		if (strchr("0123456789abcdefABCDEF-{}", word.p[i]) == NULL)
			return false;
	}
	return digit;
}

/* veinfo: id, class, processes, addresses; vestat: id, times. */
void facts_vz_list(struct facts_reader *r, struct slice line)
{
	const bool info = slice_eq(r->label, "veinfo");
	struct slice rest = line, word;
	struct facts_context *c;

	if (!info && !slice_eq(r->label, "vestat"))
		return;
	r->f->has_vz = true;
	if (!slice_word(&rest, &word) || !is_id(word))
		return;
	c = container(r, word, line);
	if (c == NULL)
		return;
	c->runs = true;
	if (!info || !slice_word(&rest, &word) || !slice_word(&rest, &word))
		return;
	facts_read_number(word, &c->tasks);
	while (slice_word(&rest, &word))
		strv_add(r->mem, &c->addresses, slice_dup(r->mem, word));
}

/*
 * Every spelling of "without limit" that a counter shows: LONG_MAX of either
 * width, and pages that overflow it (openvz.md 2.5).
 */
static bool is_limit(uint64_t n)
{
	return n < INT64_MAX / 4096 && n != INT32_MAX;
}

/*
 * "101: kmemsize HELD MAXHELD BARRIER LIMIT FAILCNT"; the id stands on the
 * first line of a container alone.
 */
void facts_vz_counter(struct facts_reader *r, struct slice line)
{
	struct slice rest = line, word, name;
	struct facts_limit *limit;
	uint64_t n[4];

	if (!slice_word(&rest, &name))
		return;
	if (name.p[name.n - 1] == ':') {
		name.n--;
		r->context = is_id(name) ? container(r, name, line) : NULL;
		if (!slice_word(&rest, &name))
			return;
	}
	for (size_t i = 0; i < COUNT(n); i++)
		if (!slice_word(&rest, &word) ||
		    !facts_read_number(word, &n[i]))
			return;
	limit = r->context == NULL || name.n > ID_MAX ?
			NULL :
			facts_read_limit(r, r->context);
	if (limit == NULL)
		return;
	*limit = (struct facts_limit){ .at = facts_read_at(r, line),
				       .name = slice_dup(r->mem, name),
				       .current = n[0],
				       .peak = n[1],
				       .has_soft = is_limit(n[2]),
				       .soft = n[2],
				       .has_hard = is_limit(n[3]),
				       .hard = n[3] };
}
