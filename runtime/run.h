/*
 * The machine that runs operations. Each has a function of its own; a failure
 * names the operation as it is printed, and errno.
 */
#ifndef REHOST_RUNTIME_RUN_H
#define REHOST_RUNTIME_RUN_H

#include "runtime/ops.h"

/* What the functions share; descriptors are -1 where there is none yet. */
struct run {
	const struct ops *ops;
	struct arena *mem;
	size_t fail;   /* as in the options */
	int lab;       /* network namespace of the lab */
	int neighbour; /* and of the neighbour in it */
	int guest_net; /* and of the guest */
	int sync;      /* socket to rehost: for pid 1 and what it comes from */
	int root;      /* the guest's root before it is pivoted into */
	int terminal;  /* the console's slave */
	int master;    /* and its master, where the host's is used */
	struct strv env;
};

typedef int run_fn(struct run *r, const struct op *op, struct err *e);

#define OP(id, side, function, words) run_fn function;
#include "runtime/ops.def"
#undef OP

/* Runs the operations of one side, in their order. */
int run_side(struct run *r, enum op_side side, struct err *e);

/*
 * Runs fn in a child and waits for it; its error is handed over. The child
 * dies with the caller.
 */
int run_in_child(int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/* As run_side, in a child that has joined a network namespace. */
int run_side_in(struct run *r, enum op_side side, int net, struct err *e);

/* Writes text to a file in one write(2). */
int run_write(const char *path, const char *text, struct err *e);

#endif
