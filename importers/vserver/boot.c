/*
 * Start and stop: style, run levels, commands, environment, reboot. What a
 * style does where no file says otherwise stands in rows. Source: util-vserver
 * scripts/vserver.functions, _generateInitOptions; scripts/vserver.stop;
 * scripts/functions, vshelper.*.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/num.h"
#include "base/str.h"
#include "derive.h"
#include "importers/vserver/boot.h"
#include "importers/vserver/read.h"

enum { SIGNAL_MAX = 64, DEFAULTS_MAX = 64 << 10 /* bytes of a file */ };

static const char ref_style[] =
	"scripts/vserver.functions, _generateInitOptions";
static const char ref_legacy[] = "scripts/legacy/vserver";
static const char ref_env[] = "distrib/misc/environment";
static const char ref_helper[] = "scripts/functions, vshelper";

/* What a style starts and stops with; reference 2.2. %s is the run level. */
static const struct style_row {
	const char *name;
	/* Programs in the guest; the last (or first) executable one counts. */
	const char *start[2];
	bool last;
	const char *level, *level_stop; /* NULL: none */
	bool start_level;               /* the run level is an argument */
	/* Stop command; "" the program of start; NULL: by a signal to pid 1. */
	const char *stop;
	const char *prepare_level; /* NULL: nothing; "": the run level */
	bool level_env;            /* PREVLEVEL and RUNLEVEL are set */
} style_rows[] = {
	{ .name = "sysv",
	  .start = { "/etc/init.d/rc", "/etc/rc.d/rc" },
	  .last = true,
	  .level = "3",
	  .level_stop = "6",
	  .start_level = true,
	  .stop = "",
	  .prepare_level = "",
	  .level_env = true },
	{ .name = "plain", .start = { "/sbin/init" }, .start_level = true },
	{ .name = "minit",
	  .start = { "/sbin/minit-start" },
	  .start_level = true,
	  .prepare_level = "3" },
	{ .name = "gentoo",
	  .start = { "/lib/rcscripts/sh/init-vserver.sh",
		     "/lib/rc/sh/init-vserver.sh" },
	  .level = "default",
	  .start_level = true,
	  .stop = "/sbin/rc shutdown",
	  .prepare_level = "3" },
	{ .name = "openrc",
	  .start = { "/lib/rcscripts/sh/init-vserver.sh",
		     "/lib/rc/sh/init-vserver.sh" },
	  .level = "default",
	  .start_level = true,
	  .stop = "/sbin/rc shutdown",
	  .prepare_level = "3" },
	{ .name = "arch",
	  .start = { "/etc/rc.multi" },
	  .level = "3",
	  .stop = "/etc/rc.shutdown",
	  .prepare_level = "" },
};

/* What the legacy tool started, the strongest first; the last if none is. */
static const struct legacy_row {
	const char *test;         /* executable in the guest */
	const char *start, *stop; /* %s: its inittab's run level */
	const char *style;
} legacy_rows[] = {
	{ "/etc/init.d/rc", "/etc/init.d/rc %s", "/etc/init.d/rc 6", "sysv" },
	{ "/usr/bin/emerge", "/sbin/rc default", "/sbin/rc shutdown",
	  "gentoo" },
	{ "/etc/rc.d/rc.M", "/etc/rc.d/rc.M", "/etc/rc.d/rc.6", "sysv" },
	{ NULL, "/etc/rc.d/rc %s", "/etc/rc.d/rc 6", "sysv" },
};

struct kept {
	struct setting *s;
	const char *text;
};

struct vserver_boot {
	VEC(struct kept) kills;
	struct kept sync, disabled, action;
	bool no_stop, no_kill; /* cmd.stop, killseq are there and empty */
	struct vserver_devmap *map;
	struct vserver_groups *groups;
	struct vserver_hooks *hooks;
};

void vserver_boot_begin(struct reading *r)
{
	struct vserver_boot *b = arena_alloc(r->g->mem, sizeof(*b));

	b->map = vserver_devmap_new(r);
	b->groups = vserver_groups_new(r);
	b->hooks = vserver_hooks_new(r);
	vserver_of(r)->boot = b;
}

static struct kept current(struct reading *r, const char *value)
{
	return (struct kept){ r->cur, value == NULL ? "" : value };
}

static bool is_empty(struct reading *r, const char *value)
{
	if (value != NULL && value[0] != '\0')
		return false;
	reading_decide(r, BIN_INERT, "empty: as if it were not there");
	return true;
}

/* --- values that end at once --- */

int vserver_boot_text(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (!is_empty(r, value))
		take_str(r, r->cur->row->field, r->g, value);
	return 0;
}

int vserver_boot_element(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	take_element(r, r->cur->row->field, r->g, value);
	if (str_eq(r->cur->item, "1") && strpbrk(value, " \t") != NULL)
		reading_find(r, FIND_SRC_NOT_STARTED,
			     "\"%s\" is one argument, for each line is one: "
			     "no program has that name; meant were arguments "
			     "parted by blanks",
			     value);
	return 0;
}

int vserver_boot_depends(struct reading *r, const char *value, struct err *e)
{
	if (strchr(value, '/') != NULL)
		return err_set(e, 0, "\"%s\" is not the short name of a guest",
			       value);
	if (!vserver_of(r)->unterminated) {
		take_element(r, FIELD_DEPENDS, r->g, value);
		return 0;
	}
	reading_decide(r, BIN_INERT,
		       "the last line has no newline: never read");
	reading_find(r, FIND_SRC_NO_NEWLINE,
		     "\"%s\" has no newline: the old tools lost it, not "
		     "carried",
		     value);
	return 0;
}

static struct env *env_of(struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->g->envs.n; i++)
		if (str_eq(r->g->envs.v[i]->name.v, name))
			return r->g->envs.v[i];
	return NULL;
}

int vserver_boot_env(struct reading *r, const char *value, struct err *e)
{
	const char *eq = strchr(value, '='), *name;
	struct env *v;

	(void)e;
	if (eq == NULL || eq == value) {
		reading_decide(r, BIN_INVALID, "not NAME=VALUE");
		reading_find(r, FIND_INI_SYSTEMD_OLD_LINE,
			     "\"%s\" has no name and value: the old tools took "
			     "it for the command to run; left out",
			     str_show(r->g->mem, value, strlen(value), 60));
		return 0;
	}
	name = arena_strndup(r->g->mem, value, (size_t)(eq - value));
	v = env_of(r, name);
	if (v != NULL)
		reading_find(r, FIND_SRC_MULTIPLE,
			     "%s is given again: this line is used",
			     str_show(r->g->mem, name, strlen(name), 60));
	else
		v = take_env(r);
	take_str(r, FIELD_ENV_NAME, v, name);
	take_str(r, FIELD_ENV_VALUE, v, eq + 1);
	return 0;
}

static bool is_style(const char *name)
{
	for (size_t i = 0; i < COUNT(style_rows); i++)
		if (str_eq(style_rows[i].name, name))
			return true;
	return false;
}

int vserver_boot_style(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (value == NULL || value[0] == '\0') {
		/* An empty first line: no commands but those of cmd.* */
		take_str(r, FIELD_INIT_STYLE, r->g, "none");
	} else if (is_style(value)) {
		take_str(r, FIELD_INIT_STYLE, r->g, value);
	} else {
		take_str(r, FIELD_INIT_STYLE, r->g, "sysv");
		reading_approx(r, "style %s is not known: taken as sysv",
			       value);
		reading_find(r, FIND_INI_STYLE,
			     "style \"%s\" is not known: taken as sysv",
			     str_show(r->g->mem, value, strlen(value), 40));
	}
	return 0;
}

/* --- values that wait --- */

int vserver_boot_seconds(struct reading *r, const char *value, struct err *e)
{
	uint64_t n;

	if (is_empty(r, value))
		return 0;
	if (num_u64(value, &n, e) < 0)
		return err_wrap(e, "seconds");
	vserver_of(r)->boot->sync = current(r, value);
	return 0;
}

int vserver_boot_kill(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	*vec_add(r->g->mem, &vserver_of(r)->boot->kills) = current(r, value);
	return 0;
}

int vserver_boot_mark(struct reading *r, const char *value, struct err *e)
{
	return vserver_groups_keep(r, vserver_of(r)->boot->groups, value, e);
}

int vserver_boot_reboot(struct reading *r, const char *value, struct err *e)
{
	struct vserver_boot *b = vserver_of(r)->boot;

	(void)e;
	if (VS_FORMAT_OF(r->cur->row->arg) == VS_FLAG)
		b->disabled = current(r, value);
	else if (!is_empty(r, value))
		b->action = current(r, value);
	return 0;
}

int vserver_boot_map(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	vserver_devmap_keep(r, vserver_of(r)->boot->map,
			    VS_N_OF(r->cur->row->arg), value);
	return 0;
}

/* Files without an entry that say something by being there. */
static const struct nothing {
	const char *path;
	enum bin bin;
	enum finding_id finding;
	const char *note;
} nothings[] = {
	{ "apps/init/cmd.start", BIN_INVALID, FIND_SRC_NOT_STARTED,
	  "empty: there was nothing to start; the style's command is used" },
	{ "apps/init/cmd.stop", BIN_CARRIED, FIND_INI_STOP,
	  "empty: no stop command; the guest was stopped by signals alone" },
	{ "apps/init/killseq", BIN_CARRIED, FIND_SRC_MEANT,
	  "empty: the guest got SIGKILL at once" },
	{ "apps/init/environment", BIN_INERT, FIND_SRC_MEANT,
	  "empty: init was started without PATH; the usual one is given" },
};

void vserver_boot_nothing(struct reading *r)
{
	const char *path = vserver_of(r)->path;
	struct vserver_boot *b = vserver_of(r)->boot;

	for (size_t i = 0; i < COUNT(nothings); i++) {
		const struct nothing *n = &nothings[i];

		if (!str_eq(path, n->path))
			continue;
		reading_decide(r, n->bin, "%s", n->note);
		reading_find(r, n->finding, "%s", n->note);
		if (r->cur->row->field == FIELD_STOP_CMD)
			b->no_stop = true;
		if (r->cur->row->parse == vserver_boot_kill)
			b->no_kill = true;
	}
}

/* --- scripts --- */

int vserver_boot_hook(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	vserver_hooks_keep(r, vserver_of(r)->boot->hooks);
	return 0;
}

int vserver_boot_event(struct reading *r, const char *value, struct err *e)
{
	const char *path = vserver_of(r)->path;
	const char *name = strstr(path, "vshelper");

	(void)value;
	(void)e;
	vserver_hooks_take(r,
			   name == NULL ? path : arena_strdup(r->g->mem, name));
	return 0;
}

/* --- stop --- */

/* A signal by number or name, "SIGTERM"; NULL: none. */
static const char *signal_name(struct arena *mem, const char *text)
{
	const char *name = str_starts(text, "SIG") ? text + 3 : text;
	uint64_t n;
	struct err e;

	if (num_u64(text, &n, &e) == 0) {
		const char *abbrev = n < SIGNAL_MAX ? sigabbrev_np((int)n) :
						      NULL;

		return abbrev == NULL ? NULL :
					arena_printf(mem, "SIG%s", abbrev);
	}
	for (int i = 1; i < SIGNAL_MAX; i++)
		if (str_eq(sigabbrev_np(i), name))
			return arena_printf(mem, "SIG%s", name);
	return NULL;
}

/* Documented are numbers; vkill took names as well. */
static void take_signal(struct reading *r, const char *text, const char *name)
{
	uint64_t n;
	struct err e;

	take_element(r, FIELD_KILL_SEQUENCE, r->g, name);
	if (num_u64(text, &n, &e) < 0)
		reading_find(r, FIND_SRC_MEANT,
			     "\"%s\" stands where a number is documented: "
			     "taken as %s",
			     text, name);
}

static void bad_kill(struct reading *r, const char *text, const char *what)
{
	reading_decide(r, BIN_INVALID, "\"%s\" is no %s", text, what);
	reading_find(r, FIND_SRC_NOT_STARTED, "\"%s\" is no %s: left out", text,
		     what);
}

/* Signals at odd places, seconds between them; returns the sum of the waits. */
static uint64_t take_kills(struct reading *r)
{
	const struct vserver_boot *b = vserver_of(r)->boot;
	uint64_t sum = 0, wait;
	struct err e;

	for (size_t i = 0; i < b->kills.n; i++) {
		const char *text = b->kills.v[i].text, *name;

		reading_resume(r, b->kills.v[i].s);
		name = signal_name(r->g->mem, text);
		if (i % 2 == 0 && name != NULL) {
			take_signal(r, text, name);
		} else if (i % 2 == 0) {
			bad_kill(r, text, "signal");
		} else if (num_u64(text, &wait, &e) < 0 || wait > UINT32_MAX) {
			bad_kill(r, text, "number of seconds");
		} else {
			sum += wait;
			take_element(r, FIELD_KILL_SEQUENCE, r->g, text);
			if (i + 1 == b->kills.n)
				reading_find(r, FIND_SRC_MEANT,
					     "no signal follows the wait of %s "
					     "seconds: after it the guest got "
					     "SIGKILL",
					     text);
		}
	}
	reading_default(r, FIELD_KILL_SEQUENCE, r->g,
			b->no_kill ? "SIGKILL" : "SIGTERM 5 SIGKILL",
			ref_style);
	return sum;
}

/* First the wait for the stop command, then the waits between signals. */
static void take_timeout(struct reading *r)
{
	const struct vserver_boot *b = vserver_of(r)->boot;
	uint64_t total = take_kills(r), sync = 0;
	struct err e;

	if (b->sync.s != NULL && num_u64(b->sync.text, &sync, &e) == 0) {
		reading_resume(r, b->sync.s);
		take_u64(r, FIELD_STOP_TIMEOUT, r->g, sync + total);
	}
	for (size_t i = 1; i < b->kills.n; i += 2) {
		reading_resume(r, b->kills.v[i].s);
		if (r->cur->decided)
			continue;
		if (r->g->stop_timeout.from == NULL)
			take_u64(r, FIELD_STOP_TIMEOUT, r->g, total);
		else
			take_part(r, FIELD_STOP_TIMEOUT, r->g);
	}
	reading_default(r, FIELD_STOP_TIMEOUT, r->g, "30", ref_helper);
}

static void take_reboot(struct reading *r)
{
	const struct vserver_boot *b = vserver_of(r)->boot;

	if (b->action.s != NULL) {
		reading_resume(r, b->action.s);
		take_str(r, FIELD_ON_REBOOT, r->g, b->action.text);
		if (!str_eq(b->action.text, "restart"))
			reading_find(r, FIND_INI_REBOOT,
				     "the action \"%s\" is not carried",
				     b->action.text);
	}
	if (b->disabled.s != NULL) {
		reading_resume(r, b->disabled.s);
		take_str(r, FIELD_ON_REBOOT, r->g, "ignore");
		reading_find(r, FIND_INI_REBOOT,
			     "reboot and halt from inside were not handled");
	}
	reading_default(r, FIELD_ON_REBOOT, r->g, "restart", ref_helper);
}

/* --- what a style does by default --- */

const char *vserver_boot_root(struct reading *r)
{
	const struct vserver *v = vserver_of(r);

	if (r->g->rootfs.from != NULL)
		return r->g->rootfs.v;
	if (!v->legacy)
		return arena_printf(r->g->mem, "%s/vdir", v->cfg);
	return arena_printf(r->g->mem, "%s/%s",
			    vserver_root_base(v->t, v->confdir, r->g->mem),
			    v->name);
}

/* The guest's root as a tree: links lead where they lead inside it. */
static struct tree *guest_root(struct reading *r)
{
	struct tree *root = NULL;
	struct err e;

	if (tree_sub(vserver_of(r)->t, vserver_boot_root(r), &root, &e) < 0)
		return NULL;
	return root;
}

static bool is_program(struct tree *root, const char *path)
{
	struct tree_stat st;
	struct err e;

	return root != NULL && tree_stat(root, path, &st, &e) == 0 &&
	       S_ISREG(st.mode) && (st.mode & 0111) != 0;
}

/* The program that the style starts; the first one where none is there. */
static const char *start_program(struct reading *r, const struct style_row *row)
{
	struct tree *root CLEANUP(tree_closep) = guest_root(r);
	const char *found = NULL;

	for (size_t i = 0; i < COUNT(row->start); i++)
		if (row->start[i] != NULL && (found == NULL || row->last) &&
		    is_program(root, row->start[i]))
			found = row->start[i];
	if (found != NULL)
		return found;
	if (root != NULL && r->g->init_cmd.from == NULL &&
	    row->start[1] != NULL) /* one alone: the plan looks for it */
		reading_find_at(r, FIND_SRC_NOT_STARTED, r->g->init_style.from,
				"style %s: neither %s nor %s is a program in "
				"the guest",
				row->name, row->start[0], row->start[1]);
	return row->start[0];
}

static const char *joined(struct reading *r, const char *a, const char *b)
{
	if (b == NULL || b[0] == '\0')
		return a;
	return arena_printf(r->g->mem, "%s %s", a, b);
}

static void default_env(struct reading *r, const char *name, const char *value,
			const char *ref)
{
	struct env *v;

	if (env_of(r, name) != NULL)
		return;
	v = take_env(r);
	reading_default(r, FIELD_ENV_NAME, v, name, ref);
	reading_default(r, FIELD_ENV_VALUE, v, value, ref);
}

static void prepare(struct reading *r, const struct style_row *row)
{
	const char *level = row->prepare_level;

	if (level == NULL)
		return;
	if (level[0] == '\0' && r->g->runlevel.from != NULL)
		level = r->g->runlevel.v;
	reading_default(r, FIELD_PREPARE_CMD, r->g,
			arena_printf(r->g->mem, "fakerunlevel %s /var/run/utmp",
				     level),
			ref_style);
}

static void stop(struct reading *r, const struct style_row *row,
		 const char *program)
{
	struct guest *g = r->g;

	if (row->stop == NULL && vserver_of(r)->legacy) {
		reading_default(r, FIELD_STOP_CMD, g,
				str_eq(row->name, "minit") ?
					"/sbin/minit-stop" :
					"/sbin/init 6",
				ref_legacy);
		return;
	}
	if (row->stop == NULL) {
		reading_default(r, FIELD_STOP_SIGNAL, g, "SIGINT",
				"scripts/vserver.stop: vkill -s INT to pid 1");
		return;
	}
	if (vserver_of(r)->boot->no_stop)
		return;
	if (row->stop[0] != '\0')
		program = row->stop;
	reading_default(r, FIELD_STOP_CMD, g,
			joined(r, program, g->runlevel_stop.v), ref_style);
}

/* Digits and S; baselayout and OpenRC name theirs. */
static bool is_level(const struct style_row *row, const char *level)
{
	if (row->level != NULL && strlen(row->level) > 1)
		return level[0] != '\0' && strpbrk(level, "/ \t") == NULL;
	return strlen(level) == 1 && strchr("0123456789Ss", level[0]) != NULL;
}

static void check_level(struct reading *r, const struct style_row *row,
			const struct opt_str *level)
{
	if (level->from == NULL || level->from->kind <= ORIGIN_DEFAULT ||
	    is_level(row, level->v))
		return;
	reading_find_at(r, FIND_SRC_MEANT, level->from,
			"\"%s\" is no run level: style %s was given it as it "
			"stands",
			str_show(r->g->mem, level->v, strlen(level->v), 60),
			row->name);
}

static void apply_style(struct reading *r, const struct style_row *row)
{
	struct guest *g = r->g;
	const char *program = start_program(r, row), *level;

	check_level(r, row, &g->runlevel);
	check_level(r, row, &g->runlevel_stop);
	if (row->level != NULL)
		reading_default(r, FIELD_RUNLEVEL, g, row->level, ref_style);
	if (row->level_stop != NULL)
		reading_default(r, FIELD_RUNLEVEL_STOP, g, row->level_stop,
				ref_style);
	level = g->runlevel.from != NULL ? g->runlevel.v : NULL;
	reading_default(r, FIELD_INIT_CMD, g,
			joined(r, program, row->start_level ? level : NULL),
			ref_style);
	stop(r, row, program);
	prepare(r, row);
	if (row->level_env && level != NULL) {
		default_env(r, "PREVLEVEL", "N", ref_style);
		default_env(r, "RUNLEVEL", level, ref_style);
	}
}

/* Of "id:3:initdefault:" the 3; NULL: there is none. */
static const char *initdefault(struct reading *r, struct tree *root)
{
	struct slice rest, line;
	const char *data;
	struct err e;
	size_t n;

	if (root == NULL || tree_read(root, "/etc/inittab", DEFAULTS_MAX,
				      r->g->mem, &data, &n, &e) < 0)
		return NULL;
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		struct strv w;
		const char *text = slice_dup(r->g->mem, slice_trim(line));

		if (text[0] == '#' || strstr(text, ":initdefault") == NULL)
			continue;
		w = strv_split(r->g->mem, text, ":");
		return w.n >= 3 ? w.v[1] : NULL;
	}
	return NULL;
}

static const struct legacy_row *legacy_row(struct tree *root)
{
	size_t i = 0;

	while (legacy_rows[i].test != NULL &&
	       !is_program(root, legacy_rows[i].test))
		i++;
	return &legacy_rows[i];
}

/* Style and commands by what is in the guest; S_FLAGS may have said more. */
static void legacy_style(struct reading *r)
{
	struct tree *root CLEANUP(tree_closep) = guest_root(r);
	const struct legacy_row *row = legacy_row(root);
	struct guest *g = r->g;
	const char *level = initdefault(r, root);
	const char *start = row->start;

	if (g->init_style.from->kind > ORIGIN_DEFAULT)
		return;
	derive_str(g, FIELD_INIT_STYLE, g, row->style,
		   derive_origin(g, ORIGIN_DEFAULT, "", 0, ref_legacy, NULL),
		   NULL);
	if (level == NULL)
		level = "3";
	if (str_ends(start, " %s")) {
		reading_default(r, FIELD_RUNLEVEL, g, level, ref_legacy);
		start = arena_strndup(g->mem, start, strlen(start) - 3);
		start = joined(r, start, level);
	}
	reading_default(r, FIELD_INIT_CMD, g, start, ref_legacy);
	reading_default(r, FIELD_STOP_CMD, g, row->stop, ref_legacy);
}

static void take_style(struct reading *r)
{
	struct guest *g = r->g;

	if (vserver_of(r)->legacy) {
		default_env(r, "PATH",
			    "/sbin:/usr/sbin:/bin:/usr/bin:/usr/X11R6/bin",
			    ref_legacy);
		legacy_style(r);
	} else if (g->envs.n == 0) {
		default_env(r, "PATH", "/bin:/usr/bin:/sbin:/usr/sbin",
			    ref_env);
	}
	for (size_t i = 0; i < COUNT(style_rows); i++)
		if (str_eq(style_rows[i].name, g->init_style.v))
			apply_style(r, &style_rows[i]);
}

void vserver_boot_settle(struct reading *r)
{
	take_style(r);
	vserver_groups_settle(r, vserver_of(r)->boot->groups);
	take_timeout(r);
	take_reboot(r);
	vserver_hooks_settle(r, vserver_of(r)->boot->hooks);
	vserver_devmap_settle(r, vserver_of(r)->boot->map);
}
