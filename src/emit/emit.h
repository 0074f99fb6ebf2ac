/*
 * A writer of one target. An emitter is one file src/emit/NAME.c that defines
 * `const struct emitter NAME_emitter`; it has a row for every model field, and
 * the driver walks the fields, adds the findings of what is lost, and keeps
 * what became of each value. A row left out reads FID_UNDECIDED, which a test
 * refuses.
 */
#ifndef REHOST_EMIT_EMIT_H
#define REHOST_EMIT_EMIT_H

#include "base/buf.h"
#include "model/guest.h"
#include "policy/policy.h"
#include "setting.h"

enum fidelity {
	FID_UNDECIDED,
	FID_EXACT,
	FID_APPROX,   /* comes near; finding and note say how */
	FID_LOST,     /* no counterpart; finding and note say what instead */
	FID_HOSTSIDE, /* belongs to the new host; note says what to do */
	FID_INERT,    /* metadata: in the manifest, or a comment */
};

struct emission;

struct emit_rule {
	enum fidelity fidelity;
	const char *key;         /* "lxc.cgroup2.pids.max" */
	enum finding_id finding; /* of what is not exact; FIND__MAX: none */
	void (*put)(struct emission *em, enum field_id id, const void *object,
		    const struct value *v); /* NULL: nothing to write */
	const char *note;
};

struct emit_file {
	const char *path; /* below DIR/NAME/TARGET: "config" */
	const char *text;
	size_t n;
};

/* What the site file says of the target. */
struct emit_options {
	const char *version; /* "5.0" */
	const char *path;    /* where its containers live: /var/lib/lxc */
	enum { CGROUP_V1 = 1, CGROUP_V2 = 2, CGROUP_BOTH = 3 } cgroup;
	bool native;         /* --profile native */
	bool sets_addresses; /* as of the emitter */
	bool shifted; /* --shift: owners in the tree are the host's ids */
};

/* What became of one value of the model. */
struct emit_outcome {
	enum field_id field;
	const void *object;
	enum bin bin;
	const char *note; /* NULL: none */
};

struct emission {
	struct guest *g;
	const struct emitter *emitter;
	const struct emit_options *options;
	struct arena *mem;
	const char *name;         /* of the guest on the target */
	void *state;              /* the emitter's own */
	struct emit_outcome *cur; /* of the value under `put` */
	VEC(struct emit_outcome) outcomes;
	VEC(struct emit_file) files; /* filled by `finish` */
	const struct policy *policy; /* read back from files; NULL: model */
};

struct emitter {
	const char *name, *summary;
	const struct emit_rule *rules; /* FIELD__MAX of them, by field_id */
	const char *default_version, *default_path;
	bool sets_addresses; /* the engine can: targets.md 1.5 */
	/* Before the fields: makes em->state. */
	int (*begin)(struct emission *em, struct err *e);
	/* After them: turns the state into em->files. */
	int (*finish)(struct emission *em, struct err *e);
	/* The policy that the files ask for. NULL: `model` has none. */
	int (*read_back)(struct emission *em, struct policy **ret,
			 struct err *e);
	/* A legal name for the target, name itself when it is one. */
	const char *(*legal_name)(struct arena *mem, const char *name);
};

const struct emitter *const *emit_all(size_t *ret_n);
const struct emitter *emit_find(const char *name); /* NULL: none */

/*
 * Writes the guest for one target: walks the fields, finishes, reads back,
 * compares with the guest's source policy and adds a finding for each value
 * that is not exact and SYN001 for each difference without a finding. em is
 * filled in mem.
 */
int emit_run(const struct emitter *emitter, struct guest *g,
	     const struct emit_options *o, struct arena *mem,
	     struct emission **ret, struct err *e);

/* For `put`: the current value came out differently than its rule says. */
void emit_bin(struct emission *em, enum bin bin, const char *note_fmt, ...)
	PRINTF(3, 4);
/*
 * A value or name as it stands in a message: at most 80 bytes, escaped, and in
 * quotes where its blanks or its emptiness would not be seen.
 */
const char *emit_show(struct arena *mem, const char *text);
/* For `put`: a finding at the value's origin that covers (field, object). */
struct finding *emit_find_at(struct emission *em, enum finding_id id,
			     enum field_id field, const void *object,
			     const char *fmt, ...) PRINTF(5, 6);
/* For `finish`: a finding about what the engine does itself. */
struct finding *emit_engine(struct emission *em, enum finding_id id,
			    enum field_id field, const char *key,
			    const char *fmt, ...) PRINTF(5, 6);

void emit_file_add(struct emission *em, const char *path, const char *text,
		   size_t n);

/* The bin of a setting for this target, with the note that explains it. */
enum bin emit_setting_bin(const struct emission *em, const struct setting *s,
			  const char **ret_note);

#endif
