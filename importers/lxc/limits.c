/*
 * Files of cgroups and limits of processes. A config may hold keys for cgroup
 * v1 and v2 side by side, for each host takes those that it has: where both
 * speak of a field the one of v2 is taken. Reference: targets.md 1.2, 2.2.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/lxc/table.h"

enum {
	SHARES = 1024, /* of v1, of weight 100 */
	WEIGHT = 100,
	WEIGHT_MIN = 1,
	WEIGHT_MAX = 10000,
	BLKIO_MIN = 10, /* blkio.weight is 10 to 1000 */
	BLKIO_MAX = 1000,
};

int lxc_cgroup_file(struct reading *r, const char *value, struct err *e)
{
	const char *key = r->cur->from.key;
	const bool v2 = str_starts(key, "lxc.cgroup2.");

	(void)e;
	*vec_add(r->g->mem, &lxc_of(r)->files) = (struct lx_file){
		.s = r->cur,
		.v2 = v2,
		.name = key + strlen(v2 ? "lxc.cgroup2." : "lxc.cgroup."),
		.text = value,
	};
	return 0;
}

/* --- one file ---------------------------------------------------------- */

static void invalid(struct reading *r, const struct lx_file *f, const char *why)
{
	lxc_end_find(r, f->s, BIN_INVALID, FIND_LIM_INVALID,
		     arena_printf(r->g->mem, "%s: left out", why));
}

/* A number with K, M or G; *ret_none: "max" or -1. */
static int amount(const char *s, uint64_t *ret, bool *ret_none, struct err *e)
{
	*ret_none = str_eq(s, "max") || str_eq(s, "-1");
	return *ret_none ? 0 : num_size(s, ret, e);
}

static void take_amount(struct reading *r, const struct lx_file *f,
			enum field_id id)
{
	struct err e;
	uint64_t n = 0;
	bool none;

	if (amount(f->text, &n, &none, &e) < 0) {
		invalid(r, f, e.msg);
		return;
	}
	reading_resume(r, f->s);
	if (none)
		take_unlimited(r, id, r->g);
	else
		take_limit(r, id, r->g, n);
}

static void take_number(struct reading *r, const struct lx_file *f,
			enum field_id id)
{
	struct err e;
	uint64_t n;

	if (num_u64(f->text, &n, &e) < 0) {
		invalid(r, f, e.msg);
		return;
	}
	reading_resume(r, f->s);
	take_u64(r, id, r->g, n);
}

static void take_text(struct reading *r, const struct lx_file *f,
		      enum field_id id)
{
	reading_resume(r, f->s);
	take_str(r, id, r->g, f->text);
}

static uint64_t clamp(uint64_t v, uint64_t min, uint64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/* The ratio rule: shares are compared with each other, so are weights. */
static void take_shares(struct reading *r, const struct lx_file *f,
			enum field_id id)
{
	struct err e;
	uint64_t n;

	if (num_u64(f->text, &n, &e) < 0 || n > UINT32_MAX) {
		invalid(r, f, "not a number of shares");
		return;
	}
	n = clamp((n * WEIGHT + SHARES / 2) / SHARES, WEIGHT_MIN, WEIGHT_MAX);
	reading_resume(r, f->s);
	take_u64(r, id, r->g, n);
	reading_approx(r, "%s shares: limit.cpu-weight %" PRIu64, f->text, n);
}

static void take_blkio(struct reading *r, const struct lx_file *f,
		       enum field_id id)
{
	struct err e;
	uint64_t n;

	if (num_u64(f->text, &n, &e) < 0 || n < BLKIO_MIN || n > BLKIO_MAX) {
		invalid(r, f, "blkio.weight is 10 to 1000");
		return;
	}
	n = WEIGHT_MIN + ((n - BLKIO_MIN) * (WEIGHT_MAX - WEIGHT_MIN) +
			  (BLKIO_MAX - BLKIO_MIN) / 2) /
				 (BLKIO_MAX - BLKIO_MIN);
	reading_resume(r, f->s);
	take_u64(r, id, r->g, n);
	reading_approx(r, "blkio.weight %s: limit.io-weight %" PRIu64, f->text,
		       n);
}

/* "QUOTA [PERIOD]" */
static void take_cpu_max(struct reading *r, const struct lx_file *f,
			 enum field_id id)
{
	const struct strv w = strv_split(r->g->mem, f->text, " \t");
	struct lx_file part = *f;
	uint64_t period = 0;
	struct err e;

	if (w.n < 1 || w.n > 2 ||
	    (w.n == 2 && num_u64(w.v[1], &period, &e) < 0)) {
		invalid(r, f, "not \"QUOTA PERIOD\"");
		return;
	}
	part.text = w.v[0];
	take_amount(r, &part, id);
	if (w.n == 2 && !f->s->decided)
		take_u64(r, FIELD_CPU_PERIOD, r->g, period);
}

/* --- io ---------------------------------------------------------------- */

static const struct io_row {
	const char *v1, *v2; /* the file; the word of io.max */
	enum field_id field;
} io_rows[] = {
	{ "blkio.throttle.read_bps_device", "rbps", FIELD_IO_RBPS },
	{ "blkio.throttle.write_bps_device", "wbps", FIELD_IO_WBPS },
	{ "blkio.throttle.read_iops_device", "riops", FIELD_IO_RIOPS },
	{ "blkio.throttle.write_iops_device", "wiops", FIELD_IO_WIOPS },
};

static struct io_limit *io_of(struct reading *r, const char *device)
{
	struct io_limit *io;

	for (size_t i = 0; i < r->g->ios.n; i++)
		if (str_eq(r->g->ios.v[i]->device.v, device))
			return r->g->ios.v[i];
	io = take_io(r);
	take_str(r, FIELD_IO_DEVICE, io, device);
	return io;
}

static int take_rate(struct reading *r, const struct lx_file *f,
		     const char *device, enum field_id id, const char *text)
{
	struct io_limit *io;
	uint64_t n = 0;
	struct err e;
	bool none;

	if (amount(text, &n, &none, &e) < 0) {
		invalid(r, f, e.msg);
		return -1;
	}
	reading_resume(r, f->s);
	io = io_of(r, device);
	if (none)
		take_unlimited(r, id, io);
	else
		take_limit(r, id, io, n);
	return 0;
}

/* "8:0 1048576", or of io.max "8:0 rbps=1048576 wiops=max" */
static void take_io_rates(struct reading *r, const struct lx_file *f)
{
	const struct strv w = strv_split(r->g->mem, f->text, " \t");
	bool any = false;

	for (size_t i = 1; i < w.n; i++)
		for (size_t k = 0; k < COUNT(io_rows); k++) {
			const struct io_row *row = &io_rows[k];
			const size_t n = strlen(row->v2);
			const char *text = w.v[i];

			if (!f->v2 && !str_eq(row->v1, f->name))
				continue;
			if (f->v2 &&
			    (!str_starts(text, row->v2) || text[n] != '='))
				continue;
			text += f->v2 ? n + 1 : 0;
			if (take_rate(r, f, w.v[0], row->field, text) < 0)
				return;
			any = true;
		}
	if (any)
		return;
	invalid(r, f, "not a device and a rate");
}

static bool is_io(const struct lx_file *f)
{
	if (f->v2)
		return str_eq(f->name, "io.max");
	return str_starts(f->name, "blkio.throttle.");
}

/* --- all --------------------------------------------------------------- */

static const struct file_row {
	const char *v2, *v1; /* NULL: none */
	enum field_id field;
	void (*take2)(struct reading *r, const struct lx_file *f,
		      enum field_id id);
	void (*take1)(struct reading *r, const struct lx_file *f,
		      enum field_id id);
} file_rows[] = {
	{ "memory.max", "memory.limit_in_bytes", FIELD_MEM_MAX, take_amount,
	  take_amount },
	{ "memory.high", NULL, FIELD_MEM_HIGH, take_amount, NULL },
	{ "memory.low", "memory.soft_limit_in_bytes", FIELD_MEM_LOW,
	  take_amount, take_amount },
	{ "memory.swap.max", NULL, FIELD_SWAP_MAX, take_amount, NULL },
	{ "pids.max", "pids.max", FIELD_PIDS_MAX, take_amount, take_amount },
	{ "cpu.weight", "cpu.shares", FIELD_CPU_WEIGHT, take_number,
	  take_shares },
	{ "cpu.max", "cpu.cfs_quota_us", FIELD_CPU_QUOTA, take_cpu_max,
	  take_amount },
	{ NULL, "cpu.cfs_period_us", FIELD_CPU_PERIOD, NULL, take_number },
	{ "cpuset.cpus", "cpuset.cpus", FIELD_CPU_SET, take_text, take_text },
	{ "cpuset.mems", "cpuset.mems", FIELD_MEM_NODES, take_text, take_text },
	{ "io.weight", "blkio.weight", FIELD_IO_WEIGHT, take_number,
	  take_blkio },
};

static const struct lx_file *file(const struct lxc *x, bool v2,
				  const char *name)
{
	for (size_t i = x->files.n; name != NULL && i-- > 0;)
		if (x->files.v[i].v2 == v2 && str_eq(x->files.v[i].name, name))
			return &x->files.v[i];
	return NULL;
}

/* Memory and swap together, less the memory. */
static void take_memsw(struct reading *r)
{
	const struct lxc *x = lxc_of(r);
	const struct lx_file *f = file(x, false, "memory.memsw.limit_in_bytes");
	const struct opt_limit *mem = &r->g->mem_max;
	uint64_t n = 0;
	struct err e;
	bool none;

	if (f == NULL)
		return;
	if (r->g->swap_max.from != NULL) {
		lxc_end(r, f->s, BIN_OVERRIDDEN, "memory.swap.max says it");
		return;
	}
	if (amount(f->text, &n, &none, &e) < 0) {
		invalid(r, f, e.msg);
		return;
	}
	if (!none && (mem->from == NULL || mem->none || mem->v > n)) {
		invalid(r, f,
			"memory and swap together, without a smaller limit of "
			"memory");
		return;
	}
	reading_resume(r, f->s);
	if (none)
		take_unlimited(r, FIELD_SWAP_MAX, r->g);
	else
		take_limit(r, FIELD_SWAP_MAX, r->g, n - mem->v);
}

static void take_row(struct reading *r, const struct file_row *row)
{
	const struct lxc *x = lxc_of(r);
	const struct lx_file *v2 = file(x, true, row->v2);
	const struct lx_file *v1 = file(x, false, row->v1);

	if (v2 != NULL)
		row->take2(r, v2, row->field);
	if (v1 == NULL)
		return;
	if (v2 == NULL && field_value(row->field, r->g).from == NULL)
		row->take1(r, v1, row->field);
	else
		lxc_end(r, v1->s, BIN_OVERRIDDEN,
			"the key for cgroup v2 says it too: that one is taken");
}

void lxc_limits_settle(struct reading *r)
{
	struct lxc *x = lxc_of(r);

	for (size_t i = 0; i < COUNT(file_rows); i++)
		take_row(r, &file_rows[i]);
	take_memsw(r);
	for (size_t i = 0; i < x->files.n; i++)
		if (is_io(&x->files.v[i]))
			take_io_rates(r, &x->files.v[i]);
}

/* --- processes --------------------------------------------------------- */

static int side(struct reading *r, struct rlimit_rule *l, enum field_id id,
		const char *text, struct err *e)
{
	uint64_t n;

	if (str_eq(text, "unlimited")) {
		take_unlimited(r, id, l);
		return 0;
	}
	if (num_u64(text, &n, e) < 0)
		return -1;
	take_limit(r, id, l, n);
	return 0;
}

/* "SOFT[:HARD]": one number is both. */
int lxc_rlimit(struct reading *r, const char *value, struct err *e)
{
	const char *colon = strchr(value, ':');
	const char *name = r->cur->from.key + strlen(r->cur->row->name) - 1;
	struct rlimit_rule *l = take_rlimit(r);
	const char *soft = value, *hard = value;

	if (colon != NULL) {
		soft = arena_strndup(r->g->mem, value, (size_t)(colon - value));
		hard = colon + 1;
	}
	if (side(r, l, FIELD_RLIMIT_SOFT, soft, e) < 0 ||
	    side(r, l, FIELD_RLIMIT_HARD, hard, e) < 0) {
		r->g->rlimits.n--;
		r->cur->parts.n = 0;
		return -1;
	}
	take_str(r, FIELD_RLIMIT_NAME, l, name);
	return 0;
}
