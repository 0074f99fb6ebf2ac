/*
 * From a policy to the config.json of an OCI bundle. Facts: runtime-spec 1.0.2,
 * config.md and config-linux.md; targets.md part 5.
 */
#include <inttypes.h>
#include <string.h>

#include "base/devrule.h"
#include "base/json.h"
#include "base/num.h"
#include "runtime/engine.h"
#include "runtime/engines/runc.h"
#include "runtime/ops.h"

struct bundle {
	const struct policy *p;
	struct box *b;
	struct arena *mem;
};

static const char *get(const struct bundle *u, enum field_id f)
{
	const char *value = policy_get(u->p, f, "");

	return value == NULL || engine_withheld(u->b, f, "") != NULL ? NULL :
								       value;
}

static bool number(const struct bundle *u, enum field_id f, uint64_t *ret)
{
	const char *text = get(u, f);
	struct err e;

	return text != NULL && num_u64(text, ret, &e) == 0;
}

static void add(json_t *list, const char *s)
{
	json_array_append_new(list, json_text(s));
}

static json_t *words(const struct bundle *u, const char *text)
{
	const struct strv w = strv_split(u->mem, text, " \t");
	json_t *list = json_array();

	for (size_t i = 0; i < w.n; i++)
		add(list, w.v[i]);
	return list;
}

/* --- process --- */

static json_t *cap_names(const struct bundle *u)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->p->items.n; i++) {
		const struct policy_item *it = &u->p->items.v[i];
		char *name;

		if (it->field != FIELD_CAPS ||
		    engine_withheld(u->b, FIELD_CAPS, it->key) != NULL)
			continue;
		name = arena_printf(u->mem, "CAP_%s", it->key);
		for (char *c = name; *c != '\0'; c++)
			if (*c >= 'a' && *c <= 'z')
				*c &= ~0x20;
		add(list, name);
	}
	return list;
}

static json_t *capabilities(const struct bundle *u)
{
	static const char *const sets[] = { "bounding", "effective",
					    "permitted" };
	json_t *o = json_object();

	for (size_t i = 0; i < COUNT(sets); i++)
		json_put(o, sets[i], cap_names(u));
	return o;
}

static json_t *environment(const struct bundle *u)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->p->items.n; i++) {
		const struct policy_item *it = &u->p->items.v[i];

		if (it->field == FIELD_ENV_VALUE)
			add(list,
			    arena_printf(u->mem, "%s=%s", it->key, it->value));
	}
	return list;
}

/* The spec has no word for "unlimited". */
static uint64_t limit_of(const char *text)
{
	uint64_t n;
	struct err e;

	return num_u64(text, &n, &e) < 0 ? UINT64_MAX : n;
}

/* No limit, as the spec has it; jansson's integers end before. */
#define NO_LIMIT "18446744073709551615"

static void put_limit(json_t *o, const char *name, const char *text)
{
	const uint64_t n = limit_of(text);

	if (n > INT64_MAX)
		json_put_str(o, name, NO_LIMIT);
	else
		json_put_u64(o, name, n);
}

static json_t *rlimits(const struct bundle *u)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->p->items.n; i++) {
		const struct policy_item *it = &u->p->items.v[i];
		const char *soft = policy_get(u->p, FIELD_RLIMIT_SOFT, it->key);
		char *type;
		json_t *o;

		if (it->field != FIELD_RLIMIT_HARD ||
		    engine_withheld(u->b, FIELD_RLIMIT_HARD, it->key) != NULL)
			continue;
		type = arena_printf(u->mem, "RLIMIT_%s", it->key);
		for (char *c = type; *c != '\0'; c++)
			if (*c >= 'a' && *c <= 'z')
				*c &= ~0x20;
		o = json_object();
		json_put_str(o, "type", type);
		put_limit(o, "soft", soft == NULL ? it->value : soft);
		put_limit(o, "hard", it->value);
		json_array_append_new(list, o);
	}
	return list;
}

/* A context of SELinux has colons: "user:role:type:level". */
static void put_label(const struct bundle *u, json_t *o)
{
	const char *label = get(u, FIELD_LSM);

	if (label == NULL || str_eq(label, "none") ||
	    engine_withheld(u->b, FIELD_LSM, "") != NULL)
		return;
	json_put_str(o,
		     strchr(label, ':') == NULL ? "apparmorProfile" :
						  "selinuxLabel",
		     label);
}

static json_t *process(const struct bundle *u)
{
	const char *init = get(u, FIELD_INIT_CMD), *oom;
	json_t *o = json_object(), *root = json_object();
	int64_t n;
	struct err e;

	json_put_int(root, "uid", 0);
	json_put_int(root, "gid", 0);
	json_put_bool(o, "terminal", false);
	json_put(o, "user", root);
	json_put(o, "args", words(u, init == NULL ? "/sbin/init" : init));
	json_put(o, "env", environment(u));
	json_put_str(o, "cwd", "/");
	json_put(o, "capabilities", capabilities(u));
	json_put(o, "rlimits", rlimits(u));
	json_put_bool(o, "noNewPrivileges",
		      str_eq(get(u, FIELD_NO_NEW_PRIVS), "yes"));
	oom = get(u, FIELD_OOM_SCORE);
	if (oom != NULL && num_i64(oom, &n, &e) == 0)
		json_put_int(o, "oomScoreAdj", n);
	put_label(u, o);
	return o;
}

/* --- mounts --- */

/* Of those that no policy gives options; what LXC gives them, as the box. */
static const struct {
	const char *type, *options;
} usual[] = {
	{ "proc", "nosuid noexec nodev" },
	{ "sysfs", "nosuid noexec nodev" },
	{ "mqueue", "nosuid noexec nodev" },
	{ "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5" },
};

static const char *options_of(const struct bundle *u, const char *target,
			      const char *type)
{
	const char *given = policy_get(u->p, FIELD_MOUNT_OPTIONS, target);

	if (given != NULL && str_eq(type, "devpts"))
		return arena_printf(u->mem, "newinstance ptmxmode=0666 %s",
				    given);
	if (given != NULL)
		return given;
	for (size_t i = 0; i < COUNT(usual); i++)
		if (str_eq(usual[i].type, type))
			return usual[i].options;
	return "";
}

static void put_mount(const struct bundle *u, json_t *list, const char *target,
		      const char *type, const char *options)
{
	json_t *o = json_object();

	json_put_str(o, "destination", target);
	json_put_str(o, "type", type);
	json_put_str(o, "source", type);
	json_put(o, "options", words(u, options));
	json_array_append_new(list, o);
}

static const char *empty_options(const struct bundle *u, const char *target)
{
	const char *options = ops_empty_options(
		u->mem, policy_get(u->p, FIELD_MOUNT_OPTIONS, target));
	const struct strv words = strv_split(u->mem, options, ",");

	return strv_join(u->mem, &words, " ");
}

static void add_mount(const struct bundle *u, json_t *list, const char *target)
{
	const char *type = policy_get(u->p, FIELD_MOUNT_TYPE, target);
	const char *sys = get(u, FIELD_SYS_VIEW);
	const char *options;

	/* a copy is in the root already */
	if (box_binds(u->b, target) ||
	    engine_withheld(u->b, FIELD_MOUNT_TARGET, target) != NULL)
		return;
	if (str_eq(target, "/dev"))
		put_mount(u, list, target, "tmpfs",
			  "nosuid strictatime mode=755 size=512k");
	else if (type == NULL)
		put_mount(u, list, target, "cgroup",
			  "nosuid noexec nodev relatime ro");
	else if (engine_withheld(u->b, FIELD_MOUNT_TYPE, target) != NULL)
		put_mount(u, list, target, "tmpfs", empty_options(u, target));
	else {
		options = options_of(u, target, type);
		if (str_eq(type, "sysfs") && !str_eq(sys, "rw"))
			options = arena_printf(u->mem, "%s ro", options);
		put_mount(u, list, target, type, options);
	}
}

static json_t *mounts(const struct bundle *u)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->p->items.n; i++)
		if (u->p->items.v[i].field == FIELD_MOUNT_TARGET)
			add_mount(u, list, u->p->items.v[i].key);
	return list;
}

/* --- linux --- */

static json_t *namespaces(const struct bundle *u)
{
	static const char *const own[] = { "pid", "network", "mount", "ipc",
					   "uts" };
	json_t *list = json_array();
	struct strv names = { 0 };

	for (size_t i = 0; i < COUNT(own); i++)
		strv_add(u->mem, &names, own[i]);
	if (!str_eq(get(u, FIELD_NS_CGROUP), "host"))
		strv_add(u->mem, &names, "cgroup");
	if (str_eq(get(u, FIELD_NS_USER), "private"))
		strv_add(u->mem, &names, "user");
	for (size_t i = 0; i < names.n; i++) {
		json_t *o = json_object();

		json_put_str(o, "type", names.v[i]);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *id_map(const struct bundle *u, const char *kind)
{
	json_t *list = json_array();

	for (size_t i = 0; i < u->p->items.n; i++) {
		const struct policy_item *it = &u->p->items.v[i];
		const char *count;
		json_t *o;

		if (it->field != FIELD_IDMAP_OUTSIDE ||
		    !str_starts(it->key, kind))
			continue;
		count = policy_get(u->p, FIELD_IDMAP_COUNT, it->key);
		o = json_object();
		put_limit(o, "containerID", it->key + 2);
		put_limit(o, "hostID", it->value);
		put_limit(o, "size", count == NULL ? "1" : count);
		json_array_append_new(list, o);
	}
	return list;
}

static void put_device(const struct devrule *r, const char *access, bool allow,
		       json_t *list)
{
	const char type[] = { r->type, '\0' };
	json_t *o = json_object();

	json_put_bool(o, "allow", allow);
	json_put_str(o, "type", type);
	if (!r->any_major)
		json_put_int(o, "major", r->major);
	if (!r->any_minor)
		json_put_int(o, "minor", r->minor);
	json_put_str(o, "access", access);
	json_array_append_new(list, o);
}

/* First all is denied, then what is listed is allowed. */
static json_t *device_rules(const struct bundle *u)
{
	const bool any = str_eq(get(u, FIELD_DEVICE_POLICY), "any");
	json_t *list = json_array(), *all = json_object();

	json_put_bool(all, "allow", any);
	json_put_str(all, "access", "rwm");
	json_array_append_new(list, all);
	for (size_t i = 0; i < u->p->items.n && !any; i++) {
		const struct policy_item *it = &u->p->items.v[i];
		struct devrule r;
		struct err e;

		if (it->field == FIELD_DEVICE_ACCESS &&
		    devrule_parse(arena_printf(u->mem, "%s %s", it->key,
					       it->value),
				  &r, &e) == 0)
			put_device(&r, it->value, true, list);
	}
	return list;
}

static void put_number(const struct bundle *u, json_t *o, const char *name,
		       enum field_id f)
{
	uint64_t n;

	if (number(u, f, &n) && n <= INT64_MAX)
		json_put_u64(o, name, n);
}

static json_t *memory(const struct bundle *u)
{
	uint64_t limit, swap;
	json_t *o = json_object();

	put_number(u, o, "limit", FIELD_MEM_MAX);
	put_number(u, o, "reservation", FIELD_MEM_LOW);
	/* both together, as cgroup v1 counts */
	if (number(u, FIELD_MEM_MAX, &limit) &&
	    number(u, FIELD_SWAP_MAX, &swap) && limit <= INT64_MAX - swap)
		json_put_u64(o, "swap", limit + swap);
	return o;
}

static json_t *cpu(const struct bundle *u)
{
	const char *cpus = get(u, FIELD_CPU_SET);
	const char *nodes = get(u, FIELD_MEM_NODES);
	json_t *o = json_object();
	uint64_t weight;

	/* 100 of v2 are 1024 of v1: the ratio rule, rounded */
	if (number(u, FIELD_CPU_WEIGHT, &weight))
		json_put_u64(o, "shares", (weight * 1024 + 50) / 100);
	put_number(u, o, "quota", FIELD_CPU_QUOTA);
	put_number(u, o, "period", FIELD_CPU_PERIOD);
	if (cpus != NULL)
		json_put_str(o, "cpus", cpus);
	if (nodes != NULL)
		json_put_str(o, "mems", nodes);
	return o;
}

static json_t *resources(const struct bundle *u)
{
	json_t *o = json_object(), *pids = json_object();

	json_put(o, "devices", device_rules(u));
	json_put(o, "memory", memory(u));
	json_put(o, "cpu", cpu(u));
	put_number(u, pids, "limit", FIELD_PIDS_MAX);
	if (json_object_size(pids) > 0)
		json_put(o, "pids", pids);
	else
		json_decref(pids);
	return o;
}

/* Without a word in the spec's resources of cgroup v1. */
static void miss(const struct bundle *u)
{
	static const struct {
		enum field_id field;
		const char *why;
	} rows[] = {
		{ FIELD_MEM_HIGH, "the bundle has no such limit" },
		{ FIELD_CPU_BURST, "runc before 1.2 has no bursts" },
		{ FIELD_CPU_NICE, "the bundle has no such setting" },
		{ FIELD_IO_WEIGHT, "not written for the lab's disks" },
		{ FIELD_NICE, "runc before 1.2 does not set it" },
	};
	const char *arch = get(u, FIELD_ARCH);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (get(u, rows[i].field) != NULL)
			box_withhold(u->b, rows[i].field, "", rows[i].why);
	for (size_t i = 0; i < u->p->items.n; i++)
		if (policy_io_word(u->p->items.v[i].field) != NULL)
			box_withhold(u->b, u->p->items.v[i].field,
				     u->p->items.v[i].key,
				     "not written for the lab's disks");
	if (str_eq(arch, "i686") || str_eq(arch, "i386"))
		box_withhold(u->b, FIELD_ARCH, "",
			     "runc before 1.2 sets no personality");
	if (get(u, FIELD_SECCOMP) != NULL &&
	    !str_eq(get(u, FIELD_SECCOMP), "none"))
		box_withhold(u->b, FIELD_SECCOMP, "",
			     "a filter of LXC's is none of the bundle's");
}

static json_t *sysctls(const struct bundle *u)
{
	const char *domain = get(u, FIELD_DOMAINNAME);
	json_t *o = json_object();

	if (domain != NULL)
		json_put_str(o, "kernel.domainname", domain);
	for (size_t i = 0; i < u->p->items.n; i++) {
		const struct policy_item *it = &u->p->items.v[i];

		if (it->field == FIELD_SYSCTL_VALUE &&
		    engine_withheld(u->b, it->field, it->key) == NULL)
			json_put_str(o, it->key, it->value);
	}
	return o;
}

/* Nodes beside those that runc makes itself. */
static json_t *nodes(const struct bundle *u)
{
	static const char *const runcs[] = { "c 1:3", "c 1:5", "c 1:7",
					     "c 1:8", "c 1:9", "c 5:0",
					     "c 5:1", "c 5:2", "c 136:*" };
	json_t *list = json_array();

	for (size_t i = 0; i < u->p->items.n; i++) {
		const struct policy_item *it = &u->p->items.v[i];
		const char type[] = { it->key[0], '\0' };
		bool own = it->field == FIELD_DEVICE_PATH;
		struct devrule r;
		struct err e;
		json_t *o;

		for (size_t j = 0; j < COUNT(runcs) && own; j++)
			own = !str_eq(runcs[j], it->key);
		if (!own || engine_withheld(u->b, it->field, it->key) != NULL ||
		    devrule_parse(arena_printf(u->mem, "%s r", it->key), &r,
				  &e) < 0 ||
		    r.any_major || r.any_minor)
			continue;
		o = json_object();
		json_put_str(o, "path", it->value);
		json_put_str(o, "type", type);
		json_put_int(o, "major", r.major);
		json_put_int(o, "minor", r.minor);
		json_put_int(o, "fileMode", 0666);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *closed(const struct bundle *u)
{
	const char *view = get(u, FIELD_PROC_VIEW);
	json_t *list = json_array();

	if (str_eq(view, "mixed") || str_eq(view, "filtered")) {
		add(list, "/proc/sys");
		add(list, "/proc/sysrq-trigger");
	}
	return list;
}

static json_t *linux_part(const struct bundle *u)
{
	json_t *o = json_object();

	json_put(o, "namespaces", namespaces(u));
	if (str_eq(get(u, FIELD_NS_USER), "private")) {
		json_put(o, "uidMappings", id_map(u, "u "));
		json_put(o, "gidMappings", id_map(u, "g "));
	}
	json_put_str(o, "cgroupsPath",
		     arena_printf(u->mem, "/%s/runc", box_group(u->b)));
	json_put(o, "resources", resources(u));
	json_put(o, "sysctl", sysctls(u));
	json_put(o, "devices", nodes(u));
	json_put(o, "maskedPaths", json_array());
	json_put(o, "readonlyPaths", closed(u));
	return o;
}

/* The text, with the numbers that stand there as text. */
static void write_numbers(const json_t *j, struct buf *ret)
{
	static const char quoted[] = "\"" NO_LIMIT "\"";
	struct buf text CLEANUP(buf_done) = { 0 };
	const char *from, *at;

	json_write(&text, j);
	from = buf_str(&text);
	while ((at = strstr(from, quoted)) != NULL) {
		buf_add(ret, from, (size_t)(at - from));
		buf_adds(ret, NO_LIMIT);
		from = at + sizeof(quoted) - 1;
	}
	buf_adds(ret, from);
}

void runc_config(const struct policy *p, struct box *b, struct arena *mem,
		 struct buf *ret)
{
	const struct bundle u = { .p = p, .b = b, .mem = mem };
	const char *host = get(&u, FIELD_HOSTNAME);
	json_t *o CLEANUP(json_freep) = json_object();
	json_t *root = json_object();

	miss(&u);
	json_put_str(o, "ociVersion", "1.0.2");
	json_put(o, "process", process(&u));
	json_put_str(root, "path", box_root(b));
	json_put_bool(root, "readonly", false);
	json_put(o, "root", root);
	if (host != NULL)
		json_put_str(o, "hostname", host);
	json_put(o, "mounts", mounts(&u));
	json_put(o, "linux", linux_part(&u));
	write_numbers(o, ret);
}
