/*
 * What several lines of an LXC config make together: devices and their nodes,
 * mounts, cgroup files, interfaces. Facts: targets.md 1.2, 2.1 to 2.3.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/devrule.h"
#include "base/inet.h"
#include "base/lxc_line.h"
#include "base/num.h"
#include "base/str.h"
#include "policy/read_lxc_parts.h"

enum field_id read_lxc_namespace(const char *name)
{
	static const struct {
		const char *name;
		enum field_id field;
	} rows[] = {
		{ "pid", FIELD_NS_PID },       { "net", FIELD_NS_NET },
		{ "mnt", FIELD_NS_MOUNT },     { "ipc", FIELD_NS_IPC },
		{ "uts", FIELD_NS_UTS },       { "user", FIELD_NS_USER },
		{ "cgroup", FIELD_NS_CGROUP },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_eq(rows[i].name, name))
			return rows[i].field;
	return FIELD__MAX;
}

/* --- devices --- */

int read_lxc_autodev(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e)
{
	(void)k;
	(void)rest;
	if (!str_eq(value, "0") && !str_eq(value, "1"))
		return err_set(e, 0, "\"%s\" is neither 0 nor 1", value);
	r->no_autodev = str_eq(value, "0");
	return 0;
}

static struct read_lxc_device *device(struct read_lxc *r, const char *id)
{
	struct read_lxc_device *d;

	for (size_t i = 0; i < r->devices.n; i++) {
		if (str_eq(r->devices.v[i].id, id)) {
			r->beside = i + 1;
			return &r->devices.v[i];
		}
	}
	d = vec_add(r->mem, &r->devices);
	*d = (struct read_lxc_device){ .id = id };
	r->beside = r->devices.n;
	return d;
}

/* A bare rule, or none at all, begins the list anew. */
static void restart(struct read_lxc *r, bool listed)
{
	r->listed = listed;
	r->devices.n = 0;
	r->beside = 0;
}

int read_lxc_devices(struct read_lxc *r, const struct read_lxc_key *k,
		     const char *rest, const char *value, struct err *e)
{
	const bool allow = str_eq(rest, "allow");
	struct read_lxc_device *d;
	struct devrule rule;
	char id[DEVRULE_TEXT];

	(void)k;
	if (!allow && !str_eq(rest, "deny"))
		return err_set(e, 0, "neither allow nor deny");
	if (value[0] == '\0') {
		restart(r, allow && r->listed);
		return 0;
	}
	if (devrule_parse(value, &rule, e) < 0)
		return -1;
	if (rule.type == 'a') {
		restart(r, !allow);
		return 0;
	}
	devrule_show_id(&rule, id);
	d = device(r, arena_strdup(r->mem, id));
	if (allow)
		d->access |= rule.access;
	else
		d->access &= ~rule.access;
	return 0;
}

/* What lxc.autodev makes. */
static const struct node_row {
	const char *id, *path;
} node_rows[] = {
	{ "c 1:3", "/dev/null" },    { "c 1:5", "/dev/zero" },
	{ "c 1:7", "/dev/full" },    { "c 1:8", "/dev/random" },
	{ "c 1:9", "/dev/urandom" }, { "c 5:0", "/dev/tty" },
	{ "c 5:1", "/dev/console" }, { "c 5:2", "/dev/ptmx" },
};

static const char *node_path(const struct read_lxc *r,
			     const struct read_lxc_device *d)
{
	if (d->path != NULL || r->no_autodev)
		return d->path;
	for (size_t i = 0; i < COUNT(node_rows); i++)
		if (str_eq(node_rows[i].id, d->id))
			return node_rows[i].path;
	return NULL;
}

void read_lxc_add_devices(struct read_lxc *r)
{
	policy_add(r->p, FIELD_DEVICE_POLICY, "", r->listed ? "list" : "any");
	if (!r->no_autodev) {
		policy_add(r->p, FIELD_MOUNT_TARGET, "/dev", "/dev");
		policy_add(r->p, FIELD_MOUNT_TYPE, "/dev", "tmpfs");
	}
	/* without a list all of them can be opened */
	for (size_t i = 0; !r->no_autodev && !r->listed && i < COUNT(node_rows);
	     i++)
		policy_add(r->p, FIELD_DEVICE_PATH, node_rows[i].id,
			   node_rows[i].path);
	for (size_t i = 0; i < r->devices.n; i++) {
		const struct read_lxc_device *d = &r->devices.v[i];
		char access[4];

		if (d->access == 0)
			continue;
		devrule_show_access(d->access, access);
		policy_add(r->p, FIELD_DEVICE_RULE, d->id, d->id);
		policy_add(r->p, FIELD_DEVICE_ACCESS, d->id, access);
		if (node_path(r, d) != NULL)
			policy_add(r->p, FIELD_DEVICE_PATH, d->id,
				   node_path(r, d));
	}
}

/* --- mounts --- */

/* The words of lxc.mount.auto and what they make of /proc and /sys. */
static const struct auto_row {
	const char *word;
	enum field_id field; /* FIELD__MAX: only the mount itself */
	const char *view, *target, *type;
} auto_rows[] = {
	{ "proc", FIELD_PROC_VIEW, "mixed", "/proc", "proc" },
	{ "proc:mixed", FIELD_PROC_VIEW, "mixed", "/proc", "proc" },
	{ "proc:rw", FIELD_PROC_VIEW, "rw", "/proc", "proc" },
	{ "sys", FIELD_SYS_VIEW, "mixed", "/sys", "sysfs" },
	{ "sys:mixed", FIELD_SYS_VIEW, "mixed", "/sys", "sysfs" },
	{ "sys:ro", FIELD_SYS_VIEW, "ro", "/sys", "sysfs" },
	{ "sys:rw", FIELD_SYS_VIEW, "rw", "/sys", "sysfs" },
	{ "cgroup:mixed", FIELD__MAX, NULL, "/sys/fs/cgroup", NULL },
	{ "cgroup:mixed:force", FIELD__MAX, NULL, "/sys/fs/cgroup", NULL },
};

static int auto_word(struct read_lxc *r, const char *word, struct err *e)
{
	for (size_t i = 0; i < COUNT(auto_rows); i++) {
		const struct auto_row *row = &auto_rows[i];

		if (!str_eq(row->word, word))
			continue;
		if (row->field != FIELD__MAX)
			policy_add(r->p, row->field, "", row->view);
		if (row->field == FIELD_PROC_VIEW)
			r->proc_rw = str_eq(row->view, "rw");
		policy_add(r->p, FIELD_MOUNT_TARGET, row->target, row->target);
		if (row->type != NULL)
			policy_add(r->p, FIELD_MOUNT_TYPE, row->target,
				   row->type);
		return 0;
	}
	return err_set(e, 0, "no word \"%s\"", word);
}

int read_lxc_mount_auto(struct read_lxc *r, const struct read_lxc_key *k,
			const char *rest, const char *value, struct err *e)
{
	const struct strv words = strv_split(r->mem, value, " \t");

	(void)k;
	(void)rest;
	if (words.n == 0)
		return err_set(e, 0, "clears what was mounted before");
	for (size_t i = 0; i < words.n; i++)
		if (auto_word(r, words.v[i], e) < 0)
			return -1;
	return 0;
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' &&
	       s[2] >= '0' && s[2] <= '7';
}

/* As getmntent(3): "\040" is a blank. */
static char *unescaped(struct arena *mem, const char *s)
{
	char *copy = arena_strdup(mem, s), *to = copy;

	while (*s != '\0') {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
	return copy;
}

/* Without what is LXC's own among the options, and what it does not apply. */
static struct strv kernel_options(struct arena *mem, const struct strv *all)
{
	struct strv kept = { 0 };

	for (size_t i = 0; i < all->n; i++)
		if (!str_starts(all->v[i], "create=") &&
		    !str_eq(all->v[i], "optional") &&
		    !str_eq(all->v[i], "relative") &&
		    !lxc_line_ignores(all, all->v[i]))
			strv_add(mem, &kept, unescaped(mem, all->v[i]));
	return kept;
}

/*
 * A bind of a file right behind a rule makes that device's node; a rule
 * names numbers and a mount names a path, only their place says that they
 * belong together.
 */
static bool is_node(const struct read_lxc *r, const struct strv *fields,
		    const struct strv *options)
{
	return r->beside != 0 && str_eq(fields->v[2], "none") &&
	       strv_has(options, "bind") && strv_has(options, "create=file");
}

/*
 * What is mounted inside of /proc belongs to the view of it: a part bound onto
 * itself stays writable, /proc/sys bound read-only closes the rest.
 */
static bool is_view(struct read_lxc *r, const struct strv *fields,
		    const struct strv *options)
{
	const bool self = strv_has(options, "relative") &&
			  str_eq(fields->v[0], fields->v[1]);

	if (str_eq(fields->v[1], "proc/sysrq-trigger"))
		return str_eq(fields->v[0], "/dev/null");
	if (!self || !str_starts(fields->v[1], "proc/sys"))
		return false;
	if (str_eq(fields->v[1], "proc/sys"))
		r->sys_closed = strv_has(options, "rbind") &&
				strv_has(options, "ro");
	return true;
}

int read_lxc_mount_entry(struct read_lxc *r, const struct read_lxc_key *k,
			 const char *rest, const char *value, struct err *e)
{
	const struct strv f = strv_split(r->mem, value, " \t");
	struct strv options;
	const char *target;

	(void)k;
	(void)rest;
	if (f.n < 4)
		return err_set(e, 0, "fewer than four fields");
	if (f.v[1][0] == '/' || f.v[0][0] == '#')
		return err_set(e, 0, "\"%s\" is not below the guest's root",
			       f.v[1]);
	target = arena_printf(r->mem, "/%s", unescaped(r->mem, f.v[1]));
	options = strv_split(r->mem, f.v[3], ",");
	if (is_node(r, &f, &options)) {
		r->devices.v[r->beside - 1].path = target;
		return 0;
	}
	if (is_view(r, &f, &options))
		return 0;
	policy_add(r->p, FIELD_MOUNT_TARGET, target, target);
	policy_add(r->p, FIELD_MOUNT_SOURCE, target, unescaped(r->mem, f.v[0]));
	policy_add(r->p, FIELD_MOUNT_TYPE, target, unescaped(r->mem, f.v[2]));
	options = kernel_options(r->mem, &options);
	if (options.n != 0)
		policy_add(r->p, FIELD_MOUNT_OPTIONS, target,
			   strv_join(r->mem, &options, " "));
	return 0;
}

/* --- limits --- */

/* v1 shares to weight, blkio weight to io.weight: rounded, targets.md 1.2. */
static uint64_t from_shares(uint64_t n)
{
	return (n * 100 + 512) / 1024;
}

static uint64_t from_blkio(uint64_t n)
{
	return n < 10 ? 1 : 1 + ((n - 10) * 9999 + 495) / 990;
}

enum file_kind { FILE_NUMBER, FILE_TEXT, FILE_PAIR };

static const struct file_row {
	const char *v2, *v1; /* NULL: none */
	enum field_id field;
	enum file_kind kind;
	uint64_t (*convert)(uint64_t n); /* from v1 */
} file_rows[] = {
	{ "memory.max", "memory.limit_in_bytes", FIELD_MEM_MAX, FILE_NUMBER,
	  NULL },
	{ "memory.low", "memory.soft_limit_in_bytes", FIELD_MEM_LOW,
	  FILE_NUMBER, NULL },
	{ "memory.high", NULL, FIELD_MEM_HIGH, FILE_NUMBER, NULL },
	{ "memory.swap.max", "memory.memsw.limit_in_bytes", FIELD_SWAP_MAX,
	  FILE_NUMBER, NULL },
	{ "pids.max", "pids.max", FIELD_PIDS_MAX, FILE_NUMBER, NULL },
	{ "cpu.max", NULL, FIELD_CPU_QUOTA, FILE_PAIR, NULL },
	{ NULL, "cpu.cfs_quota_us", FIELD_CPU_QUOTA, FILE_NUMBER, NULL },
	{ NULL, "cpu.cfs_period_us", FIELD_CPU_PERIOD, FILE_NUMBER, NULL },
	{ "cpu.max.burst", "cpu.cfs_burst_us", FIELD_CPU_BURST, FILE_NUMBER,
	  NULL },
	{ "cpu.weight", "cpu.shares", FIELD_CPU_WEIGHT, FILE_NUMBER,
	  from_shares },
	{ "cpu.weight.nice", NULL, FIELD_CPU_NICE, FILE_NUMBER, NULL },
	{ "cpuset.cpus", "cpuset.cpus", FIELD_CPU_SET, FILE_TEXT, NULL },
	{ "cpuset.mems", "cpuset.mems", FIELD_MEM_NODES, FILE_TEXT, NULL },
	{ "io.weight", "blkio.weight", FIELD_IO_WEIGHT, FILE_NUMBER,
	  from_blkio },
};

static const struct file_row *file_row(bool v2, const char *name)
{
	for (size_t i = 0; i < COUNT(file_rows); i++)
		if (str_eq(v2 ? file_rows[i].v2 : file_rows[i].v1, name))
			return &file_rows[i];
	return NULL;
}

/* "max" and "-1" are without limit; a nice level may be below zero. */
static int check_number(const struct file_row *row, const char *value,
			struct err *e)
{
	int64_t i;
	uint64_t u;

	if (row->field == FIELD_CPU_NICE)
		return num_i64(value, &i, e);
	if (str_eq(value, "max") || str_eq(value, "-1"))
		return 0;
	return num_u64(value, &u, e);
}

/* "8:16 rbps=N wbps=max": a policy has what limits. */
static int take_io_max(struct read_lxc *r, const char *value, struct err *e)
{
	const struct strv w = strv_split(r->mem, value, " ");

	if (w.n < 2)
		return err_set(e, 0, "\"%s\" is no device and limits", value);
	for (size_t i = 1; i < w.n; i++) {
		const char *equals = strchr(w.v[i], '=');
		enum field_id f = FIELD__MAX;
		uint64_t n;

		if (equals != NULL)
			f = policy_io_field(arena_strndup(
				r->mem, w.v[i], (size_t)(equals - w.v[i])));
		if (f == FIELD__MAX)
			return err_set(e, 0, "\"%s\" is no limit", w.v[i]);
		policy_remove(r->p, f, w.v[0]);
		if (str_eq(equals + 1, "max"))
			continue;
		if (num_u64(equals + 1, &n, e) < 0)
			return -1;
		policy_add(r->p, f, w.v[0], equals + 1);
	}
	return 0;
}

int read_lxc_cgroup(struct read_lxc *r, const struct read_lxc_key *k,
		    const char *rest, const char *value, struct err *e)
{
	const bool v2 = str_eq(k->name, "lxc.cgroup2.");
	const struct file_row *row = file_row(v2, rest);
	struct strv words;

	if (v2 && str_eq(rest, "io.max"))
		return take_io_max(r, value, e);
	if (row == NULL)
		return err_set(e, 0, "no such file");
	words = strv_split(r->mem, value, " ");
	if (words.n == 0 || words.n > (row->kind == FILE_PAIR ? 2U : 1U))
		return err_set(e, 0, "\"%s\" is not its value", value);
	for (size_t i = 0; i < words.n && row->kind != FILE_TEXT; i++)
		if (check_number(row, words.v[i], e) < 0)
			return -1;
	*vec_add(r->mem, &r->files) = (struct read_lxc_file){ .v2 = v2,
							      .name = rest,
							      .value = value };
	return 0;
}

/* The last line for a file counts; NULL: none. */
static const char *file(const struct read_lxc *r, bool v2, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < r->files.n; i++)
		if (r->files.v[i].v2 == v2 && str_eq(r->files.v[i].name, name))
			value = r->files.v[i].value;
	return value;
}

static const char *canonical(const char *value)
{
	if (str_eq(value, "max") || str_eq(value, "-1"))
		return "unlimited";
	return value;
}

/* Memory and swap together, less the memory. */
static const char *from_memsw(struct read_lxc *r, const char *value)
{
	const char *limit = file(r, false, "memory.limit_in_bytes");
	uint64_t both, mem;
	struct err e;

	if (limit == NULL || num_u64(value, &both, &e) < 0 ||
	    num_u64(limit, &mem, &e) < 0 || both < mem)
		return value;
	return arena_printf(r->mem, "%" PRIu64, both - mem);
}

static const char *from_v1(struct read_lxc *r, const struct file_row *row,
			   const char *value)
{
	uint64_t n;
	struct err e;

	if (row->field == FIELD_SWAP_MAX)
		return from_memsw(r, value);
	if (row->convert == NULL || num_u64(value, &n, &e) < 0)
		return value;
	return arena_printf(r->mem, "%" PRIu64, row->convert(n));
}

static void add_file(struct read_lxc *r, const struct file_row *row)
{
	const char *v2 = row->v2 == NULL ? NULL : file(r, true, row->v2);
	const char *v1 = row->v1 == NULL ? NULL : file(r, false, row->v1);
	struct strv words;

	if (v2 != NULL && row->kind == FILE_PAIR) {
		words = strv_split(r->mem, v2, " ");
		policy_add(r->p, FIELD_CPU_QUOTA, "", canonical(words.v[0]));
		if (words.n > 1)
			policy_add(r->p, FIELD_CPU_PERIOD, "", words.v[1]);
	} else if (v2 != NULL) {
		policy_add(r->p, row->field, "",
			   row->kind == FILE_TEXT ? v2 : canonical(v2));
	} else if (v1 != NULL && policy_get(r->p, row->field, "") == NULL) {
		policy_add(r->p, row->field, "",
			   canonical(from_v1(r, row, v1)));
	}
}

void read_lxc_add_limits(struct read_lxc *r)
{
	for (size_t i = 0; i < COUNT(file_rows); i++)
		add_file(r, &file_rows[i]);
}
