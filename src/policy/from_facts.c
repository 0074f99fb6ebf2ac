/*
 * /proc/virtual/XID/status and limit as a policy: Linux-VServer 2.2 and 2.3,
 * vserver.md 3.9. A limit of -1 is none, and no item. Likewise beancounters
 * and addresses of OpenVZ, openvz.md 1.7, 2.5, 3.3.
 */
#include <inttypes.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/num.h"
#include "base/str.h"
#include "policy/from_facts.h"

static const struct {
	const char *name; /* of the file's line */
	enum field_id field;
	bool pages;
} rows[] = {
	{ "PROC", FIELD_PIDS_MAX, false },
	{ "RSS", FIELD_MEM_MAX, true },
	{ "VM", FIELD_MEM_VIRTUAL, true },
	{ "VML", FIELD_MEM_LOCKED, true },
	{ "ANON", FIELD_MEM_ANON, true },
	{ "SHM", FIELD_MEM_SHARED, true },
	{ "FILES", FIELD_FILES, false },
	{ "LOCKS", FIELD_FILE_LOCKS, false },
	{ "SOCK", FIELD_SOCKETS, false },
	{ "DENT", FIELD_DENTRIES, false },
	{ "SEMA", FIELD_SEM_ARRAYS, false },
	{ "SEMS", FIELD_SEMAPHORES, false },
	/* of OpenVZ: physpages stands behind privvmpages, and wins */
	{ "numproc", FIELD_PIDS_MAX, false },
	{ "privvmpages", FIELD_MEM_MAX, true },
	{ "physpages", FIELD_MEM_MAX, true },
	{ "swappages", FIELD_SWAP_MAX, true },
	{ "lockedpages", FIELD_MEM_LOCKED, true },
	{ "shmpages", FIELD_MEM_SHARED, true },
	{ "numfile", FIELD_FILES, false },
	{ "numflock", FIELD_FILE_LOCKS, false },
};

static void add_limit(struct policy *p, const struct facts *f,
		      const struct facts_limit *l)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t n = l->hard;

		if (!str_eq(rows[i].name, l->name) || !l->has_hard)
			continue;
		/* without the size of a page a number of them says nothing */
		if (rows[i].pages &&
		    (f->page_size == 0 || n > UINT64_MAX / f->page_size))
			continue;
		if (rows[i].pages)
			n *= f->page_size;
		policy_add(p, rows[i].field, "",
			   arena_printf(p->mem, "%" PRIu64, n));
	}
}

static void add_caps(struct policy *p, const char *hex)
{
	uint64_t set;
	struct err e;

	if (num_u64_hex(hex, &set, &e) < 0)
		return;
	for (unsigned bit = 0; bit < CAP_N; bit++)
		if ((set & CAP_BIT(bit)) != 0)
			policy_add(p, FIELD_CAPS, cap_name(bit), "yes");
}

struct policy *policy_from_facts(const struct facts *f, uint64_t xid,
				 struct arena *mem)
{
	const struct facts_context *c = f == NULL ? NULL :
						    facts_context(f, xid);
	struct policy *p = policy_new(mem);

	if (c != NULL && c->bcaps != NULL)
		add_caps(p, c->bcaps);
	for (size_t i = 0; c != NULL && i < c->n_limits; i++)
		add_limit(p, f, &c->limits[i]);
	for (size_t i = 0; c != NULL && i < c->addresses.n; i++)
		policy_add(p, FIELD_ADDR_IP, c->addresses.v[i],
			   c->addresses.v[i]);
	policy_sort(p);
	return p;
}
