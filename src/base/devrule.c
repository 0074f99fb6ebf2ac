/* Device rules, as the cgroup v1 files spell them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/devrule.h"
#include "base/num.h"
#include "base/str.h"

static const struct {
	char letter;
	unsigned access;
} letters[] = {
	{ .letter = 'r', .access = DEV_READ },
	{ .letter = 'w', .access = DEV_WRITE },
	{ .letter = 'm', .access = DEV_MKNOD },
};

/* "*", or a number of 32 bits. */
static int parse_number(const char *s, bool *ret_any, uint32_t *ret)
{
	struct err unused;
	uint64_t n = 0;

	*ret_any = str_eq(s, "*");
	if (!*ret_any && (num_u64(s, &n, &unused) || n > UINT32_MAX))
		return -1;
	*ret = (uint32_t)n;
	return 0;
}

static int parse_access(const char *s, unsigned *ret)
{
	unsigned access = 0;

	for (; *s != '\0'; s++) {
		const unsigned before = access;

		for (size_t i = 0; i < COUNT(letters); i++)
			if (letters[i].letter == *s)
				access |= letters[i].access;
		if (access == before)
			return -1;
	}
	*ret = access;
	return access == 0 ? -1 : 0;
}

/* "MAJOR:MINOR" */
static int parse_numbers(const char *s, struct devrule *r)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const size_t n = strcspn(s, ":");

	if (s[n] == '\0' ||
	    parse_number(arena_strndup(mem, s, n), &r->any_major, &r->major) ||
	    parse_number(s + n + 1, &r->any_minor, &r->minor))
		return -1;
	return 0;
}

int devrule_parse(const char *s, struct devrule *ret, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct strv words = strv_split(mem, s, " \t\n");
	struct devrule r = { .any_major = true,
			     .any_minor = true,
			     .access = DEV_RWM };
	bool good = words.n >= 1 && words.n <= 3 && strlen(words.v[0]) == 1 &&
		    strchr("abc", words.v[0][0]) != NULL;

	if (good) {
		r.type = words.v[0][0];
		good = words.n > 1 ? parse_numbers(words.v[1], &r) == 0 :
				     r.type == 'a';
	}
	if (good && words.n == 3)
		good = parse_access(words.v[2], &r.access) == 0;
	if (!good)
		return err_set(e, 0, "\"%s\": not a device rule",
			       str_show(mem, s, strlen(s), 64));
	*ret = r;
	return 0;
}

static void show_number(bool any, uint32_t n, char ret[11])
{
	if (any)
		snprintf(ret, 11, "*");
	else
		snprintf(ret, 11, "%" PRIu32, n);
}

void devrule_show_id(const struct devrule *r, char ret[DEVRULE_TEXT])
{
	char major[11], minor[11];

	show_number(r->any_major, r->major, major);
	show_number(r->any_minor, r->minor, minor);
	snprintf(ret, DEVRULE_TEXT, "%c %s:%s", r->type, major, minor);
}

void devrule_show_access(unsigned access, char ret[4])
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(letters); i++)
		if (access & letters[i].access)
			ret[n++] = letters[i].letter;
	ret[n] = '\0';
}

void devrule_show(const struct devrule *r, char ret[DEVRULE_TEXT])
{
	char id[DEVRULE_TEXT], access[4];

	devrule_show_id(r, id);
	devrule_show_access(r->access, access);
	snprintf(ret, DEVRULE_TEXT, "%.30s %s", id, access);
}

/* "*" before all numbers. */
static int cmp_number(bool any_a, uint32_t a, bool any_b, uint32_t b)
{
	if (any_a || any_b)
		return any_b - any_a;
	return (a > b) - (a < b);
}

int devrule_cmp(const struct devrule *a, const struct devrule *b)
{
	int order = (a->type > b->type) - (a->type < b->type);

	if (order == 0)
		order = cmp_number(a->any_major, a->major, b->any_major,
				   b->major);
	if (order == 0)
		order = cmp_number(a->any_minor, a->minor, b->any_minor,
				   b->minor);
	if (order == 0)
		order = (a->access > b->access) - (a->access < b->access);
	return order;
}

bool devrule_covers(const struct devrule *a, const struct devrule *b)
{
	return (a->type == 'a' || a->type == b->type) &&
	       (a->any_major || (!b->any_major && a->major == b->major)) &&
	       (a->any_minor || (!b->any_minor && a->minor == b->minor));
}
