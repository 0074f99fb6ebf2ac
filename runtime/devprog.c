/* Device programs of cgroup v2: made, and run here to read them. */
#include <errno.h>
#include <string.h>

#include "runtime/devprog.h"

/* Fields of struct bpf_cgroup_dev_ctx. */
enum { CTX_ACCESS = 0, CTX_MAJOR = 4, CTX_MINOR = 8, CTX_SIZE = 12 };

/* Registers of a program made here; R0 is its answer, R1 the context. */
enum { ANSWER, CTX, TYPE, ACCESS, MAJOR, MINOR, WORK };

/* BPF_DEVCG_ACC_... of DEV_... */
static const struct {
	unsigned dev, bpf;
} access_rows[] = {
	{ DEV_MKNOD, BPF_DEVCG_ACC_MKNOD },
	{ DEV_READ, BPF_DEVCG_ACC_READ },
	{ DEV_WRITE, BPF_DEVCG_ACC_WRITE },
};

static unsigned bpf_access(unsigned access)
{
	unsigned bits = 0;

	for (size_t i = 0; i < COUNT(access_rows); i++)
		if ((access & access_rows[i].dev) != 0)
			bits |= access_rows[i].bpf;
	return bits;
}

static int bpf_type(char type)
{
	return type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
}

/* --- made --- */

static void add(struct arena *mem, struct devprog *p, struct bpf_insn insn)
{
	*vec_add(mem, &p->code) = insn;
}

static void add_alu(struct arena *mem, struct devprog *p, int op, int to,
		    int value)
{
	add(mem, p,
	    (struct bpf_insn){ .code = (__u8)(BPF_ALU64 | op | BPF_K),
			       .dst_reg = (unsigned)to & 0xf,
			       .imm = value });
}

static void copy(struct arena *mem, struct devprog *p, int to, int from)
{
	add(mem, p,
	    (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
			       .dst_reg = (unsigned)to & 0xf,
			       .src_reg = (unsigned)from & 0xf });
}

static void load(struct arena *mem, struct devprog *p, int to, int field)
{
	add(mem, p,
	    (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
			       .dst_reg = (unsigned)to & 0xf,
			       .src_reg = CTX,
			       .off = (__s16)field });
}

static void answer(struct arena *mem, struct devprog *p, bool allow)
{
	add_alu(mem, p, BPF_MOV, ANSWER, allow);
	add(mem, p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* Jumps of a rule lead behind it; how far is known at its end. */
static void jump(struct arena *mem, struct devprog *p, int op, int reg,
		 uint32_t value)
{
	add(mem, p,
	    (struct bpf_insn){ .code = (__u8)(BPF_JMP32 | op | BPF_K),
			       .dst_reg = (unsigned)reg & 0xf,
			       .imm = (int)value });
}

static void add_rule(struct arena *mem, struct devprog *p,
		     const struct devrule *r, bool allow)
{
	const int bits = (int)bpf_access(r->access);
	const size_t start = p->code.n;

	if (r->type != 'a')
		jump(mem, p, BPF_JNE, TYPE, (uint32_t)bpf_type(r->type));
	if (!r->any_major)
		jump(mem, p, BPF_JNE, MAJOR, r->major);
	if (!r->any_minor)
		jump(mem, p, BPF_JNE, MINOR, r->minor);
	if (!allow || r->access != DEV_RWM) {
		copy(mem, p, WORK, ACCESS);
		add_alu(mem, p, BPF_AND, WORK, allow ? 7 & ~bits : bits);
		jump(mem, p, allow ? BPF_JNE : BPF_JEQ, WORK, 0);
	}
	answer(mem, p, allow);
	for (size_t i = start; i < p->code.n; i++) {
		struct bpf_insn *insn = &p->code.v[i];

		if (BPF_CLASS(insn->code) == BPF_JMP32)
			insn->off = (__s16)(p->code.n - i - 1);
	}
}

void devprog_make(const struct devprog_rules *rules, struct arena *mem,
		  struct devprog *ret)
{
	struct devprog p = { 0 };

	load(mem, &p, TYPE, CTX_ACCESS);
	copy(mem, &p, ACCESS, TYPE);
	add_alu(mem, &p, BPF_AND, TYPE, 0xffff);
	add_alu(mem, &p, BPF_RSH, ACCESS, 16);
	load(mem, &p, MAJOR, CTX_MAJOR);
	load(mem, &p, MINOR, CTX_MINOR);
	for (size_t i = 0; i < rules->list.n; i++)
		add_rule(mem, &p, &rules->list.v[i], !rules->any);
	answer(mem, &p, rules->any);
	*ret = p;
}

/* --- run here --- */

enum { REGISTERS = 11, STEPS_MAX = 1 << 20 };

struct machine {
	uint64_t r[REGISTERS];
	uint32_t ctx[CTX_SIZE / 4];
};

static int strange(const struct bpf_insn *i, struct err *e)
{
	return err_set(e, 0, "a device program with code 0x%02x is not read",
		       (unsigned)i->code);
}

static bool alu(int op, uint64_t a, uint64_t b, unsigned bits, uint64_t *ret)
{
	switch (op) {
	case BPF_ADD:
		*ret = a + b;
		return true;
	case BPF_SUB:
		*ret = a - b;
		return true;
	case BPF_OR:
		*ret = a | b;
		return true;
	case BPF_AND:
		*ret = a & b;
		return true;
	case BPF_XOR:
		*ret = a ^ b;
		return true;
	case BPF_LSH:
		*ret = a << (b & (bits - 1));
		return true;
	case BPF_RSH:
		*ret = a >> (b & (bits - 1));
		return true;
	case BPF_MOV:
		*ret = b;
		return true;
	default:
		return false;
	}
}

static bool jumps(int op, uint64_t a, uint64_t b, bool *ret)
{
	switch (op) {
	case BPF_JA:
		*ret = true;
		return true;
	case BPF_JEQ:
		*ret = a == b;
		return true;
	case BPF_JNE:
		*ret = a != b;
		return true;
	case BPF_JGT:
		*ret = a > b;
		return true;
	case BPF_JGE:
		*ret = a >= b;
		return true;
	case BPF_JLT:
		*ret = a < b;
		return true;
	case BPF_JLE:
		*ret = a <= b;
		return true;
	case BPF_JSET:
		*ret = (a & b) != 0;
		return true;
	default:
		return false;
	}
}

/* A field of the context, or a half of one. Register R1 holds no number. */
static int load_ctx(struct machine *m, const struct bpf_insn *i, struct err *e)
{
	const unsigned size = BPF_SIZE(i->code) == BPF_W ? 4 :
			      BPF_SIZE(i->code) == BPF_H ? 2 :
							   1;
	uint64_t value = 0;

	if (BPF_MODE(i->code) != BPF_MEM || BPF_SIZE(i->code) == BPF_DW ||
	    i->src_reg >= REGISTERS || i->dst_reg >= REGISTERS ||
	    m->r[i->src_reg] != 0 || i->off < 0 ||
	    (unsigned)i->off + size > CTX_SIZE)
		return strange(i, e);
	memcpy(&value, (const char *)m->ctx + i->off, size);
	m->r[i->dst_reg] = value;
	return 0;
}

/* One step; *ret_at is the next one, *ret_end the end. */
static int step(struct machine *m, const struct bpf_insn *i, size_t *at,
		bool *ret_end, struct err *e)
{
	const int class = BPF_CLASS(i->code);
	const bool narrow = class == BPF_ALU || class == BPF_JMP32;
	uint64_t a, b;
	bool jump;

	if (i->dst_reg >= REGISTERS || i->src_reg >= REGISTERS)
		return strange(i, e);
	if (i->code == (BPF_JMP | BPF_EXIT)) {
		*ret_end = true;
		return 0;
	}
	if (class == BPF_LDX)
		return load_ctx(m, i, e);
	a = m->r[i->dst_reg];
	b = BPF_SRC(i->code) == BPF_X ? m->r[i->src_reg] :
					(uint64_t)(int64_t)i->imm;
	if (narrow) {
		a &= UINT32_MAX;
		b &= UINT32_MAX;
	}
	if (class == BPF_ALU || class == BPF_ALU64) {
		if (!alu(BPF_OP(i->code), a, b, narrow ? 32 : 64, &a))
			return strange(i, e);
		m->r[i->dst_reg] = narrow ? a & UINT32_MAX : a;
		return 0;
	}
	if ((class != BPF_JMP && class != BPF_JMP32) ||
	    !jumps(BPF_OP(i->code), a, b, &jump))
		return strange(i, e);
	if (jump)
		*at = (size_t)((ssize_t)*at + i->off);
	return 0;
}

int devprog_run(const struct devprog *prog, const struct devrule *device,
		bool *ret, struct err *e)
{
	struct machine m = { .ctx = { bpf_access(device->access) << 16 |
					      (uint32_t)bpf_type(device->type),
				      device->major, device->minor } };
	bool end = false;
	size_t at = 0;

	for (unsigned n = 0; n < STEPS_MAX; n++) {
		const struct bpf_insn *i;

		if (at >= prog->code.n)
			return err_set(e, 0, "a device program has no end");
		i = &prog->code.v[at++];
		if (step(&m, i, &at, &end, e) < 0)
			return -1;
		if (end) {
			*ret = m.r[0] != 0;
			return 0;
		}
	}
	return err_set(e, 0, "a device program does not end");
}

/* --- read --- */

int devprog_access(const struct devprog_list *progs,
		   const struct devrule *device, unsigned *ret, struct err *e)
{
	unsigned all = 0;

	for (size_t bit = 0; bit < COUNT(access_rows); bit++) {
		struct devrule one = *device;
		bool allowed = true;

		one.access = access_rows[bit].dev;
		for (size_t i = 0; allowed && i < progs->list.n; i++)
			if (devprog_run(&progs->list.v[i], &one, &allowed, e) <
			    0)
				return -1;
		all |= allowed ? one.access : 0;
	}
	*ret = all;
	return 0;
}

struct numbers {
	VEC(uint32_t) list; /* the first one stands for all not named */
};

static void add_number(struct arena *mem, struct numbers *n, uint32_t value)
{
	for (size_t i = 0; i < n->list.n; i++)
		if (n->list.v[i] == value)
			return;
	*vec_add(mem, &n->list) = value;
}

/*
 * Numbers that the programs compare with tell devices apart; what else they
 * do with a number has to be seen on its neighbours.
 */
static void find_numbers(const struct devprog_list *progs, struct arena *mem,
			 struct numbers *ret)
{
	enum { UNNAMED = 0xabcde };

	add_number(mem, ret, UNNAMED);
	for (size_t i = 0; i < progs->list.n; i++) {
		const struct devprog *p = &progs->list.v[i];

		for (size_t k = 0; k < p->code.n; k++) {
			const struct bpf_insn *insn = &p->code.v[k];
			const int class = BPF_CLASS(insn->code);

			if ((class == BPF_JMP || class == BPF_JMP32) &&
			    BPF_SRC(insn->code) == BPF_K)
				add_number(mem, ret, (uint32_t)insn->imm);
		}
	}
}

static void add_found(struct devprog_rules *r, struct arena *mem,
		      struct devrule rule, unsigned access, unsigned covered)
{
	if (access == 0 || access == covered)
		return;
	rule.access = access;
	*vec_add(mem, &r->list) = rule;
}

struct finder {
	const struct devprog_list *progs;
	const struct numbers *numbers;
	struct arena *mem;
	struct devprog_rules *rules;
	char type;
};

static int ask(const struct finder *f, size_t major, size_t minor,
	       struct devrule *ret_rule, unsigned *ret, struct err *e)
{
	*ret_rule = (struct devrule){
		.type = f->type,
		.any_major = major == 0,
		.any_minor = minor == 0,
		.major = f->numbers->list.v[major],
		.minor = f->numbers->list.v[minor],
	};
	return devprog_access(f->progs, ret_rule, ret, e);
}

/* A minor number of any device, and all the devices of a major one. */
static int find_majors(const struct finder *f, unsigned star, struct err *e)
{
	const size_t n = f->numbers->list.n;
	struct devrule rule;
	unsigned of_major, of_minor, access;

	for (size_t a = 1; a < n; a++) {
		if (ask(f, 0, a, &rule, &access, e) < 0)
			return -1;
		add_found(f->rules, f->mem, rule, access, star);
	}
	for (size_t a = 1; a < n; a++) {
		if (ask(f, a, 0, &rule, &of_major, e) < 0)
			return -1;
		add_found(f->rules, f->mem, rule, of_major, star);
		for (size_t b = 1; b < n; b++) {
			if (ask(f, 0, b, &rule, &of_minor, e) < 0 ||
			    ask(f, a, b, &rule, &access, e) < 0)
				return -1;
			add_found(f->rules, f->mem, rule, access,
				  of_major | of_minor);
		}
	}
	return 0;
}

int devprog_rules(const struct devprog_list *progs, struct arena *mem,
		  struct devprog_rules *ret, struct err *e)
{
	struct devprog_rules rules = { 0 };
	struct numbers numbers = { 0 };
	struct finder f = {
		.progs = progs, .numbers = &numbers, .mem = mem, .rules = &rules
	};
	unsigned of_type[2] = { 0, 0 };

	find_numbers(progs, mem, &numbers);
	for (size_t i = 0; i < COUNT(of_type); i++) {
		struct devrule rule;

		f.type = "bc"[i];
		if (ask(&f, 0, 0, &rule, &of_type[i], e) < 0)
			return -1;
		add_found(&rules, mem, rule, of_type[i], 0);
		if (find_majors(&f, of_type[i], e) < 0)
			return -1;
	}
	rules.any = of_type[0] == DEV_RWM && of_type[1] == DEV_RWM;
	*ret = rules;
	return 0;
}
