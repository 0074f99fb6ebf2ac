/* The planner: what a policy asks for, in the order in which it is done. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/cap.h"
#include "base/num.h"
#include "base/str.h"
#include "runtime/caps.h"
#include "runtime/ops.h"

static const struct {
	enum op_side side;
	const char *words;
} rows[] = {
#define OP(id, where, function, text) [OP_##id] = { SIDE_##where, text },
#include "runtime/ops.def"
#undef OP
};

enum op_side ops_side(enum op_kind kind)
{
	return rows[kind].side;
}

void ops_add(struct ops *ops, enum op_kind kind, const char *a, const char *b,
	     const char *c, const char *d)
{
	*vec_add(ops->mem, &ops->list) =
		(struct op){ .kind = kind, .a = a, .b = b, .c = c, .d = d };
}

void ops_withhold(struct ops *ops, enum field_id field, const char *key,
		  const char *reason)
{
	*vec_add(ops->mem, &ops->withheld.list) = (struct box_withheld){
		.field = field, .key = key, .reason = reason
	};
}

void ops_stand_in(struct ops *ops, enum field_id field, const char *key,
		  const char *asked, const char *reason)
{
	*vec_add(ops->mem, &ops->withheld.list) = (struct box_withheld){
		.field = field, .key = key, .reason = reason, .asked = asked
	};
}

void ops_show(const struct op *op, struct buf *ret)
{
	const char *const texts[] = { op->a, op->b, op->c, op->d };

	buf_adds(ret, rows[op->kind].words);
	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i] != NULL && texts[i][0] != '\0')
			buf_printf(ret, " %s", texts[i]);
}

void ops_print(const struct ops *ops, struct buf *ret)
{
	for (size_t i = 0; i < ops->list.n; i++) {
		ops_show(&ops->list.v[i], ret);
		buf_addc(ret, '\n');
	}
	for (size_t i = 0; i < ops->withheld.list.n; i++) {
		const struct box_withheld *w = &ops->withheld.list.v[i];

		buf_printf(ret, "withhold %s%s%s: %s\n",
			   field_get(w->field)->name,
			   w->key[0] == '\0' ? "" : " ", w->key, w->reason);
	}
}

static const char *get(const struct ops_input *in, enum field_id f)
{
	return policy_get(in->p, f, "");
}

/* Whatever the policy says, the guest gets a namespace of its own. */
static void plan_namespaces(const struct ops_input *in, struct ops *ops)
{
	static const enum field_id own[] = { FIELD_NS_PID, FIELD_NS_NET,
					     FIELD_NS_MOUNT, FIELD_NS_IPC,
					     FIELD_NS_UTS };
	const char *cgroup = get(in, FIELD_NS_CGROUP);

	for (size_t i = 0; i < COUNT(own); i++) {
		const char *value = get(in, own[i]);

		if (str_eq(value, "host"))
			ops_withhold(ops, own[i], "",
				     "withheld: the host's is not shared");
		else if (value != NULL && str_starts(value, "shared:"))
			ops_withhold(ops, own[i], "",
				     "the other guest does not run here");
	}
	ops->cgroup_ns = !str_eq(cgroup, "host");
	ops->userns = str_eq(get(in, FIELD_NS_USER), "private");
}

static int plan_maps(const struct ops_input *in, struct ops *ops, struct err *e)
{
	for (size_t i = 0; ops->userns && i < in->p->items.n; i++) {
		const struct policy_item *it = &in->p->items.v[i];
		struct idmap_range r;

		if (it->field != FIELD_IDMAP_OUTSIDE)
			continue;
		r = (struct idmap_range){
			.kind = it->key[0],
			.inside = it->key + 2,
			.outside = it->value,
			.count = policy_get(in->p, FIELD_IDMAP_COUNT, it->key),
		};
		if (r.count == NULL || strlen(it->key) < 3)
			return err_set(e, EINVAL, "map of ids \"%s\"", it->key);
		*vec_add(ops->mem, &ops->maps) = r;
	}
	if (ops->userns && ops->maps.n == 0)
		return err_set(e, EINVAL, "user ids are mapped, but no map");
	return 0;
}

/* Never granted where they would reach the host (design 2.4). */
static const char *const host_caps[] = { "sys_time", "sys_module",
					 "sys_rawio" };

static bool is_host_cap(const char *name)
{
	for (size_t i = 0; i < COUNT(host_caps); i++)
		if (str_eq(host_caps[i], name))
			return true;
	return false;
}

static void plan_caps(const struct ops_input *in, struct ops *ops)
{
	for (size_t i = 0; i < in->p->items.n; i++) {
		const struct policy_item *it = &in->p->items.v[i];
		const int bit = it->field == FIELD_CAPS ? cap_find(it->key) :
							  -1;

		if (bit < 0)
			continue;
		if (!ops->userns && is_host_cap(it->key))
			ops_withhold(ops, it->field, it->key, "withheld");
		else if (!ops->userns && (in->h->caps & CAP_BIT(bit)) == 0)
			ops_withhold(ops, it->field, it->key,
				     "rehost itself lacks it here");
		else
			ops->caps |= CAP_BIT(bit);
	}
}

static int plan_signal(const struct ops_input *in, struct ops *ops,
		       struct err *e)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "PWR", SIGPWR },   { "TERM", SIGTERM }, { "INT", SIGINT },
		{ "KILL", SIGKILL }, { "HUP", SIGHUP },   { "QUIT", SIGQUIT },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
	};
	const char *text = get(in, FIELD_STOP_SIGNAL);
	const char *name;
	uint64_t n;

	ops->stop_signal = SIGPWR;
	if (text == NULL)
		return 0;
	name = str_starts(text, "SIG") ? text + 3 : text;
	if (str_starts(name, "RTMIN+") && num_u64(name + 6, &n, e) == 0 &&
	    n < 30) {
		ops->stop_signal = SIGRTMIN + (int)n;
		return 0;
	}
	for (size_t i = 0; i < COUNT(signals); i++) {
		if (str_eq(signals[i].name, name)) {
			ops->stop_signal = signals[i].number;
			return 0;
		}
	}
	return err_set(e, EINVAL, "signal \"%s\"", text);
}

/* Parameters of the guest's own namespaces; others are the host's. */
static const char *const own_sysctls[] = {
	"net.", "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.",
};

static bool is_own_sysctl(const char *name)
{
	for (size_t i = 0; i < COUNT(own_sysctls); i++)
		if (str_starts(name, own_sysctls[i]))
			return true;
	return false;
}

static void plan_sysctls(const struct ops_input *in, struct ops *ops)
{
	for (size_t i = 0; i < in->p->items.n; i++) {
		const struct policy_item *it = &in->p->items.v[i];

		if (it->field != FIELD_SYSCTL_VALUE)
			continue;
		if (is_own_sysctl(it->key))
			ops_add(ops, OP_SYSCTL, it->key, it->value, NULL, NULL);
		else
			ops_withhold(ops, it->field, it->key,
				     "withheld: it is the whole host's");
	}
}

static void plan_identity(const struct ops_input *in, struct ops *ops)
{
	const char *host = get(in, FIELD_HOSTNAME);
	const char *domain = get(in, FIELD_DOMAINNAME);

	if (host != NULL)
		ops_add(ops, OP_HOSTNAME, host, NULL, NULL, NULL);
	if (domain != NULL)
		ops_add(ops, OP_DOMAIN, domain, NULL, NULL, NULL);
	if (ops->cgroup_ns)
		ops_add(ops, OP_CGROUP_NS, NULL, NULL, NULL, NULL);
}

/* The filter that LXC's own common.conf names; others are not known here. */
static void plan_filters(const struct ops_input *in, struct ops *ops)
{
	const char *filter = get(in, FIELD_SECCOMP);
	const char *label = get(in, FIELD_LSM);

	if (label != NULL && !str_eq(label, "none")) {
		if (in->h->lsm[0] == '\0')
			ops_withhold(ops, FIELD_LSM, "",
				     "no such security module on this host");
		else if (str_eq(label, "generated"))
			ops_withhold(ops, FIELD_LSM, "",
				     "a profile that lxc-start generates");
		else
			ops_add(ops, OP_LABEL, in->h->lsm, label, NULL, NULL);
	}
	if (filter == NULL || str_eq(filter, "none"))
		return;
	if (caps_filter_name(filter) != NULL)
		ops_add(ops, OP_SECCOMP, caps_filter_name(filter), NULL, NULL,
			NULL);
	else
		ops_withhold(ops, FIELD_SECCOMP, "",
			     "a filter that the box does not know");
}

static void plan_init(const struct ops_input *in, struct ops *ops)
{
	const char *init = get(in, FIELD_INIT_CMD);
	const char *arch = get(in, FIELD_ARCH);

	if (arch != NULL && (str_eq(arch, "i686") || str_eq(arch, "i386")))
		ops_add(ops, OP_PERSONALITY, "linux32", NULL, NULL, NULL);
	ops_process_limits(in, ops);
	plan_filters(in, ops);
	ops_add(ops, OP_CAPS, cap_show(ops->mem, ops->caps, " "), NULL, NULL,
		NULL);
	if (str_eq(get(in, FIELD_NO_NEW_PRIVS), "yes"))
		ops_add(ops, OP_NO_NEW_PRIVS, NULL, NULL, NULL, NULL);
	for (size_t i = 0; i < in->p->items.n; i++) {
		const struct policy_item *it = &in->p->items.v[i];

		if (it->field == FIELD_ENV_VALUE)
			ops_add(ops, OP_ENV, it->key, it->value, NULL, NULL);
	}
	ops_add(ops, OP_EXEC, init == NULL ? "/sbin/init" : init, NULL, NULL,
		NULL);
}

static void plan_root(const struct ops_input *in, struct ops *ops)
{
	const char *const parts[] = { "",      "/upper", "/work",
				      "/root", "/lower", "/binds" };

	for (size_t i = 0; i < COUNT(parts); i++)
		ops_add(ops, OP_MKDIR,
			arena_printf(ops->mem, "%s%s", ops->dir, parts[i]),
			NULL, NULL, NULL);
	ops_limits(in, ops);
	ops_add(ops, OP_OVERLAY, in->o->rootfs, ops->dir, NULL, NULL);
	ops_devices(in, ops);
	ops_outer_mounts(in, ops);
}

int ops_plan(const struct ops_input *in, struct arena *mem, struct ops *ret,
	     struct err *e)
{
	struct ops ops = { .mem = mem };

	ops.group = arena_printf(mem, "rehost.%s.%s", in->o->name, in->run);
	ops.dir = arena_printf(mem, "%s/%s", in->o->scratch, ops.group);
	plan_namespaces(in, &ops);
	plan_caps(in, &ops);
	if (plan_maps(in, &ops, e) < 0 || plan_signal(in, &ops, e) < 0)
		return -1;
	plan_root(in, &ops);
	if (ops_net(in, &ops, e) < 0)
		return -1;
	plan_identity(in, &ops);
	ops_inner_mounts(in, &ops);
	plan_sysctls(in, &ops);
	ops_closed_views(in, &ops);
	plan_init(in, &ops);
	*ret = ops;
	return 0;
}
