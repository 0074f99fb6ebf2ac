/* What the importer's own file, its parts and its tests share. */
#ifndef REHOST_IMPORTERS_VSERVER_READ_H
#define REHOST_IMPORTERS_VSERVER_READ_H

#include "importers/vserver/vserver.h"

/*
 * vserver.c: the state of a reading of the guest at path (CFG or NAME.conf),
 * with all parts begun and the defaults set; nothing is read yet.
 */
struct vserver *vserver_begin(struct reading *r, const char *path);

/* vserver.c: lets all parts finish what they kept. */
void vserver_settle(struct reading *r);

/* vserver.c: where guests' roots lie by default; in mem. Reference 1.2. */
const char *vserver_root_base(struct tree *t, const char *confdir,
			      struct arena *mem);

/* read.c: every file of CFG and of the host-wide defaults. */
void vserver_read_tree(struct reading *r);

/*
 * read.c: a piece of the source for a message: printable, on one line, at
 * most 80 bytes of it.
 */
const char *vserver_shown(struct reading *r, const char *s);

/*
 * read.c: what a human would have read in a value that the old tools refused:
 * without blanks at its ends and an inline comment. Where that is something
 * else, a finding says so.
 */
const char *vserver_meant(struct reading *r, const char *value);

/*
 * read.c: text as if it were the content of the file `path` below CFG, through
 * the path's row, token by token. For the table tests.
 */
void vserver_read_text(struct reading *r, const char *path, const char *text);

#endif
