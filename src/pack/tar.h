/* The tar format: libarchive's pax writer, set up for our readers. */
#ifndef REHOST_PACK_TAR_H
#define REHOST_PACK_TAR_H

#include <archive_entry.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/out.h"

struct tar;

int tar_open(struct out *out, struct tar **ret, struct err *e);

/*
 * Starts a member; its data follow by tar_data, as many as its size says,
 * holes as zeros. What is missing when the next one starts is filled up with
 * zeros. mode is the inode's: an entry with an access ACL holds another one,
 * which only libarchive's text of the ACL wants. 1: libarchive had to leave
 * something out of it.
 */
int tar_entry(struct tar *t, struct archive_entry *ae, uint32_t mode,
	      struct err *e);
int tar_data(struct tar *t, const void *data, size_t n, struct err *e);

/* Writes the end of the archive. */
int tar_finish(struct tar *t, struct err *e);

void tar_closep(struct tar **t); /* for CLEANUP */

#endif
