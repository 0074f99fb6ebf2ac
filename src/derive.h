/*
 * Setters of the model for passes, the site file and options: the only other
 * way to a value. A pass that makes or changes a value that the policy shows
 * has to announce it: the finding covers the item.
 */
#ifndef REHOST_DERIVE_H
#define REHOST_DERIVE_H

#include "base/err.h"
#include "model/guest.h"

/*
 * An origin of kind DERIVED (or FACTS, SITE, OPTION as said) in g's arena.
 * key names the pass or word; because may be NULL.
 */
const struct origin *derive_origin(struct guest *g, enum origin_kind kind,
				   const char *file, unsigned line,
				   const char *key,
				   const struct origin *because);

/*
 * Each returns false, and changes nothing, when the field holds a value of a
 * higher kind of origin. f may be NULL only for fields outside of the policy,
 * and before the source's policy is taken (plan_look).
 */
bool derive_bool(struct guest *g, enum field_id id, void *object, bool v,
		 const struct origin *from, struct finding *f);
bool derive_u64(struct guest *g, enum field_id id, void *object, uint64_t v,
		const struct origin *from, struct finding *f);
bool derive_i64(struct guest *g, enum field_id id, void *object, int64_t v,
		const struct origin *from, struct finding *f);
bool derive_limit(struct guest *g, enum field_id id, void *object, uint64_t v,
		  const struct origin *from, struct finding *f);
bool derive_str(struct guest *g, enum field_id id, void *object, const char *v,
		const struct origin *from, struct finding *f);
bool derive_strv(struct guest *g, enum field_id id, void *object,
		 const struct strv *v, const struct origin *from,
		 struct finding *f);
bool derive_caps(struct guest *g, enum field_id id, void *object, uint64_t v,
		 const struct origin *from, struct finding *f);

/*
 * A value as text, checked by the field's type and unit (sizes take K, M, G;
 * limits "unlimited"; lists are split at blanks, capabilities likewise).
 */
int derive_text(struct guest *g, enum field_id id, void *object,
		const char *text, const struct origin *from, struct finding *f,
		struct err *e);

/*
 * A default of the old tools (kind DEFAULT) where the field is absent; ref says
 * where it is documented. The text must be legal for the field.
 */
void derive_default(struct guest *g, enum field_id id, void *object,
		    const char *text, const char *ref);

/* Takes a value away: absent afterwards. */
void derive_clear(enum field_id id, void *object);

#endif
