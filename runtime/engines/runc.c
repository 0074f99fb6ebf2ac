/*
 * runc: a bundle made from the policy, in the lab. Addresses are no matter of
 * the OCI: the lab attaches the created container before it is started, as
 * what calls runc elsewhere does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/proc.h"
#include "runtime/engine.h"
#include "runtime/engines/runc.h"
#include "runtime/probe.h"

/* 1.1 runs on hybrid hosts, and knows cgroup namespaces there */
enum { SINCE_MAJOR = 1, SINCE_MINOR = 1, CREATE_SECONDS = 60 };

/*
 * What runc does to every container, whatever config.json says: devices that
 * may be used, a home; and without a terminal, which it is not given here, it
 * has no console but the host's, which is not made.
 */
/* clang-format off */
static const struct engine_row rows[] = {
#define RULE(id, access) \
	{ FIELD_DEVICE_RULE, id, id, "DEV004", false }, \
	{ FIELD_DEVICE_ACCESS, id, access, "DEV004", false },
	RULE("c *:*", "m")
	RULE("b *:*", "m")
	RULE("c 1:3", "rwm")
	RULE("c 1:5", "rwm")
	RULE("c 1:7", "rwm")
	RULE("c 1:8", "rwm")
	RULE("c 1:9", "rwm")
	RULE("c 5:0", "rwm")
	RULE("c 5:2", "rwm")
	RULE("c 10:200", "rwm")
	RULE("c 136:*", "rwm")
#undef RULE
	{ FIELD_DEVICE_PATH, "c 5:1", NULL, "DEV004", false },
	{ FIELD_ENV_VALUE, "HOME", "/root", "INI024", true },
};
/* clang-format on */

static int version(struct arena *mem, const char **ret, struct err *e)
{
	static const char *const ask[] = { "runc", "--version", NULL };

	if (engine_ask_version(ask, mem, ret, e) < 0)
		return -1;
	return engine_since("runc", *ret, SINCE_MAJOR, SINCE_MINOR, e);
}

static int print(const struct engine_guest *g, struct buf *ret, struct err *e)
{
	struct buf config CLEANUP(buf_done) = { 0 };
	struct box *b;

	if (box_lab(g->policy, &g->options, g->mem, &b, e) < 0)
		return -1;
	runc_config(g->policy, b, g->mem, &config);
	box_lab_print(b, ret);
	buf_printf(ret, "write config.json %s", buf_str(&config));
	buf_printf(ret, "execute in the lab runc create %s\n", box_group(b));
	buf_printf(ret, "execute runc start %s\n", box_group(b));
	return 0;
}

/* runc with its own directory for states; the last of more is NULL. */
static char *const *words(const struct engine_guest *g,
			  const char *const more[])
{
	size_t n = 0;
	char **argv;

	while (more[n] != NULL)
		n++;
	argv = arena_alloc(g->mem, (n + 6) * sizeof(*argv));
	argv[0] = arena_strdup(g->mem, "runc");
	argv[1] = arena_strdup(g->mem, "--root");
	argv[2] = arena_strdup(g->mem, engine_file(g, "state"));
	argv[3] = arena_strdup(g->mem, "--log");
	argv[4] = arena_strdup(g->mem, engine_file(g, "log"));
	for (size_t i = 0; i < n; i++)
		argv[5 + i] = arena_strdup(g->mem, more[i]);
	return argv;
}

/* The last line that runc has logged: level and msg in it. */
static int say_log(const struct engine_guest *g, const char *what,
		   struct err *e)
{
	struct probe reader = { .mem = g->mem };
	struct slice rest, line;
	const char *text, *last = "";
	struct err bad;
	size_t n;

	if (probe_read(&reader, engine_file(g, "log"), &text, &n, &bad) == 0) {
		rest = (struct slice){ text, n };
		while (slice_next(&rest, '\n', &line))
			if (line.n > 0)
				last = slice_dup(g->mem, line);
	}
	return err_set(e, 0, "%s: %s", what, last);
}

/* Until runc has made it, or given up: then there is no file. */
static int read_pid(struct engine_guest *g, pid_t *ret, struct err *e)
{
	const struct timespec tick = { .tv_nsec = 10000000 }; /* 1/100 s */
	struct probe reader = { .mem = g->mem };
	const char *text;
	struct err bad;
	uint64_t pid;
	size_t n;

	for (unsigned i = 0; g->child > 0 && i < CREATE_SECONDS * 100; i++) {
		engine_poll(g);
		if (g->child > 0)
			nanosleep(&tick, NULL);
	}
	if (g->child > 0)
		return err_set(e, ETIMEDOUT, "runc create");
	if (probe_read(&reader, engine_file(g, "pid"), &text, &n, &bad) < 0 ||
	    num_u64(text, &pid, &bad) < 0)
		return say_log(g, "runc create", e);
	*ret = (pid_t)pid;
	return 0;
}

static int run(const struct engine_guest *g, const char *verb, struct err *e)
{
	const char *const more[] = { verb, box_group(g->box), NULL };
	char *const *argv = words(g, more);
	struct buf out CLEANUP(buf_done) = { 0 };
	int status;

	if (proc_run((const char *const *)argv, 60, &out, &status, e) < 0)
		return -1;
	return status == 0 ? 0 : say_log(g, verb, e);
}

static int launch(struct engine_guest *g, struct err *e)
{
	const char *const more[] = { "create",
				     "--bundle",
				     box_files(g->box),
				     "--pid-file",
				     engine_file(g, "pid"),
				     box_group(g->box),
				     NULL };
	pid_t init;

	/* what runc leaves running is then ours to wait for */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (box_spawn(g->box, words(g, more), g->options.console, &g->child,
		      e) < 0 ||
	    read_pid(g, &init, e) < 0 || box_adopt(g->box, init, e) < 0 ||
	    box_give_net(g->box, e) < 0)
		return -1;
	return run(g, "start", e);
}

static int start(struct engine_guest *g, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };

	if (box_lab(g->policy, &g->options, g->mem, &g->box, e) < 0)
		return -1;
	runc_config(g->policy, g->box, g->mem, &text);
	if (box_lab_make(g->box, e) < 0 ||
	    engine_write(engine_file(g, "config.json"), buf_str(&text), e) < 0)
		return -1;
	return launch(g, e);
}

/* It has no stop of its own: who calls it sends the signal. */
static int stop(struct engine_guest *g, bool *ret_clean, struct err *e)
{
	return box_stop(g->box, ret_clean, e);
}

const struct engine runc_engine = {
	.name = "runc",
	.rows = rows,
	.n_rows = COUNT(rows),
	.version = version,
	.print = print,
	.start = start,
	.stop = stop,
};
