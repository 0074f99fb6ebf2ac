/*
 * The box: a guest started from its policy alone, where it can harm nothing
 * (design 2.4). Its root is an overlay over the given tree; its network is a
 * lab: a network namespace with the bridges that the policy names, where a
 * responder owns the gateways' and name servers' addresses. No packet leaves
 * it. Needs root.
 */
#ifndef REHOST_RUNTIME_BOX_H
#define REHOST_RUNTIME_BOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "policy/policy.h"

struct box;

struct box_options {
	const char *name;    /* of the guest: groups and files are called so */
	const char *rootfs;  /* directory; never written */
	const char *scratch; /* for the overlay; no tmpfs */
	const char *filter;  /* nft(8) file for the lab, or NULL */
	const char *console; /* file that gets what is written there, or NULL */
	unsigned stop_seconds; /* from the stop signal to the kill */
	/*
	 * Puts files into the overlay's upper layer, the directory dir, before
	 * it is mounted. NULL: it begins empty.
	 */
	int (*fill)(void *arg, const struct box *b, int dir, struct err *e);
	void *fill_arg;
	size_t fail; /* tests: the operation that fails, from 1 */
};

/*
 * What the guest was not given although the policy has it: by design 2.4, or
 * because this host cannot. The reason is for people: "withheld", "no
 * controller io on this host".
 */
struct box_withheld {
	enum field_id field;
	const char *key;
	const char *reason;
	const char *asked; /* what something harmless stands in for, or NULL */
};

struct box_withheld_list {
	VEC(struct box_withheld) list;
};

/*
 * Removes what a run that was killed left below scratch and on the host, then
 * starts the guest. It returns when pid 1 was executed. On failure nothing is
 * left. The policy, the options' strings and mem must outlive the box.
 */
int box_start(const struct policy *p, const struct box_options *o,
	      struct arena *mem, struct box **ret, struct err *e);

/* What box_start would do, an operation a line, for -n. Needs no right. */
int box_print(const struct policy *p, const struct box_options *o,
	      struct arena *mem, struct buf *ret, struct err *e);

/*
 * A box for a guest that another engine starts: first only its plan, which
 * needs no right; box_lab_make makes its lab and directories. Nothing runs
 * then but calls into the lab.
 */
int box_lab(const struct policy *p, const struct box_options *o,
	    struct arena *mem, struct box **ret, struct err *e);
int box_lab_make(struct box *b, struct err *e);
/* What box_lab_make and box_spawn do, as box_print. */
void box_lab_print(const struct box *b, struct buf *ret);

/*
 * Of such a box: where its engine finds the guest's root, and a directory for
 * files of its own, which stands elsewhere for others; the name of its groups
 * beneath every hierarchy; a new directory among its files; whether a
 * thrown-away copy is mounted there already.
 */
const char *box_root(const struct box *b);
const char *box_files(const struct box *b);
const char *box_files_inside(const struct box *b);
const char *box_group(const struct box *b);
int box_make_dir(struct box *b, const char *name, struct err *e);
bool box_binds(const struct box *b, const char *target);
/* Whether a controller of this host is in a v2 tree; false: it has none. */
bool box_controller(const struct box *b, const char *controller, bool *ret_v2);
/* The engine could not give it; strings are borrowed. */
void box_withhold(struct box *b, enum field_id field, const char *key,
		  const char *reason);

/*
 * Starts the engine: argv on the host, in the lab's network and mounts of its
 * own: the guest's root is at box_root, /sys is the lab's. What it prints goes
 * to the file log. It dies with the caller, who waits for it.
 */
int box_spawn(struct box *b, char *const argv[], const char *log, pid_t *ret,
	      struct err *e);

/* Attaches the network of pid 1 to the lab and sets its addresses. */
int box_give_net(struct box *b, struct err *e);
/* Where the engine did: routers' addresses on the ends, by box_nic_end. */
int box_give_answers(struct box *b, struct err *e);
/* The host's end of an interface with a wire of its own; NULL: none. */
const char *box_nic_end(const struct box *b, const char *nic);

/*
 * Takes over the pid 1 that an engine started in the lab: calls go there. It
 * is not stopped by box_stop, but killed by box_free.
 */
int box_adopt(struct box *b, pid_t init, struct err *e);

/* What an id of the guest is on the host; the same without a map. */
long box_outside(const struct box *b, char kind, unsigned long inside);
/* Pid 1 of the guest as the host sees it. Good until box_stop. */
pid_t box_init(const struct box *b);

/*
 * Connects a terminal to the guest's console until pid 1 ends (ret_left is
 * false) or Ctrl-] is typed (true). in may be no terminal: it is then only
 * copied. What was printed before is shown first, as far as it is kept.
 */
int box_attach(struct box *b, int in, int out, bool *ret_left, struct err *e);

/* Whether pid 1 lives; where not, its status as of waitpid(2). */
bool box_alive(struct box *b, int *ret_status);
const struct box_withheld_list *box_withheld(const struct box *b);

/*
 * The directory of a controller's group on the host ("memory", "devices"; ""
 * for the v2 tree), or NULL. For probes that look from outside.
 */
const char *box_cgroup(const struct box *b, const char *controller);

/*
 * Runs fn in a child that has joined the guest's namespaces and groups and
 * that has its root and its capabilities, as a child of its pid 1 would. What
 * fn writes to fd is added to *ret. The child ends when fn returns; it is
 * killed after so many seconds, which is an error (code ETIMEDOUT). Its death
 * by a signal is one too (code 0).
 */
int box_call(struct box *b, void (*fn)(int fd, const void *arg),
	     const void *arg, unsigned seconds, struct buf *ret, struct err *e);

/* As box_call, but with the host's rights: only the namespaces are joined. */
int box_call_root(struct box *b, void (*fn)(int fd, const void *arg),
		  const void *arg, unsigned seconds, struct buf *ret,
		  struct err *e);

/*
 * As box_call, in the lab itself with the host's files and rights: the
 * bridges are there, and what the guest sends can be seen.
 */
int box_call_lab(struct box *b, void (*fn)(int fd, const void *arg),
		 const void *arg, unsigned seconds, struct buf *ret,
		 struct err *e);

/*
 * As box_call, in a neighbour's network: a namespace beside the guest on each
 * of the lab's bridges, whose interfaces nb0, nb1 ... take what arrives.
 */
int box_call_neighbour(struct box *b, void (*fn)(int fd, const void *arg),
		       const void *arg, unsigned seconds, struct buf *ret,
		       struct err *e);

/*
 * Executes argv in the guest, stdin from /dev/null, stdout and stderr
 * together into *ret_out (at most 1 MiB); ret_status as of waitpid(2), 127
 * when there is no such program.
 */
int box_exec(struct box *b, char *const argv[], unsigned seconds,
	     struct buf *ret_out, int *ret_status, struct err *e);

/*
 * As box_exec, in the network and mounts of what box_spawn started, with the
 * host's rights and environment.
 */
int box_exec_engine(struct box *b, char *const argv[], unsigned seconds,
		    struct buf *ret_out, int *ret_status, struct err *e);

/* Executes argv in the guest on the caller's descriptors 0, 1 and 2. */
int box_run(struct box *b, char *const argv[], int *ret_status, struct err *e);

/*
 * Asks pid 1 to stop with the policy's signal, waits, kills the whole group.
 * ret_clean: it went by itself within the grace period.
 */
int box_stop(struct box *b, bool *ret_clean, struct err *e);

/* Removes what dead processes left below scratch and on the host. */
void box_sweep(const char *scratch);

/* Kills pid 1, and with it everything in the guest. */
void box_kill(struct box *b);

/* Kills what runs and undoes all that box_start made. NULL is fine. */
void box_free(struct box *b);
void box_freep(struct box **b); /* for CLEANUP */

#endif
