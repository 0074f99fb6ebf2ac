/*
 * Unit tests of the Linux-VServer reader: limits of every kind. Vectors:
 * vserver.md appendix B, 2.9 to 2.12, 4.5, 6.4, 6.6.
 */
#include "check_vserver.h"
#include "importers/vserver/limits.h"

/* Up to four files of a guest, and the text of one field. */
static const struct vector {
	const char *files[8]; /* path, content, path, content ... */
	enum field_id field;
	const char *value; /* NULL: absent */
} vectors[] = {
	{ { "rlimits/rss.hard", "131072\n" }, FIELD_MEM_MAX, "536870912" },
	{ { "rlimits/rss", "131072" }, FIELD_MEM_MAX, "536870912" },
	{ { "rlimits/rss", "inf\n" }, FIELD_MEM_MAX, "unlimited" },
	{ { "rlimits/rss.soft", "65536\n", "rlimits/rss.hard", "131072\n",
	    "cflags", "virt_mem\n" },
	  FIELD_MEM_MAX,
	  "268435456" },
	{ { "rlimits/rss.soft", "65536\n", "rlimits/rss.hard", "131072\n",
	    "cflags", "virt_mem\n" },
	  FIELD_SWAP_MAX,
	  "268435456" },
	{ { "rlimits/rss.soft", "65536\n", "rlimits/rss.hard", "131072\n" },
	  FIELD_MEM_MAX,
	  "536870912" },
	{ { "rlimits/rss.soft", "65536\n", "rlimits/rss.hard", "131072\n" },
	  FIELD_SWAP_MAX,
	  NULL },
	{ { "rlimits/rss.soft", "65536\n", "cflags", "virt_mem\n" },
	  FIELD_MEM_MAX,
	  NULL },
	{ { "rlimits/rss.min", "65536\n" }, FIELD_MEM_MAX, NULL },
	{ { "rlimits/rss", "512 MB\n" }, FIELD_MEM_MAX, NULL },
	{ { "rlimits/rss", "131072\n", "cgroup/memory.limit_in_bytes",
	    "256M\n" },
	  FIELD_MEM_MAX,
	  "268435456" },
	{ { "rlimits/nsock", "0400\n" }, FIELD_SOCKETS, "256" },
	{ { "rlimits/locks", "4K\n" }, FIELD_FILE_LOCKS, "4096" },
	{ { "rlimits/locks", "4k\n" }, FIELD_FILE_LOCKS, "4000" },
	{ { "rlimits/openfd", "0x1000\n" }, FIELD_FILES, "4096" },
	{ { "rlimits/openfd", "10\n", "rlimits/nofile", "20\n" },
	  FIELD_FILES,
	  "20" },
	{ { "rlimits/nproc.hard", "200\n" }, FIELD_PIDS_MAX, "200" },
	{ { "rlimits/nproc", "100\n", "rlimits/nproc.hard", "200\n" },
	  FIELD_PIDS_MAX,
	  "200" },
	{ { "rlimits/nproc.soft", "200\n" }, FIELD_PIDS_MAX, NULL },
	{ { "rlimits/nproc", "-2\n" }, FIELD_PIDS_MAX, NULL },
	{ { "rlimits/as", "2M\n" }, FIELD_MEM_VIRTUAL, "8589934592" },
	{ { "rlimits/memlock", "inf\n" }, FIELD_MEM_LOCKED, "unlimited" },
	{ { "rlimits/data", "100\n" }, FIELD_MEM_ANON, NULL },
	{ { "ulimits/nproc.hard", "256\n", "flags", "nproc\n" },
	  FIELD_PIDS_MAX,
	  "256" },
	{ { "ulimits/nproc.hard", "256\n" }, FIELD_PIDS_MAX, NULL },
	{ { "cgroup/memory.limit_in_bytes", "512M\n",
	    "cgroup/memory.memsw.limit_in_bytes", "768M\n" },
	  FIELD_MEM_MAX,
	  "536870912" },
	{ { "cgroup/memory.limit_in_bytes", "512M\n",
	    "cgroup/memory.memsw.limit_in_bytes", "768M\n" },
	  FIELD_SWAP_MAX,
	  "268435456" },
	{ { "cgroup/memory.memsw.limit_in_bytes", "768M\n" },
	  FIELD_SWAP_MAX,
	  NULL },
	{ { "cgroup/memory.limit_in_bytes", "-1\n" },
	  FIELD_MEM_MAX,
	  "unlimited" },
	{ { "cgroup/memory.limit_in_bytes", "1M\n",
	    "cgroup/memory.memsw.limit_in_bytes", "1K\n" },
	  FIELD_SWAP_MAX,
	  NULL },
	{ { "cgroup/memory.soft_limit_in_bytes", "1M" },
	  FIELD_MEM_LOW,
	  "1048576" },
	{ { "cgroup/cpu.shares", "512\n" }, FIELD_CPU_WEIGHT, "50" },
	{ { "cgroup/cpu.shares", "2\n" }, FIELD_CPU_WEIGHT, "1" },
	{ { "cgroup/cpu.shares", "262144\n" }, FIELD_CPU_WEIGHT, "10000" },
	{ { "cgroup/cpu.cfs_quota_us", "50000\n" }, FIELD_CPU_QUOTA, "50000" },
	{ { "cgroup/cpu.cfs_quota_us", "50000\n" },
	  FIELD_CPU_PERIOD,
	  "100000" },
	{ { "cgroup/cpu.cfs_quota_us", "-1\n" }, FIELD_CPU_QUOTA, "unlimited" },
	{ { "cgroup/blkio.weight", "500\n" }, FIELD_IO_WEIGHT, "4950" },
	{ { "cgroup/blkio.weight", "5\n" }, FIELD_IO_WEIGHT, NULL },
	{ { "cgroup/memory.limit_in_bytes", "1M\n", "cgroup/memory.max",
	    "2M\n" },
	  FIELD_MEM_MAX,
	  "2097152" },
	{ { "sched/prio-bias", "4\n", "sched/priority-bias", "5\n" },
	  FIELD_CPU_NICE,
	  "5" },
	{ { "cflags", "sched_hard\n", "sched/interval", "0\n" },
	  FIELD_CPU_QUOTA,
	  "25000" },
	{ { "rlimits/nproc", "200 # users\n" }, FIELD_PIDS_MAX, "200" },
	{ { "cgroup/pids.max", "77\n" }, FIELD_PIDS_MAX, "77" },
	{ { "cgroup/cpuset.cpus", "0-3,7\n" }, FIELD_CPU_SET, "0-3,7" },
	{ { "cgroup/devices.allow", "c 10:200 rwm\n", "cgroup/devices.deny",
	    "a\n" },
	  FIELD_DEVICE_POLICY,
	  "list" },
	{ { "cgroup/devices.allow", "c 10:200 rwm\n" },
	  FIELD_DEVICE_POLICY,
	  "nodes" },
	{ { "cgroup/devices.deny", "c 1:1 rwm\n" },
	  FIELD_DEVICE_POLICY,
	  "nodes" },
	{ { "cpuset/name", "set\n", "cpuset/cpus", "2-3\n" },
	  FIELD_CPU_SET,
	  "2-3" },
	{ { "cpuset/cpus", "2-3\n" }, FIELD_CPU_SET, NULL },
	{ { "cpuset/name", "set\n", "cpuset/cpus", "3-2\n" },
	  FIELD_CPU_SET,
	  NULL },
	{ { "cpuset/name", "set\n", "cpuset/cpus", "2-3\n", "cpuset/nocreate",
	    "" },
	  FIELD_CPU_SET,
	  NULL },
	{ { "sched/fill-rate", "7\n", "sched/interval", "32\n", "cpuset/name",
	    "s\n", "cpuset/cpus", "0-3\n" },
	  FIELD_CPU_QUOTA,
	  NULL },
	{ { "schedule", "7\n32\n500\n10\n500\n0\n", "flags", "sched_hard\n" },
	  FIELD_CPU_QUOTA,
	  "21875" },
	{ { "schedule", "7\n32\n500\n10\n500\n0\n", "flags", "sched_hard\n" },
	  FIELD_CPU_BURST,
	  "21875" },
	{ { "schedule", "30\n100\n", "flags", "sched_prio\n" },
	  FIELD_CPU_WEIGHT,
	  "120" },
	{ { "cflags", "sched_hard\n" }, FIELD_CPU_QUOTA, "25000" },
	{ { "cflags", "sched_hard\n", "sched/fill-rate", "1/4\n" },
	  FIELD_CPU_QUOTA,
	  "25000" },
	{ { "cflags", "sched_hard\n", "cgroup/cpu.cfs_quota_us", "10000\n",
	    "sched/fill-rate", "9\n" },
	  FIELD_CPU_QUOTA,
	  "10000" },
	{ { "cflags", "sched_prio\n", "cgroup/cpu.shares", "1024\n" },
	  FIELD_CPU_WEIGHT,
	  "100" },
	{ { "cflags", "sched_hard\n", "sched/tokens-max", "100\n",
	    "sched/fill-rate", "9\n", "sched/interval", "10\n" },
	  FIELD_CPU_BURST,
	  "90000" },
	{ { "cflags", "sched_hard\n", "sched/fill-rate", "4\n" },
	  FIELD_CPU_QUOTA,
	  "unlimited" },
	{ { "sched/prio-bias", "4\n" }, FIELD_CPU_NICE, "4" },
	{ { "sched/priority-bias", "0\n" }, FIELD_CPU_NICE, NULL },
	{ { "nice", "5\n" }, FIELD_NICE, "5" },
	{ { "nice", "-21\n" }, FIELD_NICE, NULL },
	{ { "ionice/priority", "6\n" }, FIELD_IO_CLASS, "2" },
	{ { "ionice/priority", "6\n", "ionice/class", "3\n" },
	  FIELD_IO_CLASS,
	  "3" },
	{ { "ionice/priority", "8\n" }, FIELD_IO_PRIORITY, NULL },
	{ { "badness", "-2000\n" }, FIELD_OOM_SCORE, "-1000" },
};

static void read_files(struct box *b, const char *const *files)
{
	for (size_t i = 0; i < 8 && files[i] != NULL; i += 2)
		box_file(b, files[i], files[i + 1]);
	box_read(b);
}

START_TEST(test_vector)
{
	const struct vector *v = &vectors[_i];
	struct box b;

	box_open(&b);
	read_files(&b, v->files);
	if (v->value == NULL)
		ck_assert_ptr_null(box_value(&b, v->field));
	else
		ck_assert_str_eq(box_value(&b, v->field), v->value);
	ck_assert_uint_eq(box_found(&b, FIND_SYN_UNACCOUNTED), 0);
	box_close(&b);
}
END_TEST

/* What the admin is told, and with which numbers. */
static const struct telling {
	const char *files[8];
	enum finding_id finding;
	const char *text;
} tellings[] = {
	{ { "rlimits/rss.hard", "131072\n" },
	  FIND_LIM_MEMORY_RSS,
	  "131072 pages of 4096 bytes: limit.memory 536870912" },
	{ { "rlimits/rss.soft", "65536\n", "rlimits/rss.hard", "131072\n",
	    "cflags", "virt_mem\n" },
	  FIND_LIM_MEMORY_INTENT,
	  "268435456 bytes as RAM and 268435456 as swap: taken so; enforced "
	  "was only 536870912" },
	{ { "rlimits/rss.soft", "65536\n", "rlimits/rss.hard", "131072\n" },
	  FIND_LIM_MEMORY_INTENT,
	  "536870912 from the hard limit" },
	{ { "rlimits/rss.soft", "65536\n" },
	  FIND_LIM_MEMORY_INTENT,
	  "268435456" },
	{ { "rlimits/rss", "300M\n" }, FIND_LIM_UNIT, "314572800 pages" },
	{ { "rlimits/rss", "100M\n" }, FIND_LIM_UNIT, "104857600 pages" },
	{ { "rlimits/rss.soft", "9\n", "rlimits/rss.hard", "9\n" },
	  FIND_LIM_MEMORY_INTENT,
	  "not below" },
	{ { "rlimits/rss", "512 MB\n" },
	  FIND_LIM_INVALID,
	  "meant were likely 536870912 bytes, which are 131072 pages" },
	{ { "rlimits/nproc", "unlimited\n" },
	  FIND_LIM_INVALID,
	  "meant was likely no limit" },
	{ { "rlimits/nproc", "MAX\n" },
	  FIND_LIM_INVALID,
	  "meant was likely no limit" },
	{ { "ulimits/data", "1G\n" },
	  FIND_LIM_INVALID,
	  "left out; meant was likely 1073741824" },
	{ { "rlimits/nproc", "1 000\n" }, FIND_LIM_INVALID, "likely 1000" },
	{ { "rlimits/nproc", "many\n" }, FIND_LIM_INVALID, "left out" },
	{ { "cgroup/cpu.max", "1 2 3\n" }, FIND_LIM_INVALID, "cpu.max" },
	{ { "cgroup/cpu.max", "50000\n" }, FIND_SRC_MEANT, "version 2" },
	{ { "cgroup/io.max", "8:0 rbps=x\n" }, FIND_LIM_INVALID, "rbps=x" },
	{ { "cgroup/io.weight", "default\n" }, FIND_LIM_INVALID, "io.weight" },
	{ { "cgroup/tasks", "0\n" }, FIND_SRC_BOOKKEEPING, "processes" },
	{ { "rlimits/cpu", "5\n" }, FIND_LIM_NOT_ENFORCED, "never enforced" },
	{ { "rlimits/as.min", "5\n" }, FIND_LIM_MINIMUM, "minimum" },
	{ { "rlimits/nofile", "5\n", "rlimits/openfd", "6\n" },
	  FIND_LIM_NO_GROUP,
	  "openfd" },
	{ { "ulimits/core", "0\n" }, FIND_LIM_RLIMIT_DEFAULT, "nofile" },
	{ { "ulimits/nproc", "9\n", "flags", "nproc\n" },
	  FIND_LIM_PIDS_FROM_NPROC,
	  "nproc 9" },
	{ { "schedule", "7\n32\n500\n10\n500\n0\n" },
	  FIND_LIM_CPU_INERT,
	  "7/32, 21.9 %" },
	{ { "cflags", "sched_hard\n", "sched/1/fill-rate", "2\n" },
	  FIND_LIM_CPU_PERCPU,
	  "had 2 of 4 ticks, 50.0 %" },
	{ { "cflags", "sched_hard\n", "sched/x/cpu-id", "3\n" },
	  FIND_LIM_CPU_PERCPU,
	  "sched/x: processor 3 by itself" },
	{ { "cflags", "sched_hard\n", "sched/x/cpu-id", "zero\n" },
	  FIND_LIM_INVALID,
	  "zero" },
	{ { "sched/1/fill-rate", "2\n" }, FIND_LIM_CPU_INERT, "of no effect" },
	{ { "cflags", "sched_hard\n", "sched/fill-rate", "9\n" },
	  FIND_LIM_CPU_BUCKET,
	  "9 of 4 ticks" },
	{ { "sched/tokens-min", "9\n", "sched/tokens-max", "5\n" },
	  FIND_SRC_MEANT,
	  "tokens-min 9" },
	{ { "sched/interval", "4\n", "schedule", "7\n32\n500\n10\n500\n0\n" },
	  FIND_SRC_SHADOWED,
	  "the directory sched" },
	{ { "cflags", "sched_hard\n", "sched/tokens", "5\n" },
	  FIND_LIM_CPU_BUCKET,
	  "no counterpart" },
	{ { "cflags", "sched_hard\n" },
	  FIND_LIM_CPU_BUCKET,
	  "1 processor assumed" },
	{ { "cflags", "sched_hard\n", "sched/fill-rate2", "5\n" },
	  FIND_LIM_NO_SCHED,
	  "second rate" },
	{ { "cpuset/name", "s\n", "cpuset/cpu_exclusive", "1\n" },
	  FIND_LIM_CPUSET_EXTRA,
	  "not carried" },
	{ { "cpuset/name", "s\n", "cpuset/cpus", "0-99\n" },
	  FIND_LIM_CPUS,
	  "0-99" },
	{ { "cgroup/memory.swappiness", "0\n" },
	  FIND_LIM_NO_V2,
	  "no counterpart" },
	{ { "cgroup/foo.bar", "0\n" }, FIND_LIM_UNKNOWN, "not carried" },
	{ { "cgroup/name", "x\n" }, FIND_INI_CGROUP_SETTING, "name" },
	{ { "cgroup/devices.allow", "c 10:200 rwm\nc 1:3 rwm\n",
	    "cgroup/devices.deny", "a\n" },
	  FIND_DEV_ORDER,
	  "meant were c 10:200 rwm, c 1:3 rwm" },
	{ { "cgroup/devices.deny", "nonsense\n" },
	  FIND_DEV_BAD_RULE,
	  "left out" },
	{ { "cgroup/devices.allow", "c 1:3\n" },
	  FIND_DEV_BAD_RULE,
	  "without access" },
	{ { "cgroup/devices.deny", "c 10:* w\n" }, FIND_DEV_FLAGS, "c 10:* w" },
	{ { "dlimits/0/directory", "/vservers/web\n", "dlimits/0/space_total",
	    "unlimited\n", "dlimits/0/inodes_total", "9\n",
	    "dlimits/0/reserved", "5\n" },
	  FIND_LIM_INVALID,
	  "likely no limit" },
	{ { "dlimits/0/space_total", "1024\n" },
	  FIND_LIM_DISK_SKIPPED,
	  "missing" },
	{ { "dlimits/0/directory", "/x\n", "dlimits/0/space_total", "1024",
	    "dlimits/0/inodes_total", "9\n", "dlimits/0/reserved", "5\n" },
	  FIND_LIM_DISK_SKIPPED,
	  "space_total (KiB) \"1024\"" },
	{ { "sysctl/0/setting", "net.ipv4.ip_forward\n" },
	  FIND_LIM_INVALID,
	  "both" },
	{ { "badness", "-2000\n" }, FIND_LIM_DEFAULT_OOM, "clamped to -1000" },
};

START_TEST(test_telling)
{
	const struct telling *t = &tellings[_i];
	struct box b;

	box_open(&b);
	read_files(&b, t->files);
	ck_assert_msg(box_says(&b, t->finding, t->text), "%s",
		      finding_row(t->finding)->code);
	ck_assert_uint_eq(box_found(&b, FIND_SYN_UNACCOUNTED), 0);
	box_close(&b);
}
END_TEST

/* 7 of 32 ticks on four processors; appendix B. */
START_TEST(test_quota_facts)
{
	struct box b;

	box_open(&b);
	b.facts.cpus = 4;
	b.facts.page_size = 16384;
	b.host.facts = &b.facts;
	box_file(&b, "cflags", "sched_hard\n");
	box_file(&b, "sched/fill-rate", "7\n");
	box_file(&b, "sched/interval", "32\n");
	box_file(&b, "sched/tokens-max", "500\n");
	box_file(&b, "rlimits/rss", "10\n");
	box_read(&b);
	ck_assert_str_eq(box_value(&b, FIELD_CPU_QUOTA), "87500");
	ck_assert_str_eq(box_value(&b, FIELD_CPU_PERIOD), "100000");
	ck_assert_str_eq(box_value(&b, FIELD_CPU_BURST), "87500");
	ck_assert_str_eq(box_value(&b, FIELD_MEM_MAX), "163840");
	ck_assert(box_says(&b, FIND_LIM_CPU_BURST, "500000 microseconds"));
	box_close(&b);
}
END_TEST

START_TEST(test_peak)
{
	struct facts_context *c;
	struct box b;

	box_open(&b);
	b.facts.file = "/rehost-capture.txt";
	c = vec_add(b.mem, &b.facts.contexts);
	c->xid = 40007;
	c->n_limits = 1;
	c->limits = arena_alloc(b.mem, sizeof(*c->limits));
	c->limits[0].name = "RSS";
	c->limits[0].peak = 100;
	b.host.facts = &b.facts;
	box_file(&b, "rlimits/rss", "1000\n");
	box_read(&b);
	ck_assert(box_says(&b, FIND_LIM_MEMORY_RSS, "peak was 409600 bytes"));
	box_close(&b);
}
END_TEST

static const struct rlimit_rule *rlimit(const struct box *b, const char *name)
{
	for (size_t i = 0; i < b->g->rlimits.n; i++)
		if (str_eq(b->g->rlimits.v[i]->name.v, name))
			return b->g->rlimits.v[i];
	return NULL;
}

START_TEST(test_ulimits)
{
	struct box b;

	box_open(&b);
	box_file(&b, "ulimits/nofile.soft", "4096");
	box_file(&b, "ulimits/nofile.hard", "8192\n");
	box_file(&b, "ulimits/core", "0\n");
	box_file(&b, "ulimits/data", "512M\n");
	box_file(&b, "ulimits/stack.soft", "2M\n");
	box_file(&b, "ulimits/stack.hard", "1M\n");
	box_file(&b, "ulimits/nproc.soft", "5\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->rlimits.n, 10);
	ck_assert_uint_eq(rlimit(&b, "nofile")->soft.v, 4096);
	ck_assert_uint_eq(rlimit(&b, "nofile")->hard.v, 8192);
	ck_assert_uint_eq(rlimit(&b, "core")->soft.v, 0);
	ck_assert_uint_eq(rlimit(&b, "data")->hard.v, 536870912);
	ck_assert_uint_eq(rlimit(&b, "stack")->soft.v, 1048576);
	ck_assert(box_setting(&b, "ulimits/stack.soft", NULL)->approx);
	ck_assert(rlimit(&b, "nproc")->hard.none);
	ck_assert(rlimit(&b, "locks")->hard.none);
	ck_assert(rlimit(&b, "locks")->soft.none);
	ck_assert_int_eq(rlimit(&b, "locks")->hard.from->kind, ORIGIN_DEFAULT);
	box_close(&b);
}
END_TEST

START_TEST(test_no_ulimits)
{
	struct box b;

	box_open(&b);
	box_read(&b);
	ck_assert_uint_eq(b.g->rlimits.n, 0);
	box_close(&b);
}
END_TEST

START_TEST(test_dlimit)
{
	struct box b;

	box_open(&b);
	box_file(&b, "dlimits/0/directory", "/vservers/web\n");
	box_file(&b, "dlimits/0/space_total", "10485760\n");
	box_file(&b, "dlimits/0/inodes_total", "-1\n");
	box_file(&b, "dlimits/0/reserved", "500\n");
	box_file(&b, "dlimits/1/directory", "/data\n");
	box_file(&b, "dlimits/1/space_total", "1\n");
	box_file(&b, "dlimits/1/inodes_total", "2\n");
	box_file(&b, "dlimits/1/reserved", "3\n");
	box_file(&b, "dlimits/1/disabled", "");
	box_read(&b);
	ck_assert_uint_eq(b.g->disks.n, 1);
	ck_assert_uint_eq(b.g->disks.v[0]->space.v, UINT64_C(10) << 30);
	ck_assert(b.g->disks.v[0]->inodes.none);
	ck_assert_ptr_null(b.g->disks.v[0]->reserved.from);
	ck_assert_int_eq(box_setting(&b, "dlimits/0/reserved", NULL)->bin,
			 BIN_INVALID);
	ck_assert_int_eq(box_setting(&b, "dlimits/1/directory", NULL)->bin,
			 BIN_INERT);
	box_close(&b);
}
END_TEST

START_TEST(test_sysctl)
{
	struct box b;

	box_open(&b);
	box_file(&b, "sysctl/0/setting", "net/ipv4/ip_forward\n");
	box_file(&b, "sysctl/0/value", "1\n");
	box_file(&b, "sysctl/.1/setting", "kernel.sem\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->sysctls.n, 1);
	ck_assert_str_eq(b.g->sysctls.v[0]->name.v, "net.ipv4.ip_forward");
	ck_assert_str_eq(b.g->sysctls.v[0]->value.v, "1");
	ck_assert_int_eq(box_setting(&b, "sysctl/.1/setting", NULL)->bin,
			 BIN_INERT);
	box_close(&b);
}
END_TEST

START_TEST(test_throttle)
{
	struct box b;

	box_open(&b);
	box_file(&b, "cgroup/blkio.throttle.read_bps_device",
		 "8:0 1048576\n8:16 2048\n");
	box_file(&b, "cgroup/blkio.throttle.write_iops_device", "8:0 50\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->ios.n, 2);
	ck_assert_str_eq(b.g->ios.v[0]->device.v, "8:0");
	ck_assert_uint_eq(b.g->ios.v[0]->rbps.v, 1048576);
	ck_assert_uint_eq(b.g->ios.v[0]->wiops.v, 50);
	ck_assert_uint_eq(b.g->ios.v[1]->rbps.v, 2048);
	box_close(&b);
}
END_TEST

START_TEST(test_outcomes)
{
	struct box b;

	box_open(&b);
	box_file(&b, "rlimits/rss", "131072\n");
	box_file(&b, "cgroup/memory.limit_in_bytes", "1M\n");
	box_file(&b, "sched/fill-rate", "1\n");
	box_file(&b, "schedule", "7\n32\n500\n10\n500\n0\n");
	box_file(&b, "sched/1/cpu-id", "1\n");
	box_file(&b, "cgroup/cpu.cfs_quota_us", "10000\n");
	box_file(&b, "cgroup/cpu.max", "max\n");
	box_file(&b, "cgroup/io.max", "8:0 rbps=5 wiops=max\n");
	box_read(&b);
	ck_assert_int_eq(box_setting(&b, "cgroup/cpu.cfs_quota_us", NULL)->bin,
			 BIN_OVERRIDDEN);
	ck_assert_uint_eq(b.g->ios.n, 1);
	ck_assert_uint_eq(b.g->ios.v[0]->rbps.v, 5);
	ck_assert(b.g->ios.v[0]->wiops.none);
	ck_assert_int_eq(box_setting(&b, "rlimits/rss", NULL)->bin,
			 BIN_OVERRIDDEN);
	ck_assert_int_eq(box_setting(&b, "schedule", "interval")->bin,
			 BIN_OVERRIDDEN);
	ck_assert_int_eq(box_setting(&b, "sched/fill-rate", NULL)->bin,
			 BIN_INERT);
	ck_assert_int_eq(box_setting(&b, "sched/1/cpu-id", NULL)->bin,
			 BIN_INERT);
	box_close(&b);
}
END_TEST

/* Denied devices are those that no list of allowed ones gets. */
static const struct {
	const char *deny;
	const char *rule, *access; /* NULL: no device */
	enum bin bin;
} denials[] = {
	{ "c 10:200 rwm\n", "c 10:200", "", BIN_CARRIED },
	{ "c 10:200 w\n", "c 10:200", "r", BIN_CARRIED },
	{ "b 8:* rwm\n", "b 8:*", "", BIN_CARRIED },
	{ "c 10:200 rwm\nc 4:* r\n", "c 10:200", "", BIN_APPROXIMATED },
	{ "c 4:* r\n", NULL, NULL, BIN_DROPPED },
	{ "nonsense\n", NULL, NULL, BIN_INVALID },
};

START_TEST(test_denied)
{
	struct box b;

	box_one(&b, "cgroup/devices.deny", denials[_i].deny);
	ck_assert_int_eq(box_setting(&b, "cgroup/devices.deny", NULL)->bin,
			 denials[_i].bin);
	ck_assert_uint_eq(b.g->devices.n, denials[_i].rule != NULL);
	if (denials[_i].rule != NULL) {
		ck_assert_str_eq(b.g->devices.v[0]->rule.v, denials[_i].rule);
		ck_assert_str_eq(b.g->devices.v[0]->access.v,
				 denials[_i].access);
	}
	box_close(&b);
}
END_TEST

START_TEST(test_same_place)
{
	struct box b;

	box_open(&b);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const places[] = { "/vservers/web\n",
						      "/vservers/./web/\n",
						      "/vservers/web\n" };
		const char *d = arena_printf(b.mem, "dlimits/%u", i);

		box_file(&b, arena_printf(b.mem, "%s/directory", d), places[i]);
		box_file(&b, arena_printf(b.mem, "%s/space_total", d), "9\n");
		box_file(&b, arena_printf(b.mem, "%s/reserved", d), "5\n");
		if (i < 2) /* the last is not complete and holds nothing */
			box_file(&b, arena_printf(b.mem, "%s/inodes_total", d),
				 "5\n");
	}
	box_read(&b);
	ck_assert_uint_eq(b.g->disks.n, 1);
	ck_assert_int_eq(box_setting(&b, "dlimits/0/space_total", NULL)->bin,
			 BIN_OVERRIDDEN);
	ck_assert(box_says(&b, FIND_SRC_MULTIPLE, "dlimits/1"));
	box_close(&b);
}
END_TEST

static const struct {
	const char *list;
	bool ok;
	unsigned n;
} lists[] = {
	{ "0", true, 1 },   { "0-3,7", true, 5 },    { "0-3, 7", true, 5 },
	{ "", false, 0 },   { "3-2", false, 0 },     { "a", false, 0 },
	{ "0-", false, 0 }, { "0-99999", false, 0 }, { ",", false, 0 },
	{ "1,", false, 0 },
};

START_TEST(test_cpus)
{
	unsigned n;

	ck_assert(vserver_sched_cpus(lists[_i].list, &n) == lists[_i].ok);
	if (lists[_i].ok)
		ck_assert_uint_eq(n, lists[_i].n);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_limits");
	TCase *t = tcase_create("limits");

	tcase_add_loop_test(t, test_vector, 0, COUNT(vectors));
	tcase_add_loop_test(t, test_telling, 0, COUNT(tellings));
	tcase_add_test(t, test_quota_facts);
	tcase_add_test(t, test_peak);
	tcase_add_test(t, test_ulimits);
	tcase_add_test(t, test_no_ulimits);
	tcase_add_test(t, test_dlimit);
	tcase_add_test(t, test_sysctl);
	tcase_add_test(t, test_throttle);
	tcase_add_test(t, test_outcomes);
	tcase_add_test(t, test_same_place);
	tcase_add_loop_test(t, test_denied, 0, COUNT(denials));
	tcase_add_loop_test(t, test_cpus, 0, COUNT(lists));
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
