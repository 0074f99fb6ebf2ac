/* Trees that lie in tar archives: backups of guests. */
#ifndef REHOST_TREE_TREE_ARCHIVE_H
#define REHOST_TREE_TREE_ARCHIVE_H

#include <stdbool.h>

#include "base/str.h"
#include "tree/tree.h"

/*
 * Whether the file `path` of t begins as a tar archive does, or as one that is
 * packed with gzip, bzip2, xz, lzop or zstd. Anything else, and what cannot be
 * read, is not.
 */
bool tree_is_archive(struct tree *t, const char *path);

/*
 * The tree in the archive that the file `path` of t is. Names that are
 * absolute, hold "..", or lie in what is no directory, hard links to what is
 * not there, and damage are EUCLEAN and name the member; an archive that
 * unpacks to more than a thousand times its size, or whose index is too large
 * for memory, is EFBIG. until: a path; what comes behind it is not looked at
 * and not in the tree; NULL: all is. What is to be known of the archive is
 * added to notes, in mem; or NULL. It must be closed as well; t may be closed
 * before it.
 *
 * tree_walk goes in the order of the archive. Content is read in that order
 * quickly, in any other slowly, and too much of that is an error (ESPIPE).
 */
int tree_open_archive(struct tree *t, const char *path, const char *until,
		      struct arena *mem, struct strv *notes, struct tree **ret,
		      struct err *e);

#endif
