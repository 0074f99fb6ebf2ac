/*
 * The token bucket of the old scheduler (sched/, schedule) and cpuset/. A
 * token is a tick of processor time: fill-rate tokens every interval ticks are
 * a share that does not depend on the length of a tick. One bucket a
 * processor, as kernels since 2.1 have it.
 *
 * Source: vserver.md 2.11, 4.5; kernel kernel/vserver/sched.c; util-vserver
 * src/vsched.c, scripts/vserver.functions (addtoCPUSET).
 */
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "facts.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

enum {
	PERIOD = 100000, /* microseconds */
	WEIGHT_MIN = 1,
	WEIGHT_MAX = 10000,
	WEIGHT = 100, /* of the kernel's default share */
	FILL = 1,     /* the kernel's defaults */
	INTERVAL = 4,
	HZ_FAST = 1000, /* ticks a second, guessed from the bucket's size */
	HZ_SLOW = 100,
	TOKENS_FAST = 300,
	USEC = 1000000,
	CPUS_MAX = 8192,
};

struct vserver_bucket {
	struct setting *s[VS_SCHED__MAX];
	int64_t v[VS_SCHED__MAX];
	struct setting *cpuset[VS_CPUSET__MAX];
	struct setting *schedule; /* its last line */
	unsigned n_lines;         /* that the file schedule has */
	bool shadowed;            /* schedule is not read, and that is said */
	struct vserver_percpus *percpus;
};

struct vserver_bucket *vserver_sched_new(struct reading *r)
{
	struct vserver_bucket *b = arena_alloc(r->g->mem, sizeof(*b));

	b->percpus = vserver_percpu_new(r);
	return b;
}

/* --- keeping ----------------------------------------------------------- */

static bool is_rate(enum vserver_sched key)
{
	return key == VS_SCHED_FILL || key == VS_SCHED_INTERVAL ||
	       key == VS_SCHED_FILL2 || key == VS_SCHED_INTERVAL2;
}

static void keep(struct reading *r, enum vserver_sched key, const char *value)
{
	struct vserver_bucket *b = vserver_limits_bucket(r);
	struct setting *s = r->cur;
	int64_t n = 0;
	struct err e;

	if (value != NULL && num_i64(vserver_meant(r, value), &n, &e) < 0) {
		vserver_limits_invalid(r, e.msg);
		return;
	}
	if (n < 1 && is_rate(key)) {
		vserver_limits_invalid(r, "a rate or interval below 1");
		return;
	}
	/* prio-bias has a second spelling. */
	vserver_limits_overridden(r, b->s[key], s->from.key);
	reading_resume(r, s);
	b->s[key] = s;
	b->v[key] = n;
}

int vserver_limits_sched(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	keep(r, VS_N_OF(r->cur->row->arg), value);
	return 0;
}

/* The items of format.h in their order are the first of enum vserver_sched. */
static const char *const schedule_items[] = {
	[VS_SCHED_FILL] = "fill-rate", [VS_SCHED_INTERVAL] = "interval",
	[VS_SCHED_TOKENS] = "tokens",  [VS_SCHED_MIN] = "tokens-min",
	[VS_SCHED_MAX] = "tokens-max", [VS_SCHED_BIAS] = "prio-bias",
};

int vserver_limits_schedule(struct reading *r, const char *value, struct err *e)
{
	const struct vserver *v = vserver_of(r);
	struct vserver_bucket *b = vserver_limits_bucket(r);

	(void)e;
	if (tree_is_dir(v->t, arena_printf(r->g->mem, "%s/sched", v->cfg))) {
		reading_decide(r, BIN_OVERRIDDEN,
			       "the directory sched is read in its place");
		if (!b->shadowed)
			reading_find(r, FIND_SRC_SHADOWED,
				     "not read: the directory sched is there");
		b->shadowed = true;
		return 0;
	}
	b->schedule = r->cur;
	b->n_lines++;
	for (enum vserver_sched i = 0; i < COUNT(schedule_items); i++)
		if (str_eq(r->cur->item, schedule_items[i]))
			keep(r, i, value);
	if (v->unterminated)
		reading_find(r, FIND_SRC_NO_NEWLINE,
			     "no newline at the end: the old tools stop with "
			     "\"bad content\"; the value is used");
	return 0;
}

int vserver_limits_percpu(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	vserver_percpu_keep(r, vserver_limits_bucket(r)->percpus);
	return 0;
}

int vserver_limits_cpuset(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	vserver_limits_bucket(r)->cpuset[VS_N_OF(r->cur->row->arg)] = r->cur;
	return 0;
}

/* --- processors -------------------------------------------------------- */

bool vserver_sched_cpus(const char *list, unsigned *ret_n)
{
	struct slice rest = { list, strlen(list) }, piece;
	unsigned n = 0;

	while (slice_next(&rest, ',', &piece)) {
		char text[32];
		char *dash;
		uint64_t from, to;
		struct err e;

		piece = slice_trim(piece);
		if (piece.n == 0 || piece.n >= sizeof(text))
			return false;
		memcpy(text, piece.p, piece.n);
		text[piece.n] = '\0';
		dash = strchr(text, '-');
		if (dash != NULL)
			*dash = '\0';
		if (num_u64(text, &from, &e) < 0 ||
		    num_u64(dash != NULL ? dash + 1 : text, &to, &e) < 0 ||
		    to < from || to >= CPUS_MAX)
			return false;
		n += (unsigned)(to - from + 1);
	}
	*ret_n = n;
	return n > 0 && !str_ends(list, ",");
}

void vserver_sched_take_set(struct reading *r, enum field_id field,
			    const char *text)
{
	const char *list = slice_dup(
		r->g->mem, slice_trim((struct slice){ text, strlen(text) }));
	unsigned n;

	if (!vserver_sched_cpus(list, &n)) {
		vserver_limits_invalid(r, arena_printf(r->g->mem,
						       "\"%s\" is no list of "
						       "numbers",
						       list));
		return;
	}
	take_str(r, field, r->g, list);
	reading_find(r, FIND_LIM_CPUS, "%s %s: has to exist on the new host",
		     field_get(field)->name, list);
}

static void end_cpuset(struct reading *r, struct setting *s, enum bin bin,
		       enum finding_id id, const char *why)
{
	if (s == NULL)
		return;
	reading_resume(r, s);
	reading_decide(r, bin, "%s", why);
	if (id != FIND__MAX)
		reading_find(r, id, "%s", why);
}

static void take_cpuset(struct reading *r, struct setting *s,
			enum field_id field)
{
	const struct value v = field_value(field, r->g);

	if (s == NULL)
		return;
	if (v.from != NULL) {
		vserver_limits_overridden(r, s, "the cgroup's");
		return;
	}
	reading_resume(r, s);
	vserver_sched_take_set(r, field, s->from.text);
}

/* Without a name the set is never made; with nocreate it is only joined. */
void vserver_sched_cpuset(struct reading *r, struct vserver_bucket *b)
{
	struct setting *const *s = b->cpuset;
	const char *unused = NULL;

	if (s[VS_CPUSET_NAME] == NULL)
		unused = "without cpuset/name the tools made no set";
	else if (s[VS_CPUSET_NOCREATE] != NULL)
		unused = "with nocreate an existing set was joined; what it "
			 "held is not known";
	end_cpuset(r, s[VS_CPUSET_NAME], BIN_INERT, FIND__MAX,
		   "a container has a set of its own");
	end_cpuset(r, s[VS_CPUSET_NOCREATE], BIN_INERT, FIND__MAX,
		   "an existing set was joined");
	for (size_t i = VS_CPUSET_CPUS;
	     unused != NULL && i < VS_CPUSET_NOCREATE; i++)
		end_cpuset(r, s[i], BIN_INERT, FIND_LIM_NOT_ENFORCED, unused);
	if (unused != NULL)
		return;
	take_cpuset(r, s[VS_CPUSET_CPUS], FIELD_CPU_SET);
	take_cpuset(r, s[VS_CPUSET_MEMS], FIELD_MEM_NODES);
	end_cpuset(r, s[VS_CPUSET_CPU_EXCLUSIVE], BIN_DROPPED,
		   FIND_LIM_CPUSET_EXTRA, "not carried");
	end_cpuset(r, s[VS_CPUSET_MEM_EXCLUSIVE], BIN_DROPPED,
		   FIND_LIM_CPUSET_EXTRA, "not carried");
	end_cpuset(r, s[VS_CPUSET_VIRTUALIZED], BIN_INERT, FIND__MAX,
		   "lxcfs shows the guest the processors of its set");
}

/* A word of the site file that is a number; 0 where it is "auto". */
static uint64_t number_choice(struct reading *r, const char *name)
{
	const char *word = vserver_choice(r, name);
	uint64_t n;
	struct err e;

	return word != NULL && num_u64(word, &n, &e) == 0 ? n : 0;
}

/* How many processors the guest could use, and how that is known. */
static unsigned n_cpus(struct reading *r, const char **ret_how)
{
	const struct facts *facts = r->source->host->facts;
	unsigned n;

	if (r->g->cpu_set.from != NULL &&
	    vserver_sched_cpus(r->g->cpu_set.v, &n)) {
		*ret_how = "processors of its set";
		return n;
	}
	if (number_choice(r, "source-cpus") != 0) {
		*ret_how = "as the site file says";
		return (unsigned)number_choice(r, "source-cpus");
	}
	if (facts != NULL && facts->cpus > 0) {
		*ret_how = "processors of the captured host";
		return facts->cpus;
	}
	*ret_how = "processor assumed: capture records how many the host has";
	return 1;
}

/* --- the bucket -------------------------------------------------------- */

static bool is_kept(const struct vserver_bucket *b)
{
	for (size_t i = 0; i < VS_SCHED__MAX; i++)
		if (b->s[i] != NULL)
			return true;
	return false;
}

static int64_t value_of(const struct vserver_bucket *b, enum vserver_sched key,
			int64_t otherwise)
{
	return b->s[key] != NULL && b->v[key] > 0 ? b->v[key] : otherwise;
}

/* Ends what has not got an outcome yet; the first of them gets the finding. */
static void end_rest(struct reading *r, struct vserver_bucket *b, enum bin bin,
		     enum finding_id id, const char *why)
{
	bool found = false;

	for (size_t i = 0; i < VS_SCHED__MAX; i++) {
		struct setting *s = b->s[i];

		if (s == NULL || s->decided || s->parts.n > 0)
			continue;
		reading_resume(r, s);
		reading_decide(r, bin, "%s", why);
		if (!found)
			reading_find(r, id, "%s", why);
		found = true;
	}
}

/* A nice-like bias holds whatever the flags say; 0 changes nothing. */
static void settle_bias(struct reading *r, struct vserver_bucket *b)
{
	struct setting *s = b->s[VS_SCHED_BIAS];

	if (s == NULL)
		return;
	reading_resume(r, s);
	if (b->v[VS_SCHED_BIAS] == 0) {
		reading_decide(r, BIN_INERT, "a bias of 0 changes nothing");
		return;
	}
	take_i64(r, FIELD_CPU_NICE, r->g, b->v[VS_SCHED_BIAS]);
	reading_approx(r, "a bias of the priority became a nice level of the "
			  "processor's share");
}

/* The setting that carries a value: the rate's file, else the flag's. */
static struct setting *carrier(struct reading *r, struct vserver_bucket *b,
			       const char *flag)
{
	if (b->s[VS_SCHED_FILL] != NULL)
		return b->s[VS_SCHED_FILL];
	if (b->s[VS_SCHED_INTERVAL] != NULL)
		return b->s[VS_SCHED_INTERVAL];
	return vserver_caps_flag_setting(r, flag);
}

/* The other settings that the value of r->cur is made of. */
static void take_parts(struct reading *r, struct vserver_bucket *b,
		       enum field_id field, const char *flag)
{
	const char *note = r->cur->note;
	struct setting *others[] = { b->s[VS_SCHED_FILL],
				     b->s[VS_SCHED_INTERVAL],
				     vserver_caps_flag_setting(r, flag) };

	for (size_t i = 0; i < COUNT(others); i++) {
		if (others[i] == NULL || others[i]->decided)
			continue;
		reading_resume(r, others[i]);
		take_part(r, field, r->g);
		reading_approx(r, "%s", note);
	}
}

/* As the site file says, or guessed from the bucket's size; reference 8.5. */
static uint64_t ticks_a_second(struct reading *r, uint64_t tokens)
{
	const uint64_t hz = number_choice(r, "source-hz");

	if (hz != 0)
		return hz;
	return tokens >= TOKENS_FAST ? HZ_FAST : HZ_SLOW;
}

/* Tokens of the bucket's size in time, but never more than the quota. */
static void take_burst(struct reading *r, struct vserver_bucket *b,
		       uint64_t quota)
{
	const uint64_t tokens = (uint64_t)b->v[VS_SCHED_MAX];
	const uint64_t hz = ticks_a_second(r, tokens);
	uint64_t burst;

	if (b->s[VS_SCHED_MAX] == NULL || b->v[VS_SCHED_MAX] <= 0 ||
	    !num_mul(tokens, USEC, &burst))
		return;
	burst /= hz;
	reading_resume(r, b->s[VS_SCHED_MAX]);
	take_u64(r, FIELD_CPU_BURST, r->g, burst < quota ? burst : quota);
	reading_approx(r,
		       "%" PRIu64 " tokens at %" PRIu64
		       " ticks a second%s are %" PRIu64
		       " microseconds: limit.cpu-burst %" PRIu64
		       ", at most the quota",
		       tokens, hz,
		       number_choice(r, "source-hz") == 0 ? " (assumed)" : "",
		       burst, burst < quota ? burst : quota);
}

static void find_quota(struct reading *r)
{
	finding_covers(r->g,
		       reading_find(r, FIND_LIM_CPU_BUCKET, "%s", r->cur->note),
		       FIELD_CPU_QUOTA, NULL);
}

static void settle_hard(struct reading *r, struct vserver_bucket *b)
{
	const uint64_t fill = (uint64_t)value_of(b, VS_SCHED_FILL, FILL);
	const uint64_t interval =
		(uint64_t)value_of(b, VS_SCHED_INTERVAL, INTERVAL);
	struct setting *s = carrier(r, b, "sched_hard");
	const char *how;
	const unsigned cpus = n_cpus(r, &how);
	uint64_t quota;

	if (s == NULL || !num_mul(fill, (uint64_t)PERIOD * cpus, &quota))
		return;
	if (r->g->cpu_quota.from != NULL) {
		vserver_limits_overridden(
			r, vserver_caps_flag_setting(r, "sched_hard"),
			"the cgroup's cpu.cfs_quota_us");
		end_rest(r, b, BIN_OVERRIDDEN, FIND_SRC_SHADOWED,
			 "the cgroup's cpu.cfs_quota_us holds in its place");
		return;
	}
	reading_resume(r, s);
	if (fill >= interval) {
		take_unlimited(r, FIELD_CPU_QUOTA, r->g);
		reading_approx(r,
			       "%" PRIu64 " of %" PRIu64
			       " ticks are all that a "
			       "processor has: no limit",
			       fill, interval);
		find_quota(r);
		take_parts(r, b, FIELD_CPU_QUOTA, "sched_hard");
		return;
	}
	quota = (quota + interval / 2) / interval;
	take_limit(r, FIELD_CPU_QUOTA, r->g, quota);
	take_u64(r, FIELD_CPU_PERIOD, r->g, PERIOD);
	reading_approx(r,
		       "%" PRIu64 " of %" PRIu64 " ticks, %" PRIu64
		       " of %d microseconds, on %u %s",
		       fill, interval, quota, PERIOD, cpus, how);
	find_quota(r);
	take_parts(r, b, FIELD_CPU_QUOTA, "sched_hard");
	take_burst(r, b, quota);
}

/* 25 % is the kernel's default share and so the default weight. */
static void take_weight(struct reading *r, struct vserver_bucket *b,
			const char *flag)
{
	const uint64_t fill = (uint64_t)value_of(b, VS_SCHED_FILL, FILL);
	const uint64_t interval =
		(uint64_t)value_of(b, VS_SCHED_INTERVAL, INTERVAL);
	struct setting *s = carrier(r, b, flag);
	uint64_t weight;

	if (s == NULL || r->g->cpu_weight.from != NULL ||
	    !num_mul(fill, WEIGHT * INTERVAL, &weight))
		return;
	weight /= interval;
	weight = weight < WEIGHT_MIN ? WEIGHT_MIN :
		 weight > WEIGHT_MAX ? WEIGHT_MAX :
				       weight;
	reading_resume(r, s);
	take_u64(r, FIELD_CPU_WEIGHT, r->g, weight);
	reading_approx(r,
		       "%" PRIu64 " of %" PRIu64 " ticks, where 1 of 4 is "
		       "usual: limit.cpu-weight %" PRIu64,
		       fill, interval, weight);
	finding_covers(r->g,
		       reading_find(r, FIND_LIM_CPU_WEIGHT, "%s", r->cur->note),
		       FIELD_CPU_WEIGHT, NULL);
	take_parts(r, b, FIELD_CPU_WEIGHT, flag);
}

/* A second rate holds while the processor would idle: no hard bound then. */
static void settle_idle(struct reading *r, struct vserver_bucket *b)
{
	static const enum vserver_sched keys[] = { VS_SCHED_IDLE,
						   VS_SCHED_FILL2,
						   VS_SCHED_INTERVAL2 };
	bool any = false;

	for (size_t i = 0; i < COUNT(keys); i++)
		any = any || b->s[keys[i]] != NULL;
	if (!any)
		return;
	take_weight(r, b, "sched_hard");
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (b->s[keys[i]] == NULL)
			continue;
		reading_resume(r, b->s[keys[i]]);
		reading_decide(r, BIN_DROPPED,
			       "the second rate for idle processors is not "
			       "carried; the quota always holds");
		reading_find(r, FIND_LIM_NO_SCHED, "%s", r->cur->note);
	}
}

static void unenforced(struct reading *r, struct vserver_bucket *b)
{
	const int64_t fill = value_of(b, VS_SCHED_FILL, FILL);
	const int64_t interval = value_of(b, VS_SCHED_INTERVAL, INTERVAL);

	end_rest(r, b, BIN_INERT, FIND_LIM_CPU_INERT,
		 arena_printf(r->g->mem,
			      "without sched_hard or sched_prio the bucket "
			      "(%" PRId64 "/%" PRId64 ", %.1f %%) had no "
			      "effect: no limit",
			      fill, interval,
			      100.0 * (double)fill / (double)interval));
}

/* A flag whose values a cgroup has already given. */
static void end_flag(struct reading *r, const char *flag)
{
	struct setting *s = vserver_caps_flag_setting(r, flag);

	if (s != NULL && !s->decided && s->parts.n == 0)
		vserver_limits_overridden(r, s, "the cgroup's cpu setting");
}

/* A guest that ran empty waits for more than the bucket holds. */
static void check_bucket(struct reading *r, const struct vserver_bucket *b)
{
	if (b->s[VS_SCHED_MIN] == NULL || b->s[VS_SCHED_MAX] == NULL ||
	    b->v[VS_SCHED_MIN] <= b->v[VS_SCHED_MAX])
		return;
	reading_resume(r, b->s[VS_SCHED_MIN]);
	reading_find(r, FIND_SRC_MEANT,
		     "tokens-min %" PRId64 " is more than tokens-max %" PRId64
		     ": a bucket that ran empty never held that many",
		     b->v[VS_SCHED_MIN], b->v[VS_SCHED_MAX]);
}

void vserver_sched_settle(struct reading *r, struct vserver_bucket *b)
{
	const bool hard = vserver_caps_flag(r, "sched_hard");
	const bool prio = vserver_caps_flag(r, "sched_prio");
	const struct vserver_rate rate = {
		.fill = value_of(b, VS_SCHED_FILL, FILL),
		.interval = value_of(b, VS_SCHED_INTERVAL, INTERVAL),
		.enforced = hard || prio,
	};

	vserver_percpu_settle(r, b->percpus, &rate);
	check_bucket(r, b);
	if (b->schedule != NULL && b->n_lines < COUNT(schedule_items))
		reading_find_at(r, FIND_SRC_NOT_STARTED, &b->schedule->from,
				"schedule has %u of 6 lines: the old tools "
				"stop there; what it says is used",
				b->n_lines);
	settle_bias(r, b);
	if (!hard && !prio) {
		if (is_kept(b))
			unenforced(r, b);
		return;
	}
	if (hard) {
		settle_hard(r, b);
		settle_idle(r, b);
	}
	if (prio)
		take_weight(r, b, "sched_prio");
	end_rest(r, b, BIN_DROPPED, FIND_LIM_CPU_BUCKET,
		 "what the bucket held at first, and when it was let run "
		 "again, has no counterpart");
	end_flag(r, "sched_hard");
	end_flag(r, "sched_prio");
}
