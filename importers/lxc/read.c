/*
 * From lines to settings: each through its row, and what LXC made of odd
 * spellings. What counts as one stands in lines.c.
 */
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/lxc/table.h"

enum { SHOWN_MAX = 80 }; /* bytes of a value in a message */

const struct key lxc_keys[] = {
#include "importers/lxc/keys.def"
};

const size_t lxc_n_keys = LXC_N_KEYS;

const char *lxc_shown(struct reading *r, const char *s)
{
	return str_show(r->g->mem, s, strlen(s), SHOWN_MAX);
}

int lxc_flag_parse(const char *value, bool *ret, struct err *e)
{
	if (!str_eq(value, "0") && !str_eq(value, "1"))
		return err_set(e, 0, "neither 0 nor 1");
	*ret = str_eq(value, "1");
	return 0;
}

int lxc_str(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	take_str(r, r->cur->row->field, r->g, value);
	return 0;
}

int lxc_keep(struct reading *r, const char *value, struct err *e)
{
	struct lx_value *k = &lxc_of(r)->kept[LX_N_OF(r->cur->row->arg)];

	(void)e;
	*k = (struct lx_value){ .s = r->cur, .text = value };
	return 0;
}

/* What holds without a key: to say it changes nothing. */
static const struct usual_row {
	const char *name, *value;
} usual_rows[] = {
	{ "lxc.apparmor.allow_incomplete", "0" },
	{ "lxc.apparmor.allow_nesting", "0" },
	{ "lxc.ephemeral", "0" },
	{ "lxc.init.cwd", "/" },
	{ "lxc.init.gid", "0" },
	{ "lxc.init.uid", "0" },
	{ "lxc.keyring.session", "1" },
	{ "lxc.net.N.ipvlan.isolation", "bridge" },
	{ "lxc.pty.max", "1024" },
	{ "lxc.rootfs.managed", "1" },
	{ "lxc.sched.core", "0" },
	{ "lxc.seccomp.allow_nesting", "0" },
	{ "lxc.signal.stop", "SIGKILL" },
	{ "lxc.signal.stop", "9" },
	{ "lxc.tty.max", "4" },
};

int lxc_usual(struct reading *r, const char *value, struct err *e)
{
	const struct key *row = r->cur->row;
	bool old;
	const char *name = lxc_current_name(r->g->mem, r->cur->from.key, &old);

	(void)e;
	name = lxc_row_name(r->g->mem, name);
	for (size_t i = 0; i < COUNT(usual_rows); i++) {
		if (!str_eq(usual_rows[i].name, name) ||
		    !str_eq(usual_rows[i].value, value))
			continue;
		reading_decide(r, BIN_INERT, "as without it");
		return 0;
	}
	reading_decide(r, BIN_DROPPED, "%s", row->note);
	if (row->finding < FIND__MAX)
		reading_find(r, row->finding, "%s", row->note);
	return 0;
}

void lxc_end(struct reading *r, struct setting *s, enum bin bin,
	     const char *note)
{
	if (s == NULL || s->decided || s->parts.n > 0)
		return;
	reading_resume(r, s);
	reading_decide(r, bin, "%s", note);
}

void lxc_end_find(struct reading *r, struct setting *s, enum bin bin,
		  enum finding_id id, const char *note)
{
	if (s == NULL || s->decided || s->parts.n > 0)
		return;
	lxc_end(r, s, bin, note);
	reading_find(r, id, "%s", note);
}

/* --- lines ------------------------------------------------------------- */

static struct origin origin_of(const struct lx_line *l, const char *text)
{
	return (struct origin){ .kind = ORIGIN_TEXT,
				.line = l->line,
				.file = l->file,
				.key = l->key,
				.text = text };
}

/* One setting of a line that counts. */
static void live(struct reading *r, const struct lx_line *l, const char *item,
		 const char *text)
{
	const struct origin at = origin_of(l, text);
	const char *name = lxc_row_name(r->g->mem, l->key);

	if (l->assumed)
		reading_assumed(r, lxc_keys, lxc_n_keys, &at, name, item);
	else
		reading_setting(r, lxc_keys, lxc_n_keys, &at, name, item);
}

/* Of a line that does not count, the same pieces without effect. */
static void dead(struct reading *r, const struct lx_line *l,
		 const struct key *row, const char *item, const char *text)
{
	const struct origin at = origin_of(l, text);

	if (l->assumed)
		return;
	reading_bare(r, &at, item)->row = row;
	reading_decide(r, l->dead_bin, "%s", l->dead);
}

static void cut_value(struct reading *r, const struct lx_line *l,
		      const struct key *row)
{
	const bool words = LX_FORMAT_OF(row->arg) == LX_WORDS;
	const struct strv list = strv_split(r->g->mem, l->value, " \t");

	if (!words || list.n == 0) {
		if (l->dead == NULL)
			live(r, l, NULL, l->value);
		else
			dead(r, l, row, NULL, l->value);
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		if (l->dead == NULL)
			live(r, l, list.v[i], list.v[i]);
		else
			dead(r, l, row, list.v[i], list.v[i]);
}

/* Lines that liblxc does not take as "key = value". */
static void no_setting(struct reading *r, const struct lx_line *l)
{
	/* behind a '=' may stand a secret: reports hide it by the key */
	const size_t n = strcspn(l->key, "=");
	const char *key =
		slice_dup(r->g->mem, slice_trim((struct slice){ l->key, n }));
	const struct origin at = { .kind = ORIGIN_TEXT,
				   .line = l->line,
				   .file = l->file,
				   .key = lxc_shown(r, key),
				   .text = l->key[n] == '=' ? l->key + n + 1 :
							      NULL };

	reading_bare(r, &at, NULL);
	if (l->kind == LXC_LINE_FOREIGN) {
		reading_decide(r, BIN_INERT,
			       "begins with no \"lxc.\": LXC ignores the line");
		reading_find(r, FIND_SRC_MEANT, "%s", r->cur->note);
	} else {
		reading_decide(r, BIN_INVALID,
			       "no '=' on the line: LXC refuses the file");
		reading_find(r, FIND_SRC_NOT_STARTED, "%s", r->cur->note);
	}
}

/* What LXC made of spellings that are read all the same. */
static void find_spelling(struct reading *r, const struct lx_line *l)
{
	if (l->assumed)
		return;
	if (l->crlf)
		reading_find(r, FIND_SRC_CRLF,
			     "the line ends with CR LF: LXC took the CR as a "
			     "part of the value");
	if (l->quoted && l->legacy)
		reading_find(r, FIND_SRC_MEANT,
			     "LXC before 2.1 took the quotes as a part of the "
			     "value: read without them");
}

static void one_line(struct reading *r, struct lx_line *l)
{
	const struct key *row = lxc_row(r->g->mem, l->key);

	lxc_of(r)->under = l;
	if (l->control && l->dead == NULL) {
		l->dead = "holds a control character or a NUL byte";
		l->dead_bin = BIN_INVALID;
	}
	if (l->kind != LXC_LINE_SETTING) {
		no_setting(r, l);
		return;
	}
	if (row == NULL) {
		const struct origin at = origin_of(l, l->value);

		reading_bare(r, &at, NULL);
		reading_decide(r, BIN_UNKNOWN, "not a key of LXC 1 to 7");
		reading_find(r, FIND_SRC_UNKNOWN_KEY,
			     "not known: LXC refuses the whole file for it");
		return;
	}
	cut_value(r, l, row);
	if (l->control)
		reading_find(r, FIND_SRC_BINARY, "%s: left out", l->dead);
	else
		find_spelling(r, l);
}

void lxc_read_lines(struct reading *r)
{
	struct lxc *x = lxc_of(r);

	for (size_t i = 0; i < x->lines.n; i++)
		one_line(r, &x->lines.v[i]);
}
