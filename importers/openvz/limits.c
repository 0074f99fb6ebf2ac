/*
 * Memory and beancounters. Which of three memory managers ruled decides what
 * a parameter meant: VSwap, the older beancounters (UBC), or Virtuozzo's SLM.
 * Reference: openvz.md 2.5, 2.6, 5.2.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/openvz/table.h"

/* What becomes of a parameter that is no part of the memory limit. */
enum use {
	USE_MEMORY,    /* settled together: the memory limit */
	USE_FIELD,     /* the limit is a field of the model */
	USE_LOST,      /* no such limit; the row's finding says so */
	USE_GUARANTEE, /* the barrier promises, it does not limit */
	USE_DISK,      /* disks.c */
};

static const struct param_row {
	const char *name;
	enum ov_unit unit;
	enum use use;
	enum field_id field;
} param_rows[OVP__MAX] = {
	[OVP_KMEMSIZE] = { "KMEMSIZE", OV_BYTES, USE_LOST, FIELD__MAX },
	[OVP_LOCKEDPAGES] = { "LOCKEDPAGES", OV_PAGES, USE_FIELD,
			      FIELD_MEM_LOCKED },
	[OVP_PRIVVMPAGES] = { "PRIVVMPAGES", OV_PAGES, USE_MEMORY, FIELD__MAX },
	[OVP_SHMPAGES] = { "SHMPAGES", OV_PAGES, USE_FIELD, FIELD_MEM_SHARED },
	[OVP_NUMPROC] = { "NUMPROC", OV_ITEMS, USE_FIELD, FIELD_PIDS_MAX },
	[OVP_PHYSPAGES] = { "PHYSPAGES", OV_PAGES, USE_MEMORY, FIELD__MAX },
	[OVP_VMGUARPAGES] = { "VMGUARPAGES", OV_PAGES, USE_GUARANTEE,
			      FIELD__MAX },
	[OVP_OOMGUARPAGES] = { "OOMGUARPAGES", OV_PAGES, USE_GUARANTEE,
			       FIELD__MAX },
	[OVP_NUMTCPSOCK] = { "NUMTCPSOCK", OV_ITEMS, USE_LOST, FIELD__MAX },
	[OVP_NUMFLOCK] = { "NUMFLOCK", OV_ITEMS, USE_FIELD, FIELD_FILE_LOCKS },
	[OVP_NUMPTY] = { "NUMPTY", OV_ITEMS, USE_LOST, FIELD__MAX },
	[OVP_NUMSIGINFO] = { "NUMSIGINFO", OV_ITEMS, USE_LOST, FIELD__MAX },
	[OVP_TCPSNDBUF] = { "TCPSNDBUF", OV_BYTES, USE_LOST, FIELD__MAX },
	[OVP_TCPRCVBUF] = { "TCPRCVBUF", OV_BYTES, USE_LOST, FIELD__MAX },
	[OVP_OTHERSOCKBUF] = { "OTHERSOCKBUF", OV_BYTES, USE_LOST, FIELD__MAX },
	[OVP_DGRAMRCVBUF] = { "DGRAMRCVBUF", OV_BYTES, USE_LOST, FIELD__MAX },
	[OVP_NUMOTHERSOCK] = { "NUMOTHERSOCK", OV_ITEMS, USE_LOST, FIELD__MAX },
	[OVP_DCACHESIZE] = { "DCACHESIZE", OV_BYTES, USE_LOST, FIELD__MAX },
	[OVP_NUMFILE] = { "NUMFILE", OV_ITEMS, USE_FIELD, FIELD_FILES },
	[OVP_NUMIPTENT] = { "NUMIPTENT", OV_ITEMS, USE_LOST, FIELD__MAX },
	[OVP_SWAPPAGES] = { "SWAPPAGES", OV_PAGES, USE_MEMORY, FIELD__MAX },
	[OVP_SLM] = { "SLMMEMORYLIMIT", OV_BYTES, USE_MEMORY, FIELD__MAX },
	[OVP_DISKSPACE] = { "DISKSPACE", OV_BLOCKS, USE_DISK, FIELD__MAX },
	[OVP_DISKINODES] = { "DISKINODES", OV_INODES, USE_DISK, FIELD__MAX },
};

static void find_spelling(struct reading *r, const struct ov_number *n)
{
	if (n->odd)
		reading_find(r, FIND_SRC_MEANT,
			     "\"%s\": taken as %s, as the old tools did",
			     openvz_shown(r, r->cur->from.text),
			     n->none ? "without limit" : "the number");
}

int openvz_pair(struct reading *r, const char *value, struct err *e)
{
	struct openvz *v = openvz_of(r);
	const enum ov_pair i = (enum ov_pair)OV_N_OF(r->cur->row->arg);
	struct ov_param *p = &v->params[i];
	struct ov_side side = { .s = r->cur };

	if (openvz_number_parse(value, param_rows[i].unit, v->page, &side.n,
				e) < 0)
		return -1;
	if (side.n.empty)
		return err_set(e, 0,
			       "no number: the old tools read 0, which "
			       "was hardly meant");
	find_spelling(r, &side.n);
	if (v->side != OV_LIMIT)
		p->barrier = side;
	if (v->side != OV_BARRIER)
		p->limit = side;
	p->set = true;
	return 0;
}

/* --- the memory limit ------------------------------------------------- */

enum manager { VSWAP, UBC, SLM };

static bool is_limited(const struct ov_side *s)
{
	return s->s != NULL && !s->n.none;
}

static bool slm_counts(struct reading *r)
{
	const struct openvz *v = openvz_of(r);
	const struct ov_value *mode = &v->kept[OVK_SLMMODE];

	return is_limited(&v->params[OVP_SLM].limit) &&
	       (mode->s == NULL || !str_eq(mode->text, "ubc"));
}

static enum manager manager_of(struct reading *r)
{
	const struct openvz *v = openvz_of(r);

	if (is_limited(&v->params[OVP_PHYSPAGES].limit))
		return VSWAP;
	return slm_counts(r) ? SLM : UBC;
}

/* A side as the value of a field; false where it was not given. */
static bool take_side(struct reading *r, struct ov_side *s, enum field_id f)
{
	if (s->s == NULL || s->s->decided)
		return false;
	reading_resume(r, s->s);
	if (s->n.none)
		take_unlimited(r, f, r->g);
	else
		take_limit(r, f, r->g, s->n.v);
	return true;
}

/* The side that did not count beside the one that did. */
static void end_other(struct reading *r, const struct ov_param *p,
		      const char *note)
{
	if (p->barrier.s != p->limit.s)
		openvz_end(r, p->barrier.s, BIN_INERT, note);
}

static void end_both(struct reading *r, struct ov_param *p, enum bin bin,
		     const char *note)
{
	openvz_end(r, p->barrier.s, bin, note);
	openvz_end(r, p->limit.s, bin, note);
}

static void settle_swap(struct reading *r, enum manager m)
{
	struct ov_param *p = &openvz_of(r)->params[OVP_SWAPPAGES];

	if (take_side(r, &p->limit, FIELD_SWAP_MAX)) {
		if (p->limit.n.none || p->limit.n.v > 0)
			reading_find(r, FIND_LIM_VIRTUAL_SWAP,
				     "swap %s was virtual: it lay in the old "
				     "host's memory unless that was short",
				     p->limit.n.none ?
					     "without limit" :
					     arena_printf(r->g->mem,
							  "of %" PRIu64,
							  p->limit.n.v));
		end_other(r, p, "only the limit counts");
		return;
	}
	end_both(r, p, BIN_INERT, "only the limit counts");
	reading_default(r, FIELD_SWAP_MAX, r->g, "0",
			m == VSWAP ? "openvz.md 2.6: VSwap without SWAPPAGES" :
				     "openvz.md 2.6: no swap of its own");
}

static uint64_t sum_of(const struct guest *g)
{
	if (g->mem_max.none || g->swap_max.none ||
	    g->mem_max.v > UINT64_MAX - g->swap_max.v)
		return UINT64_MAX;
	return g->mem_max.v + g->swap_max.v;
}

/* PRIVVMPAGES beside VSwap still limits address space. */
static void privvm_beside(struct reading *r)
{
	struct ov_param *p = &openvz_of(r)->params[OVP_PRIVVMPAGES];

	if (p->limit.s != NULL && p->limit.n.none)
		openvz_end(r, p->limit.s, BIN_CARRIED, "without limit");
	else if (is_limited(&p->limit) && p->limit.n.v >= sum_of(r->g))
		openvz_end(r, p->limit.s, BIN_INERT,
			   "memory and swap are stricter");
	else
		take_side(r, &p->limit, FIELD_MEM_VIRTUAL);
	end_other(r, p, "only the limit ends an allocation for certain");
}

static void memory_vswap(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	struct ov_param *p = &v->params[OVP_PHYSPAGES];

	take_side(r, &p->limit, FIELD_MEM_MAX);
	end_other(r, p, "VSwap takes the limit alone");
	if (v->params[OVP_SWAPPAGES].limit.s == NULL)
		reading_find(r, FIND_SRC_NOT_STARTED,
			     "PHYSPAGES without SWAPPAGES: vzctl refused to "
			     "start; swap 0 is taken");
	if (p->limit.n.v == 0)
		reading_find(r, FIND_SRC_MEANT,
			     "0 pages of memory: nothing can run with that");
}

static void memory_ubc(struct reading *r)
{
	struct ov_param *p = &openvz_of(r)->params[OVP_PRIVVMPAGES];
	struct finding *f;

	if (p->barrier.s != p->limit.s && is_limited(&p->barrier) &&
	    (!is_limited(&p->limit) || p->barrier.n.v < p->limit.n.v))
		take_side(r, &p->barrier, FIELD_MEM_HIGH);
	end_other(r, p, "no other than the limit");
	if (!take_side(r, &p->limit, FIELD_MEM_MAX))
		return;
	if (p->limit.n.none)
		return;
	reading_approx(r, "limits memory used, not promised");
	f = reading_find(r, FIND_LIM_ADDRESS_SPACE,
			 "limits memory used, not promised");
	finding_covers(r->g, f, FIELD_MEM_MAX, "");
}

static void memory_slm(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	struct ov_param *p = &v->params[OVP_SLM];

	take_side(r, &p->limit, FIELD_MEM_MAX);
	end_other(r, p, "the second value is the limit");
}

static void settle_slm_mode(struct reading *r, enum manager m)
{
	const struct ov_value *mode = &openvz_of(r)->kept[OVK_SLMMODE];

	openvz_end(r, mode->s, BIN_INERT,
		   m == SLM ? "SLMMEMORYLIMIT is the memory limit" :
			      "SLMMEMORYLIMIT is not the memory limit");
}

/* "25" of limit.memory, or "auto". */
static void settle_guarantee(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	const struct ov_value *part = &v->kept[OVK_MEMGUARANTEE];
	const struct ov_value *bytes = &v->kept[OVK_MEMGUARANTEE_BYTES];
	const struct opt_limit *max = &r->g->mem_max;
	struct ov_number n;
	uint64_t percent;
	struct err e;

	if (bytes->s != NULL &&
	    openvz_number_parse(bytes->text, OV_BYTES, v->page, &n, &e) == 0 &&
	    !n.none && !n.empty) {
		reading_resume(r, bytes->s);
		take_limit(r, FIELD_MEM_LOW, r->g, n.v);
		openvz_end(r, part->s, BIN_OVERRIDDEN,
			   "MEMGUARANTEE_BYTES won");
		return;
	}
	openvz_end(r, bytes->s, BIN_INVALID, "not a number of bytes");
	if (part->s == NULL)
		return;
	if (str_eq(part->text, "auto") || max->from == NULL || max->none)
		openvz_end(r, part->s, BIN_INERT, "nothing is reserved");
	else if (openvz_integer(part->text, 0, 100, &percent, &e) < 0)
		openvz_end_find(r, part->s, BIN_INVALID, FIND_LIM_INVALID,
				arena_strdup(r->g->mem, e.msg));
	else {
		reading_resume(r, part->s);
		take_limit(r, FIELD_MEM_LOW, r->g,
			   num_mul(max->v, percent, &percent) ? percent / 100 :
								max->v);
	}
}

static void settle_memory(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	const enum manager m = manager_of(r);

	if (m == VSWAP)
		memory_vswap(r);
	else if (m == SLM)
		memory_slm(r);
	else
		memory_ubc(r);
	settle_swap(r, m);
	if (m == VSWAP)
		privvm_beside(r);
	end_both(r, &v->params[OVP_PRIVVMPAGES], BIN_INERT,
		 "SLMMEMORYLIMIT is the memory limit");
	end_both(r, &v->params[OVP_PHYSPAGES], BIN_INERT,
		 "without a limit it only counts pages");
	end_both(r, &v->params[OVP_SLM], BIN_INERT,
		 "another memory manager ruled");
	settle_slm_mode(r, m);
	settle_guarantee(r);
}

/* --- the other parameters --------------------------------------------- */

static void barrier_beside(struct reading *r, const struct ov_param *p)
{
	const struct ov_side *b = &p->barrier, *l = &p->limit;

	if (b->s == NULL || b->s == l->s)
		return;
	if (is_limited(l) && (b->n.none || b->n.v > l->n.v))
		openvz_end_find(r, b->s, BIN_INERT, FIND_SRC_MEANT,
				"the barrier is above the limit: the limit "
				"counts");
	else
		openvz_end(r, b->s, BIN_INERT,
			   "the limit is what nothing could exceed");
}

static void settle_lost(struct reading *r, struct ov_param *p)
{
	const struct ov_side *l = &p->limit;

	if (l->s == NULL)
		return;
	if (l->n.none)
		openvz_end(r, l->s, BIN_CARRIED, "without limit");
	else
		openvz_end_find(r, l->s, BIN_DROPPED, l->s->row->finding,
				l->s->row->note);
}

static void settle_promise(struct reading *r, struct ov_param *p)
{
	struct ov_side *b = &p->barrier;

	if (b->s != NULL && (b->n.none || b->n.v == 0))
		openvz_end(r, b->s, BIN_INERT, "nothing is promised");
	else if (b->s != NULL)
		openvz_end_find(r, b->s, BIN_DROPPED, b->s->row->finding,
				b->s->row->note);
	openvz_end(r, p->limit.s, BIN_INERT, "only the barrier counts");
}

static void settle_param(struct reading *r, enum ov_pair i)
{
	struct ov_param *p = &openvz_of(r)->params[i];

	switch (param_rows[i].use) {
	case USE_MEMORY:
	case USE_DISK:
		return;
	case USE_FIELD:
		take_side(r, &p->limit, param_rows[i].field);
		break;
	case USE_LOST:
		settle_lost(r, p);
		break;
	case USE_GUARANTEE:
		settle_promise(r, p);
		return;
	}
	if (p->limit.s == NULL)
		openvz_end_find(r, p->barrier.s, BIN_INVALID, FIND_LIM_INVALID,
				"a barrier whose limit is no number");
	barrier_beside(r, p);
}

int openvz_subgroups(struct reading *r, const char *value, struct err *e)
{
	uint64_t n;

	if (str_eq(value, "unlimited")) {
		reading_decide(r, BIN_CARRIED, "without limit");
		return 0;
	}
	if (openvz_integer(value, 0, UINT64_MAX, &n, e) < 0)
		return -1;
	reading_decide(r, BIN_HOSTSIDE,
		       "lxc.cgroup2.cgroup.max.descendants = "
		       "%" PRIu64,
		       n);
	return 0;
}

void openvz_limits_settle(struct reading *r)
{
	settle_memory(r);
	for (enum ov_pair i = 0; i < OVP__MAX; i++)
		settle_param(r, i);
}
