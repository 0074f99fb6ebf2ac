/*
 * How the old tools cut a configuration into assignments: one grammar for
 * vzctl, libvzctl, Proxmox and the shell, which all read the same files and
 * differ (openvz.md 2.1). Nothing is expanded and nothing is run.
 */
#ifndef REHOST_IMPORTERS_OPENVZ_LINES_H
#define REHOST_IMPORTERS_OPENVZ_LINES_H

#include "base/arena.h"
#include "base/str.h"

enum ov_dialect {
	OV_LEGACY, /* vzctl 3 and 4 */
	OV_V7,     /* libvzctl: OpenVZ 7, Virtuozzo 7 and later */
	OV_PVE,    /* Proxmox VE 1 to 3; its guests ran under vzctl */
};

/* What is wrong with a line, as vzctl saw it. */
enum ov_fault {
	OV_FINE,
	OV_NO_ASSIGNMENT, /* no '=', or nothing before it */
	OV_OPEN_QUOTE,    /* closing quote missing: vzctl left the line out */
	OV_UNSEEN,        /* blank before '=', lower case, export, +=: a name
			     that vzctl does not know */
	OV_JOINED,        /* a quoted value over several lines: only a shell
			     reads it */
};

struct ov_line {
	unsigned line;    /* 1 is the first */
	const char *key;  /* trimmed, "export" cut off; "" without one */
	const char *text; /* the value, quotes and backslashes removed; of a
			     line without assignment the line itself */
	enum ov_fault fault;
	bool comment;       /* " # ..." was cut off an unquoted value */
	bool single_quoted; /* only libvzctl takes these for quotes */
	bool trailing;      /* something stood behind the closing quote */
	bool crlf, nul;
};

struct ov_lines {
	struct ov_line *v;
	size_t n, cap;
	const char *uuid; /* of libvirt's comment "#UUID: ..."; NULL: none */
	unsigned uuid_line;
	bool bom; /* the file begins with a byte order mark */
};

/* Every line that is neither blank nor a comment. All text is in mem. */
void openvz_lines_cut(struct arena *mem, const char *data, size_t n,
		      enum ov_dialect dialect, struct ov_lines *ret);

/*
 * The dialect of a file (openvz.md 2.1): by what only libvzctl writes, by a
 * name that is a UUID, by Proxmox's folder or keys; else legacy.
 */
enum ov_dialect openvz_dialect_of(const char *path, const char *data, size_t n);

/*
 * "9b5c3c1e-7f0d-4a58-9a52-3f6c2f1d8e77", with braces or without, also with
 * ".conf" behind it.
 */
bool openvz_is_uuid(const char *s);

#endif
