/* rehost verify: does the guest run as its configuration promises? */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "batch.h"
#include "cli/commands.h"
#include "cli/verify_files.h"
#include "runtime/look.h"

#define SCRATCH "/var/tmp/rehost"

/* Patience for a start, and between the signal to stop and the kill. */
enum { START_SECONDS = 120, STOP_SECONDS = 60 };

/* What the command collects over all its guests. */
struct tally {
	const struct options *o;
	const struct engine *engine;
	enum verdict require;
	struct buf junit;
	json_t *guests;
	int status;
};

/* RFC 3339, UTC. A record is evidence: it holds the real time. */
static void utc(char ret[32])
{
	const time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *lsm_of(struct arena *mem)
{
	char text[256];
	int fd CLEANUP(fd_closep) =
		open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n <= 0 ? NULL : arena_strndup(mem, text, (size_t)n);
}

static json_t *host_json(struct arena *mem)
{
	const bool v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
	json_t *o = json_object();
	struct utsname u;
	char now[32];

	uname(&u);
	utc(now);
	json_put_str(o, "kernel", u.release);
	json_put_str(o, "cgroup", v2 ? "v2" : "v1");
	json_put(o, "lsm", json_text(lsm_of(mem)));
	json_put_str(o, "time", now);
	return o;
}

/* DIR/verify/TARGET-ENGINE-TIME.json, never over another. */
static int record(const struct verify_run *v, struct arena *mem, struct err *e)
{
	int dir CLEANUP(fd_closep) =
		open(v->package->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int sub CLEANUP(fd_closep) = -1;
	struct buf b CLEANUP(buf_done) = { 0 };
	json_t *guests = json_array();
	json_t *doc CLEANUP(json_freep) = NULL;
	const char *name;
	char now[32];

	if (dir < 0)
		return err_set(e, errno, "open %s", v->package->dir);
	if (fd_mkdirs(dir, "verify", e) < 0)
		return -1;
	sub = openat(dir, "verify", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sub < 0)
		return err_set(e, errno, "open %s/verify", v->package->dir);
	utc(now);
	name = arena_printf(mem, "%s-%s-%s", v->package->target, v->engine,
			    now);
	for (unsigned i = 1;
	     faccessat(sub, arena_printf(mem, "%s.json", name), F_OK, 0) == 0;
	     i++)
		name = arena_printf(mem, "%s-%s-%s.%u", v->package->target,
				    v->engine, now, i);
	json_array_append_new(guests, verify_report_guest(v));
	doc = verify_report_document("rehost " REHOST_VERSION, host_json(mem),
				     guests);
	json_write(&b, doc);
	return fd_replace(sub, arena_printf(mem, "%s.json", name), b.p, b.n, e);
}

static bool is(const struct tally *t, const char *format)
{
	return str_eq(t->o->format == NULL ? "text" : t->o->format, format);
}

static void print(struct tally *t, const struct verify_run *v)
{
	const bool utf8 = str_eq(nl_langinfo(CODESET), "UTF-8");
	struct buf b CLEANUP(buf_done) = { 0 };

	if (is(t, "json")) {
		json_array_append_new(t->guests, verify_report_guest(v));
	} else if (is(t, "junit")) {
		verify_report_junit(v, &t->junit);
	} else {
		verify_report_text(v, t->o->verbose > 0, utf8, &b);
		fputs(buf_str(&b), stdout);
		fflush(stdout);
	}
}

/* Exit statuses as design 1.1 ranks them: the first that applies. */
static int status_of(const struct tally *t, enum verdict v)
{
	if (v == VERDICT_FAILED)
		return EXIT_FAILED;
	if (v == VERDICT_INCOMPLETE && t->require == VERDICT__MAX)
		return EXIT_INCOMPLETE;
	if (v == VERDICT_DIFFERENT ||
	    (t->require != VERDICT__MAX && v < t->require))
		return EXIT_DIFFERENT;
	return v == VERDICT_INCOMPLETE ? EXIT_INCOMPLETE : EXIT_OK;
}

static void worse(struct tally *t, int status)
{
	static const int ranks[] = { EXIT_FAILED, EXIT_DIFFERENT,
				     EXIT_INCOMPLETE };

	for (size_t i = 0; i < COUNT(ranks); i++) {
		if (t->status == ranks[i])
			return;
		if (status == ranks[i]) {
			t->status = status;
			return;
		}
	}
}

static int one(struct tally *t, const char *dir, struct arena *mem,
	       struct err *e)
{
	const struct options *o = t->o;
	const struct look_options look = {
		.engine = t->engine,
		.scratch = o->scratch == NULL ? SCRATCH : o->scratch,
		.ports = o->expect_ports,
		.seconds = START_SECONDS,
		.stop_seconds = STOP_SECONDS,
	};
	struct buf plan CLEANUP(buf_done) = { 0 };
	struct verify_package p;
	struct verify_run run;

	if (verify_load(dir, o->targets.n == 0 ? "lxc" : o->targets.v[0], mem,
			&p, e) < 0)
		return -1;
	if (o->dry_run) {
		if (look_print(&p, &look, mem, &plan, e) < 0)
			return -1;
		printf("%s", buf_str(&plan));
		return 0;
	}
	if (look_run(&p, &look, mem, &run, e) < 0 || record(&run, mem, e) < 0)
		return -1;
	print(t, &run);
	worse(t, status_of(t, run.result.verdict));
	return 0;
}

static void finish(struct tally *t, struct arena *mem)
{
	json_t *doc CLEANUP(json_freep) = NULL;
	struct buf b CLEANUP(buf_done) = { 0 };

	if (is(t, "json")) {
		doc = verify_report_document("rehost " REHOST_VERSION,
					     host_json(mem), t->guests);
		json_write(&b, doc);
		fputs(buf_str(&b), stdout);
	} else if (is(t, "junit")) {
		verify_report_junit_close(&t->junit);
		fputs(buf_str(&t->junit), stdout);
	}
	buf_done(&t->junit);
}

static int check_options(const struct options *o, struct tally *t,
			 struct arena *mem, struct err *e)
{
	if (o->args.n == 0)
		return err_set(e, EINVAL, "verify: which DIR/NAME?");
	if (o->targets.n > 1)
		return err_set(e, EINVAL, "verify: one target at a time");
	if (!is(t, "text") && !is(t, "json") && !is(t, "junit"))
		return err_set(e, EINVAL,
			       "verify --format=%s: not text, json or junit",
			       o->format);
	t->engine = engine_find(o->engine == NULL ? "builtin" : o->engine);
	if (t->engine == NULL)
		return err_set(e, EINVAL, "--engine=%s: not one of %s",
			       o->engine, engine_names(mem));
	if (o->require == NULL)
		return 0;
	t->require = verify_verdict_find(o->require);
	if (t->require == VERDICT__MAX)
		return err_set(e, EINVAL, "--require=%s: no such verdict",
			       o->require);
	return 0;
}

static void look_all(struct tally *t)
{
	const struct options *o = t->o;

	for (size_t i = 0; i < o->args.n && !batch_interrupted(); i++) {
		struct arena *mem CLEANUP(arena_freep) = arena_new();
		struct err e;

		if (one(t, o->args.v[i], mem, &e) < 0) {
			log_error("%s: %s", o->args.v[i], e.msg);
			worse(t, EXIT_FAILED);
		}
	}
}

int verify_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct tally t = { .o = o, .require = VERDICT__MAX };

	if (o->files)
		return verify_files(o, mem, e);
	if (check_options(o, &t, mem, e) < 0)
		return -1;
	if (geteuid() != 0 && !o->dry_run)
		return err_set(e, EPERM, "verify boots guests: run it as root");
	if (is(&t, "json"))
		t.guests = json_array();
	if (is(&t, "junit"))
		verify_report_junit_open(&t.junit);
	look_all(&t);
	finish(&t, mem);
	return t.status;
}
