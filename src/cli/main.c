/* rehost: the command line. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "batch.h"
#include "cli/commands.h"

static const struct {
	int (*run)(const struct options *o, struct arena *mem, struct err *e);
} commands[COMMAND__MAX] = {
#define COMMAND(id, name, run_, args, text) [COMMAND_##id] = { run_ },
#include "cli/commands.def"
#undef COMMAND
};

/* Usage is 2, a signal 130, anything else that failed 1. */
static int status_of(const struct err *e)
{
	if (e->code == EINVAL)
		return EXIT_USAGE;
	return e->code == EINTR ? EXIT_INTERRUPTED : EXIT_FAILED;
}

static int finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		log_error("write standard output: %m");
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	struct options o;
	struct err e = { 0 };
	int r;

	setlocale(LC_CTYPE, "");
	umask(077); /* what is written holds shadow files and keys */
	r = options_parse(argc, argv, mem, &o, &text, &e);
	if (r > 0) {
		fputs(buf_str(&text), stdout);
		return finish(EXIT_OK);
	}
	if (r < 0) {
		log_error("%s", e.msg);
		return EXIT_USAGE;
	}
	batch_signals();
	r = commands[o.command].run(&o, mem, &e);
	if (r >= 0)
		return finish(r);
	log_error("%s", e.msg);
	return status_of(&e);
}
