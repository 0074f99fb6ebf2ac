/* Groups and what is written in them; rlimits are set by pid 1 itself. */
#include <inttypes.h>
#include <string.h>

#include "base/cap.h"
#include "base/num.h"
#include "base/str.h"
#include "runtime/ops.h"

enum form { FORM_NUMBER, FORM_TEXT, FORM_SWAP, FORM_SHARES, FORM_BLKIO };

/* The v1 file and the v2 file of each field; targets.md 1.2. */
static const struct limit_row {
	enum field_id field;
	const char *controller, *v1, *v2;
	enum form form;
} limit_rows[] = {
	{ FIELD_MEM_MAX, "memory", "memory.limit_in_bytes", "memory.max",
	  FORM_NUMBER },
	{ FIELD_SWAP_MAX, "memory", "memory.memsw.limit_in_bytes",
	  "memory.swap.max", FORM_SWAP },
	{ FIELD_MEM_LOW, "memory", "memory.soft_limit_in_bytes", "memory.low",
	  FORM_NUMBER },
	{ FIELD_MEM_HIGH, "memory", NULL, "memory.high", FORM_NUMBER },
	{ FIELD_PIDS_MAX, "pids", "pids.max", "pids.max", FORM_NUMBER },
	{ FIELD_CPU_PERIOD, "cpu", "cpu.cfs_period_us", "cpu.max",
	  FORM_NUMBER },
	{ FIELD_CPU_QUOTA, "cpu", "cpu.cfs_quota_us", "cpu.max", FORM_NUMBER },
	{ FIELD_CPU_BURST, "cpu", "cpu.cfs_burst_us", "cpu.max.burst",
	  FORM_NUMBER },
	{ FIELD_CPU_WEIGHT, "cpu", "cpu.shares", "cpu.weight", FORM_SHARES },
	{ FIELD_CPU_NICE, "cpu", NULL, "cpu.weight.nice", FORM_TEXT },
	{ FIELD_CPU_SET, "cpuset", "cpuset.cpus", "cpuset.cpus", FORM_TEXT },
	{ FIELD_MEM_NODES, "cpuset", "cpuset.mems", "cpuset.mems", FORM_TEXT },
	{ FIELD_IO_WEIGHT, "blkio", "blkio.weight", "io.weight", FORM_BLKIO },
};

static const char *get(const struct ops_input *in, enum field_id f)
{
	return policy_get(in->p, f, "");
}

/* Weights of v2 in v1's units, rounded as they were on the way here. */
static const char *from_weight(struct arena *mem, enum form form, uint64_t n)
{
	if (form == FORM_SHARES)
		return arena_printf(mem, "%" PRIu64, (n * 1024 + 50) / 100);
	return arena_printf(mem, "%" PRIu64,
			    10 + ((n - 1) * 990 + 4999) / 9999);
}

static const char *v1_value(const struct ops_input *in, struct arena *mem,
			    const struct limit_row *row, const char *value)
{
	const char *memory = get(in, FIELD_MEM_MAX);
	uint64_t n, m;
	struct err e;

	if (num_u64(value, &n, &e) < 0 && row->field == FIELD_PIDS_MAX)
		return "max";
	if (num_u64(value, &n, &e) < 0)
		return row->form == FORM_TEXT ? value : "-1";
	if (row->form == FORM_SHARES || row->form == FORM_BLKIO)
		return from_weight(mem, row->form, n);
	if (row->form == FORM_SWAP && memory != NULL &&
	    num_u64(memory, &m, &e) == 0)
		return arena_printf(mem, "%" PRIu64, m + n);
	return value;
}

static const char *v2_value(const struct ops_input *in, struct arena *mem,
			    const struct limit_row *row, const char *value)
{
	const char *period = get(in, FIELD_CPU_PERIOD);

	if (str_eq(value, "unlimited"))
		value = "max";
	if (row->field == FIELD_CPU_PERIOD)
		return arena_printf(mem, "max %s", value);
	if (row->field == FIELD_CPU_QUOTA && period != NULL)
		return arena_printf(mem, "%s %s", value, period);
	return value;
}

/* "3" or "0-3" */
static bool range_of(struct arena *mem, const char *word, uint64_t *lo,
		     uint64_t *hi)
{
	const struct strv ends = strv_split(mem, word, "-");
	struct err e;

	return ends.n > 0 && num_u64(ends.v[0], lo, &e) == 0 &&
	       num_u64(ends.v[ends.n - 1], hi, &e) == 0 && *lo <= *hi;
}

/* Whether every number of a list such as "0-3,7" is in another one. */
static bool list_within(struct arena *mem, const char *list, const char *of)
{
	const struct strv words = strv_split(mem, list, ", ");
	const struct strv have = strv_split(mem, of, ", ");

	for (size_t i = 0; i < words.n; i++) {
		uint64_t lo, hi, from, to;
		bool in = false;

		if (!range_of(mem, words.v[i], &lo, &hi))
			return false;
		/* ranges of the kernel's list do not touch */
		for (size_t j = 0; j < have.n && !in; j++)
			in = range_of(mem, have.v[j], &from, &to) &&
			     from <= lo && hi <= to;
		if (!in)
			return false;
	}
	return true;
}

/* Why this host cannot be given the value; NULL: it can. */
static const char *out_of_reach(const struct ops_input *in, struct arena *mem,
				enum field_id f, const char *value)
{
	if (f == FIELD_CPU_SET && in->h->cpus != NULL &&
	    !list_within(mem, value, in->h->cpus))
		return arena_printf(mem, "this host has the processors %s",
				    in->h->cpus);
	if (f == FIELD_MEM_NODES && in->h->nodes != NULL &&
	    !list_within(mem, value, in->h->nodes))
		return arena_printf(mem, "this host has the memory nodes %s",
				    in->h->nodes);
	return NULL;
}

static void plan_limit(const struct ops_input *in, struct ops *ops,
		       const struct limit_row *row)
{
	const char *value = get(in, row->field);
	const struct host_group *g;
	const char *file, *why;

	if (value == NULL)
		return;
	why = out_of_reach(in, ops->mem, row->field, value);
	if (why != NULL) {
		ops_withhold(ops, row->field, "", why);
		return;
	}
	g = host_controller(in->h, row->controller);
	if (g == NULL && str_eq(row->controller, "blkio"))
		g = host_controller(in->h, "io");
	if (g == NULL) {
		ops_withhold(ops, row->field, "",
			     arena_printf(ops->mem,
					  "no controller %s on this host",
					  row->controller));
		return;
	}
	if (g->v2 && row->field == FIELD_CPU_PERIOD &&
	    get(in, FIELD_CPU_QUOTA) != NULL)
		return; /* stands beside the quota */
	file = g->v2 ? row->v2 : row->v1;
	if (file == NULL || strv_has(&in->h->missing, file))
		ops_withhold(ops, row->field, "",
			     "this host's groups have no such file");
	else
		ops_add(ops, OP_GROUP_SET,
			arena_printf(ops->mem, "%s/%s", g->path, ops->group),
			file,
			g->v2 ? v2_value(in, ops->mem, row, value) :
				v1_value(in, ops->mem, row, value),
			row->controller);
}

bool ops_limit_field(const char *file, enum field_id *ret)
{
	for (size_t i = 0; i < COUNT(limit_rows); i++) {
		if (!str_eq(limit_rows[i].v1, file) &&
		    !str_eq(limit_rows[i].v2, file))
			continue;
		*ret = limit_rows[i].field;
		return true;
	}
	return false;
}

const char *ops_limit_controller(enum field_id f)
{
	for (size_t i = 0; i < COUNT(limit_rows); i++)
		if (limit_rows[i].field == f)
			return limit_rows[i].controller;
	return NULL;
}

/* A group of v2 has the files of what is switched on above it. */
static void plan_controllers(const struct ops_input *in, struct ops *ops,
			     const struct host_group *v2)
{
	struct strv names = { 0 };

	for (size_t i = 0; i < COUNT(limit_rows); i++) {
		const char *name = limit_rows[i].controller;

		if (str_eq(name, "blkio") &&
		    host_controller(in->h, name) == NULL)
			name = "io";
		if (get(in, limit_rows[i].field) != NULL &&
		    host_controller(in->h, name) == v2 &&
		    !strv_has(&names, name))
			strv_add(ops->mem, &names, name);
	}
	for (size_t i = 0; i < in->p->items.n; i++)
		if (policy_io_word(in->p->items.v[i].field) != NULL &&
		    host_controller(in->h, "io") == v2 &&
		    !strv_has(&names, "io"))
			strv_add(ops->mem, &names, "io");
	if (names.n != 0)
		ops_add(ops, OP_CONTROLLERS, v2->path,
			strv_join(ops->mem, &names, " "), NULL, NULL);
}

static void plan_groups(const struct ops_input *in, struct ops *ops)
{
	for (size_t i = 0; i < in->h->groups.n; i++) {
		const struct host_group *g = &in->h->groups.v[i];
		const char *dir =
			arena_printf(ops->mem, "%s/%s", g->path, ops->group);

		*vec_add(ops->mem, &ops->group_dirs) = dir;
		if (g->v2)
			plan_controllers(in, ops, g);
		ops_add(ops, OP_GROUP, dir, g->v2 ? "v2" : g->controllers, NULL,
			NULL);
		if (ops->userns)
			ops_add(ops, OP_GROUP_GIVE, dir, NULL, NULL, NULL);
	}
}

/* Why a disk's limit cannot be set here; NULL: it can. */
static const char *no_io(const struct ops_input *in, struct arena *mem,
			 const char *disk)
{
	const struct host_group *g = host_controller(in->h, "io");

	if (g == NULL || !g->v2)
		return "no controller io of cgroup v2 on this host";
	if (!strv_has(&in->h->disks, disk))
		return arena_printf(mem, "this host has no disk %s", disk);
	return NULL;
}

static void plan_io(const struct ops_input *in, struct ops *ops,
		    const struct policy_item *it)
{
	const char *why = no_io(in, ops->mem, it->key);

	if (why != NULL)
		ops_withhold(ops, it->field, it->key, why);
	else
		ops_add(ops, OP_GROUP_SET,
			arena_printf(ops->mem, "%s/%s", host_v2(in->h)->path,
				     ops->group),
			"io.max",
			arena_printf(ops->mem, "%s %s=%s", it->key,
				     policy_io_word(it->field), it->value),
			"io");
}

static void plan_items(const struct ops_input *in, struct ops *ops)
{
	for (size_t i = 0; i < in->p->items.n; i++) {
		const struct policy_item *it = &in->p->items.v[i];

		if (policy_io_word(it->field) != NULL)
			plan_io(in, ops, it);
		if (it->field == FIELD_DISK_SPACE ||
		    it->field == FIELD_DISK_INODES)
			ops_withhold(ops, it->field, it->key,
				     "a quota of the store, not of the box");
	}
}

void ops_limits(const struct ops_input *in, struct ops *ops)
{
	plan_groups(in, ops);
	for (size_t i = 0; i < COUNT(limit_rows); i++)
		plan_limit(in, ops, &limit_rows[i]);
	plan_items(in, ops);
}

/* Raising a hard limit takes CAP_SYS_RESOURCE of the host. */
static bool may_raise(const struct ops_input *in)
{
	return (in->h->caps & CAP_BIT(cap_find("sys_resource"))) != 0;
}

static int rlimit_of(const char *name)
{
	static const char *const names[] = {
		[RLIMIT_CPU] = "cpu",
		[RLIMIT_FSIZE] = "fsize",
		[RLIMIT_DATA] = "data",
		[RLIMIT_STACK] = "stack",
		[RLIMIT_CORE] = "core",
		[RLIMIT_RSS] = "rss",
		[RLIMIT_NPROC] = "nproc",
		[RLIMIT_NOFILE] = "nofile",
		[RLIMIT_MEMLOCK] = "memlock",
		[RLIMIT_AS] = "as",
		[RLIMIT_LOCKS] = "locks",
		[RLIMIT_SIGPENDING] = "sigpending",
		[RLIMIT_MSGQUEUE] = "msgqueue",
		[RLIMIT_NICE] = "nice",
		[RLIMIT_RTPRIO] = "rtprio",
		[RLIMIT_RTTIME] = "rttime",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(names[i], name))
			return (int)i;
	return -1;
}

static rlim_t rlimit_value(const char *text)
{
	uint64_t n;
	struct err e;

	return num_u64(text, &n, &e) < 0 ? RLIM_INFINITY : (rlim_t)n;
}

static void plan_rlimit(const struct ops_input *in, struct ops *ops,
			const char *name)
{
	const char *soft = policy_get(in->p, FIELD_RLIMIT_SOFT, name);
	const char *hard = policy_get(in->p, FIELD_RLIMIT_HARD, name);
	const int number = rlimit_of(name);

	if (hard == NULL)
		hard = soft;
	if (soft == NULL)
		soft = hard;
	if (number >= 0 &&
	    (may_raise(in) ||
	     rlimit_value(hard) <= in->h->rlimits[number].rlim_max)) {
		ops_add(ops, OP_RLIMIT, name,
			arena_printf(ops->mem, "%d", number), soft, hard);
		return;
	}
	ops_withhold(ops, FIELD_RLIMIT_SOFT, name,
		     "rehost may not raise its own limit here");
	ops_withhold(ops, FIELD_RLIMIT_HARD, name,
		     "rehost may not raise its own limit here");
}

static void plan_scheduling(const struct ops_input *in, struct ops *ops)
{
	const char *oom = get(in, FIELD_OOM_SCORE);
	const char *nice = get(in, FIELD_NICE);

	if (oom != NULL && oom[0] == '-' && !may_raise(in))
		ops_withhold(ops, FIELD_OOM_SCORE, "",
			     "rehost may not lower it here");
	else if (oom != NULL)
		ops_add(ops, OP_OOM, oom, NULL, NULL, NULL);
	/* not that of who runs rehost: a user namespace could not raise it */
	ops_add(ops, OP_NICE, nice != NULL ? nice : "0", NULL, NULL, NULL);
	if (get(in, FIELD_IO_CLASS) != NULL)
		ops_withhold(ops, FIELD_IO_CLASS, "", "not set by the box");
	if (get(in, FIELD_IO_PRIORITY) != NULL)
		ops_withhold(ops, FIELD_IO_PRIORITY, "", "not set by the box");
}

void ops_process_limits(const struct ops_input *in, struct ops *ops)
{
	plan_scheduling(in, ops);
	for (size_t i = 0; i < in->p->items.n; i++)
		if (in->p->items.v[i].field == FIELD_RLIMIT_HARD)
			plan_rlimit(in, ops, in->p->items.v[i].key);
}
