/* Production guests. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/child.h"
#include "runtime/health.h"
#include "runtime/running.h"

/* What a child joins: nothing in which it could do anything to the guest. */
struct view {
	int pidfd;
	unsigned long personality;
};

static int join_view(const void *who, struct err *e)
{
	const struct view *v = who;

	if (setns(v->pidfd, CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
		return err_set(e, errno, "join the guest's network");
	/* for uname(2), which shows a 32-bit guest another machine */
	if (personality(v->personality) < 0)
		return err_set(e, errno, "take the guest's personality");
	return 0;
}

static int join_nothing(const void *who, struct err *e)
{
	(void)who;
	(void)e;
	return 0;
}

static int call_view(void *view, void (*fn)(int fd, const void *arg),
		     const void *arg, unsigned seconds, struct buf *ret,
		     struct err *e)
{
	const struct child_call c = {
		.join = join_view, .who = view, .fn = fn, .arg = arg
	};

	return child_call(&c, seconds, ret, e);
}

/* What is the lab elsewhere is the host here. */
static int call_host(void *view, void (*fn)(int fd, const void *arg),
		     const void *arg, unsigned seconds, struct buf *ret,
		     struct err *e)
{
	const struct child_call c = {
		.join = join_nothing, .who = view, .fn = fn, .arg = arg
	};

	return child_call(&c, seconds, ret, e);
}

/* Its pid may be another's by now: then the engine does not know it either. */
static int hold(const struct engine *engine, const struct verify_package *p,
		pid_t init, struct arena *mem, int *ret, struct err *e)
{
	int fd CLEANUP(fd_closep) = (int)syscall(SYS_pidfd_open, init, 0);
	pid_t again;

	if (fd < 0)
		return err_set(e, errno, "hold pid %d", (int)init);
	if (engine->find(p, mem, &again, e) < 0)
		return -1;
	if (again != init)
		return err_set(e, EAGAIN, "%s was started anew meanwhile",
			       p->name);
	*ret = fd;
	fd = -1;
	return 0;
}

static unsigned long personality_of(struct probe *p)
{
	const char *text;
	uint64_t n;
	struct err e;
	size_t size;

	if (probe_proc(p, "personality", &text, &size, &e) < 0 ||
	    num_u64_hex(slice_dup(p->mem,
				  slice_trim((struct slice){ text, size })),
			&n, &e) < 0)
		return 0;
	return (unsigned long)n;
}

/* Looks at what runs; -1 only for a list of ports that is none. */
static int look_at(struct probe *p, const struct look_options *o, struct err *e)
{
	const struct probe_subject *s = p->subject;
	struct view *view = s->engine;

	view->personality = personality_of(p);
	if (health_ports(p, look_ports(p->package, o), 0, e) < 0)
		return -1;
	probe_all(p);
	if (syscall(SYS_pidfd_send_signal, view->pidfd, 0, NULL, 0) < 0)
		p->seen->failed = "it ended while it was looked at";
	return 0;
}

int running_look(const struct verify_package *package,
		 const struct verify_baseline *record,
		 const struct look_options *o, struct arena *mem,
		 struct verify_run *ret, struct err *e)
{
	struct verify_package *own = arena_memdup(mem, package, sizeof(*own));
	int pidfd CLEANUP(fd_closep) = -1;
	struct view view = { 0 };
	struct probe_subject subject = { .call = call_view,
					 .lab = call_host,
					 .engine = &view };
	struct probe look = { .most = CLASS_PASSIVE,
			      .mem = mem,
			      .subject = &subject,
			      .package = own,
			      .seen = &ret->seen };
	struct verify_look looks[FIELD__MAX];
	struct policy *emitted;
	struct err why;

	engine_announce(o->engine, own, mem);
	*ret = (struct verify_run){ .package = own,
				    .engine = o->engine->name,
				    .baseline = record };
	if (look_restore(own, mem, &emitted, e) < 0 ||
	    o->engine->version(mem, &ret->engine_version, e) < 0)
		return -1;
	look.emitted = emitted;
	ret->seen.observed = policy_new(mem);
	probe_looks(looks);
	if (o->engine->find(own, mem, &subject.init, &why) < 0 ||
	    hold(o->engine, own, subject.init, mem, &pidfd, &why) < 0) {
		ret->seen.failed = arena_strdup(mem, why.msg);
	} else {
		view.pidfd = pidfd;
		if (look_at(&look, o, e) < 0)
			return -1;
	}
	verify_judge(own, &ret->seen, looks, mem, &ret->result);
	if (ret->seen.failed == NULL)
		verify_drift(record, own, &ret->result);
	return 0;
}
