/* rehost boot: a converted guest in the lab, by hand. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/lab.h"
#include "runtime/health.h"
#include "runtime/look.h"

/* As a shell has it. */
static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The command comes when the guest is up, as at its console. */
static int run_command(const struct options *o,
		       const struct verify_package *package, struct box *box,
		       struct arena *mem, struct err *e)
{
	const struct probe_subject subject = { .init = box_init(box),
					       .engine = box,
					       .call = look_call };
	struct verify_seen seen = { 0 };
	struct probe look = { .most = CLASS_SAFE,
			      .mem = mem,
			      .subject = &subject,
			      .package = package,
			      .seen = &seen };
	char **argv = arena_alloc(mem, o->args.n * sizeof(*argv));
	int status;

	health_wait(&look, LAB_START_SECONDS);
	if (seen.failed != NULL)
		return err_set(e, 0, "%s", seen.failed);
	for (size_t i = 1; i < o->args.n; i++)
		argv[i - 1] = arena_strdup(mem, o->args.v[i]);
	if (box_run(box, argv, &status, e) < 0)
		return -1;
	return status_of(status);
}

static int attach(struct box *box, struct err *e)
{
	bool left = false;

	log_note("console of the guest; Ctrl-] leaves and stops it");
	return box_attach(box, STDIN_FILENO, STDOUT_FILENO, &left, e) < 0 ?
		       -1 :
		       EXIT_OK;
}

static int dry_run(const struct verify_package *p,
		   const struct look_options *look, struct arena *mem,
		   struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };

	if (look_print(p, look, mem, &b, e) < 0)
		return -1;
	fputs(buf_str(&b), stdout);
	return EXIT_OK;
}

int boot_run(const struct options *o, struct arena *mem, struct err *e)
{
	const struct look_options look = {
		.engine = engine_find("builtin"),
		.scratch = lab_scratch(o),
		.stop_seconds = LAB_STOP_SECONDS,
	};
	struct engine_guest g CLEANUP(engine_endp) = { .lock = -1 };
	struct verify_package p;
	bool clean;
	int status;

	if (o->args.n == 0 || o->targets.n > 1)
		return err_set(e, EINVAL,
			       "boot: which DIR/NAME, which target?");
	if (verify_load(o->args.v[0], lab_target(o), mem, &p, e) < 0)
		return -1;
	if (o->dry_run)
		return dry_run(&p, &look, mem, e);
	if (geteuid() != 0)
		return err_set(e, EPERM, "boot: run it as root");
	if (look_start(&p, &look, mem, &g, e) < 0)
		return -1;
	status = o->args.n > 1 ? run_command(o, &p, g.box, mem, e) :
				 attach(g.box, e);
	if (status < 0 || g.engine->stop(&g, &clean, e) < 0)
		return -1;
	return status;
}
