/*
 * LXC: the emitted config, deployed below the scratch directory and started by
 * lxc-start in the lab. Every line stays but those that would reach the host
 * (design 2.4), which say so. What was found out about running it where it can
 * reach nothing: cgroups, /sys and its abstract sockets follow the namespaces
 * of the process that starts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/proc.h"
#include "runtime/engine.h"
#include "runtime/engines/lxc.h"
#include "runtime/probe.h"

/* lxc.cgroup.dir.container came with 4.0 */
enum { SINCE_MAJOR = 4, SINCE_MINOR = 0, START_SECONDS = 60 };

static int version(struct arena *mem, const char **ret, struct err *e)
{
	static const char *const ask[] = { "lxc-start", "--version", NULL };

	if (engine_ask_version(ask, mem, ret, e) < 0)
		return -1;
	return engine_since("LXC", *ret, SINCE_MAJOR, SINCE_MINOR, e);
}

static int config(const struct engine_guest *g, struct box *b, struct buf *ret,
		  struct err *e)
{
	const char *from = arena_printf(g->mem, "%s/%s/config", g->package->dir,
					g->package->target);
	struct probe reader = { .mem = g->mem };
	const char *text;
	size_t n;

	if (probe_read(&reader, from, &text, &n, e) < 0)
		return -1;
	lxc_deployed(text, g->policy, b, g->mem, ret);
	buf_printf(ret, "\n# --- the lab\nlxc.console.logfile = %s\n",
		   g->options.console);
	buf_printf(ret, "lxc.cgroup.dir.container = %s/container\n",
		   box_group(b));
	buf_printf(ret, "lxc.cgroup.dir.monitor = %s/monitor\n", box_group(b));
	buf_printf(ret, "lxc.cgroup.dir.monitor.pivot = %s/pivot\n",
		   box_group(b));
	return 0;
}

static int print(const struct engine_guest *g, struct buf *ret, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	struct box *b;

	if (box_lab(g->policy, &g->options, g->mem, &b, e) < 0 ||
	    config(g, b, &text, e) < 0)
		return -1;
	box_lab_print(b, ret);
	lxc_show_changes(buf_str(&text), ret);
	buf_printf(ret, "execute in the lab lxc-start -F -P %s -n %s\n",
		   box_files_inside(b), g->options.name);
	return 0;
}

/* Its words; the last is NULL. */
static char *const *words(const struct engine_guest *g, const char *program,
			  const char *const more[], size_t n)
{
	char **argv = arena_alloc(g->mem, (n + 6) * sizeof(*argv));

	argv[0] = arena_strdup(g->mem, program);
	argv[1] = arena_strdup(g->mem, "-P");
	argv[2] = arena_strdup(g->mem, box_files_inside(g->box));
	argv[3] = arena_strdup(g->mem, "-n");
	argv[4] = arena_strdup(g->mem, g->options.name);
	for (size_t i = 0; i < n; i++)
		argv[5 + i] = arena_strdup(g->mem, more[i]);
	return argv;
}

/* What lxc-start has logged as an error, in one line. */
static int say_log(const struct engine_guest *g, const char *what,
		   struct err *e)
{
	struct probe reader = { .mem = g->mem };
	struct slice rest, line;
	struct strv found = { 0 };
	const char *text;
	struct err bad;
	size_t n;

	if (probe_read(&reader, g->log, &text, &n, &bad) < 0)
		return err_set(e, 0, "%s", what);
	rest = (struct slice){ text, n };
	while (found.n < 3 && slice_next(&rest, '\n', &line)) {
		const char *s = slice_dup(g->mem, line);
		const char *at = strstr(s, " ERROR ");

		if (at == NULL)
			continue;
		at = strstr(at, " - ") == NULL ? at : strstr(at, " - ") + 3;
		strv_add(g->mem, &found, at);
	}
	return err_set(e, 0, "%s%s%s", what, found.n == 0 ? "" : ": ",
		       strv_join(g->mem, &found, "; "));
}

/* "State: RUNNING", "PID: 7" of lxc-info -s -p; 0: it does not run. */
static pid_t parse_info(const char *text, struct arena *mem)
{
	const struct strv told = strv_split(mem, text, " \n");
	uint64_t n;
	struct err bad;

	if (told.n == 4 && str_eq(told.v[1], "RUNNING") &&
	    num_u64(told.v[3], &n, &bad) == 0)
		return (pid_t)n;
	return 0;
}

/* 0: not yet. */
static int ask_init(struct engine_guest *g, pid_t *ret, struct err *e)
{
	static const char *const more[] = { "-s", "-p" };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status;

	*ret = 0;
	if (box_exec_engine(g->box, words(g, "lxc-info", more, COUNT(more)), 30,
			    &out, &status, e) < 0)
		return -1;
	if (status == 0)
		*ret = parse_info(buf_str(&out), g->mem);
	return 0;
}

static int wait_running(struct engine_guest *g, pid_t *ret, struct err *e)
{
	const struct timespec tick = { .tv_nsec = 20000000 };

	for (unsigned i = 0; i < START_SECONDS * 50; i++) {
		if (ask_init(g, ret, e) < 0)
			return -1;
		if (*ret > 0)
			return 0;
		engine_poll(g);
		if (g->child == 0)
			return say_log(g, "lxc-start ended", e);
		nanosleep(&tick, NULL);
	}
	return say_log(g, "lxc-start: no pid 1 in time", e);
}

static int launch(struct engine_guest *g, struct err *e)
{
	const char *const more[] = { "-F", "-o",
				     arena_printf(g->mem, "%s/log",
						  box_files_inside(g->box)),
				     "-l", "INFO" };
	pid_t init;

	if (box_spawn(g->box, words(g, "lxc-start", more, COUNT(more)),
		      engine_file(g, "output"), &g->child, e) < 0 ||
	    wait_running(g, &init, e) < 0 || box_adopt(g->box, init, e) < 0)
		return -1;
	return box_give_answers(g->box, e);
}

static int start(struct engine_guest *g, struct err *e)
{
	struct buf text CLEANUP(buf_done) = { 0 };
	const char *own;

	if (box_lab(g->policy, &g->options, g->mem, &g->box, e) < 0 ||
	    config(g, g->box, &text, e) < 0 || box_lab_make(g->box, e) < 0)
		return -1;
	g->log = engine_file(g, "log"); /* its lxcpath holds all */
	own = engine_file(g, g->options.name);
	if (box_make_dir(g->box, g->options.name, e) < 0 ||
	    engine_write(arena_printf(g->mem, "%s/config", own), buf_str(&text),
			 e) < 0)
		return -1;
	return launch(g, e);
}

/* As lxc-stop does for an administrator. */
static int stop(struct engine_guest *g, bool *ret_clean, struct err *e)
{
	const char *const more[] = { "--nokill", "-t",
				     arena_printf(g->mem, "%u",
						  g->options.stop_seconds) };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status;

	if (box_exec_engine(g->box, words(g, "lxc-stop", more, COUNT(more)),
			    g->options.stop_seconds + 30, &out, &status, e) < 0)
		return -1;
	*ret_clean = !box_alive(g->box, &status);
	box_kill(g->box);
	engine_reap(g, 10);
	return 0;
}

/*
 * The lxcpath that the config was made for: its root file system is
 * LXCPATH/NAME/rootfs there. NULL: the config says something else.
 */
static const char *path_of(const char *config, const char *name,
			   struct arena *mem)
{
	static const char key[] = "lxc.rootfs.path = dir:";
	const char *end = arena_printf(mem, "/%s/rootfs", name);
	struct slice rest = { config, strlen(config) }, line;

	while (slice_next(&rest, '\n', &line)) {
		const char *s = slice_dup(mem, line);

		if (str_starts(s, key) && str_ends(s, end))
			return arena_strndup(mem, s + strlen(key),
					     strlen(s) - strlen(key) -
						     strlen(end));
	}
	return NULL;
}

/* Where it was to be installed, else where lxc-info looks by itself. */
static int find(const struct verify_package *p, struct arena *mem, pid_t *ret,
		struct err *e)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	struct probe reader = { .mem = mem };
	const char *argv[] = { "lxc-info", "-n", p->name, "-s",
			       "-p",       "-P", NULL,    NULL };
	const char *text, *path;
	size_t n;
	int status;

	if (probe_read(&reader,
		       arena_printf(mem, "%s/%s/config", p->dir, p->target),
		       &text, &n, e) < 0)
		return -1;
	path = path_of(text, p->name, mem);
	argv[6] = path;
	if (path == NULL)
		argv[5] = NULL;
	if (proc_run(argv, 30, &out, &status, e) < 0)
		return -1;
	*ret = parse_info(buf_str(&out), mem);
	if (*ret > 0)
		return 0;
	n = strcspn(buf_str(&out), "\n");
	return err_set(e, ESRCH, "%s%s%s does not run: lxc-info: %.*s", p->name,
		       path == NULL ? "" : " in ", path == NULL ? "" : path,
		       (int)n, buf_str(&out));
}

const struct engine lxc_engine = {
	.name = "lxc",
	.version = version,
	.print = print,
	.start = start,
	.stop = stop,
	.find = find,
};
