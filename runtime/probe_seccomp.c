/*
 * The system call filter of pid 1: its programs are read back with ptrace(2),
 * and asked for every call what they would do, beside the program that the
 * planned profile makes. Names of profiles do not show in a process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/caps.h"
#include "runtime/probe.h"

/* Of every architecture's table the part that kernels use; values asked for. */
enum { CALLS = 512, PROGRAM_MAX = 4096, ARGUMENTS = 5 };
static const uint64_t arguments[ARGUMENTS] = { 0, 1, 2, 4, 8 };

struct program {
	const struct sock_filter *code;
	size_t n;
};

struct programs {
	VEC(struct program) list;
};

/* --- reading --- */

/* In a child, which is the tracer: pid 1 goes on when it ends. */
static NORETURN void trace(pid_t pid, int out)
{
	struct sock_filter code[PROGRAM_MAX];
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(5);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 ||
	    waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
		_exit(1);
	for (unsigned long i = 0;; i++) {
		const long n = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, i, NULL);
		uint32_t count = (uint32_t)n;

		if (n < 0 && errno == ENOENT)
			_exit(0);
		if (n <= 0 || n > PROGRAM_MAX ||
		    ptrace(PTRACE_SECCOMP_GET_FILTER, pid, i, code) < 0 ||
		    write(out, &count, sizeof(count)) < 0 ||
		    write(out, code, count * sizeof(*code)) < 0)
			_exit(1);
	}
}

/* uint32_t count and the instructions, in turn. */
static int cut(struct arena *mem, const struct buf *b, struct programs *ret,
	       struct err *e)
{
	size_t at = 0;
	uint32_t n;

	while (at + sizeof(n) <= b->n) {
		memcpy(&n, b->p + at, sizeof(n));
		at += sizeof(n);
		if (n > (b->n - at) / sizeof(struct sock_filter))
			return err_set(e, 0, "a filter was cut off");
		*vec_add(mem, &ret->list) = (struct program){
			.code = arena_memdup(mem, b->p + at,
					     n * sizeof(struct sock_filter)),
			.n = n,
		};
		at += n * sizeof(struct sock_filter);
	}
	return 0;
}

static int read_all(int fd, struct buf *ret)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(ret, chunk, (size_t)n);
	return (int)n;
}

static int read_back(struct probe *p, struct programs *ret, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		trace(p->subject->init, out[1]);
	close(out[1]);
	read_all(out[0], &b);
	close(out[0]);
	if (pid < 0)
		return err_set(e, errno, "fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for a child");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, 0,
			       "a filter is there; this host does not let it "
			       "be read back");
	return cut(p->mem, &b, ret, e);
}

/* --- asking --- */

static uint32_t load(const struct seccomp_data *d, uint32_t at)
{
	uint32_t word = 0;

	if (at <= sizeof(*d) - sizeof(word))
		memcpy(&word, (const char *)d + at, sizeof(word));
	return word;
}

static uint32_t arith(uint16_t code, uint32_t a, uint32_t v)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + v;
	case BPF_SUB:
		return a - v;
	case BPF_MUL:
		return a * v;
	case BPF_AND:
		return a & v;
	case BPF_OR:
		return a | v;
	case BPF_XOR:
		return a ^ v;
	case BPF_LSH:
		return v < 32 ? a << v : 0;
	case BPF_RSH:
		return v < 32 ? a >> v : 0;
	case BPF_DIV:
		return v != 0 ? a / v : 0;
	default: /* BPF_NEG */
		return -a;
	}
}

static bool jumps(uint16_t code, uint32_t a, uint32_t v)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == v;
	case BPF_JGT:
		return a > v;
	case BPF_JGE:
		return a >= v;
	default: /* BPF_JSET */
		return (a & v) != 0;
	}
}

struct machine {
	uint32_t a, x, mem[BPF_MEMWORDS];
};

/* One instruction that is neither a jump nor the end. */
static void step(struct machine *m, const struct sock_filter *f,
		 const struct seccomp_data *d)
{
	const uint32_t slot = f->k % BPF_MEMWORDS;
	uint32_t v = f->k;

	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(f->code) == BPF_ABS)
			v = load(d, f->k);
		else if (BPF_MODE(f->code) == BPF_MEM)
			v = m->mem[slot];
		else if (BPF_MODE(f->code) == BPF_LEN)
			v = sizeof(*d);
		*(BPF_CLASS(f->code) == BPF_LD ? &m->a : &m->x) = v;
		break;
	case BPF_ST:
		m->mem[slot] = m->a;
		break;
	case BPF_STX:
		m->mem[slot] = m->x;
		break;
	case BPF_ALU:
		v = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
		m->a = arith(f->code, m->a, v);
		break;
	default: /* BPF_MISC */
		if (BPF_MISCOP(f->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
	}
}

/* What the program returns; seccomp's own checker let only such ones in. */
static uint32_t run_program(const struct program *p,
			    const struct seccomp_data *d)
{
	struct machine m = { 0 };

	for (size_t at = 0; at < p->n; at++) {
		const struct sock_filter *f = &p->code[at];

		if (BPF_CLASS(f->code) == BPF_RET)
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		if (BPF_CLASS(f->code) != BPF_JMP) {
			step(&m, f, d);
		} else if (BPF_OP(f->code) == BPF_JA) {
			at += f->k;
		} else {
			const uint32_t v = BPF_SRC(f->code) == BPF_X ? m.x :
								       f->k;

			at += jumps(f->code, m.a, v) ? f->jt : f->jf;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* Of several programs the strictest counts: the kernel compares as signed. */
static uint32_t decide(const struct programs *all, int nr, uint64_t argument)
{
	const struct seccomp_data d = {
		.nr = nr,
		.arch = seccomp_arch_native(),
		.args = { argument, argument, argument, argument, argument,
			  argument },
	};
	uint32_t ret = SECCOMP_RET_ALLOW;

	for (size_t i = 0; i < all->list.n; i++) {
		const uint32_t now = run_program(&all->list.v[i], &d);

		if ((int32_t)(now & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(ret & SECCOMP_RET_ACTION_FULL))
			ret = now;
	}
	return ret;
}

static bool same(const struct programs *a, const struct programs *b)
{
	for (int nr = 0; nr < CALLS; nr++)
		for (size_t i = 0; i < ARGUMENTS; i++)
			if (decide(a, nr, arguments[i]) !=
			    decide(b, nr, arguments[i]))
				return false;
	return true;
}

/* "a filter that refuses bpf, reboot ...", the first of them. */
static const char *describe(struct probe *p, const struct programs *all)
{
	enum { SHOWN = 8 };
	struct strv names = { 0 };

	for (int nr = 0; nr < CALLS && names.n < SHOWN; nr++) {
		bool refused = false;
		char *name;

		for (size_t i = 0; i < ARGUMENTS; i++)
			refused |= decide(all, nr, arguments[i]) !=
				   SECCOMP_RET_ALLOW;
		name = refused ? seccomp_syscall_resolve_num_arch(
					 seccomp_arch_native(), nr) :
				 NULL;
		if (name != NULL)
			strv_add(p->mem, &names, arena_strdup(p->mem, name));
		free(name); /* libseccomp's */
	}
	if (names.n == 0)
		return "a filter that refuses nothing";
	return arena_printf(p->mem, "a filter that refuses %s%s",
			    strv_join(p->mem, &names, ", "),
			    names.n == SHOWN ? " ..." : "");
}

/* --- the plan's --- */

static int planned_program(struct probe *p, const char *name,
			   struct programs *ret, struct err *e)
{
	int fd CLEANUP(fd_closep) = memfd_create("rehost", MFD_CLOEXEC);
	struct buf b CLEANUP(buf_done) = { 0 };

	if (fd < 0)
		return err_set(e, errno, "memfd_create");
	if (caps_export(name, fd, e) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0 || read_all(fd, &b) < 0)
		return err_set(e, errno, "read the planned filter");
	*vec_add(p->mem, &ret->list) = (struct program){
		.code = arena_memdup(p->mem, b.p, b.n),
		.n = b.n / sizeof(struct sock_filter),
	};
	return 0;
}

static int filtered(struct probe *p, const char *planned, struct err *e)
{
	const char *name = planned == NULL ? NULL : caps_filter_name(planned);
	struct programs seen = { 0 }, want = { 0 };
	const char *value;

	if (read_back(p, &seen, e) < 0 ||
	    (name != NULL && planned_program(p, name, &want, e) < 0))
		return -1;
	value = name != NULL && same(&seen, &want) ? planned :
						     describe(p, &seen);
	probe_add(p, FIELD_SECCOMP, "", value);
	return 0;
}

int probe_seccomp(struct probe *p, struct err *e)
{
	const char *text, *mode;
	size_t n;

	if (probe_proc(p, "status", &text, &n, e) < 0)
		return -1;
	mode = probe_line(p, text, "Seccomp");
	if (mode == NULL)
		return err_set(e, 0, "/proc/PID/status has no Seccomp");
	if (!str_eq(mode, "0"))
		return filtered(
			p, policy_get(p->package->planned, FIELD_SECCOMP, ""),
			e);
	probe_add(p, FIELD_SECCOMP, "", "none");
	return 0;
}
