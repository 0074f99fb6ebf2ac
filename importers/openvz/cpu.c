/* Processor and disk throughput; openvz.md 2.7, 5.3. */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "facts.h"
#include "importers/openvz/table.h"

enum {
	UNITS_MIN = 8,
	UNITS_MAX = 500000,
	PERIOD = 100000,    /* microseconds */
	PER_PERCENT = 1000, /* microseconds of that period */
	SLOW = 4096,        /* bytes a second nobody means */
	CPUS_MAX = 4096,
};

static uint64_t weight_of(uint64_t units)
{
	const uint64_t w = units / 10;

	return w < 1 ? 1 : w > 10000 ? 10000 : w;
}

int openvz_cpu_units(struct reading *r, const char *value, struct err *e)
{
	uint64_t units;

	if (openvz_integer(value, UNITS_MIN, UNITS_MAX, &units, e) < 0)
		return -1;
	take_u64(r, FIELD_CPU_WEIGHT, r->g, weight_of(units));
	return 0;
}

static int numbers(struct reading *r, const char *value, enum field_id f,
		   struct err *e)
{
	if (str_eq(value, "all") || str_eq(value, "auto") || value[0] == '\0') {
		reading_decide(r, BIN_CARRIED, "any of them");
		return 0;
	}
	if (openvz_cpu_list(value, e) < 0)
		return -1;
	take_str(r, f, r->g, value);
	reading_approx(r, "%s", r->cur->row->note);
	reading_find(r, FIND_LIM_CPUS, "%s: %s", openvz_shown(r, value),
		     r->cur->row->note);
	return 0;
}

int openvz_cpu_mask(struct reading *r, const char *value, struct err *e)
{
	return numbers(r, value, FIELD_CPU_SET, e);
}

int openvz_node_mask(struct reading *r, const char *value, struct err *e)
{
	return numbers(r, value, FIELD_MEM_NODES, e);
}

int openvz_mhz(struct reading *r, const char *value, struct err *e)
{
	uint64_t mhz;

	(void)r;
	return openvz_integer(value, 0, UINT32_MAX, &mhz, e);
}

/* libvzctl's table, brought to a default of 100 for priority 4. */
int openvz_io_prio(struct reading *r, const char *value, struct err *e)
{
	static const unsigned weights[] = {
		64, 73, 82, 92, 100, 110, 120, 128
	};
	uint64_t prio;

	if (openvz_integer(value, 0, COUNT(weights) - 1, &prio, e) < 0)
		return -1;
	take_u64(r, FIELD_IO_WEIGHT, r->g, weights[prio]);
	return 0;
}

/* The one limit for all disks of the old host. */
static struct io_limit *all_disks(struct reading *r)
{
	struct io_limit *io;

	if (r->g->ios.n > 0)
		return r->g->ios.v[0];
	io = take_io(r);
	take_str(r, FIELD_IO_DEVICE, io, "all");
	return io;
}

int openvz_io_limit(struct reading *r, const char *value, struct err *e)
{
	struct ov_number n;
	struct io_limit *io;

	if (openvz_number_parse(value, OV_BYTES, openvz_of(r)->page, &n, e) < 0)
		return -1;
	if (n.none || n.empty || n.v == 0) {
		reading_decide(r, BIN_CARRIED, "without limit");
		return 0;
	}
	if (n.v < SLOW)
		reading_find(r, FIND_SRC_MEANT,
			     "%" PRIu64 " bytes a second: the command takes "
			     "MB/s, the file does not",
			     n.v);
	io = all_disks(r);
	take_limit(r, FIELD_IO_RBPS, io, n.v);
	take_limit(r, FIELD_IO_WBPS, io, n.v);
	reading_approx(r, "%s", r->cur->row->note);
	return 0;
}

int openvz_iops_limit(struct reading *r, const char *value, struct err *e)
{
	struct ov_number n;
	struct io_limit *io;

	if (openvz_number_parse(value, OV_ITEMS, openvz_of(r)->page, &n, e) < 0)
		return -1;
	if (n.none || n.empty || n.v == 0) {
		reading_decide(r, BIN_CARRIED, "without limit");
		return 0;
	}
	io = all_disks(r);
	take_limit(r, FIELD_IO_RIOPS, io, n.v);
	take_limit(r, FIELD_IO_WIOPS, io, n.v);
	reading_approx(r, "%s", r->cur->row->note);
	return 0;
}

/* --- CPULIMIT and CPUS ------------------------------------------------ */

/* Percent of one processor; 0: no limit. */
struct share {
	uint64_t percent;
	bool known; /* false: a part of a host whose size is not known */
};

/*
 * vzctl's "25%" is a part of the whole host. Where the number of its
 * processors was not captured it is taken of one: never weaker than it was.
 */
static int limit_of(struct reading *r, const char *text, struct share *ret,
		    struct err *e)
{
	const struct openvz *v = openvz_of(r);
	const struct facts *facts = r->source->host->facts;
	const size_t n = strcspn(text, "%");
	const bool sign = text[n] == '%';
	struct share s = { .known = true };

	if (sign && text[n + 1] != '\0')
		return err_set(e, 0, "\"%s\" is no percentage",
			       openvz_shown(r, text));
	if (openvz_integer(arena_strndup(r->g->mem, text, n), 0,
			   sign && v->dialect != OV_V7 ? 100 : 100 * CPUS_MAX,
			   &s.percent, e) < 0)
		return -1;
	if (sign && v->dialect != OV_V7) {
		s.known = facts != NULL && facts->cpus > 0;
		s.percent *= s.known ? facts->cpus : 1;
	}
	*ret = s;
	return 0;
}

static bool is_mhz(const char *text)
{
	return str_ends(text, "m") || str_ends(text, "mhz");
}

static bool limit_settled(struct reading *r, struct share *ret)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_CPULIMIT];
	struct err e;

	if (k->s == NULL)
		return false;
	if (is_mhz(k->text)) {
		openvz_end_find(r, k->s, BIN_DROPPED, FIND_LIM_MHZ,
				"a limit in MHz needs the old host's clock");
		return false;
	}
	if (limit_of(r, k->text, ret, &e) < 0) {
		openvz_end_find(r, k->s, BIN_INVALID, FIND_LIM_INVALID,
				arena_strdup(r->g->mem, e.msg));
		return false;
	}
	if (ret->percent == 0)
		openvz_end(r, k->s, BIN_CARRIED, "without limit");
	return ret->percent != 0;
}

static bool cpus_settled(struct reading *r, uint64_t *ret)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_CPUS];
	struct err e;

	if (k->s == NULL)
		return false;
	if (openvz_integer(k->text, 0, CPUS_MAX, ret, &e) < 0) {
		openvz_end_find(r, k->s, BIN_INVALID, FIND_LIM_INVALID,
				arena_strdup(r->g->mem, e.msg));
		return false;
	}
	if (*ret == 0)
		openvz_end(r, k->s, BIN_CARRIED, "all of them");
	return *ret != 0;
}

static void take_quota(struct reading *r, struct setting *s, uint64_t percent)
{
	reading_resume(r, s);
	take_limit(r, FIELD_CPU_QUOTA, r->g, percent * PER_PERCENT);
	reading_default(r, FIELD_CPU_PERIOD, r->g,
			arena_printf(r->g->mem, "%d", PERIOD),
			"openvz.md 5.3: the period of vzctl's own quota");
}

void openvz_cpu_settle(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	struct setting *limit = v->kept[OVK_CPULIMIT].s;
	struct setting *cpus = v->kept[OVK_CPUS].s;
	struct share share = { 0 };
	uint64_t n = 0;
	const bool limited = limit_settled(r, &share);
	const bool counted = cpus_settled(r, &n);

	if (limited && (!counted || share.percent <= n * 100)) {
		take_quota(r, limit, share.percent);
		if (!share.known)
			reading_find(r, FIND_LIM_HOST_SHARE,
				     "%s of a host whose number of processors "
				     "is not known: taken of one",
				     openvz_shown(r,
						  v->kept[OVK_CPULIMIT].text));
		openvz_end(r, cpus, BIN_INERT, "CPULIMIT is stricter");
	} else if (counted) {
		take_quota(r, cpus, n * 100);
		reading_approx(r, "%s", cpus->row->note);
		reading_find(r, FIND_LIM_CPU_COUNT,
			     "%" PRIu64 " processors became a quota of %" PRIu64
			     " percent: programs see all of the new host's",
			     n, n * 100);
		openvz_end(r, limit, BIN_INERT, "CPUS is stricter");
	}
}
