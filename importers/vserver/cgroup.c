/*
 * cgroup/: files of control group version 1 (and some of 2), written as they
 * stand when the guest started, in alphabetical order. Conversion to version 2
 * by targets.md 1.2. The guest's directory replaces the host-wide one whole.
 */
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/limits.h"
#include "importers/vserver/read.h"

enum {
	SHARES = 1024, /* of the default weight 100 */
	WEIGHT = 100,
	WEIGHT_MIN = 1,
	WEIGHT_MAX = 10000,
	BLKIO_MIN = 10, /* blkio.weight 10 to 1000 */
	BLKIO_MAX = 1000,
	PERIOD = 100000, /* microseconds, the kernel's default */
	PERIOD_MIN = 1000,
	PERIOD_MAX = 1000000,
};

struct vserver_cgroups {
	struct setting *s[VS_CG__MAX]; /* NULL: not there */
};

struct vserver_cgroups *vserver_cgroup_new(struct reading *r)
{
	return arena_alloc(r->g->mem, sizeof(struct vserver_cgroups));
}

/* Names of version 2: kernels of that time had no such file. */
static const char *const version2[] = {
	"memory.max", "memory.swap.max", "memory.low", "memory.high",
	"cpu.weight", "cpu.max",         "io.weight",  "io.max",
};

static void find_version2(struct reading *r)
{
	const char *name = strrchr(r->cur->from.key, '/') + 1;

	for (size_t i = 0; i < COUNT(version2); i++)
		if (str_eq(name, version2[i]))
			reading_find(r, FIND_SRC_MEANT,
				     "%s is a file of version 2, which old "
				     "kernels did not have: taken as it reads",
				     name);
}

int vserver_limits_cgroup(struct reading *r, const char *value, struct err *e)
{
	struct vserver_cgroups *c = vserver_limits_cgroups(r);
	struct setting **slot = &c->s[VS_N_OF(r->cur->row->arg)];
	struct setting *s = r->cur;

	(void)value;
	(void)e;
	/* The name of version 1 and that of version 2 in one directory. */
	vserver_limits_overridden(r, *slot, s->from.key);
	*slot = s;
	reading_resume(r, s);
	find_version2(r);
	return 0;
}

/* The text of a file without blanks at its ends. */
static const char *text_of(struct reading *r, const struct setting *s)
{
	const char *t = s->from.text;

	return slice_dup(r->g->mem, slice_trim((struct slice){ t, strlen(t) }));
}

static bool is_unlimited(const char *text)
{
	return str_eq(text, "-1") || str_eq(text, "max");
}

/* Bytes as the kernel reads them: K, M, G, T without regard to case. */
static bool bytes_of(struct reading *r, const struct setting *s, bool *ret_none,
		     uint64_t *ret)
{
	const char *text = text_of(r, s);
	struct err e;

	*ret_none = is_unlimited(text);
	return *ret_none || num_size(text, ret, &e) == 0;
}

/* 2^63 less a page is how version 1 shows "no limit". */
static bool is_as_good_as_none(uint64_t v)
{
	return v >= UINT64_C(0x7ffffffffffff000);
}

static void bad(struct reading *r)
{
	vserver_limits_invalid(
		r, arena_printf(r->g->mem, "\"%s\" is no legal value of %s",
				vserver_shown(r, text_of(r, r->cur)),
				r->cur->from.key));
}

static void take_bytes(struct reading *r, struct setting *s,
		       enum field_id field)
{
	uint64_t v = 0;
	bool none;

	if (s == NULL)
		return;
	reading_resume(r, s);
	if (!bytes_of(r, s, &none, &v))
		bad(r);
	else if (none || is_as_good_as_none(v))
		take_unlimited(r, field, r->g);
	else
		take_limit(r, field, r->g, v);
}

/* Memory and swap together, less memory. */
static void take_memsw(struct reading *r, struct setting *s)
{
	const struct opt_limit *mem = &r->g->mem_max;
	uint64_t v = 0;
	bool none;

	if (s == NULL)
		return;
	reading_resume(r, s);
	if (!bytes_of(r, s, &none, &v)) {
		bad(r);
	} else if (none || is_as_good_as_none(v)) {
		take_unlimited(r, FIELD_SWAP_MAX, r->g);
		reading_approx(r, "swap without limit");
	} else if (mem->from == NULL || mem->none) {
		reading_decide(r, BIN_DROPPED,
			       "without a limit of memory alone it cannot be "
			       "taken apart");
		reading_find(r, FIND_LIM_NO_V2, "%s %" PRIu64 ": %s",
			     s->from.key, v, s->note);
	} else if (v < mem->v) {
		vserver_limits_invalid(r, "memory and swap together is less "
					  "than memory");
	} else {
		take_limit(r, FIELD_SWAP_MAX, r->g, v - mem->v);
		take_part(r, FIELD_MEM_MAX, r->g);
		reading_approx(r,
			       "%" PRIu64 " of memory and swap less %" PRIu64
			       " of memory: limit.swap %" PRIu64,
			       v, mem->v, v - mem->v);
	}
}

static bool number_of(struct reading *r, struct setting *s, uint64_t min,
		      uint64_t max, uint64_t *ret)
{
	uint64_t v;
	struct err e;

	reading_resume(r, s);
	if (num_u64(text_of(r, s), &v, &e) < 0 || v < min || v > max) {
		bad(r);
		return false;
	}
	*ret = v;
	return true;
}

static uint64_t clamp(uint64_t v, uint64_t min, uint64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/* The ratio rule: shares are compared with each other, so are weights. */
static void take_shares(struct reading *r, struct setting *s)
{
	uint64_t v, weight;

	if (s == NULL || !number_of(r, s, 0, UINT32_MAX, &v))
		return;
	weight = clamp(v * WEIGHT / SHARES, WEIGHT_MIN, WEIGHT_MAX);
	take_u64(r, FIELD_CPU_WEIGHT, r->g, weight);
	reading_approx(r, "%" PRIu64 " shares: limit.cpu-weight %" PRIu64, v,
		       weight);
}

static void take_weight(struct reading *r, struct setting *s)
{
	uint64_t v;

	if (s != NULL && number_of(r, s, WEIGHT_MIN, WEIGHT_MAX, &v))
		take_u64(r, FIELD_CPU_WEIGHT, r->g, v);
}

static void take_blkio(struct reading *r, struct setting *s)
{
	uint64_t v, weight;

	if (s == NULL || !number_of(r, s, BLKIO_MIN, BLKIO_MAX, &v))
		return;
	weight = WEIGHT_MIN + (v - BLKIO_MIN) * (WEIGHT_MAX - WEIGHT_MIN) /
				      (BLKIO_MAX - BLKIO_MIN);
	take_u64(r, FIELD_IO_WEIGHT, r->g, weight);
	reading_approx(r, "blkio.weight %" PRIu64 ": limit.io-weight %" PRIu64,
		       v, weight);
}

static void take_quota(struct reading *r, const struct vserver_cgroups *c)
{
	struct setting *period = c->s[VS_CG_PERIOD];
	struct setting *quota = c->s[VS_CG_QUOTA];
	uint64_t v, p = PERIOD;

	if (period != NULL && number_of(r, period, PERIOD_MIN, PERIOD_MAX, &p))
		take_u64(r, FIELD_CPU_PERIOD, r->g, p);
	if (quota == NULL)
		return;
	reading_resume(r, quota);
	if (is_unlimited(text_of(r, quota))) {
		take_unlimited(r, FIELD_CPU_QUOTA, r->g);
	} else if (number_of(r, quota, 1, UINT64_MAX, &v)) {
		take_limit(r, FIELD_CPU_QUOTA, r->g, v);
		if (r->g->cpu_period.from == NULL)
			take_u64(r, FIELD_CPU_PERIOD, r->g, PERIOD);
	}
}

/* "MAX PERIOD" or "MAX"; it takes the place of both files of version 1. */
static void take_cpu_max(struct reading *r, const struct vserver_cgroups *c)
{
	struct setting *s = c->s[VS_CG_CPU_MAX];
	const struct strv w = strv_split(r->g->mem, text_of(r, s), " \t\n");
	uint64_t quota = 0, period = PERIOD;
	struct err e;

	vserver_limits_overridden(r, c->s[VS_CG_PERIOD], "cpu.max");
	vserver_limits_overridden(r, c->s[VS_CG_QUOTA], "cpu.max");
	reading_resume(r, s);
	if (w.n < 1 || w.n > 2 ||
	    (!str_eq(w.v[0], "max") &&
	     (num_u64(w.v[0], &quota, &e) < 0 || quota == 0)) ||
	    (w.n == 2 && (num_u64(w.v[1], &period, &e) < 0 ||
			  period < PERIOD_MIN || period > PERIOD_MAX))) {
		bad(r);
		return;
	}
	if (quota == 0)
		take_unlimited(r, FIELD_CPU_QUOTA, r->g);
	else
		take_limit(r, FIELD_CPU_QUOTA, r->g, quota);
	take_u64(r, FIELD_CPU_PERIOD, r->g, period);
}

/* "default N" or "N"; the kernel multiplies nothing here. */
static void take_io_weight(struct reading *r, const struct vserver_cgroups *c)
{
	struct setting *s = c->s[VS_CG_IO_WEIGHT2];
	const struct strv w = strv_split(r->g->mem, text_of(r, s), " \t\n");
	uint64_t v;
	struct err e;

	vserver_limits_overridden(r, c->s[VS_CG_IO_WEIGHT], "io.weight");
	reading_resume(r, s);
	if (w.n < 1 || w.n > 2 || (w.n == 2 && !str_eq(w.v[0], "default")) ||
	    num_u64(w.v[w.n - 1], &v, &e) < 0 || v < WEIGHT_MIN ||
	    v > WEIGHT_MAX)
		bad(r);
	else
		take_u64(r, FIELD_IO_WEIGHT, r->g, v);
}

static void take_pids(struct reading *r, struct setting *s)
{
	uint64_t v;

	if (s == NULL)
		return;
	reading_resume(r, s);
	if (is_unlimited(text_of(r, s)))
		take_unlimited(r, FIELD_PIDS_MAX, r->g);
	else if (number_of(r, s, 0, UINT32_MAX, &v))
		take_limit(r, FIELD_PIDS_MAX, r->g, v);
}

static void take_set(struct reading *r, struct setting *s, enum field_id field)
{
	if (s == NULL)
		return;
	reading_resume(r, s);
	vserver_sched_take_set(r, field, s->from.text);
}

static void take_freezer(struct reading *r, struct setting *s)
{
	if (s == NULL)
		return;
	reading_resume(r, s);
	if (str_eq(text_of(r, s), "FROZEN"))
		take_bool(r, FIELD_PAUSED, r->g, true);
	else
		reading_decide(r, BIN_INERT, "not frozen, as every guest");
}

/* --- I/O limits -------------------------------------------------------- */

static struct io_limit *io_of(struct reading *r, const char *device)
{
	struct guest *g = r->g;
	struct io_limit *io;

	for (size_t i = 0; i < g->ios.n; i++)
		if (str_eq(g->ios.v[i]->device.v, device))
			return g->ios.v[i];
	io = take_io(r);
	take_str(r, FIELD_IO_DEVICE, io, device);
	return io;
}

/* "rbps=N" and its kin, or "max". */
static bool take_io_word(struct reading *r, struct io_limit *io,
			 const char *word)
{
	static const struct {
		const char *key;
		enum field_id field;
	} keys[] = {
		{ "rbps=", FIELD_IO_RBPS },
		{ "wbps=", FIELD_IO_WBPS },
		{ "riops=", FIELD_IO_RIOPS },
		{ "wiops=", FIELD_IO_WIOPS },
	};
	uint64_t v;
	struct err e;

	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *text = word + strlen(keys[i].key);

		if (!str_starts(word, keys[i].key))
			continue;
		if (str_eq(text, "max"))
			take_unlimited(r, keys[i].field, io);
		else if (num_u64(text, &v, &e) == 0 && v > 0)
			take_limit(r, keys[i].field, io, v);
		else
			return false;
		return true;
	}
	return false;
}

static void bad_io(struct reading *r, const char *what)
{
	reading_find(r, FIND_LIM_INVALID, "\"%s\" of %s: left out",
		     vserver_shown(r, what), r->cur->from.key);
}

/* "MAJOR:MINOR rbps=N wbps=N riops=N wiops=N" a line. */
static void take_io_max(struct reading *r, struct setting *s)
{
	const struct strv lines = strv_split(r->g->mem, s->from.text, "\n");

	reading_resume(r, s);
	for (size_t i = 0; i < lines.n; i++) {
		const struct strv w = strv_split(r->g->mem, lines.v[i], " \t");
		struct io_limit *io;

		if (w.n == 0)
			continue;
		if (w.n < 2 || strchr(w.v[0], ':') == NULL) {
			bad_io(r, lines.v[i]);
			continue;
		}
		io = io_of(r, w.v[0]);
		for (size_t k = 1; k < w.n; k++)
			if (!take_io_word(r, io, w.v[k]))
				bad_io(r, w.v[k]);
	}
	if (s->parts.n == 0)
		bad(r);
}

/* "MAJOR:MINOR N" a line. */
static bool take_io_line(struct reading *r, struct slice line,
			 enum field_id field)
{
	struct slice rest = line, device, number, more;
	struct io_limit *io;
	uint64_t v;
	struct err e;

	if (!slice_word(&rest, &device) || !slice_word(&rest, &number) ||
	    slice_word(&rest, &more) ||
	    memchr(device.p, ':', device.n) == NULL ||
	    num_u64(slice_dup(r->g->mem, number), &v, &e) < 0)
		return false;
	io = io_of(r, slice_dup(r->g->mem, device));
	if (v == 0) /* 0 takes the limit away */
		take_unlimited(r, field, io);
	else
		take_limit(r, field, io, v);
	return true;
}

static void take_throttle(struct reading *r, struct setting *s,
			  enum field_id field)
{
	struct slice rest, line;

	if (s == NULL)
		return;
	reading_resume(r, s);
	rest = (struct slice){ s->from.text, strlen(s->from.text) };
	while (slice_next(&rest, '\n', &line))
		if (slice_trim(line).n > 0 &&
		    !take_io_line(r, slice_trim(line), field))
			reading_find(
				r, FIND_LIM_INVALID, "\"%s\" of %s: left out",
				vserver_shown(r, slice_dup(r->g->mem, line)),
				s->from.key);
	if (s->parts.n == 0)
		bad(r);
}

void vserver_cgroup_settle(struct reading *r, struct vserver_cgroups *c)
{
	struct setting *const *s = c->s;

	take_bytes(r, s[VS_CG_MEMORY], FIELD_MEM_MAX);
	take_memsw(r, s[VS_CG_MEMSW]);
	take_bytes(r, s[VS_CG_SWAP], FIELD_SWAP_MAX);
	take_bytes(r, s[VS_CG_SOFT],
		   str_eq(vserver_choice(r, "soft-limit"), "high") ?
			   FIELD_MEM_HIGH :
			   FIELD_MEM_LOW);
	take_bytes(r, s[VS_CG_HIGH], FIELD_MEM_HIGH);
	take_shares(r, s[VS_CG_SHARES]);
	take_weight(r, s[VS_CG_WEIGHT]);
	if (s[VS_CG_CPU_MAX] != NULL)
		take_cpu_max(r, c);
	else
		take_quota(r, c);
	take_set(r, s[VS_CG_CPUS], FIELD_CPU_SET);
	take_set(r, s[VS_CG_MEMS], FIELD_MEM_NODES);
	if (s[VS_CG_IO_WEIGHT2] != NULL)
		take_io_weight(r, c);
	else
		take_blkio(r, s[VS_CG_IO_WEIGHT]);
	take_pids(r, s[VS_CG_PIDS]);
	take_freezer(r, s[VS_CG_FREEZER]);
	take_throttle(r, s[VS_CG_RBPS], FIELD_IO_RBPS);
	take_throttle(r, s[VS_CG_WBPS], FIELD_IO_WBPS);
	take_throttle(r, s[VS_CG_RIOPS], FIELD_IO_RIOPS);
	take_throttle(r, s[VS_CG_WIOPS], FIELD_IO_WIOPS);
	if (s[VS_CG_IO_MAX] != NULL)
		take_io_max(r, s[VS_CG_IO_MAX]);
	vserver_devrules_settle(r, s[VS_CG_ALLOW], s[VS_CG_DENY]);
}
