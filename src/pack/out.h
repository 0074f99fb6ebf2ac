/*
 * The end of the packing line: a tar stream comes in, goes through zstd into
 * a file that appears when it is whole; both are digested on the way.
 */
#ifndef REHOST_PACK_OUT_H
#define REHOST_PACK_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct out;

struct out_totals {
	uint64_t bytes_tar, bytes_out;
	char sha256[DIGEST_HEX], tar_sha256[DIGEST_HEX];
};

/* dirfd is borrowed; name is one component. */
int out_open(int dirfd, const char *name, int level, struct out **ret,
	     struct err *e);

/* The compressed bytes depend on the stream, not on how it is cut here. */
int out_add(struct out *o, const void *data, size_t n, struct err *e);

/* Ends the stream, syncs, and puts the file in its place. */
int out_finish(struct out *o, struct out_totals *ret, struct err *e);

/* For CLEANUP; what was not finished leaves no file. */
void out_closep(struct out **o);

#endif
