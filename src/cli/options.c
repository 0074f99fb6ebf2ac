/* The command line from the two tables: parse, help, completion, manual. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/options.h"
#include "tree/tree_image.h"

enum option_id {
#define OPTION(id, name, letter, arg, argname, commands, text) OPT_##id,
#include "cli/options.def"
#undef OPTION
	OPT__MAX
};

enum option_arg { ARG_NONE, ARG_COUNT, ARG_ONE, ARG_MANY, ARG_MAYBE };

static const struct option_row {
	const char *name;
	char letter;
	enum option_arg arg;
	const char *argname;
	unsigned commands;
	const char *text;
} rows[OPT__MAX] = {
#define OPTION(id, name_, letter_, arg_, argname_, commands_, text_)           \
	[OPT_##id] = { (name_),    (letter_),   ARG_##arg_,                    \
		       (argname_), (commands_), (text_) },
#include "cli/options.def"
#undef OPTION
};

static const struct command_row {
	const char *name, *args, *text;
} commands[COMMAND__MAX] = {
#define COMMAND(id, name_, run, args_, text_)                                  \
	[COMMAND_##id] = { (name_), (args_), (text_) },
#include "cli/commands.def"
#undef COMMAND
};

const char *options_command_name(enum command_id id)
{
	return commands[id].name;
}

static enum command_id find_command(const char *name)
{
	for (unsigned i = 0; i < COMMAND__MAX; i++)
		if (str_eq(commands[i].name, name))
			return i;
	return COMMAND__MAX;
}

static void help_option(struct buf *b, const struct option_row *r)
{
	char left[64];
	char letter[8] = "    ";

	if (r->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", r->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, r->name,
		 r->argname == NULL  ? "" :
		 r->arg == ARG_MAYBE ? "[=" :
				       "=",
		 r->argname == NULL ? "" : r->argname,
		 r->arg == ARG_MAYBE ? "]" : "");
	buf_printf(b, "  %s\n        %s\n", left, r->text);
}

void options_help(struct buf *b, enum command_id command)
{
	const unsigned bit = command == COMMAND__MAX ? CMD_ALL : 1u << command;

	if (command == COMMAND__MAX) {
		buf_adds(b,
			 "usage: rehost COMMAND [OPTION...] [SOURCE...]\n\n"
			 "Moves legacy Linux guests to native containers: "
			 "says beforehand exactly what\nwill not survive.\n\n"
			 "Commands\n");
		for (unsigned i = 0; i < COMMAND__MAX; i++)
			buf_printf(b, "  %-9s %s\n", commands[i].name,
				   commands[i].text);
		buf_adds(b,
			 "\nSOURCE is a path (a vserver directory, a .conf "
			 "of util-vserver or OpenVZ,\na config of LXC, a "
			 "domain of libvirt, an archive of vzdump or a "
			 "directory of\nthem) or [HOST/]KIND:NAME, KIND being "
			 "vserver, openvz, libvirt or lxc;\nnone: every guest "
			 "that scan finds, of backups none.\n");
	} else {
		buf_printf(b, "usage: rehost %s [OPTION...] %s\n\n%s\n",
			   commands[command].name, commands[command].args,
			   commands[command].text);
	}
	buf_adds(b, "\nOptions\n");
	for (unsigned i = 0; i < OPT__MAX; i++)
		if ((rows[i].commands & bit) != 0)
			help_option(b, &rows[i]);
	if (command == COMMAND__MAX)
		buf_adds(b, "\nExit status: 0 done; 1 a guest failed or none "
			    "was found; 2 usage; 3 a guest is\nblocked. See "
			    "rehost(1), rehost.conf(5), rehost-report(5).\n");
}

void options_completion(struct buf *b)
{
	buf_adds(b, "# bash completion for rehost(1); printed by the program\n"
		    "_rehost()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
		    "command=${COMP_WORDS[1]} words=\n"
		    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='");
	for (unsigned i = 0; i < COMMAND__MAX; i++)
		buf_printf(b, "%s%s", i == 0 ? "" : " ", commands[i].name);
	buf_adds(b, "'\n\telse\n\t\tcase $command in\n");
	for (unsigned c = 0; c < COMMAND__MAX; c++) {
		buf_printf(b, "\t\t%s) words='", commands[c].name);
		for (unsigned i = 0; i < OPT__MAX; i++)
			if ((rows[i].commands & 1u << c) != 0)
				buf_printf(b, "--%s ", rows[i].name);
		buf_adds(b, "' ;;\n");
	}
	buf_adds(b, "\t\tesac\n\tfi\n"
		    "\tcase $cur in\n"
		    "\t-*) ;;\n"
		    "\t*) [ \"$COMP_CWORD\" -gt 1 ] && words= ;;\n"
		    "\tesac\n"
		    "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
		    "\"$cur\")\n"
		    "\t[ ${#COMPREPLY[@]} -gt 0 ] ||\n"
		    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		    "}\ncomplete -o filenames -F _rehost rehost\n");
}

void options_manual(struct buf *b)
{
	for (unsigned i = 0; i < OPT__MAX; i++) {
		const struct option_row *r = &rows[i];

		buf_adds(b, ".It ");
		if (r->letter != 0)
			buf_printf(b, "Fl %c , ", r->letter);
		buf_printf(b, "Fl Fl %s", r->name);
		if (r->arg == ARG_MAYBE)
			buf_printf(b, " Ns Op = Ns Ar %s", r->argname);
		else if (r->argname != NULL)
			buf_printf(b, " Ns = Ns Ar %s", r->argname);
		buf_printf(b, "\n%s.\n", r->text);
		if (r->commands == CMD_ALL)
			continue;
		buf_adds(b, "For");
		for (unsigned c = 0, n = 0; c < COMMAND__MAX; c++)
			if ((r->commands & 1u << c) != 0)
				buf_printf(b, "%s\n.Cm %s",
					   n++ == 0 ? "" : " ,",
					   commands[c].name);
		buf_adds(b, " .\n");
	}
}

/* Words that an option's value must be one of, NULL-terminated. */
static const struct {
	enum option_id id;
	const char *words[8];
} choices[] = {
	{ OPT_PROFILE, { "equivalent", "native" } },
	{ OPT_BY, { "code", "guest" } },
	{ OPT_STRICT, { "loss", "weaker", "change" } },
	{ OPT_ROOTFS, { "archive", "tree", "none" } },
	{ OPT_PROBES, { "passive", "safe", "heavy" } },
	{ OPT_VALIDATE, { "auto", "require", "off" } },
	{ OPT_COLOR, { "auto", "always", "never" } },
	{ OPT_FORMAT,
	  { "table", "text", "json", "html", "md", "csv", "junit" } },
};

static int check_word(enum option_id id, const char *value, struct err *e)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		if (choices[i].id != id)
			continue;
		for (size_t j = 0; choices[i].words[j] != NULL; j++)
			if (str_eq(choices[i].words[j], value))
				return 0;
		return err_set(e, 0, "--%s=%s: not one of %s", rows[id].name,
			       value, rows[id].argname);
	}
	return 0;
}

/* A number from 1 to max. */
static int parse_number(enum option_id id, const char *value, unsigned max,
			unsigned *ret, struct err *e)
{
	uint64_t n;

	if (num_u64(value, &n, e) < 0 || n == 0 || n > max)
		return err_set(e, 0, "--%s=%s: not a number from 1 to %u",
			       rows[id].name, value, max);
	*ret = (unsigned)n;
	return 0;
}

static void add_list(struct arena *mem, struct strv *list, const char *value)
{
	const struct strv more = strv_split(mem, value, ",");

	for (size_t i = 0; i < more.n; i++)
		if (!strv_has(list, more.v[i]))
			strv_add(mem, list, more.v[i]);
}

/* Options with a value. */
static int store_value(struct arena *mem, struct options *o, enum option_id id,
		       const char *value, struct err *e)
{
	const struct {
		enum option_id id;
		const char **one;
		struct strv *many;
	} places[] = {
		{ OPT_ROOT, NULL, &o->roots },
		{ OPT_FACTS, NULL, &o->facts },
		{ OPT_SET, NULL, &o->set },
		{ OPT_ACCEPT, NULL, &o->accept },
		{ OPT_FROM, &o->from, NULL },
		{ OPT_SITE, &o->site, NULL },
		{ OPT_FORMAT, &o->format, NULL },
		{ OPT_BY, &o->by, NULL },
		{ OPT_STRICT, &o->strict, NULL },
		{ OPT_OUTPUT, &o->output, NULL },
		{ OPT_ROOTFS, &o->rootfs, NULL },
		{ OPT_VALIDATE, &o->validate, NULL },
		{ OPT_COLOR, &o->color, NULL },
		{ OPT_COMPRESS, &o->compress, NULL },
		{ OPT_PROBES, &o->probes, NULL },
		{ OPT_REQUIRE, &o->require, NULL },
		{ OPT_EXPECT_PORTS, &o->expect_ports, NULL },
		{ OPT_SCRATCH, &o->scratch, NULL },
		{ OPT_SNAPSHOT, &o->snapshot, NULL },
		{ OPT_ENGINE, &o->engine, NULL },
	};

	if (check_word(id, value, e) < 0)
		return -1;
	if (id == OPT_JOBS)
		return parse_number(id, value, 1024, &o->jobs, e);
	if (id == OPT_PARTITION)
		return parse_number(id, value, TREE_PARTITIONS, &o->partition,
				    e);
	if (id == OPT_TARGET)
		add_list(mem, &o->targets, value);
	if (id == OPT_PROFILE)
		o->native = str_eq(value, "native");
	for (size_t i = 0; i < COUNT(places); i++) {
		if (places[i].id != id)
			continue;
		if (places[i].one != NULL)
			*places[i].one = value;
		else
			strv_add(mem, places[i].many, value);
	}
	return 0;
}

static void store_flag(struct options *o, enum option_id id)
{
	o->quiet |= id == OPT_QUIET;
	o->verbose += id == OPT_VERBOSE;
	o->size |= id == OPT_SIZE;
	o->force |= id == OPT_FORCE;
	o->resume |= id == OPT_RESUME;
	o->shift |= id == OPT_SHIFT;
	o->files |= id == OPT_FILES;
	o->running |= id == OPT_RUNNING;
	o->live |= id == OPT_LIVE;
	o->mount |= id == OPT_MOUNT;
	o->dry_run |= id == OPT_DRY_RUN;
	o->site_template |= id == OPT_SITE_TEMPLATE;
}

static int store(struct arena *mem, struct options *o, enum option_id id,
		 const char *value, struct err *e)
{
	if ((rows[id].commands & 1u << o->command) == 0)
		return err_set(e, 0, "--%s: not an option of %s", rows[id].name,
			       commands[o->command].name);
	if (rows[id].arg == ARG_MAYBE && value == NULL)
		value = "loss"; /* --strict alone */
	if (value == NULL) {
		store_flag(o, id);
		return 0;
	}
	return store_value(mem, o, id, value, e);
}

/* getopt's two tables from ours. */
static void make_tables(struct option *ret_long, char *ret_short)
{
	char *s = ret_short;

	*s++ = ':'; /* a missing value is told from an unknown option */
	for (unsigned i = 0; i < OPT__MAX; i++) {
		const bool value = rows[i].arg >= ARG_ONE;

		ret_long[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].arg == ARG_MAYBE ?
					   optional_argument :
				   value ? required_argument :
					   no_argument,
			.val = 256 + (int)i,
		};
		if (rows[i].letter == 0)
			continue;
		*s++ = rows[i].letter;
		if (value)
			*s++ = ':';
	}
	*s = '\0';
	ret_long[OPT__MAX] = (struct option){ 0 };
}

static enum option_id id_of(int c)
{
	for (unsigned i = 0; i < OPT__MAX; i++)
		if (c == 256 + (int)i || (rows[i].letter == c && c != 0))
			return i;
	return OPT__MAX;
}

/* "rehost --help", "rehost --version" and the hidden makers of files. */
static int without_command(const char *word, struct buf *ret_text,
			   struct err *e)
{
	if (str_eq(word, "--help") || str_eq(word, "-h"))
		options_help(ret_text, COMMAND__MAX);
	else if (str_eq(word, "--version") || str_eq(word, "-V"))
		buf_adds(ret_text, "rehost " REHOST_VERSION "\n");
	else if (str_eq(word, "--completion"))
		options_completion(ret_text);
	else if (str_eq(word, "--manual-options"))
		options_manual(ret_text);
	else
		return err_set(e, 0, "%s: no such command", word);
	return 1;
}

static int next_option(int argc, char **argv, struct arena *mem,
		       struct options *o, struct buf *ret_text, struct err *e)
{
	struct option longs[OPT__MAX + 1];
	char shorts[2 * OPT__MAX + 2];
	int c;

	make_tables(longs, shorts);
	opterr = 0;
	optind = 2;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const enum option_id id = id_of(c);

		if (c == ':')
			return err_set(e, 0, "%s: needs a value",
				       argv[optind - 1]);
		if (id == OPT__MAX)
			return err_set(e, 0, "%s: no such option",
				       argv[optind - 1]);
		if (id == OPT_HELP) {
			options_help(ret_text, o->command);
			return 1;
		}
		if (id == OPT_VERSION)
			return without_command("--version", ret_text, e);
		if (store(mem, o, id, optarg, e) < 0)
			return -1;
	}
	for (int i = optind; i < argc; i++)
		strv_add(mem, &o->args, argv[i]);
	return 0;
}

int options_parse(int argc, char **argv, struct arena *mem, struct options *ret,
		  struct buf *ret_text, struct err *e)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct options o = { 0 };
	int r;

	if (argc < 2)
		return err_set(e, 0, "which command? try rehost --help");
	if (str_eq(argv[1], "help")) {
		options_help(ret_text,
			     argc > 2 ? find_command(argv[2]) : COMMAND__MAX);
		return 1;
	}
	o.command = find_command(argv[1]);
	if (o.command == COMMAND__MAX)
		return without_command(argv[1], ret_text, e);
	o.jobs = cpus < 1 ? 1 : (unsigned)cpus;
	r = next_option(argc, argv, mem, &o, ret_text, e);
	if (r == 0)
		*ret = o;
	return r;
}

bool options_color(const struct options *o, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != NULL && !str_eq(o->color, "auto"))
		return str_eq(o->color, "always");
	return isatty(fd) && (no == NULL || no[0] == '\0') &&
	       !str_eq(term, "dumb");
}
