/*
 * From a policy to a list of operations: pure, so that it can be printed
 * before and tested without privilege.
 */
#ifndef REHOST_RUNTIME_OPS_H
#define REHOST_RUNTIME_OPS_H

#include "base/buf.h"
#include "runtime/box.h"
#include "runtime/host.h"

enum op_kind {
#define OP(id, side, function, words) OP_##id,
#include "runtime/ops.def"
#undef OP
	OP__MAX
};

enum op_side {
	SIDE_HOST,
	SIDE_LAB,
	SIDE_OUTER,
	SIDE_ATTACH,
	SIDE_NET,
	SIDE_INNER,
};

/* Unused texts are NULL; what each means stands beside what runs it. */
struct op {
	enum op_kind kind;
	const char *a, *b, *c, *d;
};

struct idmap_range {
	char kind; /* 'u' or 'g' */
	const char *inside, *outside, *count;
};

struct ops {
	struct arena *mem;
	VEC(struct op) list;
	const char *group; /* name of the guest's groups */
	const char *dir;   /* of this run, below scratch */
	bool userns, cgroup_ns;
	VEC(struct idmap_range) maps;
	uint64_t caps; /* what the guest keeps */
	int stop_signal;
	VEC(const char *) group_dirs; /* every group's directory */
	struct box_withheld_list withheld;
};

/* What the planner looks at. */
struct ops_input {
	const struct policy *p;
	const struct host *h;
	const struct box_options *o;
	const char *run; /* tells this run from others: a process id */
};

int ops_plan(const struct ops_input *in, struct arena *mem, struct ops *ret,
	     struct err *e);

/* A line each: words, then the texts. */
void ops_print(const struct ops *ops, struct buf *ret);
void ops_show(const struct op *op, struct buf *ret);

enum op_side ops_side(enum op_kind kind);

/*
 * Who is beyond the host that guests are routed through. The nets are set
 * aside for tests of routers (RFC 2544) and for private use (RFC 4193).
 */
#define OPS_BEYOND4 "198.18.0.2"
#define OPS_BEYOND6 "fd72:6568:6f73:74::2"

/* For the parts of the planner: ops_*.c. */
void ops_add(struct ops *ops, enum op_kind kind, const char *a, const char *b,
	     const char *c, const char *d);
void ops_withhold(struct ops *ops, enum field_id field, const char *key,
		  const char *reason);
/* As ops_withhold, of an item that the policy has as asked. */
void ops_stand_in(struct ops *ops, enum field_id field, const char *key,
		  const char *asked, const char *reason);
void ops_limits(const struct ops_input *in, struct ops *ops);
/* The field that a group's file is for, v1 or v2; false: none is known. */
bool ops_limit_field(const char *file, enum field_id *ret);
/* The controller that a field's limit is of; NULL: none. */
const char *ops_limit_controller(enum field_id f);
void ops_process_limits(const struct ops_input *in, struct ops *ops);
void ops_devices(const struct ops_input *in, struct ops *ops);
int ops_net(const struct ops_input *in, struct ops *ops, struct err *e);
void ops_outer_mounts(const struct ops_input *in, struct ops *ops);
/* Those of the empty tmpfs in a mount's place: it has the mount's flags. */
const char *ops_empty_options(struct arena *mem, const char *options);
void ops_inner_mounts(const struct ops_input *in, struct ops *ops);
/* What is made read-only once all is written; and the host's root left. */
void ops_closed_views(const struct ops_input *in, struct ops *ops);

#endif
