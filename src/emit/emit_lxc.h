/*
 * Parts of the LXC emitter: lxc.c has the rules, emit_lxc.c the lines of the
 * config, emit_lxc_net.c interfaces, emit_lxc_limits.c the cgroup keys,
 * emit_lxc_engine.c what LXC does by itself. Reference: targets.md part 2.
 */
#ifndef REHOST_EMIT_EMIT_LXC_H
#define REHOST_EMIT_EMIT_LXC_H

#include "emit/emit.h"

/* Where a line stands in the config; the order is the file's. */
enum emit_lxc_section {
	LXC_INCLUDE,
	LXC_IDENTITY,
	LXC_ROOT,
	LXC_BOOT,
	LXC_IDS,
	LXC_NAMESPACES,
	LXC_CAPS,
	LXC_DEVICES,
	LXC_KERNEL,
	LXC_MOUNTS,
	LXC_LIMITS,
	LXC_RLIMITS,
	LXC_SYSCTLS,
	LXC_NET,
	LXC_TTY,
	LXC_HOOKS,
	LXC_SECTION__MAX
};

struct emit_lxc_line {
	enum emit_lxc_section section;
	size_t nic;    /* number of the interface in LXC_NET, else 0 */
	unsigned rank; /* within these; equal ranks keep the order of writing */
	size_t seq;
	const char *text;
	bool guest; /* what the guest's own files do in its place */
};

/* The emission's state. */
struct emit_lxc {
	VEC(struct emit_lxc_line) lines;
	struct strv filtered; /* ends on the host that have a source filter */
};

/* emit_lxc.c: lines */

/*
 * Whether the text can stand as a value: not empty, no control byte but tab,
 * so that it cannot become a setting of its own.
 */
bool emit_lxc_safe(const char *value);

/*
 * Whether lxc.namespace.share.* can name this guest: digits alone would be
 * taken for a process id.
 */
bool emit_lxc_can_share(const char *with);
/* Whether the network stack is written as another guest's. */
bool emit_lxc_shares_net(const struct guest *g);

/* "key = value" for a field of an object; the value must be safe. */
void emit_lxc_put(struct emission *em, enum field_id id, const void *object,
		  const char *key, const char *value);
/* The same in a section, for what no field says; value "" clears the key. */
void emit_lxc_add(struct emission *em, enum emit_lxc_section section,
		  const char *key, const char *value);
/* Before all other lines of the section. */
void emit_lxc_add_first(struct emission *em, enum emit_lxc_section section,
			const char *key, const char *value);

/*
 * The current value came out in this bin: a finding with the message, and a
 * comment ("# lost: ...") where the line would have stood.
 */
struct finding *emit_lxc_say(struct emission *em, enum finding_id finding,
			     enum bin bin, const char *fmt, ...) PRINTF(4, 5);

/*
 * The whole object is not written, for this reason: one finding that covers
 * all its fields, when its key is put; the others only get their bin.
 */
void emit_lxc_refuse(struct emission *em, enum finding_id finding, enum bin bin,
		     const char *why);

/* For `put`: the comment alone; the finding is the driver's, by the rule. */
void emit_lxc_comment(struct emission *em, enum field_id id, const void *object,
		      const struct value *v);

/* The whole text of the config; what the guest's own files do is a comment. */
const char *emit_lxc_text(struct emission *em);

/* Whether the engine's version is at least this. */
bool emit_lxc_since(const struct emission *em, unsigned major, unsigned minor);
bool emit_lxc_v1(const struct emission *em); /* keys lxc.cgroup.* */
bool emit_lxc_v2(const struct emission *em); /* keys lxc.cgroup2.* */

/* emit_lxc_net.c */
void emit_lxc_nic(struct emission *em, enum field_id id, const void *object,
		  const struct value *v);
void emit_lxc_route(struct emission *em, enum field_id id, const void *object,
		    const struct value *v);
void emit_lxc_addr(struct emission *em, enum field_id id, const void *object,
		   const struct value *v);
/* Writes "only loopback", "the host's" or nothing, when all NICs are done. */
void emit_lxc_net_finish(struct emission *em);
/* The file of the source filter, where an interface has one. */
void emit_lxc_filter_finish(struct emission *em);
/* Whether every interface is ipvlan in a layer 3 mode, or there is none. */
bool emit_lxc_no_multicast(struct emission *em);

/* emit_lxc_limits.c */
void emit_lxc_limit(struct emission *em, enum field_id id, const void *object,
		    const struct value *v);
void emit_lxc_rlimit(struct emission *em, enum field_id id, const void *object,
		     const struct value *v);
/* Kinds of limit for which there is no counterpart; unlimited is no loss. */
void emit_lxc_io(struct emission *em, enum field_id id, const void *object,
		 const struct value *v);
void emit_lxc_no_limit(struct emission *em, enum field_id id,
		       const void *object, const struct value *v);

/* emit_lxc_lsm.c */
void emit_lxc_lsm(struct emission *em, enum field_id id, const void *object,
		  const struct value *v);

/* emit_lxc_files.c: devices, mounts, kernel parameters */
void emit_lxc_device(struct emission *em, enum field_id id, const void *object,
		     const struct value *v);
void emit_lxc_mount(struct emission *em, enum field_id id, const void *object,
		    const struct value *v);
void emit_lxc_sysctl(struct emission *em, enum field_id id, const void *object,
		     const struct value *v);
void emit_lxc_view(struct emission *em, enum field_id id, const void *object,
		   const struct value *v);
const char *emit_lxc_proc(const struct guest *g);    /* mixed, rw */
const char *emit_lxc_sys(const struct emission *em); /* none, ro, mixed, rw */
/* For `finish`: mounts /proc and /sys so that the parameters can be set. */
void emit_lxc_put_proc(struct emission *em);

/* emit_lxc_engine.c: in the order of `finish` */
void emit_lxc_engine_lines(struct emission *em);
void emit_lxc_engine_findings(struct emission *em);

#endif
