/* How an archive is compressed: "zstd", "gzip:9", "xz", "none". */
#ifndef REHOST_PACK_FORMAT_H
#define REHOST_PACK_FORMAT_H

#include "base/err.h"

enum format_kind {
	FORMAT_ZSTD, /* with long-distance matching */
	FORMAT_GZIP,
	FORMAT_XZ,
	FORMAT_NONE,
};

struct format {
	enum format_kind kind;
	int level; /* 0: the usual one of the kind */
};

/* "KIND[:LEVEL]" */
int format_parse(const char *text, struct format *ret, struct err *e);

/* ".tar.zst" */
const char *format_suffix(enum format_kind kind);

/* What option of GNU tar reads it: "--zstd"; "" where none is needed. */
const char *format_tar_option(enum format_kind kind);

/* f.level, or the usual one. */
int format_level(struct format f);

#endif
