/*
 * The emitted config as it is deployed in the lab. Each row is a key, or its
 * beginning, and what is done with its lines; keys without a row stay.
 * Facts: lxc.container.conf(5), targets.md part 2.
 */
#include <string.h>
#include <unistd.h>

#include "runtime/engine.h"
#include "runtime/engines/lxc.h"
#include "runtime/ops.h"

struct nic {
	const char *number, *name, *type;
	bool paired; /* its end on the host has a name */
};

struct deploy {
	const struct policy *p;
	struct box *b;
	struct arena *mem;
	struct buf *out;
	VEC(struct nic) nics;
	bool v1, v2; /* limits for these versions were seen */
};

/* A line as it is, or what stands in its place; NULL: nothing does. */
typedef const char *fate_fn(struct deploy *d, const char *key,
			    const char *value);

static const char *same(struct deploy *d, const char *key, const char *value)
{
	return arena_printf(d->mem, "%s = %s", key, value);
}

static bool withheld(const struct deploy *d, enum field_id f, const char *key)
{
	return engine_withheld(d->b, f, key) != NULL;
}

static const char *leave_out(struct deploy *d, const char *key,
			     const char *value)
{
	(void)d;
	(void)key;
	(void)value;
	return NULL;
}

static const char *root(struct deploy *d, const char *key, const char *value)
{
	(void)value;
	return arena_printf(d->mem, "%s = dir:%s", key, box_root(d->b));
}

static const char *caps(struct deploy *d, const char *key, const char *value)
{
	const struct strv words = strv_split(d->mem, value, " \t");
	struct strv kept = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (!withheld(d, FIELD_CAPS, words.v[i]))
			strv_add(d->mem, &kept, words.v[i]);
	if (words.n != 0 && kept.n == 0)
		strv_add(d->mem, &kept, "none");
	return same(d, key, strv_join(d->mem, &kept, " "));
}

static const char *sysctl(struct deploy *d, const char *key, const char *value)
{
	const char *name = key + strlen("lxc.sysctl.");

	return withheld(d, FIELD_SYSCTL_VALUE, name) ? NULL :
						       same(d, key, value);
}

static const char *rlimit(struct deploy *d, const char *key, const char *value)
{
	const char *name = key + strlen("lxc.prlimit.");

	return withheld(d, FIELD_RLIMIT_HARD, name) ? NULL :
						      same(d, key, value);
}

static const char *oom(struct deploy *d, const char *key, const char *value)
{
	return withheld(d, FIELD_OOM_SCORE, "") ? NULL : same(d, key, value);
}

static const char *label(struct deploy *d, const char *key, const char *value)
{
	return withheld(d, FIELD_LSM, "") ? NULL : same(d, key, value);
}

static const char *filter(struct deploy *d, const char *key, const char *value)
{
	if (value[0] == '\0' || access(value, R_OK) == 0)
		return same(d, key, value);
	box_withhold(d->b, FIELD_SECCOMP, "",
		     "this host does not have the file of the filter");
	return NULL;
}

/* "8:16 rbps=N": lines as rehost writes them have one limit each. */
static const char *io_limit(struct deploy *d, const char *key,
			    const char *value)
{
	const struct strv w = strv_split(d->mem, value, " =");
	const enum field_id f = w.n < 3 ? FIELD__MAX : policy_io_field(w.v[1]);

	if (f != FIELD__MAX && withheld(d, f, w.v[0]))
		return NULL;
	d->v2 = true;
	return same(d, key, value);
}

/* Files that this host does not have are left out. */
static const char *limit(struct deploy *d, const char *key, const char *value)
{
	const bool v2 = str_starts(key, "lxc.cgroup2.");
	const char *file = key + strlen(v2 ? "lxc.cgroup2." : "lxc.cgroup.");
	const char *why;
	enum field_id f;

	if (str_starts(file, "devices."))
		return same(d, key, value);
	if (str_starts(file, "blkio.throttle."))
		return NULL;
	if (v2 && str_eq(file, "io.max"))
		return io_limit(d, key, value);
	d->v2 |= v2;
	d->v1 |= !v2;
	why = ops_limit_field(file, &f) ? engine_withheld(d->b, f, "") : NULL;
	return why == NULL ? same(d, key, value) : NULL;
}

/* The key of the node that is bound there; NULL: it is no node. */
static const char *node_at(const struct deploy *d, const char *target)
{
	for (size_t i = 0; i < d->p->items.n; i++)
		if (d->p->items.v[i].field == FIELD_DEVICE_PATH &&
		    str_eq(d->p->items.v[i].value, target))
			return d->p->items.v[i].key;
	return NULL;
}

static const char *node(struct deploy *d, const char *key, const char *value,
			const char *source, const char *id)
{
	if (access(source, F_OK) == 0)
		return same(d, key, value);
	box_withhold(d->b, FIELD_DEVICE_PATH, id,
		     "this host has no such node to bind");
	return NULL;
}

/* Copies are mounted in the root already, and come with it. */
static const char *mount(struct deploy *d, const char *key, const char *value)
{
	const struct strv w = strv_split(d->mem, value, " \t");
	const char *target, *id;

	if (w.n < 4)
		return same(d, key, value);
	target = arena_printf(d->mem, "%s%s", w.v[1][0] == '/' ? "" : "/",
			      w.v[1]);
	id = node_at(d, target);
	if (id != NULL)
		return node(d, key, value, w.v[0], id);
	if (box_binds(d->b, target) || withheld(d, FIELD_MOUNT_TARGET, target))
		return NULL;
	if (withheld(d, FIELD_MOUNT_TYPE, target))
		return arena_printf(d->mem,
				    "%s = tmpfs %s tmpfs %s,create=dir 0 0",
				    key, w.v[1],
				    ops_empty_options(d->mem, w.v[3]));
	return same(d, key, value);
}

static const struct nic *find_nic(const struct deploy *d, const char *key)
{
	for (size_t i = 0; i < d->nics.n; i++)
		if (str_starts(key, d->nics.v[i].number))
			return &d->nics.v[i];
	return NULL;
}

/* Types whose other keys mean nothing to the veth in their place. */
static const char *const replaced[] = { "ipvlan", "phys", "vlan" };

static bool is_replaced(const char *type)
{
	for (size_t i = 0; i < COUNT(replaced); i++)
		if (str_eq(replaced[i], type))
			return true;
	return false;
}

/* Without a name LXC makes one up: the lab's answers could not go there. */
static const char *end_of(const struct deploy *d, const struct nic *n)
{
	return n->name == NULL ? NULL : box_nic_end(d->b, n->name);
}

static const char *net(struct deploy *d, const char *key, const char *value)
{
	const struct nic *n = find_nic(d, key);
	const char *part = n == NULL ? "" : key + strlen(n->number);

	if (n == NULL)
		return same(d, key, value);
	if (str_eq(part, "type") && str_eq(value, "none"))
		return same(d, key, "empty");
	if (str_eq(part, "type") && is_replaced(value))
		return same(d, key, "veth");
	if (str_eq(part, "veth.mode") && !n->paired && end_of(d, n) != NULL)
		return arena_printf(d->mem, "%s\n%sveth.pair = %s",
				    same(d, key, value), n->number,
				    end_of(d, n));
	if (is_replaced(n->type) &&
	    (str_starts(part, "ipvlan.") || str_starts(part, "vlan.")))
		return NULL;
	if (str_starts(part, "veth.vlan.") && n->name != NULL &&
	    withheld(d, FIELD_NIC_VLAN, n->name))
		return NULL;
	return same(d, key, value);
}

static const struct {
	const char *key; /* "lxc.x." stands for all that begin so */
	fate_fn *fate;
} rows[] = {
	{ "lxc.rootfs.path", root },
	{ "lxc.rootfs.", leave_out }, /* the box's root is mapped already */
	{ "lxc.cap.keep", caps },
	{ "lxc.sysctl.", sysctl },
	{ "lxc.prlimit.", rlimit },
	{ "lxc.proc.oom_score_adj", oom },
	{ "lxc.apparmor.", label },
	{ "lxc.selinux.", label },
	{ "lxc.seccomp.profile", filter },
	{ "lxc.cgroup.", limit },
	{ "lxc.cgroup2.", limit },
	{ "lxc.mount.entry", mount },
	{ "lxc.namespace.", leave_out },
	{ "lxc.hook.", leave_out },
	{ "lxc.net.", net },
};

static fate_fn *fate_of(const char *key)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_ends(rows[i].key, ".") ? str_starts(key, rows[i].key) :
						 str_eq(key, rows[i].key))
			return rows[i].fate;
	return same;
}

/* "key = value"; false: a comment or an empty line. */
static bool split(struct arena *mem, struct slice line, const char **ret_key,
		  const char **ret_value)
{
	const char *eq = memchr(line.p, '=', line.n);

	if (line.n == 0 || line.p[0] == '#' || eq == NULL)
		return false;
	*ret_key = slice_dup(mem, slice_trim((struct slice){
					  line.p, (size_t)(eq - line.p) }));
	*ret_value = slice_dup(
		mem, slice_trim((struct slice){
			     eq + 1, line.n - (size_t)(eq + 1 - line.p) }));
	return true;
}

/* Numbers of interfaces stand for their names in every key. */
static void find_nics(struct deploy *d, const char *text)
{
	struct slice rest = { text, strlen(text) }, line;
	const char *key, *value;

	while (slice_next(&rest, '\n', &line)) {
		const char *dot;

		if (!split(d->mem, slice_trim(line), &key, &value) ||
		    !str_starts(key, "lxc.net."))
			continue;
		dot = strchr(key + strlen("lxc.net."), '.');
		if (dot != NULL && str_eq(dot, ".type"))
			*vec_add(d->mem, &d->nics) = (struct nic){
				.number = arena_strndup(
					d->mem, key, (size_t)(dot + 1 - key)),
				.type = value,
			};
		else if (dot != NULL && str_eq(dot, ".name") && d->nics.n != 0)
			d->nics.v[d->nics.n - 1].name = value;
		else if (dot != NULL && str_eq(dot, ".veth.pair") &&
			 d->nics.n != 0)
			d->nics.v[d->nics.n - 1].paired = true;
	}
}

static void deploy_line(struct deploy *d, struct slice line)
{
	const char *text = slice_dup(d->mem, line), *key, *value, *now;

	if (!split(d->mem, slice_trim(line), &key, &value)) {
		buf_printf(d->out, "%s\n", text);
		return;
	}
	now = fate_of(key)(d, key, value);
	if (!str_eq(now, same(d, key, value)))
		buf_printf(d->out, "# lab: %s\n", text);
	if (now != NULL)
		buf_printf(d->out, "%s\n", now);
}

/* LXC leaves out in silence what is for a version that the host lacks. */
static void miss_limits(struct deploy *d)
{
	for (size_t i = 0; i < d->p->items.n; i++) {
		const enum field_id f = d->p->items.v[i].field;
		const char *controller = ops_limit_controller(f);
		bool v2;

		if (controller != NULL &&
		    box_controller(d->b, controller, &v2) &&
		    (v2 ? !d->v2 : !d->v1))
			box_withhold(d->b, f, d->p->items.v[i].key,
				     v2 ? "the config has no limits for "
					  "cgroup v2, which this host has" :
					  "the config has no limits for "
					  "cgroup v1, which this host has");
	}
}

void lxc_deployed(const char *text, const struct policy *p, struct box *b,
		  struct arena *mem, struct buf *ret)
{
	struct deploy d = { .p = p, .b = b, .mem = mem, .out = ret };
	struct slice rest = { text, strlen(text) }, line;

	find_nics(&d, text);
	while (slice_next(&rest, '\n', &line))
		deploy_line(&d, line);
	miss_limits(&d);
}

void lxc_show_changes(const char *text, struct buf *ret)
{
	static const char mark[] = "# lab: ";
	struct slice rest = { text, strlen(text) }, line;

	while (slice_next(&rest, '\n', &line))
		if (line.n > sizeof(mark) - 1 &&
		    strncmp(line.p, mark, sizeof(mark) - 1) == 0)
			buf_printf(ret, "not as emitted: %.*s\n",
				   (int)(line.n - sizeof(mark) + 1),
				   line.p + sizeof(mark) - 1);
}
