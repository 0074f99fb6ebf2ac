/* What the guest's first process does to itself before it is pid 1. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"
#include "runtime/inner.h"
#include "runtime/run.h"

int inner_hostname(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	if (sethostname(op->a, strlen(op->a)) < 0)
		return err_set(e, errno, "sethostname");
	return 0;
}

int inner_domain(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	if (setdomainname(op->a, strlen(op->a)) < 0)
		return err_set(e, errno, "setdomainname");
	return 0;
}

/* It is in its groups by now: they become the root of what it sees. */
int inner_cgroup_ns(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	(void)op;
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_set(e, errno, "unshare");
	return 0;
}

/* a: "net.ipv4.ip_forward", b: its value. */
int inner_sysctl(struct run *r, const struct op *op, struct err *e)
{
	char *path = arena_printf(r->mem, "/proc/sys/%s", op->a);

	for (char *c = path + strlen("/proc/sys/"); *c != '\0'; c++) {
		if (*c == '.')
			*c = '/';
		else if (*c == '/')
			*c = '.'; /* as in sysctl(8): eth0/100 */
	}
	return run_write(path, op->b, e);
}

int inner_oom(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	return run_write("/proc/self/oom_score_adj", op->a, e);
}

int inner_nice(struct run *r, const struct op *op, struct err *e)
{
	int64_t n;

	(void)r;
	if (num_i64(op->a, &n, e) < 0)
		return -1;
	if (setpriority(PRIO_PROCESS, 0, (int)n) < 0)
		return err_set(e, errno, "setpriority");
	return 0;
}

static int rlimit_value(const char *text, rlim_t *ret, struct err *e)
{
	uint64_t n;

	if (str_eq(text, "unlimited")) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (num_u64(text, &n, e) < 0)
		return -1;
	*ret = (rlim_t)n;
	return 0;
}

/* a: name, b: its number, c: soft, d: hard. */
int inner_rlimit(struct run *r, const struct op *op, struct err *e)
{
	struct rlimit limit;
	uint64_t number;

	(void)r;
	if (num_u64(op->b, &number, e) < 0 ||
	    rlimit_value(op->c, &limit.rlim_cur, e) < 0 ||
	    rlimit_value(op->d, &limit.rlim_max, e) < 0)
		return -1;
	if (limit.rlim_cur > limit.rlim_max)
		return err_set(e, EINVAL, "soft limit above the hard one");
	if (setrlimit((__rlimit_resource_t)number, &limit) < 0)
		return err_set(e, errno, "setrlimit");
	return 0;
}

int inner_personality(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	(void)op;
	if (personality(PER_LINUX32) < 0)
		return err_set(e, errno, "personality");
	return 0;
}

/* a: module, b: profile. Takes effect at the exec. */
int inner_label(struct run *r, const struct op *op, struct err *e)
{
	const bool apparmor = str_eq(op->a, "apparmor");

	return run_write(
		apparmor ? "/proc/self/attr/apparmor/exec" :
			   "/proc/self/attr/exec",
		apparmor ? arena_printf(r->mem, "exec %s", op->b) : op->b, e);
}

int inner_label_of(int proc, pid_t pid, char ret[INNER_LABEL_MAX],
		   struct err *e)
{
	char path[64];
	int fd CLEANUP(fd_closep) = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/attr/apparmor/current", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, INNER_LABEL_MAX - 1);
	if (n < 0)
		return err_set(e, errno, "read the label of process %d",
			       (int)pid);
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (str_eq(ret, "unconfined"))
		ret[0] = '\0';
	else if (strrchr(ret, '(') != NULL && strrchr(ret, '(') > ret)
		strrchr(ret, '(')[-1] = '\0'; /* "PROFILE (MODE)" */
	return 0;
}

int inner_take_label(int proc, const char *label, struct err *e)
{
	char text[INNER_LABEL_MAX + 16];
	int fd CLEANUP(fd_closep) = openat(proc, "self/attr/apparmor/current",
					   O_WRONLY | O_CLOEXEC);

	snprintf(text, sizeof(text), "changeprofile %s", label);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_set(e, errno, "take the label %s", label);
	return 0;
}

int inner_env(struct run *r, const struct op *op, struct err *e)
{
	(void)e;
	strv_add(r->mem, &r->env, arena_printf(r->mem, "%s=%s", op->a, op->b));
	return 0;
}

/* The terminal on 0, 1, 2, and that of the session that pid 1 leads. */
static int take_terminal(struct run *r, struct err *e)
{
	setsid();
	if (ioctl(r->terminal, TIOCSCTTY, 0) < 0)
		return err_set(e, errno, "take the console");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(r->terminal, fd) < 0)
			return err_set(e, errno, "dup2");
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < _NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* strv holds const char *; the vectors of execve do not change them. */
static char **vector(struct arena *mem, const struct strv *v)
{
	char **copy = arena_alloc(mem, (v->n + 1) * sizeof(*copy));

	for (size_t i = 0; i < v->n; i++)
		copy[i] = arena_strdup(mem, v->v[i]);
	return copy;
}

/* keyrings(7): else the guest has the keys of who runs rehost. */
int inner_keyring(struct err *e)
{
	enum { JOIN_SESSION_KEYRING = 1 };

	if (syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS && errno != EPERM)
		return err_set(e, errno, "make a keyring for the session");
	return 0;
}

int inner_exec(struct run *r, const struct op *op, struct err *e)
{
	const struct strv words = strv_split(r->mem, op->a, " \t");
	char **argv = vector(r->mem, &words);
	char **env = vector(r->mem, &r->env);

	if (words.n == 0)
		return err_set(e, EINVAL, "no command");
	if (take_terminal(r, e) < 0)
		return -1;
	if (inner_keyring(e) < 0)
		return -1;
	reset_signals();
	umask(022);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	/* last: what changes credentials clears it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execve(argv[0], argv, env);
	return err_set(e, errno, "execve");
}
