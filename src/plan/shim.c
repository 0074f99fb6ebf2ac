/*
 * Program and configuration of the small init; the format of the latter is
 * told in runtime/shim/shim.h. What a style does stands in vserver.md 2.2.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "derive.h"
#include "plan/edits.h"
#include "plan/shim.h"

static const char program[] = {
#include "embed/rehost-init.inc"
};

static const char shim_path[] = "/sbin/rehost-init";
static const char conf_path[] = "/etc/rehost-init.conf";

/* Styles that never had an init as pid 1, and what the old tool cleared. */
static const struct style_row {
	const char *style;
	const char *clear; /* blank-separated; NULL: nothing */
} style_rows[] = {
	{ "sysv", "/var/run /run /var/lock" },
	{ "gentoo", NULL },
	{ "openrc", NULL },
	{ "arch", NULL },
	{ "none", NULL }, /* no style: the commands of cmd.* alone */
};

static const struct style_row *style_row(const struct guest *g)
{
	for (size_t i = 0; i < COUNT(style_rows); i++)
		if (g->init_style.from != NULL &&
		    str_eq(g->init_style.v, style_rows[i].style))
			return &style_rows[i];
	return NULL;
}

bool plan_shim_style(const struct guest *g)
{
	return style_row(g) != NULL;
}

/*
 * Which guests can run the program, by class and machine of its own header
 * (elf.h): the kernel of a 64-bit host runs it beside 32-bit programs.
 */
static const struct arch_row {
	unsigned char class;
	unsigned machine;
	const char *arch, *guests;
} arch_rows[] = {
	{ 2, 62, "x86_64", "x86_64 i686 i386 x32" },
	{ 2, 183, "aarch64", "aarch64 armv7l" },
	{ 1, 3, "i686", "i686 i386" },
	{ 1, 40, "armv7l", "armv7l" },
	{ 2, 243, "riscv64", "riscv64" },
	{ 2, 22, "s390x", "s390x s390" },
};

/* NULL: a machine that has no row. */
static const struct arch_row *program_arch(void)
{
	enum { CLASS = 4, ORDER = 5, MACHINE = 18 }; /* offsets */
	const unsigned char *b = (const unsigned char *)program;
	const unsigned machine = b[ORDER] == 2 ?
					 b[MACHINE] << 8 | b[MACHINE + 1] :
					 b[MACHINE + 1] << 8 | b[MACHINE];

	for (size_t i = 0; i < COUNT(arch_rows); i++)
		if (arch_rows[i].class == b[CLASS] &&
		    arch_rows[i].machine == machine)
			return &arch_rows[i];
	return NULL;
}

static bool runs_on(struct arena *mem, const char *arch)
{
	const struct arch_row *row = program_arch();
	struct strv names;

	if (row == NULL)
		return false;
	names = strv_split(mem, row->guests, " ");
	return strv_has(&names, arch);
}

static bool is_foreign(const struct guest *g)
{
	return g->arch.from != NULL && !runs_on(g->mem, g->arch.v);
}

/* KEY=VALUE; false when the value has lines of its own. */
static bool put(struct buf *b, const char *key, const char *value)
{
	if (strchr(value, '\n') != NULL)
		return false;
	buf_printf(b, "%s=%s\n", key, value);
	return true;
}

static bool put_list(struct buf *b, const char *key, const struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!put(b, key, l->v[i]))
			return false;
	return true;
}

static bool put_env(struct buf *b, const struct guest *g)
{
	for (size_t i = 0; i < g->envs.n; i++) {
		const struct env *v = g->envs.v[i];

		if (v->name.from == NULL || v->value.from == NULL)
			continue;
		if (!put(b, "env",
			 arena_printf(g->mem, "%s=%s", v->name.v, v->value.v)))
			return false;
	}
	return true;
}

/*
 * As init would say when it changes levels: rc runs the K scripts only where
 * there was a level before. Gentoo's wrapper had an environment of its own.
 */
static bool put_stop_env(struct buf *b, const struct guest *g)
{
	const char *level = g->runlevel_stop.from ? g->runlevel_stop.v : "6";

	if (str_eq(g->init_style.v, "gentoo") ||
	    str_eq(g->init_style.v, "openrc"))
		return put(b, "stop-env", "RUNLEVEL=0");
	if (!str_eq(g->init_style.v, "sysv") || g->runlevel.from == NULL)
		return true;
	for (size_t i = 0; i < g->envs.n; i++) {
		const struct env *v = g->envs.v[i];

		if (v->name.from == NULL || v->value.from == NULL ||
		    str_ends(v->name.v, "LEVEL"))
			continue;
		if (!put(b, "stop-env",
			 arena_printf(g->mem, "%s=%s", v->name.v, v->value.v)))
			return false;
	}
	return put(b, "stop-env",
		   arena_printf(g->mem, "PREVLEVEL=%s", g->runlevel.v)) &&
	       put(b, "stop-env", arena_printf(g->mem, "RUNLEVEL=%s", level));
}

/* "fakerunlevel 3 /var/run/utmp": what the old tool ran on the host before. */
static bool put_utmp(struct buf *b, const struct guest *g)
{
	const struct strv *v = &g->prepare_cmd.v;

	if (g->prepare_cmd.from == NULL || v->n != 3 ||
	    !str_eq(v->v[0], "fakerunlevel"))
		return true;
	return put(b, "utmp", v->v[2]) && put(b, "runlevel", v->v[1]);
}

static bool configure(struct buf *b, const struct guest *g)
{
	const struct style_row *row = style_row(g);

	buf_printf(b,
		   "# rehost-init, pid 1, does what style %s did. NAME=VALUE, "
		   "an argument, variable\n"
		   "# or directory a line; stop and then the signals of kill "
		   "on SIGPWR, SIGTERM.\n",
		   g->init_style.v);
	if (row != NULL && row->clear != NULL) {
		const struct strv dirs = strv_split(g->mem, row->clear, " ");

		put_list(b, "clear", &dirs);
	}
	if (!put_utmp(b, g) || !put_env(b, g) ||
	    !put_list(b, "start", &g->init_cmd.v))
		return false;
	if (g->stop_cmd.from != NULL &&
	    (!put_list(b, "stop", &g->stop_cmd.v) || !put_stop_env(b, g)))
		return false;
	if (g->stop_timeout.from != NULL)
		buf_printf(b, "stop-timeout=%" PRIu64 "\n", g->stop_timeout.v);
	return put_list(b, "kill", &g->kill_sequence.v);
}

static void add_edits(struct plan *p, const struct buf *conf)
{
	static const struct edits_row files = {
		.name = "shim",
		.family = "all",
		.finding = FIND_EDT_ADDED,
		.reason = "a small init starts and stops what the old tools "
			  "did",
	};
	struct edits ed = { .p = p, .mem = p->g->mem, .row = &files };
	const char *sbin = edits_place_new(&ed, shim_path);
	const char *etc = edits_place_new(&ed, conf_path);

	edits_add(&ed, sbin, program, sizeof(program), 0755);
	edits_add(&ed, etc, arena_memdup(p->g->mem, conf->p, conf->n + 1),
		  conf->n, 0644);
}

/* Whether a style of the old tools started the guest, and nothing overrides. */
static bool is_asked_for(struct plan *p)
{
	const struct guest *g = p->g;
	struct edits ed = { .p = p, .mem = p->g->mem };

	if (p->root == NULL || style_row(g) == NULL ||
	    g->init_cmd.from == NULL || g->init_cmd.v.n == 0 ||
	    g->init_cmd.from->kind > ORIGIN_TEXT)
		return false;
	return !p->options->native || !edits_is_program(&ed, "/sbin/init");
}

/* Why the guest cannot have it; NULL: it can. */
static const char *obstacle(struct plan *p)
{
	const struct guest *g = p->g;
	struct edits ed = { .p = p, .mem = g->mem };
	const char *cmd = g->init_cmd.v.v[0];

	if (!edits_is_program(&ed, cmd))
		return arena_printf(g->mem, "%s is not a program in the guest",
				    str_show(g->mem, cmd, strlen(cmd), 200));
	if (edits_place_new(&ed, shim_path) == NULL ||
	    edits_place_new(&ed, conf_path) == NULL)
		return "/sbin or /etc of the guest is not a directory";
	return NULL;
}

const char *plan_shim_obstacle(struct plan *p)
{
	struct buf conf CLEANUP(buf_done) = { 0 };
	const char *why;

	if (!is_asked_for(p))
		return "no start command of a style is known";
	why = obstacle(p);
	if (why == NULL && is_foreign(p->g))
		why = "it is for another machine";
	if (why == NULL && !configure(&conf, p->g))
		why = "a value of its start or stop holds a newline";
	return why;
}

bool plan_shim_wanted(struct plan *p)
{
	return plan_shim_obstacle(p) == NULL;
}

/* The plan depends on which rehost makes it: that is told. */
static void find_foreign(struct plan *p, const struct origin *from)
{
	const struct arch_row *row = program_arch();

	if (is_asked_for(p) && obstacle(p) == NULL && is_foreign(p->g))
		finding_add(p->g, FIND_INI_SHIM_ARCH, NULL, from,
			    "the small init of this rehost is for %s, the "
			    "guest for %s: it is not put in",
			    row == NULL ? "another machine" : row->arch,
			    p->g->arch.v);
}

bool plan_shim(struct plan *p)
{
	struct buf conf CLEANUP(buf_done) = { 0 };
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "boot", g->init_cmd.from);
	struct strv argv = { 0 };
	struct finding *f;

	if (!plan_shim_wanted(p) || !configure(&conf, g)) {
		find_foreign(p, from);
		return false;
	}
	f = finding_add(g, FIND_INI_NO_INIT, NULL, from,
			"style %s ran \"%s\" without an init: %s of rehost "
			"becomes pid 1, runs it, and its stop command on "
			"SIGPWR",
			g->init_style.v, strv_join(g->mem, &g->init_cmd.v, " "),
			shim_path);
	add_edits(p, &conf);
	strv_add(g->mem, &argv, shim_path);
	derive_strv(g, FIELD_INIT_CMD, g, &argv, from, f);
	derive_bool(g, FIELD_INIT_SHIM, g, true, from, f);
	return true;
}
