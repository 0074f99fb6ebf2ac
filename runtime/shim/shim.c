/* Pid 1: starts, reaps, waits for the signal to stop, stops, ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "runtime/shim/shim.h"

static const char conf_path[] = "/etc/rehost-init.conf";

enum { NO_PROGRAM = 127, LAST_WAIT = 5 /* seconds after SIGKILL */ };

/* Children that are waited for by name; the others are only reaped. */
struct shim {
	pid_t start, stop; /* 0: not running */
	bool empty;        /* no child is left */
};

static const char *name_of(int signal)
{
	const char *name = sigabbrev_np(signal);

	return name != NULL ? name : "RTMIN+3";
}

static void ended(const char *what, int status)
{
	if (WIFSIGNALED(status))
		shim_log("%s: killed by SIG%s", what,
			 name_of(WTERMSIG(status)));
	else
		shim_log("%s: ended with %d", what, WEXITSTATUS(status));
}

static void reap(struct shim *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->start) {
			ended("start", status);
			s->start = 0;
		} else if (pid == s->stop) {
			ended("stop", status);
			s->stop = 0;
		}
	}
	s->empty = pid < 0 && errno == ECHILD;
}

/* What the children need and nobody said. */
static void complete(struct shim_list *env)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			     "/usr/bin:/sbin:/bin";
	static char term[] = "TERM=linux";
	char *inherited = getenv("container");
	bool has_path = false, has_term = false, has_container = false;

	for (size_t i = 0; i < env->n; i++) {
		has_path |= strncmp(env->v[i], "PATH=", 5) == 0;
		has_term |= strncmp(env->v[i], "TERM=", 5) == 0;
		has_container |= strncmp(env->v[i], "container=", 10) == 0;
	}
	if (!has_path)
		env->v[env->n++] = path;
	if (!has_term)
		env->v[env->n++] = term;
	if (!has_container && inherited != NULL) /* the whole NAME=VALUE */
		env->v[env->n++] = inherited - strlen("container=");
}

/*
 * Without CAP_SYS_BOOT the stop command cannot end the guest before it is
 * through; its last script would otherwise ask for a restart where a halt was
 * meant. Where the bounding set may not be changed (CAP_SETPCAP), no program
 * that it runs gains what is dropped here.
 */
static void drop_boot(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0) == 0)
		return;
	if (syscall(SYS_capget, &head, caps) < 0)
		return;
	caps[0].effective &= ~(1U << CAP_SYS_BOOT);
	caps[0].permitted &= ~(1U << CAP_SYS_BOOT);
	caps[0].inheritable &= ~(1U << CAP_SYS_BOOT);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		syscall(SYS_capset, &head, caps);
}

/* In a session of its own: killall5 spares the session that it runs in. */
static void child(const struct shim_list *argv, const struct shim_list *env,
		  bool boots)
{
	sigset_t none;

	sigemptyset(&none);
	setsid();
	if (!boots)
		drop_boot();
	if (chdir("/") == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execvpe(argv->v[0], argv->v, env->v);
	shim_log("run %s: %s", argv->v[0], strerror(errno));
	_exit(NO_PROGRAM);
}

static pid_t run(const char *what, const struct shim_list *argv,
		 const struct shim_list *env, bool boots)
{
	pid_t pid;

	shim_log("%s: %s (%zu arguments)", what, argv->v[0], argv->n - 1);
	pid = fork();
	if (pid == 0)
		child(argv, env, boots);
	if (pid < 0)
		shim_log("%s: %s", what, strerror(errno));
	return pid < 0 ? 0 : pid;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reaps until the stop command (or, without one, everybody) has ended. */
static bool wait_end(struct shim *s, bool of_stop, unsigned seconds)
{
	const double end = now() + seconds;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		const double left = end - now();
		struct timespec t;

		reap(s);
		if (of_stop ? s->stop == 0 : s->empty)
			return true;
		if (left <= 0)
			return false;
		/* all of a namespace may die at once with one signal pending */
		t.tv_sec = left > 1 ? 1 : 0;
		t.tv_nsec = left > 1 ? 0 : (long)(left * 1e9);
		sigtimedwait(&set, NULL, &t);
	}
}

static void stop_command(struct shim *s, struct shim_conf *c)
{
	if (c->stop.n == 0)
		return;
	s->stop = run("stop", &c->stop,
		      c->stop_env.n != 0 ? &c->stop_env : &c->env, false);
	if (s->stop == 0 || wait_end(s, true, c->stop_timeout))
		return;
	shim_log("stop: still running after %u seconds: killed",
		 c->stop_timeout);
	kill(-s->stop, SIGKILL);
	kill(s->stop, SIGKILL);
	wait_end(s, true, LAST_WAIT);
}

static void kill_all(struct shim *s, const struct shim_conf *c)
{
	for (size_t i = 0; i < c->n_kills; i++) {
		reap(s);
		if (s->empty)
			return;
		shim_log("SIG%s to all, wait %u seconds",
			 name_of(c->kills[i].signal), c->kills[i].wait);
		kill(-1, c->kills[i].signal);
		wait_end(s, false, c->kills[i].wait);
	}
	reap(s);
	if (s->empty)
		return;
	shim_log("SIGKILL to all");
	kill(-1, SIGKILL);
	wait_end(s, false, LAST_WAIT);
}

/*
 * Of the pid namespace, which ends with it: the engine sees how. Where that is
 * not allowed the end of pid 1 is the end of the guest all the same.
 */
static void leave(bool again)
{
	shim_log(again ? "restart" : "power off");
	if (reboot(again ? RB_AUTOBOOT : RB_POWER_OFF) < 0)
		shim_log("reboot(2): %s: the guest ends", strerror(errno));
	exit(0);
}

static void stop(struct shim *s, struct shim_conf *c, bool again)
{
	stop_command(s, c);
	kill_all(s, c);
	leave(again);
}

static void stay(struct shim *s, struct shim_conf *c, const sigset_t *set)
{
	for (;;) {
		const int signal = sigwaitinfo(set, NULL);

		if (signal < 0)
			continue;
		if (signal != SIGCHLD) {
			shim_log("SIG%s", name_of(signal));
			stop(s, c, signal == SIGINT || signal == SIGHUP);
		}
		reap(s);
		if (s->empty && c->exit_when_empty) {
			shim_log("the last process has ended");
			leave(false);
		}
	}
}

/* Descriptors 0 to 2 are there, or the guest's files would take their place. */
static void open_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
}

static void wanted(sigset_t *set)
{
	const int signals[] = { SIGCHLD,      SIGPWR, SIGTERM,
				SIGRTMIN + 3, SIGINT, SIGHUP };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
	sigprocmask(SIG_SETMASK, set, NULL);
}

int main(void)
{
	static struct shim_conf conf; /* too large for a stack */
	struct shim s = { 0 };
	sigset_t set;

	open_standard();
	if (getpid() != 1) { /* reboot(2) would be the machine's */
		shim_log("is for pid 1 of a guest only");
		return 1;
	}
	wanted(&set);
	umask(022);
	if (!shim_conf_read(&conf, conf_path))
		return 1;
	complete(&conf.env);
	if (conf.stop_env.n != 0)
		complete(&conf.stop_env);
	shim_prepare(&conf);
	s.start = run("start", &conf.start, &conf.env, true);
	stay(&s, &conf, &set);
}
