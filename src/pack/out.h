/*
 * The end of the packing line: a stream comes in, is compressed and written
 * to a file that appears when it is whole; both are digested. Each of these
 * is a thread of its own, or several, beside the one that calls.
 */
#ifndef REHOST_PACK_OUT_H
#define REHOST_PACK_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "pack/format.h"

struct out;

struct out_options {
	struct format format;
	unsigned jobs, window_log; /* see squeeze.h */
	size_t block;      /* bytes handed on at a time; 16 of them are held */
	bool plain_digest; /* tar_sha256 is wanted */
};

struct out_totals {
	uint64_t bytes_tar, bytes_out;
	char sha256[DIGEST_HEX];
	char tar_sha256[DIGEST_HEX]; /* "" when it was not wanted */
};

/* dirfd is borrowed; name is one component. */
int out_open(int dirfd, const char *name, const struct out_options *o,
	     struct out **ret, struct err *e);

/* What went wrong in a stage may be said here, later than it happened. */
int out_add(struct out *o, const void *data, size_t n, struct err *e);

/* Ends the stream and syncs. */
int out_finish(struct out *o, struct out_totals *ret, struct err *e);

/* Puts what is finished in its place. */
int out_place(struct out *o, struct err *e);

/* For CLEANUP; what was not put in its place leaves no file. */
void out_closep(struct out **o);

#endif
