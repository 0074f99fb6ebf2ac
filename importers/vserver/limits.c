/*
 * Limits of the context (rlimits), of each process (ulimits), and lone
 * values. What the newer kernels limit by cgroups wins over rlimits: they
 * refuse those.
 *
 * Source: util-vserver lib/parselimit.c, src/vlimit.c; kernel
 * include/linux/vserver/limit.h. Memory is counted in pages of the source.
 */
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "facts.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

enum {
	NICE_MIN = -20,
	NICE_MAX = 19,
	IO_CLASS_BEST_EFFORT = 2, /* what a priority alone means */
	IO_CLASS_MAX = 3,
	IO_PRIORITY_MAX = 7,
	OOM_MAX = 1000,
};

/* Pages beyond which somebody meant bytes: 1 TiB on x86. */
#define PAGES_MISTAKE (UINT64_C(1) << 28)
/* The same where millions were written: 64 GiB. */
#define PAGES_MISTAKE_M (UINT64_C(1) << 24)

/* What a limit of the context becomes. */
enum kind {
	KIND_NONE,  /* accepted, never enforced */
	KIND_COUNT, /* the field has its unit */
	KIND_PAGES, /* the field has bytes */
	KIND_RSS,
};

static const struct resource {
	const char *name;
	enum kind kind;
	enum field_id field;
	bool ulimit; /* has a file in ulimits/ */
} resources[VS_RES__MAX] = {
	[VS_RES_CPU] = { "cpu", KIND_NONE, FIELD__MAX, true },
	[VS_RES_FSIZE] = { "fsize", KIND_NONE, FIELD__MAX, true },
	[VS_RES_DATA] = { "data", KIND_NONE, FIELD__MAX, true },
	[VS_RES_STACK] = { "stack", KIND_NONE, FIELD__MAX, true },
	[VS_RES_CORE] = { "core", KIND_NONE, FIELD__MAX, true },
	[VS_RES_RSS] = { "rss", KIND_RSS, FIELD_MEM_MAX, true },
	[VS_RES_NPROC] = { "nproc", KIND_COUNT, FIELD_PIDS_MAX, true },
	[VS_RES_NOFILE] = { "nofile", KIND_COUNT, FIELD_FILES, true },
	[VS_RES_MEMLOCK] = { "memlock", KIND_PAGES, FIELD_MEM_LOCKED, true },
	[VS_RES_AS] = { "as", KIND_PAGES, FIELD_MEM_VIRTUAL, false },
	[VS_RES_LOCKS] = { "locks", KIND_COUNT, FIELD_FILE_LOCKS, true },
	[VS_RES_MSGQUEUE] = { "msgqueue", KIND_COUNT, FIELD_MSGQUEUE, false },
	[VS_RES_NSOCK] = { "nsock", KIND_COUNT, FIELD_SOCKETS, false },
	[VS_RES_OPENFD] = { "openfd", KIND_COUNT, FIELD_FILES, false },
	[VS_RES_ANON] = { "anon", KIND_PAGES, FIELD_MEM_ANON, false },
	[VS_RES_SHMEM] = { "shmem", KIND_PAGES, FIELD_MEM_SHARED, false },
	[VS_RES_SEMARY] = { "semary", KIND_NONE, FIELD__MAX, false },
	[VS_RES_NSEMS] = { "nsems", KIND_NONE, FIELD__MAX, false },
	[VS_RES_DENTRY] = { "dentry", KIND_COUNT, FIELD_DENTRIES, false },
};

struct limit {
	struct setting *s[VS_PART__MAX]; /* NULL: no such file */
	struct vserver_number n[VS_PART__MAX];
};

struct vserver_limits {
	struct limit rlimits[VS_RES__MAX], ulimits[VS_RES__MAX];
	struct vserver_disks *disks;
	struct vserver_bucket *bucket;
	struct vserver_cgroups *cgroups;
};

static struct vserver_limits *limits_of(struct reading *r)
{
	return vserver_of(r)->limits;
}

struct vserver_disks *vserver_limits_disks(struct reading *r)
{
	return limits_of(r)->disks;
}

struct vserver_bucket *vserver_limits_bucket(struct reading *r)
{
	return limits_of(r)->bucket;
}

struct vserver_cgroups *vserver_limits_cgroups(struct reading *r)
{
	return limits_of(r)->cgroups;
}

void vserver_limits_begin(struct reading *r)
{
	struct vserver_limits *l = arena_alloc(r->g->mem, sizeof(*l));

	l->disks = vserver_disks_new(r);
	l->bucket = vserver_sched_new(r);
	l->cgroups = vserver_cgroup_new(r);
	vserver_of(r)->limits = l;
}

void vserver_limits_invalid(struct reading *r, const char *why)
{
	reading_decide(r, BIN_INVALID, "%s", why);
	reading_find(r, FIND_LIM_INVALID, "%s: left out", why);
}

void vserver_limits_overridden(struct reading *r, struct setting *s,
			       const char *by)
{
	if (s == NULL)
		return;
	reading_resume(r, s);
	reading_decide(r, BIN_OVERRIDDEN, "%s holds in its place", by);
}

/* --- what is no number ------------------------------------------------- */

static bool means_no_limit(const char *text)
{
	static const char *const words[] = { "unlimited", "none", "max",
					     "infinity",  "inf",  "infinite" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_caseeq(text, words[i]))
			return true;
	return false;
}

/* Without blanks: "1 M", "1 000". */
static const char *closed_up(struct arena *mem, const char *text)
{
	char *s = arena_strdup(mem, text), *to = s;

	for (const char *p = text; *p != '\0'; p++)
		if (*p != ' ' && *p != '\t')
			*to++ = *p;
	*to = '\0';
	return s;
}

const char *vserver_limits_meant(struct reading *r, const char *text,
				 unsigned unit)
{
	const char *s = closed_up(r->g->mem, text);
	uint64_t bytes;
	struct err e;

	if (means_no_limit(s))
		return "; meant was likely no limit";
	if (num_size(s, &bytes, &e) < 0 || bytes < unit)
		return "";
	if (unit == 1)
		return arena_printf(r->g->mem, "; meant was likely %" PRIu64,
				    bytes);
	return arena_printf(r->g->mem,
			    "; meant were likely %" PRIu64 " bytes, which are "
			    "%" PRIu64 " pages",
			    bytes, bytes / unit);
}

/* --- keeping ----------------------------------------------------------- */

/* Bytes that one of a context's limit has. */
static unsigned unit_of(struct reading *r, const struct limit *limits,
			size_t resource)
{
	const enum kind kind = resources[resource].kind;

	if (limits == limits_of(r)->rlimits &&
	    (kind == KIND_PAGES || kind == KIND_RSS))
		return vserver_of(r)->page;
	return 1;
}

static int keep_limit(struct reading *r, struct limit *limits,
		      const char *value)
{
	const unsigned n = VS_N_OF(r->cur->row->arg);
	struct limit *l = &limits[n / VS_PART__MAX];
	struct vserver_number number;
	struct err e;

	if (vserver_number(vserver_meant(r, value), &number, &e) < 0) {
		reading_decide(r, BIN_INVALID, "%s", e.msg);
		reading_find(r, FIND_LIM_INVALID,
			     "%s, the start ended there: left out%s", e.msg,
			     vserver_limits_meant(r, value,
						  unit_of(r, limits,
							  n / VS_PART__MAX)));
		return 0;
	}
	if (number.keep) {
		reading_decide(r, BIN_INERT, "-2 keeps the kernel's default");
		return 0;
	}
	l->s[n % VS_PART__MAX] = r->cur;
	l->n[n % VS_PART__MAX] = number;
	return 0;
}

int vserver_limits_rlimit(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	return keep_limit(r, limits_of(r)->rlimits, value);
}

int vserver_limits_ulimit(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	return keep_limit(r, limits_of(r)->ulimits, value);
}

/* --- lone values ------------------------------------------------------- */

int vserver_limits_nice(struct reading *r, const char *value, struct err *e)
{
	int64_t n;

	if (num_i64(vserver_meant(r, value), &n, e) < 0)
		return -1;
	if (n < NICE_MIN || n > NICE_MAX)
		return err_set(e, 0, "nice %s is outside of -20 to 19", value);
	take_i64(r, FIELD_NICE, r->g, n);
	return 0;
}

int vserver_limits_ionice(struct reading *r, const char *value, struct err *e)
{
	const struct vserver *v = vserver_of(r);
	const enum field_id field = r->cur->row->field;
	const uint64_t max = field == FIELD_IO_CLASS ? IO_CLASS_MAX :
						       IO_PRIORITY_MAX;
	uint64_t n;

	if (num_u64(vserver_meant(r, value), &n, e) < 0)
		return -1;
	if (n > max)
		return err_set(e, 0, "\"%s\" is more than %" PRIu64, value,
			       max);
	take_u64(r, field, r->g, n);
	if (field == FIELD_IO_PRIORITY &&
	    !tree_exists(v->t,
			 arena_printf(r->g->mem, "%s/ionice/class", v->cfg)))
		take_u64(r, FIELD_IO_CLASS, r->g, IO_CLASS_BEST_EFFORT);
	return 0;
}

int vserver_limits_badness(struct reading *r, const char *value, struct err *e)
{
	int64_t n, score;

	if (num_i64(vserver_meant(r, value), &n, e) < 0)
		return -1;
	score = n > OOM_MAX ? OOM_MAX : n < -OOM_MAX ? -OOM_MAX : n;
	take_i64(r, FIELD_OOM_SCORE, r->g, score);
	if (score != n)
		reading_approx(r, "badness %" PRId64 " clamped to %" PRId64, n,
			       score);
	return 0;
}

/* --- limits of the context --------------------------------------------- */

static bool is_limit(const struct limit *l, enum vserver_part part)
{
	return l->s[part] != NULL;
}

static void inert(struct reading *r, struct setting *s, enum finding_id id,
		  const char *why)
{
	if (s == NULL)
		return;
	reading_resume(r, s);
	reading_decide(r, BIN_INERT, "%s", why);
	reading_find(r, id, "%s: %s", vserver_shown(r, s->from.text), why);
}

/* The part that says the hard limit; VS_PART__MAX: none does. */
static enum vserver_part hard_part(const struct limit *l)
{
	if (is_limit(l, VS_HARD))
		return VS_HARD;
	return is_limit(l, VS_WHOLE_PART) ? VS_WHOLE_PART : VS_PART__MAX;
}

/* Bytes of a number of pages; false: so many that it is no limit. */
static bool page_bytes(struct reading *r, uint64_t pages, uint64_t *ret)
{
	const bool millions = strpbrk(r->cur->from.text, "Mm") != NULL;

	if (pages > (millions ? PAGES_MISTAKE_M : PAGES_MISTAKE))
		reading_find(r, FIND_LIM_UNIT,
			     "%" PRIu64 " pages of %u bytes: were bytes meant? "
			     "taken as written",
			     pages, vserver_of(r)->page);
	return num_mul(pages, vserver_of(r)->page, ret);
}

static void take_number(struct reading *r, enum field_id field,
			const struct vserver_number *n, bool pages)
{
	uint64_t v = n->v;

	if (n->none || (pages && !page_bytes(r, n->v, &v)))
		take_unlimited(r, field, r->g);
	else
		take_limit(r, field, r->g, v);
}

/* openfd and nofile count nearly the same and share a field. */
static bool is_second(struct reading *r, const struct resource *res)
{
	const struct value v = field_value(res->field, r->g);

	return v.from != NULL && v.from->kind > ORIGIN_DEFAULT;
}

static void settle_plain(struct reading *r, const struct resource *res,
			 struct limit *l)
{
	const enum vserver_part hard = hard_part(l);

	inert(r, l->s[VS_SOFT], FIND_LIM_NOT_ENFORCED,
	      "only the hard limit was enforced");
	if (hard == VS_HARD)
		vserver_limits_overridden(r, l->s[VS_WHOLE_PART],
					  "the .hard file");
	if (hard == VS_PART__MAX)
		return;
	reading_resume(r, l->s[hard]);
	if (!is_second(r, res)) {
		take_number(r, res->field, &l->n[hard],
			    res->kind == KIND_PAGES);
		return;
	}
	reading_decide(r, BIN_DROPPED, "another limit set %s already",
		       field_get(res->field)->name);
	reading_find(r, FIND_LIM_NO_GROUP,
		     "%s %s: %s holds another limit already", res->name,
		     vserver_shown(r, l->s[hard]->from.text),
		     field_get(res->field)->name);
}

static void settle_none(struct reading *r, struct limit *l)
{
	for (enum vserver_part p = 0; p < VS_PART__MAX; p++)
		if (p != VS_MIN)
			inert(r, l->s[p], FIND_LIM_NOT_ENFORCED,
			      "accepted by the old kernel, never enforced");
}

/* " (peak 1234 bytes when the host was captured)", or "". */
static const char *observed_peak(struct reading *r)
{
	const struct facts *facts = r->source->host->facts;
	const struct facts_context *c;

	if (facts == NULL || r->g->xid.from == NULL)
		return "";
	c = facts_context(facts, r->g->xid.v);
	for (size_t i = 0; c != NULL && i < c->n_limits; i++)
		if (str_eq(c->limits[i].name, "RSS"))
			return arena_printf(
				r->g->mem,
				"; its peak was %" PRIu64 " bytes when the "
				"host was captured",
				c->limits[i].peak * vserver_of(r)->page);
	return "";
}

/* Soft and hard limit of resident memory in bytes, as far as they are one. */
struct rss {
	struct setting *soft, *hard; /* NULL: not given */
	bool has_soft, has_hard;
	uint64_t soft_bytes, hard_bytes;
};

static bool bytes_of(struct reading *r, const struct limit *l,
		     enum vserver_part part, uint64_t *ret)
{
	if (part == VS_PART__MAX || !is_limit(l, part) || l->n[part].none)
		return false;
	reading_resume(r, l->s[part]);
	return page_bytes(r, l->n[part].v, ret);
}

static struct rss rss_of(struct reading *r, const struct limit *l)
{
	const enum vserver_part hard = hard_part(l);
	struct rss m = { .soft = l->s[VS_SOFT],
			 .hard = hard == VS_PART__MAX ? NULL : l->s[hard] };

	m.has_soft = bytes_of(r, l, VS_SOFT, &m.soft_bytes);
	m.has_hard = bytes_of(r, l, hard, &m.hard_bytes);
	return m;
}

static void take_hard(struct reading *r, const struct rss *m)
{
	reading_resume(r, m->hard);
	if (!m->has_hard) {
		take_unlimited(r, FIELD_MEM_MAX, r->g);
		reading_approx(r, "without limit");
		return;
	}
	take_limit(r, FIELD_MEM_MAX, r->g, m->hard_bytes);
	reading_approx(r,
		       "%s pages of %u bytes: limit.memory %" PRIu64
		       ", which counts page cache and kernel memory too%s",
		       vserver_shown(r, m->hard->from.text),
		       vserver_of(r)->page, m->hard_bytes, observed_peak(r));
}

/* With virt_mem the difference was shown as swap: the admin meant that. */
static void take_as_swap(struct reading *r, const struct rss *m)
{
	const uint64_t swap = m->hard_bytes - m->soft_bytes;
	const char *both = arena_printf(
		r->g->mem,
		"virt_mem showed %" PRIu64 " bytes as RAM and %" PRIu64
		" as swap: taken so; enforced was only %" PRIu64 " in all",
		m->soft_bytes, swap, m->hard_bytes);

	reading_resume(r, m->soft);
	take_limit(r, FIELD_MEM_MAX, r->g, m->soft_bytes);
	reading_approx(r, "%s", both);
	reading_resume(r, m->hard);
	take_limit(r, FIELD_SWAP_MAX, r->g, swap);
	take_part(r, FIELD_MEM_MAX, r->g);
	reading_approx(r,
		       "limit.memory %" PRIu64 " and limit.swap %" PRIu64
		       ", which count page cache and kernel memory too; %s%s",
		       m->soft_bytes, swap, both, observed_peak(r));
}

static void soft_unused(struct reading *r, const struct rss *m)
{
	reading_resume(r, m->soft);
	reading_decide(r, BIN_INERT, "a soft limit was never enforced");
	if (m->has_hard && m->soft_bytes >= m->hard_bytes)
		reading_find(r, FIND_LIM_MEMORY_INTENT,
			     "the soft limit of %" PRIu64 " bytes is not below "
			     "the hard one of %" PRIu64
			     ": limit.memory from the hard one",
			     m->soft_bytes, m->hard_bytes);
	else if (m->has_hard)
		reading_find(r, FIND_LIM_MEMORY_INTENT,
			     "limit.memory %" PRIu64 " from the hard limit; "
			     "the soft one would be %" PRIu64 " of memory and "
			     "the rest swap",
			     m->hard_bytes, m->soft_bytes);
	else
		reading_find(r, FIND_LIM_MEMORY_INTENT,
			     "the soft limit of %" PRIu64 " bytes was shown, "
			     "not enforced: no limit; if it was meant, "
			     "limit.memory=%" PRIu64,
			     m->soft_bytes, m->soft_bytes);
}

/* memory-reading of the site file: soft as RAM and the rest as swap, or not. */
static bool reads_intent(struct reading *r)
{
	const char *word = vserver_choice(r, "memory-reading");

	if (word == NULL || str_eq(word, "auto"))
		return vserver_caps_flag(r, "virt_mem");
	return str_eq(word, "intent");
}

static void settle_rss(struct reading *r, struct limit *l)
{
	const struct rss m = rss_of(r, l);

	if (r->g->mem_max.from != NULL) {
		for (enum vserver_part p = 0; p < VS_PART__MAX; p++)
			vserver_limits_overridden(
				r, l->s[p],
				"memory.limit_in_bytes of the "
				"cgroup");
		return;
	}
	if (hard_part(l) == VS_HARD)
		vserver_limits_overridden(r, l->s[VS_WHOLE_PART],
					  "the .hard file");
	if (m.has_soft && m.has_hard && m.soft_bytes < m.hard_bytes &&
	    reads_intent(r)) {
		take_as_swap(r, &m);
		return;
	}
	if (m.hard != NULL)
		take_hard(r, &m);
	if (m.soft != NULL)
		soft_unused(r, &m);
}

static void settle_rlimit(struct reading *r, enum vserver_resource i)
{
	struct limit *l = &limits_of(r)->rlimits[i];

	inert(r, l->s[VS_MIN], FIND_LIM_MINIMUM, "a minimum was only shown");
	switch (resources[i].kind) {
	case KIND_NONE:
		settle_none(r, l);
		break;
	case KIND_COUNT:
	case KIND_PAGES:
		settle_plain(r, &resources[i], l);
		break;
	case KIND_RSS:
		settle_rss(r, l);
		break;
	}
}

/* --- limits of each process -------------------------------------------- */

static const char *default_hard(enum vserver_resource i)
{
	return i == VS_RES_NOFILE ? "1048576" : "unlimited";
}

/*
 * The soft side stays as the starting shell had it, and that had it from the
 * kernel: INIT_RLIMITS in its include/asm-generic/resource.h. The rest is
 * unlimited, but for nproc, which is counted from the machine's memory.
 */
static const struct soft_row {
	enum vserver_resource resource;
	const char *soft;
} soft_rows[] = {
	{ VS_RES_STACK, "8388608" }, { VS_RES_CORE, "0" },
	{ VS_RES_NOFILE, "1024" },   { VS_RES_MEMLOCK, "65536" },
	{ VS_RES_NPROC, NULL },
};

static const char *default_soft(enum vserver_resource i)
{
	for (size_t k = 0; k < COUNT(soft_rows); k++)
		if (soft_rows[k].resource == i)
			return soft_rows[k].soft;
	return "unlimited";
}

static void default_ulimits(struct reading *r)
{
	const struct vserver *v = vserver_of(r);
	const char *dir = arena_printf(r->g->mem, "%s/ulimits", v->cfg);
	struct strv names = { 0 };

	for (enum vserver_resource i = 0; i < VS_RES__MAX; i++) {
		const struct limit *l = &limits_of(r)->ulimits[i];
		struct rlimit_rule *rule;

		if (!resources[i].ulimit || is_limit(l, VS_WHOLE_PART) ||
		    is_limit(l, VS_SOFT) || is_limit(l, VS_HARD))
			continue;
		rule = take_rlimit(r);
		reading_default(r, FIELD_RLIMIT_NAME, rule, resources[i].name,
				"vserver.md 2.9");
		if (default_soft(i) != NULL)
			reading_default(r, FIELD_RLIMIT_SOFT, rule,
					default_soft(i), "INIT_RLIMITS");
		reading_default(r, FIELD_RLIMIT_HARD, rule, default_hard(i),
				"vserver.md 2.9");
		strv_add(r->g->mem, &names, resources[i].name);
	}
	if (names.n > 0)
		reading_find_at(r, FIND_LIM_RLIMIT_DEFAULT,
				reading_origin(r, ORIGIN_FILE, dir, 0,
					       "ulimits", NULL),
				"hard limit raised to unlimited (nofile: "
				"1048576) as the old tools did, the soft one "
				"as the kernel starts with: %s",
				strv_join(r->g->mem, &names, " "));
}

static void take_side(struct reading *r, struct rlimit_rule *rule,
		      enum field_id field, const struct vserver_number *n)
{
	if (n->none)
		take_unlimited(r, field, rule);
	else
		take_limit(r, field, rule, n->v);
}

static bool is_above(const struct vserver_number *a,
		     const struct vserver_number *b)
{
	return !b->none && (a->none || a->v > b->v);
}

/* nproc counted for the whole context where the flag says so. */
static void nproc_per_context(struct reading *r, const struct limit *l,
			      enum vserver_part hard)
{
	struct finding *f;

	if (!vserver_caps_flag(r, "nproc") || r->g->pids_max.from != NULL ||
	    l->n[hard].none)
		return;
	take_limit(r, FIELD_PIDS_MAX, r->g, l->n[hard].v);
	f = reading_find(r, FIND_LIM_PIDS_FROM_NPROC,
			 "flag nproc counted nproc %" PRIu64
			 " for the whole context: limit.pids as well",
			 l->n[hard].v);
	finding_covers(r->g, f, FIELD_PIDS_MAX, NULL);
}

static void settle_ulimit(struct reading *r, enum vserver_resource i)
{
	struct limit *l = &limits_of(r)->ulimits[i];
	const enum vserver_part hard = hard_part(l);
	const enum vserver_part soft = is_limit(l, VS_SOFT) ? VS_SOFT :
							      VS_WHOLE_PART;
	struct vserver_number low = l->n[soft];
	struct rlimit_rule *rule;

	if (hard == VS_PART__MAX && !is_limit(l, soft))
		return;
	rule = take_rlimit(r);
	reading_resume(r, l->s[hard != VS_PART__MAX ? hard : soft]);
	take_str(r, FIELD_RLIMIT_NAME, rule, resources[i].name);
	if (is_limit(l, soft)) {
		reading_resume(r, l->s[soft]);
		if (hard != VS_PART__MAX && is_above(&low, &l->n[hard])) {
			reading_approx(r, "clamped to the hard limit");
			low = l->n[hard];
		}
		take_side(r, rule, FIELD_RLIMIT_SOFT, &low);
	}
	if (hard == VS_PART__MAX) {
		reading_default(r, FIELD_RLIMIT_HARD, rule, default_hard(i),
				"vserver.md 2.9");
		return;
	}
	reading_resume(r, l->s[hard]);
	take_side(r, rule, FIELD_RLIMIT_HARD, &l->n[hard]);
	if (i == VS_RES_NPROC)
		nproc_per_context(r, l, hard);
	if (is_limit(l, VS_SOFT) && is_limit(l, VS_HARD))
		vserver_limits_overridden(r, l->s[VS_WHOLE_PART],
					  ".soft and .hard");
}

/* The letters of the shell's ulimit; memory is in KiB there. */
static const struct option {
	char letter;
	enum vserver_resource resource;
	unsigned unit;
} options[] = {
	{ 'n', VS_RES_NOFILE, 1 },     { 'u', VS_RES_NPROC, 1 },
	{ 'm', VS_RES_RSS, 1024 },     { 'v', VS_RES_AS, 1024 },
	{ 'd', VS_RES_DATA, 1024 },    { 's', VS_RES_STACK, 1024 },
	{ 'l', VS_RES_MEMLOCK, 1024 }, { 'f', VS_RES_FSIZE, 1024 },
	{ 'c', VS_RES_CORE, 1024 },    { 't', VS_RES_CPU, 1 },
};

static const struct option *find_option(char letter)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

/* A side that an earlier option has set is replaced. */
static void put_side(struct reading *r, struct limit *l, enum vserver_part part,
		     struct vserver_number n)
{
	struct setting *old = l->s[part], *now = r->cur;

	l->s[part] = now;
	l->n[part] = n;
	if (old != NULL && old != l->s[VS_SOFT] && old != l->s[VS_HARD])
		vserver_limits_overridden(r, old, "a later option");
	reading_resume(r, now);
}

void vserver_limits_legacy_ulimit(struct reading *r, char option,
				  const char *value, bool soft, bool hard)
{
	const struct option *o = find_option(option);
	struct vserver_number n = { .none = str_eq(value, "unlimited") };
	struct limit *l;
	struct err e;

	if (o == NULL) {
		vserver_limits_invalid(
			r, arena_printf(r->g->mem,
					"-%c is no option of ulimit that is "
					"known",
					option));
		return;
	}
	if (!n.none && num_u64(value, &n.v, &e) < 0) {
		vserver_limits_invalid(r, e.msg);
		return;
	}
	if (!n.none && !num_mul(n.v, o->unit, &n.v))
		n.none = true;
	l = &limits_of(r)->ulimits[o->resource];
	if (soft || !hard)
		put_side(r, l, VS_SOFT, n);
	if (hard || !soft)
		put_side(r, l, VS_HARD, n);
}

void vserver_limits_settle(struct reading *r)
{
	struct vserver_limits *l = limits_of(r);
	const struct vserver *v = vserver_of(r);

	vserver_cgroup_settle(r, l->cgroups);
	vserver_sched_cpuset(r, l->bucket);
	vserver_sched_settle(r, l->bucket);
	for (enum vserver_resource i = 0; i < VS_RES__MAX; i++)
		settle_rlimit(r, i);
	for (enum vserver_resource i = 0; i < VS_RES__MAX; i++)
		settle_ulimit(r, i);
	if (!v->legacy &&
	    tree_is_dir(v->t, arena_printf(r->g->mem, "%s/ulimits", v->cfg)))
		default_ulimits(r);
	vserver_disks_settle(r, l->disks);
}
