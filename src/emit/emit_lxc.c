/*
 * The lines of an LXC config. The grammar (targets.md 2.1) has no escapes and
 * no continuation: a value ends with its line, is trimmed, and loses one pair
 * of equal quotes. What it cannot hold is refused by the callers.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "base/str.h"
#include "emit/emit_lxc.h"
#include "policy/read_lxc.h"

bool emit_lxc_safe(const char *value)
{
	if (value[0] == '\0')
		return false;
	for (const unsigned char *c = (const void *)value; *c != '\0'; c++)
		if ((*c < 0x20 && *c != '\t') || *c == 0x7f)
			return false;
	return true;
}

bool emit_lxc_can_share(const char *with)
{
	uint64_t n;
	struct err e;

	return emit_lxc_safe(with) && strpbrk(with, " \t") == NULL &&
	       num_u64(with, &n, &e) < 0;
}

bool emit_lxc_shares_net(const struct guest *g)
{
	return g->ns_net.from != NULL && str_starts(g->ns_net.v, "shared:") &&
	       emit_lxc_can_share(g->ns_net.v + strlen("shared:"));
}

/* In which section a field stands: by the first part of its name. */
static const struct place_row {
	const char *prefix;
	enum emit_lxc_section section;
} place_rows[] = {
	{ "id.", LXC_IDENTITY },    { "root.", LXC_ROOT },
	{ "boot.", LXC_BOOT },      { "env.", LXC_BOOT },
	{ "idmap.", LXC_IDS },      { "ns.", LXC_NAMESPACES },
	{ "cap.", LXC_CAPS },       { "device.", LXC_DEVICES },
	{ "kernel.", LXC_KERNEL },  { "lsm.", LXC_KERNEL },
	{ "seccomp.", LXC_KERNEL }, { "mount.", LXC_MOUNTS },
	{ "limit.", LXC_LIMITS },   { "io.", LXC_LIMITS },
	{ "disk.", LXC_LIMITS },    { "rlimit.", LXC_RLIMITS },
	{ "sysctl.", LXC_SYSCTLS }, { "net.", LXC_NET },
	{ "dns.", LXC_NET },        { "nic.", LXC_NET },
	{ "addr.", LXC_NET },       { "route.", LXC_NET },
	{ "hook.", LXC_HOOKS },
};

/* Keys whose place matters: the type wipes what stands before it. */
static const struct rank_row {
	const char *prefix;
	unsigned rank;
} rank_rows[] = {
	{ "lxc.net.N.type", 1 },         { "lxc.net.N.link", 2 },
	{ "lxc.net.N.flags", 3 },        { "lxc.net.N.name", 4 },
	{ "lxc.net.N.ipv4.address", 6 }, { "lxc.net.N.ipv6.address", 6 },
	{ "lxc.net.N.ipv4.gateway", 7 }, { "lxc.net.N.ipv6.gateway", 7 },
};

enum { RANK_MIDDLE = 5 };

static enum emit_lxc_section section_of(enum field_id id)
{
	for (size_t i = 0; i < COUNT(place_rows); i++)
		if (str_starts(field_get(id)->name, place_rows[i].prefix))
			return place_rows[i].section;
	return LXC_IDENTITY;
}

static unsigned rank_of(const char *key)
{
	for (size_t i = 0; key != NULL && i < COUNT(rank_rows); i++)
		if (str_starts(key, rank_rows[i].prefix))
			return rank_rows[i].rank;
	return RANK_MIDDLE;
}

/*
 * The number of the interface an object belongs to, counted from 1; 0 is the
 * network as a whole.
 */
static size_t nic_of(const struct guest *g, enum field_id id,
		     const void *object)
{
	const struct nic *n = object;

	if (field_get(id)->scope == SCOPE_ADDR)
		n = ((const struct addr *)object)->nic;
	else if (field_get(id)->scope != SCOPE_NIC)
		return 0;
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i] == n)
			return i + 1;
	return 0;
}

static void add_line(struct emission *em, struct emit_lxc_line line)
{
	struct emit_lxc *st = em->state;

	line.seq = st->lines.n;
	*vec_add(em->mem, &st->lines) = line;
}

/* A value that trimming or unquoting would change stands in quotes. */
static const char *quoted(struct arena *mem, const char *value)
{
	const char first = value[0], last = value[strlen(value) - 1];
	const bool blank = first == ' ' || first == '\t' || last == ' ' ||
			   last == '\t';
	const bool pair = (first == '"' || first == '\'') && first == last &&
			  value[1] != '\0';

	return blank || pair ? arena_printf(mem, "\"%s\"", value) : value;
}

static const char *assignment(struct emission *em, const char *key,
			      const char *value)
{
	if (value[0] == '\0')
		return arena_printf(em->mem, "%s =", key);
	return arena_printf(em->mem, "%s = %s", key, quoted(em->mem, value));
}

/* Addresses and routers that the guest sets itself. */
static bool is_guests(const struct guest *g, const char *key)
{
	return str_eq(g->net_owner.v, "guest") &&
	       (str_starts(key, "lxc.net.N.ipv4.") ||
		str_starts(key, "lxc.net.N.ipv6."));
}

void emit_lxc_put(struct emission *em, enum field_id id, const void *object,
		  const char *key, const char *value)
{
	const size_t nic = nic_of(em->g, id, object);
	const char *real = key;

	if (str_starts(key, "lxc.net.N."))
		real = arena_printf(em->mem, "lxc.net.%zu.%s",
				    nic == 0 ? 0 : nic - 1,
				    key + strlen("lxc.net.N."));
	add_line(em,
		 (struct emit_lxc_line){ .section = section_of(id),
					 .nic = nic,
					 .rank = rank_of(key),
					 .text = assignment(em, real, value),
					 .guest = is_guests(em->g, key) });
}

void emit_lxc_add(struct emission *em, enum emit_lxc_section section,
		  const char *key, const char *value)
{
	add_line(em,
		 (struct emit_lxc_line){ .section = section,
					 .rank = rank_of(key),
					 .text = assignment(em, key, value) });
}

void emit_lxc_add_first(struct emission *em, enum emit_lxc_section section,
			const char *key, const char *value)
{
	add_line(em,
		 (struct emit_lxc_line){ .section = section,
					 .text = assignment(em, key, value) });
}

/* What the comment of a bin begins with. */
static const char *word_of(enum bin bin)
{
	switch (bin) {
	case BIN_DROPPED:
	case BIN_INVALID:
	case BIN_UNKNOWN:
	case BIN_UNREADABLE:
		return "lost";
	case BIN_HOSTSIDE:
		return "host";
	case BIN_INERT:
	case BIN_OVERRIDDEN:
		return "note";
	case BIN_CARRIED:
	case BIN_APPROXIMATED:
	case BIN__MAX:
		break;
	}
	return "change";
}

/* Whoever wrote the text has escaped what it quotes: not a second time. */
static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* One printable line: nothing of a source can leave its comment. */
static void comment(struct emission *em, enum field_id id, const void *object,
		    enum bin bin, const char *text)
{
	const char *shown = is_plain(text) ?
				    text :
				    str_show(em->mem, text, strlen(text), 0);

	add_line(em, (struct emit_lxc_line){
			     .section = section_of(id),
			     .nic = nic_of(em->g, id, object),
			     .rank = rank_of(em->emitter->rules[id].key),
			     .text = arena_printf(em->mem, "# %s: %s",
						  word_of(bin), shown) });
}

struct finding *emit_lxc_say(struct emission *em, enum finding_id finding,
			     enum bin bin, const char *fmt, ...)
{
	const enum field_id id = em->cur->field;
	const void *object = em->cur->object;
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(em->g->mem, fmt, ap);
	va_end(ap);
	emit_bin(em, bin, "%s", text);
	comment(em, id, object, bin, text);
	return emit_find_at(em, finding, id, object, "%s", text);
}

void emit_lxc_refuse(struct emission *em, enum finding_id finding, enum bin bin,
		     const char *why)
{
	const enum field_id id = em->cur->field;
	const void *object = em->cur->object;
	const enum scope scope = field_get(id)->scope;
	const enum field_id key = field_key(scope);
	const char *name = field_object_key(em->g->mem, scope, object);
	struct finding *f;

	if (id != key && field_value(key, object).from != NULL) {
		emit_bin(em, bin, "%s", why);
		return;
	}
	f = emit_lxc_say(em, finding, bin, "%s %s: %s", field_scope_name(scope),
			 emit_show(em->mem, name), why);
	for (enum field_id i = 0; i < FIELD__MAX; i++)
		if (i != id && field_get(i)->scope == scope)
			finding_covers(em->g, f, i, name);
}

void emit_lxc_comment(struct emission *em, enum field_id id, const void *object,
		      const struct value *v)
{
	const char *text = value_show(em->mem, v);

	comment(em, id, object, em->cur->bin,
		arena_printf(em->mem, "%s %s: %s", field_get(id)->name,
			     emit_show(em->mem, text), em->cur->note));
}

static int cmp_lines(const void *a, const void *b)
{
	const struct emit_lxc_line *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->nic != y->nic)
		return x->nic < y->nic ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

static const char *const titles[LXC_SECTION__MAX] = {
	[LXC_INCLUDE] = "the distribution's defaults",
	[LXC_IDENTITY] = "identity",
	[LXC_ROOT] = "root file system",
	[LXC_BOOT] = "start and stop",
	[LXC_IDS] = "user and group ids",
	[LXC_NAMESPACES] = "namespaces",
	[LXC_CAPS] = "capabilities",
	[LXC_DEVICES] = "devices",
	[LXC_KERNEL] = "/proc, /sys, security modules",
	[LXC_MOUNTS] = "mounts",
	[LXC_LIMITS] = "limits of the container",
	[LXC_RLIMITS] = "limits of each process",
	[LXC_SYSCTLS] = "kernel parameters",
	[LXC_NET] = "network",
	[LXC_TTY] = "terminals",
	[LXC_HOOKS] = "scripts of the old tools",
};

const char *emit_lxc_text(struct emission *em)
{
	struct emit_lxc *st = em->state;
	struct buf b CLEANUP(buf_done) = { 0 };
	size_t n = 0;

	buf_printf(&b, "# generated by rehost %s for %s\n", REHOST_VERSION,
		   str_show(em->mem, em->g->key, strlen(em->g->key), 0));
	if (st->lines.n > 1)
		qsort(st->lines.v, st->lines.n, sizeof(*st->lines.v),
		      cmp_lines);
	for (size_t i = 0; i < st->lines.n; i++) {
		const struct emit_lxc_line *l = &st->lines.v[i];

		if (n++ == 0 || l->section != l[-1].section)
			buf_printf(&b, "\n# --- %s\n", titles[l->section]);
		else if (l->nic != l[-1].nic)
			buf_addc(&b, '\n');
		buf_printf(&b, "%s%s\n", l->guest ? policy_lxc_guest : "",
			   l->text);
	}
	return arena_strdup(em->mem, buf_str(&b));
}

bool emit_lxc_since(const struct emission *em, unsigned major, unsigned minor)
{
	const char *version = em->options->version;
	struct strv parts;
	uint64_t v[2] = { 0, 0 };
	struct err e;

	if (version == NULL)
		version = em->emitter->default_version;
	parts = strv_split(em->mem, version, ".");
	for (size_t i = 0; i < parts.n && i < COUNT(v); i++)
		if (num_u64(parts.v[i], &v[i], &e) < 0)
			v[i] = 0;
	return v[0] > major || (v[0] == major && v[1] >= minor);
}

bool emit_lxc_v1(const struct emission *em)
{
	return (em->options->cgroup & CGROUP_V1) != 0 &&
	       !emit_lxc_since(em, 7, 0);
}

bool emit_lxc_v2(const struct emission *em)
{
	return !emit_lxc_v1(em) || (em->options->cgroup & CGROUP_V2) != 0;
}
