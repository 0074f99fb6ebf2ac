/*
 * Parsers of the rows in keys_limits.def, and what the files of this part
 * share: limits.c (rlimits, ulimits, lone values), disks.c (dlimits, sysctl),
 * sched.c and percpu.c (token bucket, cpuset), cgroup.c and devrules.c
 * (cgroup).
 */
#ifndef REHOST_IMPORTERS_VSERVER_LIMITS_H
#define REHOST_IMPORTERS_VSERVER_LIMITS_H

#include "importers/vserver/vserver.h"

/* The parts of a limit: the file named as the resource, and its suffixes. */
enum vserver_part { VS_WHOLE_PART, VS_MIN, VS_SOFT, VS_HARD, VS_PART__MAX };

/* rlimits/ and ulimits/; N of a row is VS_RES(resource, part). */
enum vserver_resource {
	VS_RES_CPU,
	VS_RES_FSIZE,
	VS_RES_DATA,
	VS_RES_STACK,
	VS_RES_CORE,
	VS_RES_RSS,
	VS_RES_NPROC,
	VS_RES_NOFILE,
	VS_RES_MEMLOCK,
	VS_RES_AS,
	VS_RES_LOCKS,
	VS_RES_MSGQUEUE,
	VS_RES_NSOCK,
	VS_RES_OPENFD,
	VS_RES_ANON,
	VS_RES_SHMEM,
	VS_RES_SEMARY,
	VS_RES_NSEMS,
	VS_RES_DENTRY,
	VS_RES__MAX
};
#define VS_RES(resource, part) ((unsigned)(resource)*VS_PART__MAX + (part))

enum vserver_dlimit {
	VS_DLIMIT_DIRECTORY,
	VS_DLIMIT_SPACE,
	VS_DLIMIT_INODES,
	VS_DLIMIT_RESERVED,
	VS_DLIMIT_DISABLED,
	VS_DLIMIT__MAX
};

enum vserver_sched {
	VS_SCHED_FILL,
	VS_SCHED_INTERVAL,
	VS_SCHED_TOKENS,
	VS_SCHED_MIN,
	VS_SCHED_MAX,
	VS_SCHED_BIAS,
	VS_SCHED_FILL2,
	VS_SCHED_INTERVAL2,
	VS_SCHED_IDLE,
	VS_SCHED__MAX
};

enum vserver_cpuset {
	VS_CPUSET_NAME,
	VS_CPUSET_CPUS,
	VS_CPUSET_MEMS,
	VS_CPUSET_CPU_EXCLUSIVE,
	VS_CPUSET_MEM_EXCLUSIVE,
	VS_CPUSET_VIRTUALIZED,
	VS_CPUSET_NOCREATE,
	VS_CPUSET__MAX
};

enum vserver_cgroup {
	VS_CG_MEMORY,
	VS_CG_MEMSW,
	VS_CG_SOFT,
	VS_CG_HIGH,
	VS_CG_SWAP,
	VS_CG_SHARES,
	VS_CG_WEIGHT,
	VS_CG_PERIOD,
	VS_CG_QUOTA,
	VS_CG_CPU_MAX,
	VS_CG_CPUS,
	VS_CG_MEMS,
	VS_CG_IO_WEIGHT,
	VS_CG_IO_WEIGHT2,
	VS_CG_IO_MAX,
	VS_CG_PIDS,
	VS_CG_FREEZER,
	VS_CG_RBPS,
	VS_CG_WBPS,
	VS_CG_RIOPS,
	VS_CG_WIOPS,
	VS_CG_ALLOW,
	VS_CG_DENY,
	VS_CG__MAX
};

/* Kept for vserver_limits_settle; N of the row is of the enum above. */
int vserver_limits_rlimit(struct reading *r, const char *value, struct err *e);
int vserver_limits_ulimit(struct reading *r, const char *value, struct err *e);
int vserver_limits_dlimit(struct reading *r, const char *value, struct err *e);
int vserver_limits_sysctl(struct reading *r, const char *value, struct err *e);
int vserver_limits_sched(struct reading *r, const char *value, struct err *e);
int vserver_limits_schedule(struct reading *r, const char *value,
			    struct err *e);
int vserver_limits_cpuset(struct reading *r, const char *value, struct err *e);
int vserver_limits_cgroup(struct reading *r, const char *value, struct err *e);

/* Ended at once: a signed number between bounds, by the row's field. */
int vserver_limits_nice(struct reading *r, const char *value, struct err *e);
int vserver_limits_ionice(struct reading *r, const char *value, struct err *e);
int vserver_limits_badness(struct reading *r, const char *value, struct err *e);
int vserver_limits_percpu(struct reading *r, const char *value, struct err *e);

/* Ends the current setting: its text is no number that is legal there. */
void vserver_limits_invalid(struct reading *r, const char *why);

/*
 * What was probably meant by a text that is no number of the old tools:
 * "; meant was likely 1073741824", or "". unit: bytes that one of the file's
 * units has, 1 where it counts things.
 */
const char *vserver_limits_meant(struct reading *r, const char *text,
				 unsigned unit);

/* Ends s: something else holds in its place. */
void vserver_limits_overridden(struct reading *r, struct setting *s,
			       const char *by);

/* The token bucket of all processors, for percpu.c. */
struct vserver_rate {
	int64_t fill, interval;
	bool enforced; /* sched_hard or sched_prio is on */
};

/* disks.c, sched.c, cgroup.c, devrules.c: their states and settling. */
struct vserver_percpus;
struct vserver_percpus *vserver_percpu_new(struct reading *r);
void vserver_percpu_keep(struct reading *r, struct vserver_percpus *l);
void vserver_percpu_settle(struct reading *r, const struct vserver_percpus *l,
			   const struct vserver_rate *all);
struct vserver_disks;
struct vserver_disks *vserver_disks_new(struct reading *r);
struct vserver_disks *vserver_limits_disks(struct reading *r);
void vserver_disks_settle(struct reading *r, struct vserver_disks *l);
struct vserver_bucket;
struct vserver_cgroups;
struct vserver_bucket *vserver_sched_new(struct reading *r);
struct vserver_bucket *vserver_limits_bucket(struct reading *r);
void vserver_sched_settle(struct reading *r, struct vserver_bucket *b);
void vserver_sched_cpuset(struct reading *r, struct vserver_bucket *b);
struct vserver_cgroups *vserver_cgroup_new(struct reading *r);
struct vserver_cgroups *vserver_limits_cgroups(struct reading *r);
void vserver_cgroup_settle(struct reading *r, struct vserver_cgroups *c);
void vserver_devrules_settle(struct reading *r, struct setting *allow,
			     struct setting *deny);

/* Processors of a list "0-3,7"; false: it is none. */
bool vserver_sched_cpus(const char *list, unsigned *ret_n);

/* Takes a list of processors or memory nodes, checked. */
void vserver_sched_take_set(struct reading *r, enum field_id field,
			    const char *text);

#endif
