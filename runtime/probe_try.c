/*
 * What a process of the guest may do, tried. Each trial is made by a child of
 * its own and leaves nothing: what would change something names what is not
 * there, or sets what is set already. The plan says what must come out.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/probe.h"

/* --- the trials: 0, or why not as errno --- */

static int outcome(long rc)
{
	return rc < 0 ? errno : 0;
}

/* The node is removed at once; 1:3 is /dev/null. */
static int try_MKNOD(void)
{
	static const char *const places[] = { "/dev/.rehost", "/tmp/.rehost",
					      "/.rehost" };
	int why = EROFS;

	for (size_t i = 0; i < COUNT(places); i++) {
		why = outcome(mknod(places[i], S_IFCHR | 0600, makedev(1, 3)));
		if (why == 0)
			unlink(places[i]);
		if (why != EROFS && why != ENOENT)
			break;
	}
	return why;
}

static int try_CHROOT(void)
{
	return outcome(chroot("/"));
}

static int try_CHOWN(void)
{
	int fd CLEANUP(fd_closep) = memfd_create("rehost", MFD_CLOEXEC);

	return fd < 0 ? errno : outcome(fchown(fd, 1, 1));
}

static int try_SETUID(void)
{
	return outcome(setresuid(1, 1, 1));
}

static int try_SETGID(void)
{
	const gid_t one = 1;

	return outcome(setgroups(1, &one));
}

static int try_SETPCAP(void)
{
	return outcome(prctl(PR_CAPBSET_DROP, 0, 0, 0, 0));
}

static int try_NICE(void)
{
	errno = 0;
	return outcome(nice(-1) == -1 && errno != 0 ? -1 : 0);
}

/* The right is asked for before the words that must stand there. */
static int try_REBOOT(void)
{
	const int why = outcome(syscall(SYS_reboot, 0, 0, 0, NULL));

	return why == EINVAL ? 0 : why;
}

/* Neither a time nor a zone: the kernel asks for the right, and sets none. */
static int try_CLOCK(void)
{
	return outcome(syscall(SYS_settimeofday, NULL, NULL));
}

static int try_MODULE(void)
{
	const int why = outcome(
		syscall(SYS_delete_module, "rehost_no_such", O_NONBLOCK));

	return why == ENOENT ? 0 : why;
}

/* In mounts of the child's own, which end with it. */
static int try_MOUNT(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	return outcome(mount("none", "/proc", "tmpfs", 0, NULL));
}

static int try_HOSTNAME(void)
{
	char name[256];

	if (gethostname(name, sizeof(name)) < 0)
		return errno;
	return outcome(sethostname(name, strnlen(name, sizeof(name))));
}

static int opened(int fd)
{
	const int why = outcome(fd);

	if (fd >= 0)
		close(fd);
	return why;
}

static int try_RAW(void)
{
	return opened(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int try_PACKET(void)
{
	return opened(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* Somebody there already is no refusal. */
static int try_PORT(void)
{
	int fd CLEANUP(fd_closep) =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(1),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr any = { 0 };
	int why;

	memcpy(&any, &at, sizeof(at));
	why = fd < 0 ? errno : outcome(bind(fd, &any, sizeof(at)));
	return why == EADDRINUSE ? 0 : why;
}

/* The flags that the loopback has are set once more. */
static int try_NET_ADMIN(void)
{
	int fd CLEANUP(fd_closep) =
		socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return errno;
	return outcome(ioctl(fd, SIOCSIFFLAGS, &r));
}

static int try_MLOCK(void)
{
	const struct rlimit none = { 0, 0 };
	char page[1] = { 0 };

	if (setrlimit(RLIMIT_MEMLOCK, &none) < 0)
		return errno;
	return outcome(mlock(page, sizeof(page)));
}

static int try_RLIMIT(void)
{
	const struct rlimit less = { 1, 1 }, more = { 1, 2 };

	if (setrlimit(RLIMIT_CORE, &less) < 0)
		return errno;
	return outcome(setrlimit(RLIMIT_CORE, &more));
}

static int try_KERNEL_LOG(void)
{
	enum { READ_ALL = 3 }; /* syslog(2): reads, and clears nothing */
	char some[16];

	return outcome(klogctl(READ_ALL, some, sizeof(some)));
}

static int try_BPF(void)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY,
			     .key_size = 4,
			     .value_size = 4,
			     .max_entries = 1 };

	return opened((int)syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)));
}

/* Of all that runs on the first processor, not of the process alone. */
static int try_PERF(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE,
				     .size = sizeof(a),
				     .config = PERF_COUNT_SW_CPU_CLOCK,
				     .disabled = 1,
				     .exclude_kernel = 1,
				     .exclude_hv = 1 };

	return opened((int)syscall(SYS_perf_event_open, &a, -1, 0, -1,
				   PERF_FLAG_FD_CLOEXEC));
}

static int try_KEYS(void)
{
	enum { PROCESS_KEYRING = -2 }; /* keyrings(7): ends with the child */

	return outcome(syscall(SYS_add_key, "user", "rehost", "x", 1,
			       PROCESS_KEYRING));
}

static int try_USERNS(void)
{
	return outcome(unshare(CLONE_NEWUSER));
}

/* --- what the plan and the host make of it --- */

/* Who may, beside what the row's capabilities say. */
enum rule { RULE_CAPS, RULE_ANYBODY, RULE_NOBODY };

static bool planned_is(struct probe *p, enum field_id field, const char *value)
{
	return str_eq(policy_get(p->package->planned, field, ""), value);
}

/* Whether a number of the host's /proc/sys is from..to; no file: it is not. */
static bool in_range(struct probe *p, const char *name, int64_t from,
		     int64_t to)
{
	const char *text;
	struct err e;
	int64_t n;
	size_t size;

	if (probe_read(p, arena_printf(p->mem, "/proc/sys/%s", name), &text,
		       &size, &e) < 0)
		return false;
	text = arena_strndup(p->mem, text, strcspn(text, "\n"));
	return num_i64(text, &n, &e) == 0 && n >= from && n <= to;
}

static enum rule rule_caps(struct probe *p)
{
	(void)p;
	return RULE_CAPS;
}

static enum rule rule_anybody(struct probe *p)
{
	(void)p;
	return RULE_ANYBODY;
}

static enum rule anybody_if(bool open)
{
	return open ? RULE_ANYBODY : RULE_CAPS;
}

static enum rule rule_low_ports(struct probe *p)
{
	const char *first = policy_get(p->package->planned, FIELD_SYSCTL_VALUE,
				       "net.ipv4.ip_unprivileged_port_start");
	uint64_t n;
	struct err e;

	return anybody_if(first != NULL && num_u64(first, &n, &e) == 0 &&
			  n <= 1);
}

/* getrlimit(2): the level may rise to 20 less the limit. */
static enum rule rule_nice(struct probe *p)
{
	const char *soft =
		policy_get(p->package->planned, FIELD_RLIMIT_SOFT, "nice");
	uint64_t n;
	struct err e;

	return anybody_if(soft != NULL &&
			  (str_eq(soft, "unlimited") ||
			   (num_u64(soft, &n, &e) == 0 && n > 20)));
}

static enum rule rule_kernel_log(struct probe *p)
{
	return anybody_if(in_range(p, "kernel/dmesg_restrict", 0, 0));
}

static enum rule rule_bpf(struct probe *p)
{
	return anybody_if(
		in_range(p, "kernel/unprivileged_bpf_disabled", 0, 0));
}

static enum rule rule_perf(struct probe *p)
{
	return anybody_if(
		in_range(p, "kernel/perf_event_paranoid", INT64_MIN, 0));
}

/* Debian's kernels have a switch of their own beside the number. */
static enum rule rule_user_namespaces(struct probe *p)
{
	return in_range(p, "user/max_user_namespaces", 1, INT64_MAX) &&
			       !in_range(p, "kernel/unprivileged_userns_clone",
					 0, 0) ?
		       RULE_ANYBODY :
		       RULE_NOBODY;
}

/* A node that the list does not let make is refused whatever the right. */
static enum rule rule_devices(struct probe *p)
{
	static const char *const ids[] = { "c 1:3", "c 1:*", "c *:*" };
	const struct policy *planned = p->package->planned;

	if (!planned_is(p, FIELD_DEVICE_POLICY, "list"))
		return RULE_CAPS;
	for (size_t i = 0; i < COUNT(ids); i++) {
		const char *access =
			policy_get(planned, FIELD_DEVICE_ACCESS, ids[i]);

		if (access != NULL && strchr(access, 'm') != NULL)
			return RULE_CAPS;
	}
	return RULE_NOBODY;
}

enum reach { REACH_OWN, REACH_HOST };

static const struct trial {
	const char *item, *caps;
	enum area area;
	enum reach reach;
	int (*try)(void);
	enum rule (*allowed)(struct probe *p);
} trials[] = {
#define TRY(id, area_, reach_, caps_, who_, item_)                             \
	{ .item = (item_),                                                     \
	  .caps = (caps_),                                                     \
	  .area = AREA_##area_,                                                \
	  .reach = REACH_##reach_,                                             \
	  .try = try_##id,                                                     \
	  .allowed = rule_##who_ },
#include "runtime/probe_try.def"
#undef TRY
};

static int in_child(const struct trial *t)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(t->try());
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* a filter may kill where others refuse */
	return WTERMSIG(status) == SIGSYS ? EPERM : EFAULT;
}

/* The outcome of each, a line. */
static void in_trials(int fd, const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT(trials); i++)
		dprintf(fd, "%d\n", in_child(&trials[i]));
}

/* Why a capability that the plan has was not given; NULL: it was. */
static const char *withheld(struct probe *p, const struct trial *t)
{
	const struct strv caps = strv_split(p->mem, t->caps, " ");

	for (size_t i = 0; i < p->seen->unseen.n; i++) {
		const struct verify_unseen *u = &p->seen->unseen.v[i];

		if (u->field == FIELD_CAPS && u->key != NULL &&
		    strv_has(&caps, u->key))
			return u->reason;
	}
	return NULL;
}

static bool expected(struct probe *p, const struct trial *t)
{
	const struct strv caps = strv_split(p->mem, t->caps, " ");
	const enum rule rule = t->allowed(p);
	bool has = false;

	if (rule != RULE_CAPS)
		return rule == RULE_ANYBODY;
	for (size_t i = 0; i < caps.n; i++)
		has |= policy_get(p->package->planned, FIELD_CAPS, caps.v[i]) !=
		       NULL;
	return has && !(t->reach == REACH_HOST &&
			planned_is(p, FIELD_NS_USER, "private"));
}

/* Which errno answers, and which only says that the trial could not be made. */
static const char *judge(int why, bool *ret_may)
{
	*ret_may = why == 0;
	if (why == 0 || why == EPERM || why == EACCES)
		return NULL;
	return why == ENOSYS ? "this kernel has no such call" :
			       "it could not be tried";
}

static struct verify_fact *add_trial(struct probe *p, const struct trial *t)
{
	struct verify_fact *f = vec_add(p->mem, &p->seen->facts);

	*f = (struct verify_fact){ .area = t->area,
				   .item = t->item,
				   .expected = expected(p, t) ? "yes" : "no",
				   .grants = true,
				   .probe = "trials" };
	return f;
}

static void see_trial(struct probe *p, const struct trial *t, int why)
{
	const char *label = policy_get(p->seen->observed, FIELD_LSM, "");
	struct verify_fact *f = add_trial(p, t);
	bool may;

	f->reason = judge(why, &may);
	f->observed = may ? "yes" : "no";
	if (f->reason == NULL && !may && str_eq(f->expected, "yes")) {
		f->reason = withheld(p, t);
		if (f->reason == NULL && label != NULL &&
		    !str_eq(label, "none"))
			f->reason = "refused, maybe by the security module";
	}
	f->optional = f->reason != NULL;
}

static void no_trials(struct probe *p, const char *why)
{
	for (size_t i = 0; i < COUNT(trials); i++)
		add_trial(p, &trials[i])->reason = why;
}

int probe_trials(struct probe *p, struct err *e)
{
	struct slice rest, line;
	const char *text;
	int64_t why;
	size_t n = 0;

	if (probe_inside(p, in_trials, NULL, &text, e) < 0) {
		no_trials(p, arena_strdup(p->mem, e->msg));
		return 0;
	}
	rest = (struct slice){ text, strlen(text) };
	while (n < COUNT(trials) && slice_next(&rest, '\n', &line) &&
	       num_i64(slice_dup(p->mem, line), &why, e) == 0)
		see_trial(p, &trials[n++], (int)why);
	return n == COUNT(trials) ? 0 :
				    err_set(e, 0, "trials inside were cut off");
}
