/*
 * The verdict: what the guest had before, what the emitted configuration asks
 * for, and what was seen in the running guest, item by item. Pure functions;
 * who looks, and how, is in probe.h.
 */
#ifndef REHOST_RUNTIME_VERIFY_H
#define REHOST_RUNTIME_VERIFY_H

#include "base/err.h"
#include "base/str.h"
#include "policy/policy.h"

/* Worst first, as design 1.4 lists them. */
enum verify_verdict {
	VERIFIED_FAILED,     /* did not boot, or could not be looked at */
	VERIFIED_DIFFERENT,  /* something is not as the configuration says */
	VERIFIED_INCOMPLETE, /* a required item could not be seen */
	VERIFIED_ANNOUNCED,  /* looser or missing, all of it announced */
	VERIFIED_ACCEPTED,   /* the same, each with a reason */
	VERIFIED_EQUIVALENT,
	VERIFIED__MAX
};

enum verify_isolation {
	VERIFIED_IS_EQUAL,
	VERIFIED_IS_STRICTER,
	VERIFIED_IS_WEAKER,   /* an item is looser or extra, announced or not */
	VERIFIED_IS_UNPROVEN, /* a required item is unseen, or has no order */
	VERIFIED_IS__MAX
};

const char *verify_verdict_name(enum verify_verdict v);
/* VERIFIED__MAX when there is none of that name. */
enum verify_verdict verify_verdict_find(const char *name);
const char *verify_isolation_name(enum verify_isolation i);

/* A difference that the plan announced. */
struct verify_announced {
	enum field_id field;
	const char *key;
	struct strv codes;
	const char *accepted; /* the reason, NULL: not accepted */
};

/*
 * The code of a finding that no plan can make, for it takes a start: a service
 * of the guest failed. Accepted, it is as good as announced.
 */
#define VERIFY_FAILED_SERVICE "INI044"

/* What a package says: all that is read of DIR/NAME but its root. */
struct verify_package {
	const char *dir, *key, *name, *target;
	const char *manifest_sha256;
	const char *tree; /* a directory in place of what was packed; or NULL */
	const char *rootfs;        /* relative to dir; NULL: none was packed */
	bool rootfs_is_tree;       /* else an archive */
	uint64_t rootfs_bytes;     /* unpacked */
	const char *rootfs_sha256; /* of the archive */
	struct policy *before, *planned;
	struct policy *recorded; /* by capture, on the old host */
	const char *ports;       /* it listened on: "tcp:80,udp:53"; "" none */
	VEC(struct verify_announced) announced;
	bool machine; /* its boundary was a machine: never equivalent */
	const char *machine_accepted; /* why that is fine, or NULL */
	const char *failed_accepted;  /* why failed services are, or NULL */
};

/*
 * Reads policy.json, manifest.json, report.json of dir for one target. An
 * error when they are not those that the manifest lists, by digest.
 */
int verify_load(const char *dir, const char *target, struct arena *mem,
		struct verify_package *ret, struct err *e);

/* The SHA-256 of a package's manifest as it is now. */
int verify_load_digest(const char *dir, struct arena *mem, const char **ret,
		       struct err *e);

/* What could not be looked at. */
struct verify_unseen {
	enum field_id field;
	const char *key; /* NULL: no item of the field */
	const char *reason;
	/*
	 * Not NULL: something harmless stands in for this value, which the
	 * configuration asks for. Where it is the planned one nothing is left
	 * to look at; any other was asked for, and counts as seen.
	 */
	const char *asked;
};

/* A look that is not about a field: how the start went, what listens. */
struct verify_fact {
	enum area area;
	const char *item, *expected, *observed; /* observed NULL: missing */
	const char *reason; /* not NULL: could not be seen */
	const char *probe;
	bool grants;   /* "yes" lets more than "no": looser, not extra */
	bool optional; /* a verdict is complete without it */
	bool service;  /* that it differs is a service that failed */
};

struct verify_seen {
	struct policy *observed;
	VEC(struct verify_unseen) unseen;
	VEC(struct verify_fact) facts;
	const char *failed;  /* why it did not boot; NULL: it did */
	unsigned ms;         /* from the start to the goal of its init */
	struct strv console; /* lines of the console that look like errors */
};

/* How a field is seen; rows of probe.def, given so that tests can vary. */
struct verify_look {
	const char *probe;
	bool required;
};

struct verify_check {
	enum area area;
	const char *item;                         /* "cap.bounding net_raw" */
	const char *before, *expected, *observed; /* NULL: no such item */
	const char *recorded; /* by capture, on the old host */
	enum relation relation;
	bool required;
	bool surprise; /* not as the configuration says */
	bool service;  /* because a service failed, which can be accepted */
	const char *reason; /* of what is unseen */
	const struct verify_announced *announced;
	const char *probe;
	enum relation planned; /* of what was planned to what was before */
	bool drift; /* a surprise, and not what an earlier verification saw */
};

struct verify_result {
	enum verify_verdict verdict;
	enum verify_isolation isolation;
	VEC(struct verify_check) checks;
	size_t counts[REL_UNSEEN + 1]; /* without what has drifted */
	size_t surprises, drifts;
};

/*
 * Compares. look has a row for each field. An item that is not as planned is a
 * surprise, and its relation is that of the observed to the planned value; of
 * any other it is that to the value before.
 */
void verify_judge(const struct verify_package *p, const struct verify_seen *s,
		  const struct verify_look look[FIELD__MAX], struct arena *mem,
		  struct verify_result *ret);

/* An item as a record has it. */
struct verify_recorded {
	const char *item;
	bool seen;
};

/* What an earlier verification found: its record. */
struct verify_baseline {
	const char *file; /* relative to the package */
	enum verify_verdict verdict;
	VEC(struct verify_recorded) items;
};

/*
 * Of a guest that was only looked at from outside: what is not as planned
 * although the record saw it so has drifted. What cannot be seen from outside
 * is not required, for the record stands for it: the verdict is never better
 * than the record's.
 */
void verify_drift(const struct verify_baseline *b,
		  const struct verify_package *p, struct verify_result *r);

#endif
