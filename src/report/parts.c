/* What the dresses of a report share; see parts.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "report/parts.h"

const char *parts_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int severity_of(const json_t *finding)
{
	for (enum severity s = SEV_NOTE; s <= SEV_BLOCKER; s++)
		if (str_eq(finding_severity_name(s),
			   json_str(finding, "severity")))
			return (int)s;
	return 0;
}

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Everything counts, so that the order never depends on the sort. */
static int cmp_findings(const void *a, const void *b)
{
	static const char *const then[] = { "key", "code", "target",
					    "message" };
	const json_t *x = *(const json_t *const *)a;
	const json_t *y = *(const json_t *const *)b;
	int c = severity_of(y) - severity_of(x);

	if (c == 0)
		c = strcmp(json_str(x, "file"), json_str(y, "file"));
	if (c == 0)
		c = cmp_u64(json_num(x, "line"), json_num(y, "line"));
	for (size_t i = 0; c == 0 && i < COUNT(then); i++)
		c = strcmp(json_str(x, then[i]), json_str(y, then[i]));
	return c;
}

void parts_findings(const json_t *guest, struct arena *mem,
		    struct parts_findings *ret)
{
	const json_t *f;
	size_t i;

	*ret = (struct parts_findings){ 0 };
	json_array_foreach (json_object_get(guest, "findings"), i, f)
		*vec_add(mem, &ret->list) = f;
	if (ret->list.n > 1)
		qsort(ret->list.v, ret->list.n, sizeof(*ret->list.v),
		      cmp_findings);
}

static const struct finding_row *row_of(const char *code)
{
	const enum finding_id id = finding_find(code);

	return id == FIND__MAX ? NULL : finding_row(id);
}

static int rank(const struct parts_code *c)
{
	return c->row == NULL ? (int)SEV_BLOCKER + 1 : (int)c->row->severity;
}

static int cmp_codes(const void *a, const void *b)
{
	const struct parts_code *x = a, *y = b;
	int c = rank(y) - rank(x);

	if (c == 0)
		c = cmp_u64(y->guests, x->guests);
	return c != 0 ? c : strcmp(x->code, y->code);
}

void parts_codes(const struct report_totals *t, struct arena *mem,
		 struct parts_codes *ret)
{
	const char *code;
	json_t *c;

	*ret = (struct parts_codes){ 0 };
	json_object_foreach (t->codes, code, c)
		*vec_add(mem, &ret->list) = (struct parts_code){
			.code = code,
			.row = row_of(code),
			.guests = json_num(c, "guests"),
			.count = json_num(c, "count"),
			.open = json_num(c, "open"),
		};
	if (ret->list.n > 1)
		qsort(ret->list.v, ret->list.n, sizeof(*ret->list.v),
		      cmp_codes);
}

void parts_bins(const json_t *guest, const char *target, struct parts_bins *ret)
{
	const json_t *s;
	size_t i;

	*ret = (struct parts_bins){ 0 };
	json_array_foreach (json_object_get(guest, "settings"), i, s) {
		const char *name =
			json_str(json_object_get(s, "outcome"), target);

		ret->all++;
		for (enum bin b = 0; b < BIN__MAX; b++)
			ret->n[b] += str_eq(setting_bin_name(b), name);
	}
}

void parts_bins_text(struct buf *b, const struct parts_bins *sum)
{
	const char *separator = ": ";

	buf_printf(b, "%" PRIu64 " setting%s", sum->all,
		   sum->all == 1 ? "" : "s");
	for (enum bin i = 0; i < BIN__MAX; i++) {
		if (sum->n[i] == 0)
			continue;
		buf_printf(b, "%s%" PRIu64 " %s", separator, sum->n[i],
			   setting_bin_name(i));
		separator = ", ";
	}
}

void parts_tally(const json_t *record, struct parts_tally *ret)
{
	const json_t *tally = json_object_get(record, "tally"), *n;
	size_t i;

	*ret = (struct parts_tally){ 0 };
	json_array_foreach (tally, i, n)
		if (i < COUNT(ret->n))
			ret->n[i] = (size_t)json_integer_value(n);
}

void parts_verdicts(const struct report_totals *t,
		    struct parts_verdict ret[PARTS_VERDICTS])
{
	const size_t n[PARTS_VERDICTS] = { t->ready, t->review, t->blocked,
					   t->failed };

	for (enum verdict v = VERDICT_READY; v <= VERDICT_FAILED; v++)
		ret[v] = (struct parts_verdict){ plan_verdict_name(v), n[v] };
}

static bool in(unsigned c, unsigned low, unsigned high)
{
	return c >= low && c <= high;
}

size_t parts_unsafe(const char *s)
{
	const unsigned char a = (unsigned char)s[0];
	unsigned char b, c;

	if (a == '\0')
		return 0;
	if (a < 0x20 || a == 0x7f)
		return 1;
	b = (unsigned char)s[1];
	if (a == 0xc2 && in(b, 0x80, 0x9f)) /* C1 controls */
		return 2;
	if (a != 0xe2 || b == '\0')
		return 0;
	c = (unsigned char)s[2];
	if (b == 0x80 && (in(c, 0x8b, 0x8f) || in(c, 0xa8, 0xae)))
		return 3; /* invisible, line ends, directions */
	return b == 0x81 && in(c, 0xa0, 0xaf) ? 3 : 0;
}

void parts_escape(struct buf *b, const char *s, size_t n)
{
	if (n == 1 && s[0] == '\n')
		buf_adds(b, "\\n");
	else if (n == 1 && s[0] == '\t')
		buf_adds(b, "\\t");
	else
		for (size_t i = 0; i < n; i++)
			buf_printf(b, "\\x%02x", (unsigned)(unsigned char)s[i]);
}

void parts_linen(struct buf *b, const char *s, size_t n)
{
	for (const char *end = s + n; s < end;) {
		const size_t bad = parts_unsafe(s);

		if (bad != 0)
			parts_escape(b, s, bad);
		else
			buf_addc(b, *s);
		s += bad == 0 ? 1 : bad;
	}
}

void parts_line(struct buf *b, const char *s)
{
	if (s != NULL)
		parts_linen(b, s, strlen(s));
}

void parts_markdown(struct buf *b, const char *s)
{
	while (s != NULL && *s != '\0') {
		const size_t bad = parts_unsafe(s);

		if (bad != 0) {
			buf_addc(b, '\\');
			parts_escape(b, s, bad);
			s += bad;
			continue;
		}
		if (*s == '<' || *s == '&') {
			buf_adds(b, *s == '<' ? "&lt;" : "&amp;");
		} else {
			if (strchr("\\`*_[]|#~>", *s) != NULL)
				buf_addc(b, '\\');
			buf_addc(b, *s);
		}
		s++;
	}
}

void parts_wrap(struct buf *b, const char *label, unsigned indent,
		const char *s)
{
	size_t column = 0;

	while (*s != '\0') {
		const size_t n = strcspn(s, " ");

		if (column > indent && column + 1 + n > PARTS_COLUMNS) {
			buf_addc(b, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_printf(b, "%-*s", (int)indent, label);
			column = indent;
			label = "";
		} else {
			buf_addc(b, ' ');
			column++;
		}
		parts_linen(b, s, n);
		column += n;
		s += n + (s[n] != '\0');
	}
	if (column != 0)
		buf_addc(b, '\n');
}

char *parts_value(struct arena *mem, const json_t *value)
{
	struct strv words = { 0 };
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		return arena_strdup(mem, json_string_value(value));
	if (json_is_boolean(value))
		return arena_strdup(mem, json_is_true(value) ? "yes" : "no");
	if (json_is_integer(value))
		return arena_printf(mem, "%" JSON_INTEGER_FORMAT,
				    json_integer_value(value));
	json_array_foreach (value, i, item)
		strv_add(mem, &words, parts_value(mem, item));
	return strv_join(mem, &words, " ");
}

const char *parts_fate(enum fate f)
{
	switch (f) {
	case FATE_EXACT:
		return "carried";
	case FATE_APPROX:
		return "approximated";
	case FATE_DROPPED:
		return "dropped";
	case FATE_HOSTSIDE:
		return "hostside";
	case FATE_INERT:
		return "inert";
	case FATE_DECIDED:
		return "by value";
	}
	return "";
}

const char *parts_fidelity(enum fidelity f)
{
	switch (f) {
	case FID_UNDECIDED:
		return "undecided";
	case FID_EXACT:
		return "exact";
	case FID_APPROX:
		return "approximated";
	case FID_LOST:
		return "not carried";
	case FID_HOSTSIDE:
		return "hostside";
	case FID_INERT:
		return "inert";
	}
	return "";
}
