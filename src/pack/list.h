/*
 * The list of members, files.zst: what was packed, a line a member, in the
 * order of the archive. Its head describes it (list.c).
 */
#ifndef REHOST_PACK_LIST_H
#define REHOST_PACK_LIST_H

#include "base/buf.h"
#include "pack/member.h"
#include "pack/out.h"

enum list_field {
	LIST_PATH,
	LIST_TYPE,
	LIST_MODE,
	LIST_OWNER,
	LIST_SIZE,
	LIST_MTIME,
	LIST_CTIME,
	LIST_LINKS,
	LIST_XATTRS,
	LIST_CONTENT,
	LIST_EDIT,
	LIST_VARIANTS,
	LIST_FIELDS,
};

struct list;

/* names: of the n variants; both are borrowed, as is dirfd. */
int list_open(int dirfd, const char *name, const char *const *names, size_t n,
	      struct list **ret, struct err *e);

/*
 * Lines of one path come one after the other; those that differ in nothing
 * become one. content: as content_end gave it, of a regular file.
 */
int list_add(struct list *l, size_t variant, const struct member *m,
	     const char *content, struct err *e);
int list_finish(struct list *l, struct out_totals *ret, uint64_t *ret_lines,
		struct err *e);
int list_place(struct list *l, struct err *e);
void list_closep(struct list **l); /* for CLEANUP */

/* All of a line but the variants: fields with a tab between, no newline. */
void list_line(const struct member *m, const char *content, struct buf *ret);

/* The first line of the head. */
extern const char list_magic[];

#endif
