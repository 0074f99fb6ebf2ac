/*
 * Memory, processor and disk throughput, as the LXC driver enforces them; of a
 * machine the number of its processors counts too, for it had no more.
 * Reference: libvirt.md 2.2 to 2.4, 4.2, 5.6.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/libvirt/table.h"

enum {
	KIB = 1024,
	PERIOD = 100000, /* microseconds: the kernel's own */
	PERIOD_MIN = 1000,
	PERIOD_MAX = 1000000,
	VCPUS_MAX = 16384,
	SHARES_MAX = 262144,
	SHARES_ONE = 1024, /* are weight 100 */
};

/* 2^53-1 KiB and more is what libvirt writes for "no limit". */
static const uint64_t unlimited = (UINT64_C(1) << 53) - 1;

static void wrong(struct reading *r, struct setting *s, const struct err *e)
{
	libvirt_end_find(r, s, BIN_INVALID, FIND_LIM_INVALID,
			 arena_printf(r->g->mem, "%s: left out", e->msg));
}

/* A size with its unit: bytes, whole KiB, rounded up. */
struct size {
	struct lv_value text, unit;
	bool there, none; /* none: without limit */
	uint64_t bytes;
};

static struct size size_at(struct reading *r, const char *path)
{
	const struct xml_node *node = libvirt_first(r, path);
	struct size ret = { .text = libvirt_text(node),
			    .unit = libvirt_attr(node, "unit") };
	struct err e;

	if (ret.text.s == NULL) {
		libvirt_end(r, ret.unit.s, BIN_INERT, "of no size");
		return ret;
	}
	if (libvirt_size(ret.text.text, ret.unit.text, KIB, &ret.bytes, &e) <
	    0) {
		wrong(r, ret.text.s, &e);
		libvirt_end(r, ret.unit.s, BIN_INVALID, "of that size");
		return ret;
	}
	ret.there = true;
	ret.none = ret.bytes / KIB >= unlimited;
	ret.bytes = (ret.bytes + KIB - 1) / KIB * KIB;
	return ret;
}

static void take_size(struct reading *r, const struct size *s, enum field_id f,
		      uint64_t bytes)
{
	reading_resume(r, s->text.s);
	if (s->none)
		take_unlimited(r, f, r->g);
	else
		take_limit(r, f, r->g, bytes);
	if (s->unit.s == NULL)
		return;
	reading_resume(r, s->unit.s);
	take_part(r, f, r->g);
}

static void drop_size(struct reading *r, const struct size *s, enum bin bin,
		      const char *note)
{
	libvirt_end(r, s->text.s, bin, note);
	libvirt_end(r, s->unit.s, bin, note);
}

static void swap(struct reading *r, const struct size *max)
{
	const struct size both = size_at(r, "memtune/swap_hard_limit");
	struct finding *f;

	if (!both.there)
		return;
	if (!both.none &&
	    (max->none || !max->there || both.bytes < max->bytes)) {
		libvirt_end_find(r, both.text.s, BIN_INVALID, FIND_LIM_INVALID,
				 "memory and swap together are below memory "
				 "alone: left out");
		libvirt_end(r, both.unit.s, BIN_INVALID, "of that size");
		return;
	}
	take_size(r, &both, FIELD_SWAP_MAX,
		  both.none ? 0 : both.bytes - max->bytes);
	reading_resume(r, both.text.s);
	f = reading_find(r, FIND_LIM_SWAP,
			 "memory and swap together: swap alone is the rest "
			 "above the limit of memory");
	finding_covers(r->g, f, FIELD_SWAP_MAX, NULL);
	reading_approx(r, "the rest above the limit of memory");
}

static void soft(struct reading *r)
{
	const struct size s = size_at(r, "memtune/soft_limit");
	const struct size least = size_at(r, "memtune/min_guarantee");
	struct finding *f;

	if (least.there) {
		reading_resume(r, least.text.s);
		libvirt_end_find(r, least.text.s, BIN_DROPPED,
				 FIND_LIM_GUARANTEE,
				 "a guarantee is not carried");
		libvirt_end(r, least.unit.s, BIN_DROPPED, "of that size");
	}
	if (!s.there)
		return;
	if (s.none) {
		drop_size(r, &s, BIN_CARRIED, "no limit");
		return;
	}
	take_size(r, &s, FIELD_MEM_LOW, s.bytes);
	reading_resume(r, s.text.s);
	f = reading_find(r, FIND_LIM_SOFT,
			 "the soft limit became protected memory");
	finding_covers(r->g, f, FIELD_MEM_LOW, NULL);
	reading_approx(r, "protected memory");
}

static void memory(struct reading *r)
{
	struct size all = size_at(r, "memory");
	struct size hard = size_at(r, "memtune/hard_limit");

	/* the driver of OpenVZ writes 0 where it does not know */
	if (all.there && all.bytes == 0) {
		drop_size(r, &all, BIN_INERT, "not known");
		all.there = false;
	}
	if (hard.there && hard.bytes == 0) {
		libvirt_end_find(r, hard.text.s, BIN_INVALID, FIND_LIM_INVALID,
				 "no memory at all: left out");
		libvirt_end(r, hard.unit.s, BIN_INVALID, "of that size");
		hard.there = false;
	}
	if (all.there && hard.there) {
		drop_size(r, &all, BIN_OVERRIDDEN, "memtune/hard_limit wins");
	} else if (all.there) {
		take_size(r, &all, FIELD_MEM_MAX, all.bytes);
	}
	if (hard.there)
		take_size(r, &hard, FIELD_MEM_MAX, hard.bytes);
	swap(r, hard.there ? &hard : &all);
	soft(r);
}

/* --- processor --- */

static void vcpu_count(struct reading *r, struct lv_value v)
{
	struct finding *f;
	struct err e;
	uint64_t n;

	if (v.s == NULL)
		return;
	if (libvirt_number(v.text, 1, VCPUS_MAX, &n, &e) < 0) {
		wrong(r, v.s, &e);
	} else if (!libvirt_is_machine(r)) {
		libvirt_end_find(r, v.s, BIN_INERT, FIND_LIM_NOT_ENFORCED,
				 "the number of processors was never enforced");
	} else if (libvirt_text_at(r, "cputune/quota").s != NULL) {
		libvirt_end(r, v.s, BIN_OVERRIDDEN, "cputune/quota wins");
	} else {
		reading_resume(r, v.s);
		take_limit(r, FIELD_CPU_QUOTA, r->g, n * PERIOD);
		take_u64(r, FIELD_CPU_PERIOD, r->g, PERIOD);
		f = reading_find(r, FIND_LIM_CPU_COUNT,
				 "%" PRIu64 " processors of the machine became "
				 "a quota",
				 n);
		finding_covers(r->g, f, FIELD_CPU_QUOTA, NULL);
		finding_covers(r->g, f, FIELD_CPU_PERIOD, NULL);
	}
}

static void set_of(struct reading *r, struct lv_value v, enum field_id f)
{
	const char *set;
	struct err e;

	if (v.s == NULL)
		return;
	if (libvirt_cpu_set(v.text, r->g->mem, &set, &e) < 0) {
		wrong(r, v.s, &e);
		return;
	}
	reading_resume(r, v.s);
	take_str(r, f, r->g, set);
}

static void placement(struct reading *r, struct lv_value v, struct lv_value set,
		      enum field_id f)
{
	if (libvirt_is(v, "auto")) {
		libvirt_end_find(r, v.s, BIN_HOSTSIDE, FIND_LIM_CPUSET_EXTRA,
				 "numad chose at each start: the new host's "
				 "scheduler does");
		libvirt_end(r, set.s, BIN_INERT, "placement is auto");
		return;
	}
	libvirt_end(r, v.s, BIN_INERT, "as without it");
	set_of(r, set, f);
}

static void shares(struct reading *r)
{
	const struct lv_value v = libvirt_text_at(r, "cputune/shares");
	struct finding *f;
	struct err e;
	uint64_t n;

	if (v.s == NULL)
		return;
	if (libvirt_number(v.text, 0, SHARES_MAX, &n, &e) < 0) {
		wrong(r, v.s, &e);
		return;
	}
	reading_resume(r, v.s);
	if (n == 0) {
		reading_decide(r, BIN_INERT, "0: as without it");
		return;
	}
	n = n * 100 / SHARES_ONE;
	take_u64(r, FIELD_CPU_WEIGHT, r->g, n < 1 ? 1 : n > 10000 ? 10000 : n);
	f = reading_find(r, FIND_LIM_CPU_WEIGHT,
			 "%s shares became weight %" PRIu64, v.text,
			 r->g->cpu_weight.v);
	finding_covers(r->g, f, FIELD_CPU_WEIGHT, NULL);
	reading_approx(r, "1024 shares are weight 100");
}

static void quota(struct reading *r)
{
	const struct lv_value q = libvirt_text_at(r, "cputune/quota");
	const struct lv_value p = libvirt_text_at(r, "cputune/period");
	uint64_t period = PERIOD, n = 0;
	struct err e;
	int64_t us;

	if (p.s != NULL &&
	    libvirt_number(p.text, PERIOD_MIN, PERIOD_MAX, &period, &e) < 0)
		wrong(r, p.s, &e);
	if (q.s != NULL && num_i64(q.text + (q.text[0] == '+'), &us, &e) < 0) {
		wrong(r, q.s, &e);
	} else if (q.s != NULL && us > 0) {
		n = (uint64_t)us;
		reading_resume(r, q.s);
		take_limit(r, FIELD_CPU_QUOTA, r->g, n);
	} else {
		libvirt_end(r, q.s, BIN_CARRIED, "no limit");
	}
	if (n == 0) {
		libvirt_end(r, p.s, BIN_INERT, "there is no quota");
	} else if (p.s != NULL && !p.s->decided) {
		reading_resume(r, p.s);
		take_u64(r, FIELD_CPU_PERIOD, r->g, period);
	} else {
		reading_default(r, FIELD_CPU_PERIOD, r->g, "100000",
				"libvirt.md 2.3");
	}
}

static void nodes(struct reading *r)
{
	const struct xml_node *m = libvirt_first(r, "numatune/memory");
	const struct lv_value mode = libvirt_attr(m, "mode");

	placement(r, libvirt_attr(m, "placement"), libvirt_attr(m, "nodeset"),
		  FIELD_MEM_NODES);
	if (mode.s == NULL)
		return;
	if (str_eq(mode.text, "strict") || str_eq(mode.text, "restrictive"))
		libvirt_end(r, mode.s, BIN_CARRIED, "a limit");
	else
		libvirt_end_find(r, mode.s, BIN_DROPPED, FIND_LIM_CPUSET_EXTRA,
				 "a preference of nodes: they are a limit now");
}

/* --- disk throughput --- */

static void io_number(struct reading *r, struct lv_value v, enum field_id f,
		      struct io_limit *io)
{
	struct err e;
	uint64_t n;

	if (v.s == NULL)
		return;
	if (libvirt_number(v.text, 0, UINT64_MAX, &n, &e) < 0) {
		wrong(r, v.s, &e);
	} else if (n == 0) {
		libvirt_end(r, v.s, BIN_INERT, "0: no limit");
	} else {
		reading_resume(r, v.s);
		take_limit(r, f, io, n);
	}
}

static void io_device(struct reading *r, const struct xml_node *node)
{
	static const struct {
		const char *name;
		enum field_id field;
	} rows[] = {
		{ "read_bytes_sec", FIELD_IO_RBPS },
		{ "write_bytes_sec", FIELD_IO_WBPS },
		{ "read_iops_sec", FIELD_IO_RIOPS },
		{ "write_iops_sec", FIELD_IO_WIOPS },
	};
	const struct lv_value path = libvirt_text(xml_child(node, "path"));
	const struct lv_value weight = libvirt_text(xml_child(node, "weight"));
	struct io_limit *io;

	if (path.s == NULL) {
		libvirt_end_below(r, node, BIN_INVALID, "no path of a disk");
		return;
	}
	reading_resume(r, path.s);
	io = take_io(r);
	take_str(r, FIELD_IO_DEVICE, io, path.text);
	for (size_t i = 0; i < COUNT(rows); i++)
		io_number(r, libvirt_text(xml_child(node, rows[i].name)),
			  rows[i].field, io);
	libvirt_end_find(
		r, weight.s, BIN_HOSTSIDE, FIND_LIM_IO_DEVICE,
		arena_printf(r->g->mem,
			     "weight of %s alone: io.weight of the new "
			     "host's disk",
			     libvirt_shown(r, path.text)));
}

static void io(struct reading *r)
{
	const struct lv_nodes all = libvirt_all(r, "blkiotune/device");
	const struct lv_value weight = libvirt_text_at(r, "blkiotune/weight");
	struct err e;
	uint64_t n;

	for (size_t i = 0; i < all.list.n; i++)
		io_device(r, all.list.v[i]);
	if (weight.s == NULL)
		return;
	if (libvirt_number(weight.text, 0, 10000, &n, &e) < 0) {
		wrong(r, weight.s, &e);
	} else if (n == 0) {
		libvirt_end(r, weight.s, BIN_INERT, "0: as without it");
	} else {
		reading_resume(r, weight.s);
		take_u64(r, FIELD_IO_WEIGHT, r->g, n);
	}
}

void libvirt_limits_settle(struct reading *r)
{
	const struct xml_node *vcpu = libvirt_first(r, "vcpu");
	const struct lv_value partition =
		libvirt_text_at(r, "resource/partition");

	memory(r);
	vcpu_count(r, libvirt_text(vcpu));
	placement(r, libvirt_attr(vcpu, "placement"),
		  libvirt_attr(vcpu, "cpuset"), FIELD_CPU_SET);
	shares(r);
	quota(r);
	nodes(r);
	io(r);
	if (libvirt_is(partition, "/machine"))
		libvirt_end(r, partition.s, BIN_INERT, "as without it");
	libvirt_end_find(r, partition.s, BIN_HOSTSIDE, FIND_INI_CGROUP_SETTING,
			 "its cgroup lay in a part of its own: give it to the "
			 "unit that starts the container");
}
