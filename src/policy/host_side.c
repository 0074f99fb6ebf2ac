/* The host's part of a routed interface. See host_side.h. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "policy/host_side.h"

/* NULL after: the parameter is of no device. */
static const struct param_row {
	bool ipv6;
	const char *before, *after;
} param_rows[] = {
	{ false, "net/ipv4/conf/", "/forwarding" },
	{ true, "net/ipv6/conf/all/forwarding", NULL },
	{ true, "net/ipv6/conf/", "/proxy_ndp" },
};

struct strv host_side_params(struct arena *mem, const char *dev, bool ipv6)
{
	struct strv list = { 0 };

	for (size_t i = 0; i < COUNT(param_rows); i++) {
		const struct param_row *r = &param_rows[i];

		if (r->ipv6 && !ipv6)
			continue;
		strv_add(mem, &list,
			 r->after == NULL ?
				 r->before :
				 arena_printf(mem, "%s%s%s", r->before, dev,
					      r->after));
	}
	return list;
}

static const char before[] = "iifname \"";
static const char after[] = "\" fib saddr . iif oif missing drop";

const char *host_side_rule(struct arena *mem, const char *interface)
{
	return arena_printf(mem, "%s%s%s", before, interface, after);
}

const char *host_side_filter(struct arena *mem, const char *table,
			     const struct strv *interfaces)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	buf_printf(&b,
		   "# for nft -f: the guest sends from its own addresses only\n"
		   "table inet %s\n"
		   "delete table inet %s\n"
		   "table inet %s {\n"
		   "\tchain source {\n"
		   "\t\t%s\n",
		   table, table, table, HOST_SIDE_CHAIN);
	for (size_t i = 0; i < interfaces->n; i++)
		buf_printf(&b, "\t\t%s\n",
			   host_side_rule(mem, interfaces->v[i]));
	buf_adds(&b, "\t}\n}\n");
	return arena_strdup(mem, buf_str(&b));
}

/* --- reading it back --- */

/* Where a line stands. */
enum place { OUTSIDE, IN_TABLE, IN_CHAIN, IN_RULES };

struct reader {
	struct policy *p;
	enum place place;
};

static void filter_nic(struct policy *p, const char *interface)
{
	for (size_t i = 0; i < p->items.n; i++)
		if (p->items.v[i].field == FIELD_NIC_HOST_NAME &&
		    str_eq(p->items.v[i].value, interface)) {
			policy_add(p, FIELD_NIC_SOURCE_FILTER,
				   p->items.v[i].key, "yes");
			return;
		}
}

static int read_rule(struct reader *r, const char *line, struct err *e)
{
	const size_t head = strlen(before), tail = strlen(after);
	const size_t n = strlen(line);

	if (!str_starts(line, before) || !str_ends(line, after) ||
	    n <= head + tail)
		return err_set(e, 0, "no rule of a source filter");
	filter_nic(r->p,
		   arena_strndup(r->p->mem, line + head, n - head - tail));
	return 0;
}

static int read_line(struct reader *r, const char *line, struct err *e)
{
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (str_eq(line, "}")) {
		if (r->place == OUTSIDE)
			return err_set(e, 0, "a brace too many");
		r->place = r->place == IN_TABLE ? OUTSIDE : IN_TABLE;
		return 0;
	}
	switch (r->place) {
	case OUTSIDE:
		if (str_starts(line, "table inet ") && str_ends(line, " {"))
			r->place = IN_TABLE;
		else if (!str_starts(line, "table inet ") &&
			 !str_starts(line, "delete table inet "))
			return err_set(e, 0, "no table");
		return 0;
	case IN_TABLE:
		if (!str_starts(line, "chain ") || !str_ends(line, " {"))
			return err_set(e, 0, "no chain");
		r->place = IN_CHAIN;
		return 0;
	case IN_CHAIN:
		if (!str_eq(line, HOST_SIDE_CHAIN))
			return err_set(e, 0, "not where packets come in");
		r->place = IN_RULES;
		return 0;
	case IN_RULES:
		break;
	}
	return read_rule(r, line, e);
}

int host_side_read(const char *text, const char *name, struct policy *p,
		   struct err *e)
{
	struct reader r = { .p = p };
	struct slice rest = { text, strlen(text) }, line;
	unsigned number = 0;

	while (slice_next(&rest, '\n', &line)) {
		number++;
		if (read_line(&r, slice_dup(p->mem, slice_trim(line)), e) < 0)
			return err_wrap(e, "%s:%u", name, number);
	}
	if (r.place != OUTSIDE)
		return err_set(e, 0, "%s: ends inside a table", name);
	policy_sort(p);
	return 0;
}
