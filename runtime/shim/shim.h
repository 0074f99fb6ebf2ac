/*
 * rehost-init: pid 1 of a guest whose old tools ran its start scripts without
 * an init. It is linked statically and put into the guest, so it uses nothing
 * but the C library and nothing of the rest of this tree.
 *
 * It reads /etc/rehost-init.conf, lines of KEY=VALUE; '#' starts a comment, a
 * key may come again, and then each line is one element of a list:
 *
 *	start=/etc/init.d/rc	command that starts it, an argument a line
 *	env=RUNLEVEL=3		its environment, whole but for PATH, TERM
 *				(where not set) and container
 *	stop=/etc/init.d/rc	command that stops it, likewise
 *	stop-env=RUNLEVEL=6	the environment of that; none: of start
 *	stop-timeout=30		seconds that it may take
 *	kill=SIGTERM		then: signal to all, seconds, signal ...
 *	clear=/var/run		before the start: but for directories, all
 *				in there goes
 *	utmp=/var/run/utmp	gets a record of the run level
 *	runlevel=3
 *	exit-when-empty=yes	ends when the last process has, as a
 *				context did
 *
 * Signals: SIGPWR, SIGTERM, SIGRTMIN+3 stop the guest, SIGINT and SIGHUP
 * restart it. Each step is a line on the console.
 */
#ifndef REHOST_RUNTIME_SHIM_SHIM_H
#define REHOST_RUNTIME_SHIM_SHIM_H

#include <stdbool.h>
#include <stddef.h>

enum {
	SHIM_ARGS = 128,      /* elements of one list */
	SHIM_FILE = 64 << 10, /* bytes of the configuration */
	SHIM_SECONDS = 86400, /* the longest wait that is believed */
};

struct shim_list {
	char *v[SHIM_ARGS + 4]; /* room for what is added, and NULL */
	size_t n;
};

struct shim_kill {
	int signal;
	unsigned wait; /* seconds after it */
};

struct shim_conf {
	char text[SHIM_FILE + 1]; /* what the lists point into */
	struct shim_list start, env, stop, stop_env, kill, clear;
	struct shim_kill kills[SHIM_ARGS]; /* made of kill */
	size_t n_kills;
	unsigned stop_timeout;
	char *utmp, *runlevel;
	bool exit_when_empty;
};

/* A line on the console; never blocks (shim_log.c). */
void shim_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Reads the file. A line that makes no sense is named and left out; false
 * when there is no file or nothing to start in it.
 */
bool shim_conf_read(struct shim_conf *c, const char *path);

/* What the old tool did on the host before a start (shim_prepare.c). */
void shim_prepare(const struct shim_conf *c);

#endif
