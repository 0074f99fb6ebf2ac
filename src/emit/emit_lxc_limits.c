/*
 * Limits in an LXC config: cgroup v2 keys, v1 keys where the site file says
 * that the host has them, and rlimits. Conversions: targets.md 1.2.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "emit/emit_lxc.h"

/* The v1 name of a limit, and how its value is spelled there. */
struct v1_row {
	enum field_id field;
	const char *key;
	const char *(*text)(struct emission *em, const struct value *v);
};

/* The value as v2 spells it: "max" is without limit. */
static const char *text_max(struct emission *em, const struct value *v)
{
	if (v->type == VALUE_LIMIT && v->b)
		return "max";
	return value_show(em->mem, v);
}

static const char *text_minus(struct emission *em, const struct value *v)
{
	return v->b ? "-1" : value_show(em->mem, v);
}

/* v1 counts memory and swap together; NULL where there is no such sum. */
static const char *text_memsw(struct emission *em, const struct value *v)
{
	const struct opt_limit *mem = &em->g->mem_max;

	if (v->b)
		return "-1";
	if (mem->from == NULL || mem->none || mem->v > UINT64_MAX - v->u)
		return NULL;
	return arena_printf(em->mem, "%" PRIu64, mem->v + v->u);
}

/* 100 of v2 are 1024 of v1: the ratio rule, rounded. */
static const char *text_shares(struct emission *em, const struct value *v)
{
	return arena_printf(em->mem, "%" PRIu64, (v->u * 1024 + 50) / 100);
}

/* 1 to 10000 of v2 are 10 to 1000 of v1. */
static const char *text_blkio(struct emission *em, const struct value *v)
{
	return arena_printf(em->mem, "%" PRIu64,
			    10 + ((v->u - 1) * 990 + 4999) / 9999);
}

static const struct v1_row v1_rows[] = {
	{ FIELD_MEM_MAX, "lxc.cgroup.memory.limit_in_bytes", text_minus },
	{ FIELD_MEM_LOW, "lxc.cgroup.memory.soft_limit_in_bytes", text_minus },
	{ FIELD_SWAP_MAX, "lxc.cgroup.memory.memsw.limit_in_bytes",
	  text_memsw },
	{ FIELD_PIDS_MAX, "lxc.cgroup.pids.max", text_max },
	{ FIELD_CPU_QUOTA, "lxc.cgroup.cpu.cfs_quota_us", text_minus },
	{ FIELD_CPU_PERIOD, "lxc.cgroup.cpu.cfs_period_us", text_max },
	{ FIELD_CPU_BURST, "lxc.cgroup.cpu.cfs_burst_us", text_max },
	{ FIELD_CPU_WEIGHT, "lxc.cgroup.cpu.shares", text_shares },
	{ FIELD_CPU_SET, "lxc.cgroup.cpuset.cpus", text_max },
	{ FIELD_MEM_NODES, "lxc.cgroup.cpuset.mems", text_max },
	{ FIELD_IO_WEIGHT, "lxc.cgroup.blkio.weight", text_blkio },
};

static const struct v1_row *v1_row(enum field_id id)
{
	for (size_t i = 0; i < COUNT(v1_rows); i++)
		if (v1_rows[i].field == id)
			return &v1_rows[i];
	return NULL;
}

/* What the kernel takes; anything else makes the start fail. */
static const struct range_row {
	enum field_id field;
	int64_t min, max;
} range_rows[] = {
	{ FIELD_CPU_WEIGHT, 1, 10000 },
	{ FIELD_IO_WEIGHT, 1, 10000 },
	{ FIELD_CPU_NICE, -20, 19 },
	{ FIELD_CPU_QUOTA, 1000, INT64_MAX },
	{ FIELD_CPU_PERIOD, 1000, 1000000 },
};

static bool is_list(const char *s)
{
	return *s >= '0' && *s <= '9' && s[strspn(s, "0123456789,-")] == '\0';
}

/* Why the value is not a legal one; NULL when it is. */
static const char *fault(const struct guest *g, enum field_id id,
			 const struct value *v)
{
	const int64_t n = v->type == VALUE_I64 ? v->i :
			  v->u > INT64_MAX     ? INT64_MAX :
						 (int64_t)v->u;

	if ((id == FIELD_CPU_SET || id == FIELD_MEM_NODES) && !is_list(v->s))
		return "not a list of numbers";
	if (v->type == VALUE_LIMIT && v->b)
		return NULL;
	if (id == FIELD_CPU_BURST &&
	    (g->cpu_quota.from == NULL || g->cpu_quota.none ||
	     v->u > g->cpu_quota.v))
		return "a burst is not above the quota";
	for (size_t i = 0; i < COUNT(range_rows); i++)
		if (range_rows[i].field == id &&
		    (n < range_rows[i].min || n > range_rows[i].max))
			return "out of the kernel's range";
	return NULL;
}

/*
 * No process has a higher number (PID_MAX_LIMIT), and pids.max takes none that
 * is above it but "max": the start would fail.
 */
enum { PIDS_MOST = 4194304 };

static bool put_pids_max(struct emission *em, const struct value *v)
{
	if (v->b || v->u <= PIDS_MOST)
		return false;
	emit_lxc_say(em, FIND_LIM_NOT_ENFORCED, BIN_APPROXIMATED,
		     "%" PRIu64 " processes are more than a kernel can number: "
		     "no limit",
		     v->u);
	if (emit_lxc_v2(em))
		emit_lxc_add(em, LXC_LIMITS,
			     em->emitter->rules[FIELD_PIDS_MAX].key, "max");
	if (emit_lxc_v1(em))
		emit_lxc_add(em, LXC_LIMITS, "lxc.cgroup.pids.max", "max");
	return true;
}

/* "QUOTA PERIOD" is one file; the period stands there with its quota. */
static void put_cpu_max(struct emission *em, enum field_id id,
			const void *object)
{
	const struct guest *g = em->g;
	const struct value period = field_value(FIELD_CPU_PERIOD, g);
	const struct value quota = field_value(FIELD_CPU_QUOTA, g);
	const char *text = "max";

	if (id == FIELD_CPU_PERIOD && quota.from != NULL &&
	    fault(g, FIELD_CPU_QUOTA, &quota) == NULL)
		return;
	if (id == FIELD_CPU_QUOTA)
		text = text_max(em, &quota);
	if (period.from != NULL && fault(g, FIELD_CPU_PERIOD, &period) == NULL)
		text = arena_printf(em->mem, "%s %" PRIu64, text, period.u);
	emit_lxc_put(em, id, object, em->emitter->rules[id].key, text);
}

static void put_v1(struct emission *em, enum field_id id, const void *object,
		   const struct value *v)
{
	const struct v1_row *row = v1_row(id);
	const char *text = row == NULL ? NULL : row->text(em, v);

	if (text != NULL)
		emit_lxc_put(em, id, object, row->key, text);
	else if (!emit_lxc_v2(em))
		emit_lxc_say(em, FIND_LIM_NO_GROUP, BIN_DROPPED,
			     "%s %s: cgroup v1 has no such limit",
			     field_get(id)->name, value_show(em->mem, v));
}

void emit_lxc_limit(struct emission *em, enum field_id id, const void *object,
		    const struct value *v)
{
	const struct emit_rule *rule = &em->emitter->rules[id];
	const char *why = fault(em->g, id, v);

	if (why != NULL) {
		emit_lxc_say(em, FIND_LIM_INVALID, BIN_DROPPED,
			     "%s %s: %s: left out", field_get(id)->name,
			     str_show(em->mem, value_show(em->mem, v),
				      strlen(value_show(em->mem, v)), 80),
			     why);
		return;
	}
	if (id == FIELD_PIDS_MAX && put_pids_max(em, v))
		return;
	if (rule->fidelity == FID_APPROX)
		emit_lxc_comment(em, id, object, v);
	if (emit_lxc_v2(em) &&
	    (id == FIELD_CPU_QUOTA || id == FIELD_CPU_PERIOD))
		put_cpu_max(em, id, object);
	else if (emit_lxc_v2(em))
		emit_lxc_put(em, id, object, rule->key, text_max(em, v));
	if (emit_lxc_v1(em))
		put_v1(em, id, object, v);
}

void emit_lxc_no_limit(struct emission *em, enum field_id id,
		       const void *object, const struct value *v)
{
	if (v->b)
		emit_bin(em, BIN_CARRIED, "without limit");
	else
		emit_lxc_comment(em, id, object, v);
}

/* "8:16", and named by who knows the new host. */
static bool is_new_disk(const struct io_limit *io)
{
	const char *s = io->device.v;

	if (io->device.from == NULL || (io->device.from->kind != ORIGIN_SITE &&
					io->device.from->kind != ORIGIN_OPTION))
		return false;
	s += strspn(s, "0123456789");
	return s != io->device.v && s[0] == ':' && s[1] != '\0' &&
	       s[1 + strspn(s + 1, "0123456789")] == '\0';
}

/* The kernel takes a line of io.max for each word. */
void emit_lxc_io(struct emission *em, enum field_id id, const void *object,
		 const struct value *v)
{
	const struct io_limit *io = object;

	if (v->b || !emit_lxc_v2(em) || !is_new_disk(io)) {
		emit_lxc_no_limit(em, id, object, v);
		return;
	}
	emit_lxc_put(em, id, object, em->emitter->rules[id].key,
		     arena_printf(em->mem, "%s %s=%" PRIu64, io->device.v,
				  policy_io_word(id), v->u));
	emit_bin(em, BIN_CARRIED, "on the new host's disk");
	emit_find_at(em, FIND_LIM_IO_DISK, id, object,
		     "%s applies to the disk %s of the new host",
		     field_get(id)->name, io->device.v);
}

/* The names that setrlimit(2) has; LXC finds a wrong one only at the start. */
static const char *const rlimits[] = {
	"as",      "core",     "cpu",        "data",   "fsize", "locks",
	"memlock", "msgqueue", "nice",       "nofile", "nproc", "rss",
	"rtprio",  "rttime",   "sigpending", "stack",
};

/* fs.nr_open of the kernel: unlimited files would make the start fail. */
enum { NOFILE_MOST = 1048576 };

/* Both sides of one limit as they are written. */
struct pair {
	const char *fault; /* NULL: fine */
	struct opt_limit soft, hard;
};

static bool is_above(const struct opt_limit *a, const struct opt_limit *b)
{
	return !b->none && (a->none || a->v > b->v);
}

/* A side that is absent is as the other; soft is never above hard. */
static struct pair pair_of(const struct rlimit_rule *r)
{
	const struct opt_limit most = { .v = NOFILE_MOST };
	struct pair p = { .soft = r->soft, .hard = r->hard };

	p.fault = "no resource of that name";
	for (size_t i = 0; i < COUNT(rlimits); i++)
		if (r->name.from != NULL && str_eq(r->name.v, rlimits[i]))
			p.fault = NULL;
	if (p.fault != NULL)
		return p;
	if (p.soft.from == NULL && p.hard.from == NULL)
		p.fault = "no value";
	if (p.soft.from == NULL)
		p.soft = p.hard;
	if (p.hard.from == NULL)
		p.hard = p.soft;
	if (str_eq(r->name.v, "nofile") && is_above(&p.hard, &most))
		p.hard = most;
	if (is_above(&p.soft, &p.hard))
		p.soft = p.hard;
	return p;
}

static const char *show_limit(struct emission *em, const struct opt_limit *l)
{
	return l->none ? "unlimited" : arena_printf(em->mem, "%" PRIu64, l->v);
}

static bool is_same(const struct opt_limit *a, const struct opt_limit *b)
{
	return a->none == b->none && (a->none || a->v == b->v);
}

static void put_pair(struct emission *em, const struct rlimit_rule *r,
		     const struct pair *p)
{
	const char *soft = show_limit(em, &p->soft);
	const char *hard = show_limit(em, &p->hard);
	struct finding *f;

	if (r->soft.from == NULL || r->hard.from == NULL) {
		f = emit_lxc_say(em, FIND_LIM_RLIMIT_DEFAULT, BIN_APPROXIMATED,
				 "%s: the side that was not given is as the "
				 "other: %s",
				 r->name.v, soft);
		finding_covers(em->g, f, FIELD_RLIMIT_SOFT, r->name.v);
		finding_covers(em->g, f, FIELD_RLIMIT_HARD, r->name.v);
	}
	emit_lxc_put(em, FIELD_RLIMIT_NAME, r,
		     arena_printf(em->mem, "lxc.prlimit.%s", r->name.v),
		     arena_printf(em->mem, "%s:%s", soft, hard));
}

void emit_lxc_rlimit(struct emission *em, enum field_id id, const void *object,
		     const struct value *v)
{
	const struct rlimit_rule *r = object;
	const struct pair p = pair_of(r);
	const struct opt_limit *was = id == FIELD_RLIMIT_SOFT ? &r->soft :
								&r->hard;
	const struct opt_limit *is = id == FIELD_RLIMIT_SOFT ? &p.soft :
							       &p.hard;

	(void)v;
	if (p.fault != NULL)
		emit_lxc_refuse(em, FIND_LIM_UNKNOWN, BIN_DROPPED, p.fault);
	else if (id == FIELD_RLIMIT_NAME)
		put_pair(em, r, &p);
	else if (!is_same(was, is))
		emit_lxc_say(em, FIND_LIM_RLIMIT_DEFAULT, BIN_APPROXIMATED,
			     "%s %s %s becomes %s, the most "
			     "that the kernel takes",
			     r->name.v, field_get(id)->name,
			     show_limit(em, was), show_limit(em, is));
}
