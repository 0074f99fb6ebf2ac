/* What the files of the box share. */
#ifndef REHOST_RUNTIME_BOX_PARTS_H
#define REHOST_RUNTIME_BOX_PARTS_H

#include "runtime/run.h"

struct box {
	struct arena *mem;
	struct box_options o;
	struct host host;
	struct ops ops;
	struct run run;
	pid_t pid; /* pid 1, 0 once it was waited for */
	int pidfd;
	int status;   /* of pid 1, once it was waited for */
	pid_t logger; /* copies the console to its file, 0: none */
	int attach;   /* socket to the logger: what is typed and printed */
	bool grouped; /* there are groups to remove */
	bool stored;  /* there is a directory to remove */
	bool adopted; /* pid 1 is another engine's child */
	int engine;   /* pidfd of that engine's process, -1: none */
};

/* The parts of box_start. */
struct box *box_new(const struct box_options *o, struct arena *mem);
int box_plan(const struct policy *p, const struct box_options *o, struct box *b,
	     struct err *e);
/* Directories on the host, what goes into them, groups. */
int box_make_host(struct box *b, struct err *e);
int box_make_lab(struct box *b, struct err *e);

/* The logger: gets copies of the terminal's two ends. */
int box_console_start(struct box *b, int master, int slave, struct err *e);
void box_console_stop(struct box *b);

/* Removes what runs left that are no more: groups and directories. */
void box_leftovers(const struct host *h, const char *scratch);

#endif
