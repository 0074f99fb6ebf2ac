/* The command line, once parsed: passed const to everything. */
#ifndef REHOST_CLI_OPTIONS_H
#define REHOST_CLI_OPTIONS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum command_id {
#define COMMAND(id, name, run, args, text) COMMAND_##id,
#include "cli/commands.def"
#undef COMMAND
	COMMAND__MAX
};

#define CMD_BIT(id) (1u << COMMAND_##id)
#define CMD_CAPTURE CMD_BIT(CAPTURE)
#define CMD_SCAN CMD_BIT(SCAN)
#define CMD_PLAN CMD_BIT(PLAN)
#define CMD_CONVERT CMD_BIT(CONVERT)
#define CMD_REHEARSE CMD_BIT(REHEARSE)
#define CMD_VERIFY CMD_BIT(VERIFY)
#define CMD_BOOT CMD_BIT(BOOT)
#define CMD_STATUS CMD_BIT(STATUS)
#define CMD_RULES CMD_BIT(RULES)
#define CMD_PLANS (CMD_PLAN | CMD_CONVERT | CMD_REHEARSE)
#define CMD_READS (CMD_SCAN | CMD_PLANS)
#define CMD_JUDGES (CMD_VERIFY | CMD_REHEARSE)
#define CMD_LAB (CMD_JUDGES | CMD_BOOT)
#define CMD_ALL (~0u)

/* Exit statuses; design 1.1. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* a guest failed, or none was found */
	EXIT_USAGE = 2,
	EXIT_BLOCKED = 3,    /* a guest is blocked */
	EXIT_DIFFERENT = 4,  /* verify saw a difference */
	EXIT_INCOMPLETE = 5, /* verify could not see all that it has to */
	EXIT_INTERRUPTED = 130,
};

struct options {
	enum command_id command;
	struct strv roots, facts, set, accept, targets, args;
	const char *from, *site, *format, *by, *strict, *output;
	const char *rootfs, *validate, *color, *compress, *snapshot;
	const char *require, *probes, *expect_ports, *scratch, *engine;
	bool resume, shift, files, running, mount;
	bool native, site_template, size, force, live, dry_run, quiet;
	unsigned verbose, jobs, partition;
};

/*
 * Parses the arguments. Returns 0 with *ret filled; 1 when help or version was
 * asked for (ret_text holds it); -1 with *e on a usage error.
 */
int options_parse(int argc, char **argv, struct arena *mem, struct options *ret,
		  struct buf *ret_text, struct err *e);

/* Help of one command, or of all (COMMAND__MAX). */
void options_help(struct buf *b, enum command_id command);
/* The completion of bash; the OPTIONS of the manual page (mdoc). */
void options_completion(struct buf *b);
void options_manual(struct buf *b);

const char *options_command_name(enum command_id id);

/* Whether to use colours on this descriptor. */
bool options_color(const struct options *o, int fd);

#endif
