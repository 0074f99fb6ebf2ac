/*
 * Ids of guests that vzctl started on a kernel without OpenVZ: a user name
 * space, whose ids begin at LOCAL_UID and LOCAL_GID on the host and in the tree
 * (openvz.md 3.10; the count is UID_GID_RANGE in src/lib/hooks_ct.c of vzctl).
 */
#include <inttypes.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/str.h"
#include "importers/openvz/openvz.h"

enum { RANGE = 100000 };

static const struct local {
	enum ov_kept key;
	const char *kind; /* of the map */
} locals[] = {
	{ OVK_LOCAL_UID, "u" },
	{ OVK_LOCAL_GID, "g" },
};

/* Where they begin; 0: as they are. false: not a number that is possible. */
static bool begin_of(struct reading *r, const struct ov_value *k, uint64_t *ret)
{
	struct err e;

	*ret = 0;
	if (k->s == NULL ||
	    openvz_integer(k->text, 0, UINT32_MAX - RANGE, ret, &e) == 0)
		return true;
	openvz_end_find(r, k->s, BIN_INVALID, FIND_SRC_NOT_STARTED,
			arena_strdup(r->g->mem, e.msg));
	return false;
}

/* Whether the root of the tree belongs to root of the guest. */
static bool is_shifted(struct reading *r, const uint64_t begin[])
{
	struct tree_stat st;
	struct err e;

	return (begin[0] > 0 || begin[1] > 0) && r->g->rootfs.from != NULL &&
	       tree_stat(openvz_of(r)->t, r->g->rootfs.v, &st, &e) == 0 &&
	       S_ISDIR(st.mode) && st.uid == begin[0] && st.gid == begin[1];
}

/* One of the two; a map that is not given is of all ids to themselves. */
static void add_map(struct reading *r, const char *kind, uint64_t begin)
{
	struct idmap *m = pvec_add(r->g->mem, &r->g->idmaps);

	take_str(r, FIELD_IDMAP_KIND, m, kind);
	take_u64(r, FIELD_IDMAP_INSIDE, m, 0);
	take_u64(r, FIELD_IDMAP_OUTSIDE, m, begin);
	take_u64(r, FIELD_IDMAP_COUNT, m, RANGE);
}

static void take_maps(struct reading *r, const uint64_t begin[])
{
	struct setting *last = NULL;

	for (size_t i = 0; i < COUNT(locals); i++) {
		struct setting *s = openvz_of(r)->kept[locals[i].key].s;

		last = s != NULL ? s : last;
	}
	for (size_t i = 0; i < COUNT(locals); i++) {
		struct setting *s = openvz_of(r)->kept[locals[i].key].s;

		reading_resume(r, s != NULL ? s : last);
		add_map(r, locals[i].kind, begin[i]);
		take_str(r, FIELD_NS_USER, r->g, "private");
	}
	reading_default(r, FIELD_ROOT_SHIFTED, r->g, "yes",
			"the owner of the root directory");
}

/* The tree does not look as if it were so. */
static void end_local(struct reading *r, const struct ov_value *k,
		      uint64_t begin)
{
	if (k->s == NULL)
		return;
	if (k->s->from.file != openvz_of(r)->path)
		openvz_end(r, k->s, BIN_INERT,
			   "a default of vzctl without its own kernel");
	else if (begin == 0)
		openvz_end(r, k->s, BIN_INERT, "not mapped");
	else
		openvz_end_find(r, k->s, BIN_HOSTSIDE, FIND_IDM_SHIFTED,
				arena_printf(r->g->mem,
					     "ids should begin at %" PRIu64
					     ", but the root of the tree "
					     "belongs to another: owners are "
					     "packed as they are",
					     begin));
}

void openvz_ids_settle(struct reading *r)
{
	const struct ov_value *kept = openvz_of(r)->kept;
	uint64_t begin[COUNT(locals)];
	bool good = true;

	for (size_t i = 0; i < COUNT(locals); i++)
		good &= begin_of(r, &kept[locals[i].key], &begin[i]);
	if (good && is_shifted(r, begin)) {
		take_maps(r, begin);
		return;
	}
	for (size_t i = 0; i < COUNT(locals); i++)
		end_local(r, &kept[locals[i].key], begin[i]);
}
