/*
 * The list of devices of a group of cgroup v2: a program of the kernel's
 * (BPF_PROG_TYPE_CGROUP_DEVICE) that answers each mknod and open. One is made
 * from rules; any is read back by running it here on every kind of device
 * that it tells apart. Facts: linux/bpf.h, struct bpf_cgroup_dev_ctx.
 */
#ifndef REHOST_RUNTIME_DEVPROG_H
#define REHOST_RUNTIME_DEVPROG_H

#include <linux/bpf.h>

#include "base/devrule.h"
#include "base/str.h"

struct devprog {
	VEC(struct bpf_insn) code;
};

/*
 * Rules as devices.allow of v1 has them, in the order in which they are
 * written. Without a list (any) they are exceptions that are denied, even
 * where only a part of what is asked for is in one.
 */
struct devprog_rules {
	bool any;
	VEC(struct devrule) list;
};

void devprog_make(const struct devprog_rules *rules, struct arena *mem,
		  struct devprog *ret);

/*
 * What a program says to an access of type 'b' or 'c' (DEV_... bits). An error
 * for code that it does not know: maps, calls, endless loops.
 */
int devprog_run(const struct devprog *prog, const struct devrule *device,
		bool *ret, struct err *e);

/* Loads the program and attaches it to the group's directory. */
int devprog_attach(const struct devprog *prog, const char *dir, struct err *e);

/* The programs that hold for a group, those of the groups above it too. */
struct devprog_list {
	VEC(struct devprog) list;
};

int devprog_read(const char *dir, struct arena *mem, struct devprog_list *ret,
		 struct err *e);

/* Whether all of them allow it: what single bits of access. */
int devprog_access(const struct devprog_list *progs,
		   const struct devrule *device, unsigned *ret, struct err *e);

/*
 * Rules that allow the same: for every number that a program names one, and
 * one for those that none names. No program: "a *:* rwm".
 */
int devprog_rules(const struct devprog_list *progs, struct arena *mem,
		  struct devprog_rules *ret, struct err *e);

#endif
