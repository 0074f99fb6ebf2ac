/*
 * inittab(5), of sysvinit and of busybox: which terminals are there, what a
 * signal does. A line counts only if its program exists. Reference:
 * vserver.md 5.2 rows 2 to 7; init(8).
 */
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "plan/edits.h"

static const char inittab[] = "/etc/inittab";

/* A line "id:levels:action:process". */
struct entry {
	const char *id, *levels, *action, *process;
	const char *program; /* the first word, without '+', '-' or '@' */
};

static bool parse(struct arena *mem, const char *line, struct entry *ret)
{
	const char *field[4];
	const char *at = line + strspn(line, " \t");

	for (size_t i = 0; i < 3; i++) {
		const char *colon = strchr(at, ':');

		if (colon == NULL || *at == '#')
			return false;
		field[i] = arena_strndup(mem, at, (size_t)(colon - at));
		at = colon + 1;
	}
	*ret = (struct entry){ field[0], field[1], field[2], at, NULL };
	at += strspn(at, "+-@ \t");
	ret->program = arena_strndup(mem, at, strcspn(at, " \t"));
	return true;
}

static bool is_busybox(const struct edits *ed)
{
	return str_eq(ed->p->g->init_kind.v, "busybox");
}

/* A program without a slash is searched in PATH: taken as there. */
static bool is_there(struct edits *ed, const struct entry *en)
{
	return en->program[0] != '/' || edits_is_program(ed, en->program);
}

static bool is_getty(const struct entry *en)
{
	const char *slash = strrchr(en->program, '/');
	const char *name = slash == NULL ? en->program : slash + 1;

	return strstr(name, "getty") != NULL || str_eq(name, "login");
}

static bool is_on(struct arena *mem, const struct entry *en, const char *tty)
{
	const struct strv words = strv_split(mem, en->process, " \t");

	return str_eq(en->id, tty) || strv_has(&words, tty);
}

/* --- terminals --- */

struct gettys {
	struct edits *ed;
	bool console;        /* there is one already */
	const char *program; /* NULL: none known yet */
};

/* Lines that the old build commented out still tell which program it is. */
static void look(struct gettys *w, struct slice text)
{
	struct slice line;
	struct entry en;

	while (slice_next(&text, '\n', &line)) {
		const char *s = slice_dup(w->ed->mem, line);

		s += strspn(s, "# \t");
		if (w->program == NULL && parse(w->ed->mem, s, &en) &&
		    is_getty(&en) && en.program[0] == '/' &&
		    edits_is_program(w->ed, en.program) &&
		    !str_ends(en.program, "login"))
			w->program = en.program;
	}
}

/* busybox: "tty2::askfirst:-/bin/sh" is on a terminal that is not there. */
static bool on_terminal(const struct gettys *w, const struct entry *en)
{
	if (str_starts(en->id, "tty") && is_busybox(w->ed))
		return true;
	return is_getty(en) &&
	       (str_eq(en->action, "respawn") || str_eq(en->action, "once") ||
		str_eq(en->action, "askfirst") ||
		str_eq(en->action, "ondemand"));
}

static bool getty_line(void *arg, const char *line, struct buf *out)
{
	struct gettys *w = arg;
	struct entry en;

	if (!parse(w->ed->mem, line, &en) || !on_terminal(w, &en))
		return false;
	if (!w->console && is_on(w->ed->mem, &en, "console") &&
	    is_there(w->ed, &en)) {
		w->console = true;
		return false;
	}
	edits_comment_out(out, line);
	return true;
}

static const char *const getty_programs[] = { "/sbin/getty", "/sbin/agetty",
					      "/sbin/mingetty",
					      "/usr/bin/getty" };

static const char *console_line(struct gettys *w)
{
	const char *speed = strstr(w->program, "mingetty") ? "" : "38400 ";

	if (is_busybox(w->ed))
		return arena_printf(w->ed->mem,
				    "console::respawn:%s 38400 console",
				    w->program);
	return arena_printf(w->ed->mem, "co:12345:respawn:%s %sconsole",
			    w->program, speed);
}

void edits_gettys(struct edits *ed)
{
	struct gettys w = { .ed = ed };
	const char *path;
	struct slice text;

	if (!edits_read(ed, inittab, &path, &text))
		return;
	look(&w, text);
	for (size_t i = 0; i < COUNT(getty_programs); i++)
		if (w.program == NULL &&
		    edits_is_program(ed, getty_programs[i]))
			w.program = getty_programs[i];
	edits_lines(ed, inittab, getty_line, &w);
	if (!w.console && w.program != NULL)
		edits_add_line(ed, inittab, console_line(&w));
}

/* --- run level --- */

static bool level_line(void *arg, const char *line, struct buf *out)
{
	struct edits *ed = arg;
	const char *level = ed->p->g->runlevel.v;
	struct entry en;

	if (!parse(ed->mem, line, &en) || !str_eq(en.action, "initdefault") ||
	    str_eq(en.levels, level))
		return false;
	buf_printf(out, "%s:%s:initdefault:", en.id, level);
	return true;
}

/* Services were enabled for the level that the old tool started. */
void edits_runlevel(struct edits *ed)
{
	const struct guest *g = ed->p->g;

	if (g->runlevel.from == NULL || strlen(g->runlevel.v) != 1 ||
	    strchr("12345", g->runlevel.v[0]) == NULL)
		return;
	edits_lines(ed, inittab, level_line, ed);
}

/* --- signals --- */

struct signals {
	struct edits *ed;
	bool answered;
};

/*
 * On the old host nobody sent SIGPWR: what answers it was never in force. A
 * program that waits ("shutdown -h +2", a script for a UPS) would outlast the
 * engine's patience.
 */
static bool halts_now(const struct entry *en)
{
	static const char *const programs[] = { "/init", "/telinit", "/halt",
						"/poweroff" };

	if (str_ends(en->program, "/shutdown"))
		return strstr(en->process, " now") != NULL ||
		       strstr(en->process, " +0") != NULL;
	for (size_t i = 0; i < COUNT(programs); i++)
		if (str_ends(en->program, programs[i]))
			return true;
	return false;
}

static bool power_line(void *arg, const char *line, struct buf *out)
{
	struct signals *s = arg;
	struct entry en;

	if (!parse(s->ed->mem, line, &en) || !str_starts(en.action, "power"))
		return false;
	if (is_there(s->ed, &en) && halts_now(&en)) {
		s->answered |= str_eq(en.action, "powerfail") ||
			       str_eq(en.action, "powerwait");
		return false;
	}
	edits_comment_out(out, line);
	return true;
}

static const char *shutdown_line(struct edits *ed, const char *head,
				 const char *option, const char *level)
{
	if (edits_is_program(ed, "/sbin/shutdown"))
		return arena_printf(ed->mem, "%s:/sbin/shutdown %s now", head,
				    option);
	return arena_printf(ed->mem, "%s:/sbin/init %s", head, level);
}

void edits_power(struct edits *ed)
{
	struct signals s = { .ed = ed };
	const char *path;
	struct slice text;

	if (!edits_read(ed, inittab, &path, &text)) {
		edits_find(ed, FIND_EDT_POWER, inittab,
			   "is no file that a line for SIGPWR can be put in");
		return;
	}
	edits_lines(ed, inittab, power_line, &s);
	if (!s.answered)
		edits_add_line(ed, inittab,
			       shutdown_line(ed, "pf::powerwait", "-h", "0"));
}

/* SIGINT restarts the guest: a halt has a signal of its own now. */
static bool reboot_line(void *arg, const char *line, struct buf *out)
{
	struct signals *s = arg;
	struct entry en;

	if (!parse(s->ed->mem, line, &en) || !str_eq(en.action, "ctrlaltdel"))
		return false;
	if (is_there(s->ed, &en) && strstr(en.process, " -h") == NULL &&
	    strstr(en.process, "halt") == NULL &&
	    strstr(en.process, " 0") == NULL) {
		s->answered = true;
		return false;
	}
	edits_comment_out(out, line);
	return true;
}

void edits_reboot(struct edits *ed)
{
	struct signals s = { .ed = ed };

	edits_lines(ed, inittab, reboot_line, &s);
	if (!s.answered && edits_exists(ed, inittab))
		edits_add_line(ed, inittab,
			       shutdown_line(ed, "ca::ctrlaltdel", "-r", "6"));
}

/* --- the last script of levels 0 and 6 --- */

/* Deleted with the rest of the hardware's scripts (Slackware). */
static bool last_line(void *arg, const char *line, struct buf *out)
{
	struct edits *ed = arg;
	const char *with;
	struct entry en;

	if (!parse(ed->mem, line, &en) || !str_eq(en.action, "wait") ||
	    is_there(ed, &en))
		return false;
	if (str_eq(en.levels, "0"))
		with = "/sbin/halt -f -p";
	else if (str_eq(en.levels, "6"))
		with = "/sbin/reboot -f";
	else
		return false;
	buf_printf(out, "%s:%s:wait:%s", en.id, en.levels, with);
	return true;
}

void edits_last(struct edits *ed)
{
	if (edits_is_program(ed, "/sbin/halt"))
		edits_lines(ed, inittab, last_line, ed);
}
