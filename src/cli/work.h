/*
 * One guest through reader, passes and writers: what a worker does. Everything
 * lives in one arena, freed when the guest is done.
 */
#ifndef REHOST_CLI_WORK_H
#define REHOST_CLI_WORK_H

#include "base/json.h"
#include "cli/progress.h"
#include "cli/session.h"

enum { WORK_SOURCE_MAX = 1 << 20 }; /* bytes of such a file */

struct work {
	struct arena *mem; /* owned */
	const struct session *session;
	const struct source *source;
	struct guest *g;
	struct tree *root; /* the guest's, owned; NULL: not there */
	bool crashed;      /* root is an image that was not unmounted */
	VEC(struct emission *) emissions; /* one a target */
	enum verdict verdict;             /* the worst of the targets' */
	struct progress_slot *progress;   /* borrowed; NULL: nobody looks */
};

/* Reads the source only: what scan needs. */
int work_read(const struct session *s, size_t i, struct work **ret,
	      struct err *e);
/* The same for the fleet: without the tree. */
int work_read_brief(const struct session *s, size_t i, struct work **ret,
		    struct err *e);

/*
 * One of the configuration files that were read (guest.sources): of the host,
 * or, where the guest is an archive, of what is in it.
 */
int work_read_source(struct work *w, const char *path, const char **ret_data,
		     size_t *ret_n, struct err *e);

/* The operator's own values alone: names and addresses of the fleet. */
int work_options(struct work *w, struct err *e);

/* Into the tree, and whether it runs: what scan shows. */
int work_look(struct work *w, struct err *e);

/* Passes, writers, accepted findings, verdict. */
int work_plan(struct work *w, struct err *e);

void work_freep(struct work **w); /* for CLEANUP */

/* The document G of a planned guest; the caller frees it. */
json_t *work_document(struct work *w, bool for_record);

#endif
