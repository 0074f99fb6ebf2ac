/*
 * Probes: what a running guest shows. A row of probe.def says how each field
 * is seen; a probe adds what it saw to the observed policy, and what it could
 * not see, with the reason.
 */
#ifndef REHOST_RUNTIME_PROBE_H
#define REHOST_RUNTIME_PROBE_H

#include <sys/types.h>

#include "base/buf.h"
#include "runtime/verify.h"

/* A started guest, whoever started it. */
struct probe_subject {
	pid_t init;           /* pid 1, as the host sees it */
	const char *console;  /* file with what it printed, NULL: none */
	const char *rootless; /* why calls cannot be made; NULL: they can */
	const char *rootfs; /* tree that its root lies over; NULL: not known */
	void *engine;       /* first argument of call */
	/* As box_call: with the guest's rights, its namespaces and groups. */
	int (*call)(void *engine, void (*fn)(int fd, const void *arg),
		    const void *arg, unsigned seconds, struct buf *ret,
		    struct err *e);
	/* As box_call_lab and box_call_neighbour; NULL: there is no lab. */
	int (*lab)(void *engine, void (*fn)(int fd, const void *arg),
		   const void *arg, unsigned seconds, struct buf *ret,
		   struct err *e);
	int (*neighbour)(void *engine, void (*fn)(int fd, const void *arg),
			 const void *arg, unsigned seconds, struct buf *ret,
			 struct err *e);
};

/* What a probe costs others: nothing, nothing, or much. */
enum probe_class { CLASS_PASSIVE, CLASS_SAFE, CLASS_HEAVY, CLASS__MAX };

/* "passive", "safe", "heavy"; CLASS__MAX when there is none of that name. */
enum probe_class probe_class_find(const char *name);

struct probe {
	enum probe_class most; /* what is above it is not run */
	struct arena *mem;
	const struct probe_subject *subject;
	const struct verify_package *package;
	const struct policy *emitted; /* of the text, NULL: not read */
	struct verify_seen *seen;
};

/* How each field is seen: probe and required, for verify_judge. */
void probe_looks(struct verify_look ret[FIELD__MAX]);

/*
 * Runs every probe once. What the engine withheld is to be in p->seen->unseen
 * before. A probe that fails makes its fields unseen.
 */
void probe_all(struct probe *p);

/* --- for the probes --- */

void probe_add(struct probe *p, enum field_id field, const char *key,
	       const char *value);
/* key NULL: the whole field. */
void probe_unseen(struct probe *p, enum field_id field, const char *key,
		  const char *reason);
/* Whether the plan or the state before has such an item. */
bool probe_asked(const struct probe *p, enum field_id field, const char *key);

/* A whole file of the host (of at most 1 MiB), NUL-terminated, in p->mem. */
int probe_read(struct probe *p, const char *path, const char **ret, size_t *n,
	       struct err *e);
/* As probe_read, of /proc/PID/NAME of the guest's pid 1. */
int probe_proc(struct probe *p, const char *name, const char **ret, size_t *n,
	       struct err *e);
/* The text after "KEY:" of a file like /proc/PID/status; NULL: no such line. */
const char *probe_line(struct probe *p, const char *text, const char *key);
/* What fn wrote inside the guest. */
int probe_inside(struct probe *p, void (*fn)(int fd, const void *arg),
		 const void *arg, const char **ret, struct err *e);

/* The host's end of an interface: planned, or chosen by somebody. */
void probe_host_name(struct probe *p, const char *nic, const char *name);

/* Each is a probe of probes.def. */
#define PROBE(name, class, side, how)                                          \
	int probe_##name(struct probe *p, struct err *e);
#include "runtime/probes.def"
#undef PROBE

#endif
