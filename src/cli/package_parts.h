/* Parts of a package: what its documents say. */
#ifndef REHOST_CLI_PACKAGE_PARTS_H
#define REHOST_CLI_PACKAGE_PARTS_H

#include "base/buf.h"
#include "base/digest.h"
#include "cli/work.h"
#include "pack/pack.h"

struct package_file {
	const char *path;
	char sha256[DIGEST_HEX];
	uint64_t size;
};

struct package_check { /* a consumer that read what was written */
	const char *tool, *result, *output;
};

struct package {
	struct work *w;
	const char *stage_name;
	int dir, stage;     /* of the output; of the directory under way */
	const char *key;    /* of --resume: digest of all input */
	const char *rootfs; /* name of archive or tree; NULL: none */
	bool is_tree;
	struct format format;
	struct pack_result packed;
	VEC(struct package_file) files;
	VEC(struct package_check) checks;
};

void package_artefact(struct package *p, const char *path, const char *sha256,
		      uint64_t size);

/* What packing found: unreadable, changed, sockets ... as findings. */
void package_findings(struct package *p);

/* The target's own tool reads the configuration (--validate). */
int package_validate(struct package *p, struct err *e);

/* Documents; the caller frees them. */
json_t *package_policy(const struct package *p);
json_t *package_manifest(const struct package *p);

/* The check list before, at and after the switch (package_cutover.c). */
void package_cutover(const struct package *p, struct buf *b);

/*
 * The digest of everything that the package is made of: configuration, site
 * file, options, version, and each file's path, size, times, mode and owner.
 * Also measures the tree (package_key.c).
 */
int package_key(struct package *p, uint64_t *ret_bytes, struct err *e);

/* Whether DIR/NAME is whole and has this key. */
bool package_is_same(int dir, const char *name, const char *key);

void package_readme(const struct package *p, struct buf *b);
void package_sums(const struct package *p, struct buf *b);

#endif
