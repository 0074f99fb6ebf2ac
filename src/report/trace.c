/*
 * The trace of a guest's settings: source line -> field -> emitted line. Works
 * on the document alone, so that it needs nothing but a converted guest.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"

#define SHOWN                                                                  \
	8 /* emitted lines of one value, where they cannot be told apart */

struct trace {
	struct buf *b;
	struct arena *mem;
	const json_t *guest;
	const char *what; /* NULL: everything */
	bool found;
};

/* "addr[192.0.2.10].ip" is the field "addr.ip" of the object "192.0.2.10". */
static char *field_of(struct arena *mem, const char *label,
		      const char **ret_object)
{
	const char *open = strchr(label, '[');
	const char *close = open == NULL ? NULL : strrchr(label, ']');

	*ret_object = NULL;
	if (close == NULL)
		return arena_strdup(mem, label);
	*ret_object = arena_strndup(mem, open + 1, (size_t)(close - open - 1));
	return arena_printf(mem, "%.*s%s", (int)(open - label), label,
			    close + 1);
}

static bool is_field(const struct trace *t, const char *label)
{
	const char *object;

	return str_eq(label, t->what) ||
	       str_eq(field_of(t->mem, label, &object), t->what);
}

/* lxc.net.N.link -> lxc.net.*.link; lxc.prlimit.NAME -> lxc.prlimit.* */
static char *pattern_of(struct arena *mem, const char *key)
{
	struct strv parts = strv_split(mem, key, ".");

	for (size_t i = 0; i < parts.n; i++) {
		const char *p = parts.v[i];

		if (p[strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0')
			parts.v[i] = "*";
	}
	return strv_join(mem, &parts, ".");
}

/* What a line of a target's files has to be. */
struct query {
	const char *target, *pattern; /* of the key */
	const char *word;             /* in the value; NULL: anything */
	const char *value;            /* the whole of it; NULL: anything */
};

struct line {
	const char *key, *text; /* text: "config:31: lxc.net.0.name = eth0" */
};

struct lines {
	VEC(struct line) list;
};

static bool is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("._-:", c));
}

/* "192.0.2.10" is in "192.0.2.10/24" but not in "192.0.2.100". */
static bool has_word(const char *s, const char *word)
{
	const size_t n = strlen(word);

	for (const char *at = strstr(s, word); at != NULL && n != 0;
	     at = strstr(at + 1, word)) {
		const char before = at == s ? ' ' : at[-1], after = at[n];
		const bool prefix = after == '/' && at[n + 1] >= '0' &&
				    at[n + 1] <= '9';

		if (!is_word_byte(before) && before != '/' &&
		    !is_word_byte(after) && (after != '/' || prefix))
			return true;
	}
	return false;
}

static void add_line(struct trace *t, const char *path, unsigned n,
		     const char *s, const struct query *q, struct lines *ret)
{
	const char *eq = strchr(s, '=');
	struct slice key, value;
	const char *name;

	if (eq == NULL)
		return;
	key = slice_trim((struct slice){ s, (size_t)(eq - s) });
	value = slice_trim((struct slice){ eq + 1, strlen(eq + 1) });
	name = slice_dup(t->mem, key);
	if (!str_glob(q->pattern, name) || str_starts(name, "#") ||
	    (q->word != NULL && !has_word(eq + 1, q->word)) ||
	    (q->value != NULL && !slice_eq(value, q->value)))
		return;
	*vec_add(t->mem, &ret->list) = (struct line){
		.key = name,
		.text = arena_printf(t->mem, "%s:%u: %s", path, n, s),
	};
}

static bool find_lines(struct trace *t, const struct query *q,
		       struct lines *ret)
{
	const json_t *all = json_object_get(t->guest, "targets");
	json_t *files =
		json_object_get(json_object_get(all, q->target), "files");
	const char *path;
	json_t *text;

	*ret = (struct lines){ 0 };
	json_object_foreach (files, path, text) {
		const char *s = json_string_value(text);
		struct slice rest = { s, strlen(s) }, line;

		for (unsigned n = 1; slice_next(&rest, '\n', &line); n++)
			add_line(t, path, n, slice_dup(t->mem, line), q, ret);
	}
	return ret->list.n != 0;
}

/* The pattern with its first star replaced; NULL when it has none. */
static const char *with_star(struct trace *t, const char *pattern,
			     const char *by)
{
	const char *star = strchr(pattern, '*');

	return star == NULL ?
		       NULL :
		       arena_printf(t->mem, "%.*s%s%s", (int)(star - pattern),
				    pattern, by, star + 1);
}

/* "0" of "lxc.net.0.name = eth0" for eth0 and lxc.net.*.link. */
static const char *number_of(struct trace *t, const struct query *q,
			     const char *object)
{
	const size_t n = strcspn(q->pattern, "*");
	const struct query names = {
		.target = q->target,
		.pattern = arena_printf(t->mem, "%.*s*", (int)n, q->pattern),
		.value = object,
	};
	struct lines found;
	const char *rest;

	if (!find_lines(t, &names, &found))
		return NULL;
	rest = found.list.v[0].key + n;
	return arena_strndup(t->mem, rest, strcspn(rest, "."));
}

/* A mount point stands without its first slash in some files. */
static const char *bare(const char *s)
{
	return s[0] == '/' && s[1] != '\0' ? s + 1 : s;
}

static bool find_word(struct trace *t, const char *target, const char *pattern,
		      const char *word, struct lines *ret)
{
	const struct query q = { .target = target,
				 .pattern = pattern,
				 .word = word };
	const struct query short_q = { .target = target,
				       .pattern = pattern,
				       .word = bare(word) };

	return find_lines(t, &q, ret) ||
	       (short_q.word != word && find_lines(t, &short_q, ret));
}

/* The lines about one object of a list, by its name, number or value. */
static bool find_object(struct trace *t, const struct query *q,
			const char *value, const char *object,
			struct lines *ret)
{
	const char *number = strchr(q->pattern, '*') == NULL ?
				     NULL :
				     number_of(t, q, object);
	struct query own = *q;

	own.pattern = with_star(t, q->pattern, object); /* NULL: has none */
	if (own.pattern != NULL && find_lines(t, &own, ret))
		return true;
	if (number != NULL) {
		own.pattern = with_star(t, q->pattern, number);
		if (find_lines(t, &own, ret))
			return true;
	}
	/* a value such as "none" may stand in lines about other objects */
	return find_word(t, q->target, q->pattern, object, ret) ||
	       ((value[0] == '/' || own.pattern != NULL) &&
		find_word(t, q->target, q->pattern, value, ret)) ||
	       find_word(t, q->target, "*", object, ret);
}

static void add_emitted(struct trace *t, const char *target, const char *key,
			const char *value, const char *object)
{
	const struct query q = { .target = target,
				 .pattern = pattern_of(t->mem, key) };
	struct lines found;
	const bool any = object == NULL ?
				 find_lines(t, &q, &found) :
				 find_object(t, &q, value, object, &found);

	for (size_t i = 0; any && i < found.list.n && i < SHOWN; i++) {
		buf_printf(t->b, "    -> %s/", target);
		parts_line(t->b, found.list.v[i].text);
		buf_addc(t->b, '\n');
	}
	if (any && found.list.n > SHOWN)
		buf_printf(t->b, "    -> and %zu more lines of %s\n",
			   found.list.n - SHOWN, key);
	if (!any)
		buf_printf(t->b, "    -> %s: no line of %s\n", target, key);
}

/* "facts /rehost-capture.txt:109" */
static void add_origin(struct buf *b, const json_t *o)
{
	buf_adds(b, json_str(o, "kind"));
	if (parts_str(o, "file") != NULL) {
		buf_addc(b, ' ');
		parts_line(b, json_str(o, "file"));
	}
	if (json_num(o, "line") != 0)
		buf_printf(b, ":%" PRIu64, json_num(o, "line"));
}

/* One after the other; steps at the same place are one. */
static void add_origins(struct trace *t, const json_t *field)
{
	const char *before = "";
	const json_t *o;
	size_t i;

	json_array_foreach (json_object_get(field, "origins"), i, o) {
		struct buf b CLEANUP(buf_done) = { 0 };

		add_origin(&b, o);
		if (str_eq(buf_str(&b), before))
			continue;
		buf_printf(t->b, "    from %s\n", buf_str(&b));
		before = arena_strdup(t->mem, buf_str(&b));
	}
}

static void add_field(struct trace *t, const char *label)
{
	json_t *field =
		json_object_get(json_object_get(t->guest, "fields"), label);
	const char *object, *target, *value;
	json_t *key;

	buf_adds(t->b, "  -> ");
	parts_line(t->b, label);
	if (field == NULL) { /* what it set was taken back by a pass */
		buf_adds(t->b, ": without a value in the end\n");
		return;
	}
	value = parts_value(t->mem, json_object_get(field, "value"));
	buf_adds(t->b, " = ");
	parts_line(t->b, value);
	buf_addc(t->b, '\n');
	add_origins(t, field);
	field_of(t->mem, label, &object);
	json_object_foreach (json_object_get(field, "emitted"), target, key) {
		if (json_is_string(key))
			add_emitted(t, target, json_string_value(key), value,
				    object);
		else
			buf_printf(t->b, "    -> %s: no line\n", target);
	}
}

static void add_finding(struct trace *t, const json_t *f, const char *indent)
{
	buf_printf(t->b, "%s%s %s: ", indent, json_str(f, "code"),
		   json_str(f, "severity"));
	parts_line(t->b, json_str(f, "message"));
	if (parts_str(f, "target") != NULL)
		buf_printf(t->b, " (%s)", json_str(f, "target"));
	buf_addc(t->b, '\n');
}

/* Whether a finding was made at this setting. */
static bool is_at(const json_t *f, const json_t *s)
{
	return str_eq(json_str(f, "file"), json_str(s, "file")) &&
	       json_num(f, "line") == json_num(s, "line") &&
	       str_eq(json_str(f, "key"), json_str(s, "key"));
}

static void add_findings_of(struct trace *t, const json_t *s)
{
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(t->guest, "findings"), i, f)
		if (is_at(f, s))
			add_finding(t, f, "  ");
}

static bool has_code(const struct trace *t, const json_t *s)
{
	const json_t *f;
	size_t i;

	json_array_foreach (json_object_get(t->guest, "findings"), i, f)
		if (is_at(f, s) && str_caseeq(json_str(f, "code"), t->what))
			return true;
	return false;
}

static bool is_asked(const struct trace *t, const json_t *s)
{
	const json_t *label;
	size_t i;

	if (t->what == NULL || str_eq(json_str(s, "key"), t->what) ||
	    str_eq(json_str(s, "item"), t->what) || has_code(t, s))
		return true;
	json_array_foreach (json_object_get(s, "fields"), i, label)
		if (is_field(t, json_string_value(label)))
			return true;
	return false;
}

static void add_outcomes(struct trace *t, const json_t *s)
{
	json_t *bin;
	const char *target;

	json_object_foreach (json_object_get(s, "outcome"), target, bin)
		buf_printf(t->b, "  %s: %s\n", target, json_string_value(bin));
	if (parts_str(s, "note") != NULL) {
		buf_adds(t->b, "  note: ");
		parts_line(t->b, json_str(s, "note"));
		buf_addc(t->b, '\n');
	}
}

static void add_setting(struct trace *t, const json_t *s)
{
	const json_t *label;
	size_t i;

	parts_line(t->b, json_str(s, "file"));
	if (json_num(s, "line") != 0)
		buf_printf(t->b, ":%" PRIu64, json_num(s, "line"));
	buf_adds(t->b, ": ");
	parts_line(t->b, json_str(s, "key"));
	if (parts_str(s, "item") != NULL) {
		buf_adds(t->b, " (");
		parts_line(t->b, json_str(s, "item"));
		buf_addc(t->b, ')');
	}
	if (parts_str(s, "value") != NULL) {
		buf_adds(t->b, " = ");
		parts_line(t->b, json_str(s, "value"));
	}
	buf_addc(t->b, '\n');
	add_outcomes(t, s);
	json_array_foreach (json_object_get(s, "fields"), i, label)
		add_field(t, json_string_value(label));
	add_findings_of(t, s);
	t->found = true;
}

static bool is_of_setting(const struct trace *t, const char *label)
{
	const json_t *s, *l;
	size_t i, j;

	json_array_foreach (json_object_get(t->guest, "settings"), i, s)
		json_array_foreach (json_object_get(s, "fields"), j, l)
			if (str_eq(json_string_value(l), label))
				return true;
	return false;
}

/* Fields that no setting has a part in: defaults, decisions, the site file. */
static void add_other_fields(struct trace *t)
{
	const char *label;
	json_t *field;

	json_object_foreach (json_object_get(t->guest, "fields"), label,
			     field) {
		if ((t->what != NULL && !is_field(t, label)) ||
		    is_of_setting(t, label))
			continue;
		add_field(t, label);
		t->found = true;
	}
}

/* Findings about the guest as a whole, or of a pass. */
static void add_other_findings(struct trace *t)
{
	const json_t *f, *s;
	size_t i, j;

	json_array_foreach (json_object_get(t->guest, "findings"), i, f) {
		bool shown = false;

		if (t->what != NULL &&
		    !str_caseeq(json_str(f, "code"), t->what) &&
		    !str_eq(json_str(f, "field"), t->what))
			continue;
		json_array_foreach (json_object_get(t->guest, "settings"), j, s)
			shown = shown || (is_at(f, s) && is_asked(t, s));
		if (shown)
			continue;
		add_finding(t, f, "");
		t->found = true;
	}
}

bool report_trace(struct buf *b, const json_t *guest, const char *what)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct trace t = { .b = b, .mem = mem, .guest = guest, .what = what };
	const json_t *s;
	size_t i;

	json_array_foreach (json_object_get(guest, "settings"), i, s)
		if (is_asked(&t, s))
			add_setting(&t, s);
	add_other_fields(&t);
	add_other_findings(&t);
	return t.found;
}
