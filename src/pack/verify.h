/*
 * A list of members against what is found, one after the other in the order
 * of both: what verify.c and its readers (verify_archive.c, verify_tree.c)
 * share.
 */
#ifndef REHOST_PACK_VERIFY_H
#define REHOST_PACK_VERIFY_H

#include "pack/content.h"
#include "pack/lines.h"
#include "pack/member.h"
#include "pack/pack.h"

struct verify {
	const struct pack_check *check;
	struct arena *mem; /* of the result */
	struct lines *lines;
	struct lines_line line; /* the next one expected */
	bool has_line;
	struct pack_verified result;
	VEC(struct pack_difference) found;
	struct content *content;
	struct buf text; /* scratch */
};

/*
 * Goes to the line of a member that was found; what the list has before is
 * missing. 1: there is one, and *ret_content, the one of v, is begun where the
 * member has content; 0: the list does not have it, which is noted.
 */
int verify_begin(struct verify *v, const struct member *m,
		 struct content **ret_content, struct err *e);

/* Compares it. c: as verify_begin gave it, or NULL. */
int verify_end(struct verify *v, const struct member *m, struct content *c,
	       struct err *e);

/* The readers. */
int verify_archive(struct verify *v, struct err *e);
int verify_tree(struct verify *v, struct err *e);

#endif
