/*
 * The guest's mounts. Kernel file systems are mounted new, in the guest's own
 * namespaces; whatever comes from the host is a copy that is thrown away, or
 * an empty tmpfs.
 */
#include <string.h>

#include "base/cap.h"
#include "base/str.h"
#include "runtime/mount.h"
#include "runtime/ops.h"

enum fate {
	FATE_NEW,   /* mounted by pid 1 */
	FATE_BIND,  /* an overlay over the host's directory */
	FATE_EMPTY, /* a tmpfs in its place */
	FATE_NONE,  /* not at all */
};

struct entry {
	const char *target, *type, *source, *options;
};

static const char *const new_types[] = { "proc", "sysfs", "tmpfs", "devpts",
					 "mqueue" };
/* Of which there is one for the whole kernel. */
static const char *const host_types[] = {
	"debugfs",  "tracefs", "securityfs", "configfs",
	"cgroup",   "cgroup2", "devtmpfs",   "bpf",
	"efivarfs", "pstore",  "fusectl",    "binfmt_misc"
};

static bool in_list(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], word))
			return true;
	return false;
}

static bool has_option(const struct ops *ops, const struct entry *m,
		       const char *word)
{
	const struct strv words = strv_split(
		ops->mem, m->options == NULL ? "" : m->options, " ,");

	return strv_has(&words, word);
}

static enum fate fate_of(const struct ops *ops, const struct entry *m)
{
	static const char *const kernel[] = { "/proc", "/sys", "/dev" };
	const bool bind = has_option(ops, m, "bind") ||
			  has_option(ops, m, "rbind");

	if (m->type == NULL)
		return FATE_NONE;
	if (!bind && in_list(new_types, COUNT(new_types), m->type))
		return FATE_NEW;
	if (in_list(host_types, COUNT(host_types), m->type))
		return FATE_NONE;
	if (!bind || m->source == NULL || m->source[0] != '/')
		return FATE_EMPTY;
	for (size_t i = 0; i < COUNT(kernel); i++)
		if (str_starts(m->source, kernel[i]))
			return FATE_NONE;
	return FATE_BIND;
}

static struct entry entry_of(const struct ops_input *in, const char *target)
{
	return (struct entry){
		.target = target,
		.type = policy_get(in->p, FIELD_MOUNT_TYPE, target),
		.source = policy_get(in->p, FIELD_MOUNT_SOURCE, target),
		.options = policy_get(in->p, FIELD_MOUNT_OPTIONS, target),
	};
}

/* Of the item with that number; false: it is no mount. */
static bool entry_at(const struct ops_input *in, size_t i, struct entry *ret)
{
	const struct policy_item *it = &in->p->items.v[i];

	if (it->field != FIELD_MOUNT_TARGET)
		return false;
	*ret = entry_of(in, it->key);
	return true;
}

static void withhold_all(struct ops *ops, const struct entry *m,
			 const char *reason)
{
	ops_withhold(ops, FIELD_MOUNT_TARGET, m->target, reason);
	if (m->type != NULL)
		ops_withhold(ops, FIELD_MOUNT_TYPE, m->target, reason);
	if (m->source != NULL)
		ops_withhold(ops, FIELD_MOUNT_SOURCE, m->target, reason);
	if (m->options != NULL)
		ops_withhold(ops, FIELD_MOUNT_OPTIONS, m->target, reason);
}

/*
 * Of an empty tmpfs the flags are seen; what its file system would have done
 * with the other options is not.
 */
static void withhold_type(struct ops *ops, const struct entry *m)
{
	const char *reason = "withheld: an empty tmpfs stands there";
	const struct strv words = strv_split(
		ops->mem, m->options == NULL ? "" : m->options, " ,");
	bool all = true;

	for (size_t i = 0; i < words.n; i++)
		all = all && (str_eq(words.v[i], "defaults") ||
			      mount_flags(ops->mem, words.v[i])[0] != '\0');
	ops_withhold(ops, FIELD_MOUNT_TYPE, m->target, reason);
	if (m->source != NULL)
		ops_stand_in(ops, FIELD_MOUNT_SOURCE, m->target, m->source,
			     reason);
	if (!all)
		ops_withhold(ops, FIELD_MOUNT_OPTIONS, m->target, reason);
}

const char *ops_empty_options(struct arena *mem, const char *options)
{
	const char *flags = mount_flags(mem, options);

	return arena_printf(mem, "size=64m%s%s", flags[0] == '\0' ? "" : ",",
			    flags);
}

/* Options of a mount without those that only say how it was asked for. */
static const char *kernel_options(struct ops *ops, const struct entry *m)
{
	const struct strv words = strv_split(
		ops->mem, m->options == NULL ? "" : m->options, " ,");
	struct strv kept = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (!str_eq(words.v[i], "bind") &&
		    !str_eq(words.v[i], "rbind") &&
		    !str_eq(words.v[i], "defaults"))
			strv_add(ops->mem, &kept, words.v[i]);
	return strv_join(ops->mem, &kept, ",");
}

void ops_outer_mounts(const struct ops_input *in, struct ops *ops)
{
	for (size_t i = 0; i < in->p->items.n; i++) {
		struct entry m;

		if (!entry_at(in, i, &m) || fate_of(ops, &m) != FATE_BIND)
			continue;
		ops_add(ops, OP_BIND, m.source, m.target,
			kernel_options(ops, &m), ops->dir);
		ops_stand_in(ops, FIELD_MOUNT_SOURCE, m.target, m.source,
			     "withheld: a copy that is thrown away");
	}
}

/* What LXC gives these where the policy has no options of its own. */
static const char *own_options(const char *type)
{
	if (str_eq(type, "devpts"))
		return "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,"
		       "gid=5,max=1024";
	return str_eq(type, "tmpfs") ? "" : "nosuid,nodev,noexec";
}

static void plan_new(struct ops *ops, const struct entry *m)
{
	const char *options = kernel_options(ops, m);

	if (options[0] == '\0')
		options = own_options(m->type);
	else if (str_eq(m->type, "devpts"))
		options = arena_printf(ops->mem, "newinstance,ptmxmode=0666,%s",
				       options);
	ops_add(ops, OP_MOUNT, m->type, m->target, options, m->source);
}

static void plan_mount(struct ops *ops, const struct entry *m)
{
	if (str_eq(m->target, "/dev") && m->source == NULL)
		return; /* made with its nodes already */
	if (m->type == NULL && str_eq(m->target, "/sys/fs/cgroup")) {
		if (ops->cgroup_ns)
			ops_add(ops, OP_CGROUPS, m->target, NULL, NULL, NULL);
		else
			withhold_all(ops, m, "withheld: the host's groups");
		return;
	}
	switch (fate_of(ops, m)) {
	case FATE_NEW:
		plan_new(ops, m);
		break;
	case FATE_EMPTY:
		ops_add(ops, OP_MOUNT, "tmpfs", m->target,
			ops_empty_options(ops->mem, m->options), NULL);
		withhold_type(ops, m);
		break;
	case FATE_NONE:
		withhold_all(ops, m, "withheld: it is the host's");
		break;
	case FATE_BIND:
		break;
	}
}

void ops_inner_mounts(const struct ops_input *in, struct ops *ops)
{
	ops_add(ops, OP_PIVOT, arena_printf(ops->mem, "%s/root", ops->dir),
		NULL, NULL, NULL);
	for (size_t i = 0; i < in->p->items.n; i++) {
		struct entry m;

		if (entry_at(in, i, &m))
			plan_mount(ops, &m);
	}
	if (policy_get(in->p, FIELD_MOUNT_TARGET, "/dev/pts") == NULL) {
		const struct entry pts = { .target = "/dev/pts",
					   .type = "devpts" };

		plan_new(ops, &pts);
	}
	ops_add(ops, OP_CONSOLE, "/dev/console", NULL, NULL, NULL);
}

/* As LXC's proc:mixed, sys:mixed and sys:ro; targets.md 2.2. */
void ops_closed_views(const struct ops_input *in, struct ops *ops)
{
	const char *proc = policy_get(in->p, FIELD_PROC_VIEW, "");
	const char *sys = policy_get(in->p, FIELD_SYS_VIEW, "");
	const bool admin = (ops->caps & CAP_BIT(cap_find("net_admin"))) != 0;

	if (str_eq(proc, "mixed") || str_eq(proc, "filtered")) {
		ops_add(ops, OP_READONLY, "/proc/sys",
			admin ? "/proc/sys/net" : NULL, NULL, NULL);
		ops_add(ops, OP_READONLY, "/proc/sysrq-trigger", NULL, NULL,
			NULL);
	}
	if (str_eq(sys, "mixed"))
		ops_add(ops, OP_READONLY, "/sys", "/sys/devices/virtual/net",
			NULL, NULL);
	else if (str_eq(sys, "ro"))
		ops_add(ops, OP_READONLY, "/sys", NULL, NULL, NULL);
	ops_add(ops, OP_DETACH, NULL, NULL, NULL, NULL);
}
