/*
 * "Did it, but": what an admin has to know. Code, severity, isolation, who
 * acts and the advice are the catalogue's (findings.def), never the call's.
 * The message says what was done about it.
 */
#ifndef REHOST_MODEL_FINDING_H
#define REHOST_MODEL_FINDING_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/field.h"

enum severity { SEV_NOTE, SEV_CHANGE, SEV_LOSS, SEV_BLOCKER };
enum isolation { ISO_SAME, ISO_STRICTER, ISO_WEAKER };
enum action { ACT_NONE, ACT_SITE, ACT_HOST, ACT_GUEST, ACT_APPLICATION };
enum waive { WAIVE_YES, WAIVE_NO };

enum finding_id {
#define FINDING(id, code, sev, iso, act, waive, text, advice) FIND_##id,
#include "model/findings.def"
#undef FINDING
	FIND__MAX
};

struct finding_row {
	const char *code; /* "NET011" */
	enum severity severity;
	enum isolation isolation;
	enum action action;
	enum waive waive; /* whether --accept may waive a blocker */
	const char *text; /* what it means, for explain and summaries */
	const char *advice;
};

/* Which items of the policy a finding announces (promise 2). */
struct finding_cover {
	enum field_id field;
	const char *key; /* NULL: every item of the field */
};

struct finding {
	enum finding_id id;
	const char *target;        /* NULL when found before emitting */
	const struct origin *from; /* never NULL */
	const char *message;
	const char *advice;               /* NULL: the catalogue's */
	VEC(struct finding_cover) covers; /* the first is the one shown */
	const char *accepted; /* the reason, NULL when not accepted */
	const char *accepted_by;
};

struct guest;

const struct finding_row *finding_row(enum finding_id id);
enum finding_id finding_find(const char *code); /* FIND__MAX when none */

/*
 * Adds a finding to the guest and returns it. A finding with the same id,
 * target, origin and message is not added twice. from must not be NULL.
 */
struct finding *finding_add(struct guest *g, enum finding_id id,
			    const char *target, const struct origin *from,
			    const char *fmt, ...) PRINTF(5, 6);

/* Says that the finding announces this item; key may be NULL (all). */
void finding_covers(struct guest *g, struct finding *f, enum field_id field,
		    const char *key);

/* Whether it announces the item for the target (NULL: for any). */
bool finding_announces(const struct finding *f, const char *target,
		       enum field_id field, const char *key);

const char *finding_severity_name(enum severity s);
const char *finding_isolation_name(enum isolation i);
const char *finding_action_name(enum action a);

#endif
