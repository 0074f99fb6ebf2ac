/*
 * From the files to settings. What counts as one, for whoever counts a second
 * time:
 *
 *	a line with an assignment
 *	    scalar     1
 *	    pair       2 where there is exactly one ':', else 1
 *	    words      1 for each word between blanks and commas, at least 1
 *	    spaces     1 for each word between blanks, at least 1
 *	    addresses  1 for each word between blanks, ',' and ';', at least 1
 *	    netif      of each part between ';' 1 for each piece between ','
 *	               that is not empty; "ip=" 1 for each piece between ':';
 *	               at least 1
 *	    disk       the same, without the rule for "ip="
 *	    binds      of each word between blanks 1 for each piece between
 *	               ','; at least 1
 *	    unknown    1
 *	a line that is no assignment, whose name vzctl does not see, or whose
 *	quote is not closed on it                                            1
 *	libvirt's comment "#UUID: ..."                                       1
 *	a script of the guest                                                1
 *
 * Lines of vz.conf are counted in the same way. A file that cannot be read
 * is an error for the guest's own, and a finding for vz.conf.
 */
#include <errno.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "importers/openvz/dump.h"
#include "importers/openvz/table.h"

enum {
	FILE_MAX = 64 << 10, /* bytes of a configuration: none has more */
	SHOWN_MAX = 80,      /* bytes of a value in a message */
};

static const char global_path[] = "/etc/vz/vz.conf";

const struct key openvz_keys[] = {
#include "importers/openvz/keys.def"
};

const size_t openvz_n_keys = OPENVZ_N_KEYS;

const char *openvz_shown(struct reading *r, const char *s)
{
	return str_show(r->g->mem, s, strlen(s), SHOWN_MAX);
}

int openvz_inert(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	reading_decide(r, BIN_INERT, "%s", r->cur->row->note);
	return 0;
}

int openvz_keep(struct reading *r, const char *value, struct err *e)
{
	struct ov_value *k = &openvz_of(r)->kept[OV_N_OF(r->cur->row->arg)];

	(void)e;
	*k = (struct ov_value){ .s = r->cur, .text = value };
	return 0;
}

bool openvz_is_yes(struct reading *r, enum ov_kept k)
{
	const struct ov_value *v = &openvz_of(r)->kept[k];

	return v->s != NULL && str_eq(v->text, "yes");
}

void openvz_end(struct reading *r, struct setting *s, enum bin bin,
		const char *note)
{
	if (s == NULL || s->decided || s->parts.n > 0)
		return;
	reading_resume(r, s);
	reading_decide(r, bin, "%s", note);
}

void openvz_end_find(struct reading *r, struct setting *s, enum bin bin,
		     enum finding_id id, const char *note)
{
	if (s == NULL || s->decided || s->parts.n > 0)
		return;
	openvz_end(r, s, bin, note);
	reading_find(r, id, "%s", note);
}

/* --- pieces of a value ------------------------------------------------ */

/* The line whose pieces become settings. */
struct cutting {
	struct reading *r;
	const char *file;
	const struct ov_line *l;
	const char *dead; /* why the line has no effect; NULL: it has one */
	enum bin dead_bin;
	unsigned made; /* settings so far */
};

/* Of a dead line the pieces are counted, and have no effect. */
static void piece(struct cutting *c, const char *name, const char *item,
		  const char *text)
{
	const struct origin at = { .kind = ORIGIN_TEXT,
				   .line = c->l->line,
				   .file = c->file,
				   .key = c->l->key,
				   .text = text };

	c->made++;
	if (c->dead == NULL) {
		reading_setting(c->r, openvz_keys, openvz_n_keys, &at, name,
				item);
		return;
	}
	reading_bare(c->r, &at, item)->row =
		importer_key(openvz_keys, openvz_n_keys, name);
	reading_decide(c->r, c->dead_bin, "%s", c->dead);
}

static void pair(struct cutting *c)
{
	struct openvz *v = openvz_of(c->r);
	const char *colon = strchr(c->l->text, ':');

	v->side = OV_WHOLE;
	if (colon == NULL || strchr(colon + 1, ':') != NULL) {
		piece(c, c->l->key, NULL, c->l->text);
		return;
	}
	v->side = OV_BARRIER;
	piece(c, c->l->key, "barrier",
	      arena_strndup(c->r->g->mem, c->l->text,
			    (size_t)(colon - c->l->text)));
	v->side = OV_LIMIT;
	piece(c, c->l->key, "limit", colon + 1);
	v->side = OV_WHOLE;
}

static void words(struct cutting *c, const char *seps)
{
	const struct strv list = strv_split(c->r->g->mem, c->l->text, seps);

	for (size_t i = 0; i < list.n; i++)
		piece(c, c->l->key, list.v[i], list.v[i]);
}

/* "ifname=eth0": the row "NETIF:ifname"; "ip=" is a list. */
static void sub_key(struct cutting *c, const char *group, const char *text)
{
	struct arena *mem = c->r->g->mem;
	const size_t n = strcspn(text, "=");
	const char *key = arena_strndup(mem, text, n);
	const char *name = arena_printf(mem, "%s:%s", c->l->key, key);
	const char *item = arena_printf(mem, "%s.%s", group, key);
	const char *value = text[n] == '=' ? text + n + 1 : "";
	const struct strv list = strv_split(mem, value, ":");

	if (!str_eq(name, "NETIF:ip") || list.n < 2) {
		piece(c, name, item, value);
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		piece(c, name, item, list.v[i]);
}

/* The value of a sub-key in a part, for its name; NULL: none. */
static const char *sub_value(const struct strv *part, const char *key)
{
	for (size_t i = 0; i < part->n; i++)
		if (str_starts(part->v[i], key))
			return part->v[i] + strlen(key);
	return NULL;
}

static bool is_mac(const char *s)
{
	uint8_t mac[6];
	struct err e;

	return s == NULL || (strlen(s) == 17 && s[2] == ':' &&
			     inet_mac_parse(s, mac, &e) == 0);
}

/* Why vzctl did not take the part as an interface; NULL: it did. */
static const char *netif_fault(const struct strv *part)
{
	const char *name = sub_value(part, "ifname=");

	if (name == NULL || name[0] == '\0')
		return "an interface without ifname";
	if (strlen(name) > 15 || !inet_ifname_ok(name))
		return "ifname is no legal name of an interface";
	if (!is_mac(sub_value(part, "mac=")) ||
	    !is_mac(sub_value(part, "host_mac=")))
		return "not a hardware address";
	return NULL;
}

/* vzctl lost all that follows a bad interface, libvzctl only that one. */
static void start_netif(struct cutting *c, const struct strv *part)
{
	struct openvz *v = openvz_of(c->r);
	const char *why = netif_fault(part);

	v->group = pvec_add(c->r->g->mem, &v->netifs);
	v->group->line = c->l->line;
	if (v->netif_fault == NULL && why != NULL)
		v->netif_fault = why;
	if (why != NULL || (v->netif_fault != NULL && v->dialect != OV_V7)) {
		v->netifs.n--;
		c->dead = arena_printf(c->r->g->mem,
				       "%s: the old tools left out %s",
				       v->netif_fault,
				       v->dialect == OV_V7 ?
					       "this interface" :
					       "it and what follows it");
		c->dead_bin = BIN_INVALID;
	}
}

static void netif_part(struct cutting *c, const char *text, unsigned number)
{
	struct arena *mem = c->r->g->mem;
	const struct strv part = strv_split(mem, text, ",");
	const char *name = sub_value(&part, "ifname=");
	const char *group = name != NULL && name[0] != '\0' ?
				    name :
				    arena_printf(mem, "%u", number);
	const struct cutting before = *c;
	bool ip6 = false;

	if (part.n == 0) /* commas alone */
		return;
	if (c->dead == NULL)
		start_netif(c, &part);
	for (size_t i = 0; i < part.n; i++) {
		ip6 = ip6 || str_starts(part.v[i], "ip6=");
		if (ip6 && strchr(part.v[i], '=') == NULL)
			sub_key(c, group,
				arena_printf(mem, "ip6=%s", part.v[i]));
		else
			sub_key(c, group, part.v[i]);
	}
	if (c->dead != NULL && before.dead == NULL)
		reading_find(c->r, FIND_NET_BAD_VALUE, "%s", c->dead);
	c->dead = before.dead;
	c->dead_bin = before.dead_bin;
}

static void netif(struct cutting *c)
{
	const struct strv parts = strv_split(c->r->g->mem, c->l->text, ";");

	for (size_t i = 0; i < parts.n; i++)
		netif_part(c, parts.v[i], (unsigned)i);
}

static void disk(struct cutting *c)
{
	struct openvz *v = openvz_of(c->r);
	struct arena *mem = c->r->g->mem;
	const struct strv parts = strv_split(mem, c->l->text, ";");

	for (size_t i = 0; i < parts.n; i++) {
		const struct strv part = strv_split(mem, parts.v[i], ",");
		const char *group = arena_printf(mem, "%zu", i);

		if (c->dead == NULL) {
			v->group = pvec_add(mem, &v->disks);
			v->group->line = c->l->line;
		}
		for (size_t k = 0; k < part.n; k++)
			sub_key(c, group, part.v[k]);
	}
}

static void binds(struct cutting *c)
{
	struct openvz *v = openvz_of(c->r);
	struct arena *mem = c->r->g->mem;
	const struct strv list = strv_split(mem, c->l->text, " \t");

	for (size_t i = 0; i < list.n; i++) {
		const struct strv part = strv_split(mem, list.v[i], ",");

		if (c->dead == NULL) {
			v->group = pvec_add(mem, &v->binds);
			v->group->line = c->l->line;
		}
		for (size_t k = 0; k < part.n; k++)
			piece(c, c->l->key, part.v[0], part.v[k]);
	}
}

int openvz_piece(struct reading *r, const char *value, struct err *e)
{
	struct openvz *v = openvz_of(r);
	const char *dot = r->cur->item == NULL ? NULL :
						 strrchr(r->cur->item, '.');
	struct ov_piece *p;

	(void)e;
	if (v->group == NULL) /* an empty list */
		return openvz_inert(r, value, e);
	p = vec_add(r->g->mem, &v->group->pieces);
	*p = (struct ov_piece){ .s = r->cur,
				.key = dot == NULL ? "" : dot + 1,
				.text = value };
	return 0;
}

static void cut_value(struct cutting *c, const struct key *row)
{
	openvz_of(c->r)->group = NULL;
	switch (OV_FORMAT_OF(row->arg)) {
	case OV_SCALAR:
		piece(c, row->name, NULL, c->l->text);
		break;
	case OV_PAIR:
		pair(c);
		break;
	case OV_WORDS:
		words(c, " \t,");
		break;
	case OV_SPACES:
		words(c, " \t");
		break;
	case OV_ADDRESSES:
		words(c, " \t,;");
		break;
	case OV_NETIF:
		netif(c);
		break;
	case OV_DISK:
		disk(c);
		break;
	case OV_BINDS:
		binds(c);
		break;
	}
	if (c->made > 0)
		return;
	if (c->dead == NULL) {
		c->dead = "empty";
		c->dead_bin = BIN_INERT;
	}
	piece(c, row->name, NULL, c->l->text);
}

/* --- lines ------------------------------------------------------------ */

struct file {
	const char *path;
	struct ov_lines lines;
	bool global; /* vz.conf */
	/* of each row the lines that set it; NULL: none does */
	const struct ov_line *first[OPENVZ_N_KEYS], *last[OPENVZ_N_KEYS];
};

static void index_lines(struct file *f)
{
	for (size_t i = 0; i < f->lines.n; i++) {
		const struct ov_line *l = &f->lines.v[i];
		const struct key *row =
			importer_key(openvz_keys, openvz_n_keys, l->key);

		if (l->fault != OV_FINE || row == NULL)
			continue;
		f->last[row - openvz_keys] = l;
		if (f->first[row - openvz_keys] == NULL)
			f->first[row - openvz_keys] = l;
	}
}

static struct setting *bare(struct reading *r, const struct file *f,
			    const struct ov_line *l, const char *key)
{
	const struct origin at = { .kind = ORIGIN_TEXT,
				   .line = l->line,
				   .file = f->path,
				   .key = key,
				   .text = l->text };

	return reading_bare(r, &at, NULL);
}

/* A line that no tool took as an assignment. */
static void broken(struct reading *r, const struct file *f,
		   const struct ov_line *l)
{
	static const struct {
		enum ov_fault fault;
		enum bin bin;
		const char *note;
	} faults[] = {
		{ OV_NO_ASSIGNMENT, BIN_INVALID,
		  "not an assignment: the old tools skip the line" },
		{ OV_OPEN_QUOTE, BIN_INVALID,
		  "the closing quote is missing: vzctl left the line out" },
		{ OV_UNSEEN, BIN_INERT,
		  "vzctl does not see a name that is spelled so: without "
		  "effect" },
		{ OV_JOINED, BIN_INERT,
		  "a value over several lines: only a shell reads it, vzctl "
		  "left it out" },
	};

	for (size_t i = 0; i < COUNT(faults); i++) {
		if (faults[i].fault != l->fault)
			continue;
		bare(r, f, l,
		     l->key[0] == '\0' ? openvz_shown(r, l->text) : l->key);
		reading_decide(r, faults[i].bin, "%s", faults[i].note);
		if (!f->global)
			reading_find(r, FIND_SRC_MEANT, "%s", faults[i].note);
	}
}

/* The line of the same key that counted in place of this one; NULL: none. */
static const struct ov_line *winner(const struct file *f, const struct key *row,
				    const struct ov_line *l, bool first)
{
	const size_t i = (size_t)(row - openvz_keys);
	const struct ov_line *won = first ? f->first[i] : f->last[i];

	return won == l ? NULL : won;
}

/* Never taken from vz.conf by any of the tools; openvz.md 1.3. */
static bool is_own(const char *key)
{
	return str_eq(key, "NETFILTER") || str_eq(key, "VEID") ||
	       str_eq(key, "UUID");
}

/* Whether the line lost against another one of its file, and why. */
static void fold(struct cutting *c, const struct file *f, const struct key *row)
{
	const struct openvz *v = openvz_of(c->r);
	const enum ov_several several = OV_SEVERAL_OF(row->arg);
	const bool first = several == OV_FIRST && v->dialect != OV_V7;
	const struct ov_line *won;

	if (several == OV_ADD && v->dialect != OV_V7)
		return;
	won = winner(f, row, c->l, first);
	if (won == NULL)
		return;
	c->dead_bin = BIN_OVERRIDDEN;
	c->dead = arena_printf(c->r->g->mem,
			       "line %u has the same key and "
			       "won: the %s counted",
			       won->line, first ? "first" : "last");
}

/* lost: the line lost to the one that it names. */
static void find_fold(struct cutting *c, const struct file *f,
		      const struct key *row, bool lost)
{
	const struct openvz *v = openvz_of(c->r);
	const struct ov_line *last = winner(f, row, c->l, false);

	if (lost)
		reading_find(c->r, FIND_SRC_MULTIPLE, "%s", c->dead);
	else if (last != NULL && OV_SEVERAL_OF(row->arg) == OV_ADD &&
		 v->dialect != OV_V7)
		reading_find(c->r, FIND_SRC_MULTIPLE,
			     "also on line %u: vzctl took both, a shell and "
			     "libvzctl only the last",
			     last->line);
}

/* What the old tools made of odd spellings that were read all the same. */
static void find_spelling(struct reading *r, const struct ov_line *l)
{
	if (l->comment)
		reading_find(r, FIND_SRC_MEANT,
			     "read without the comment behind it, which vzctl "
			     "took as a part of the value");
	if (l->single_quoted)
		reading_find(r, FIND_SRC_MEANT,
			     "vzctl takes single quotes as a part of the "
			     "value");
	if (l->nul)
		reading_find(r, FIND_SRC_BINARY,
			     "a NUL byte: the rest of the line had no effect");
}

static void assignment(struct reading *r, const struct file *f,
		       const struct ov_line *l, const struct file *own)
{
	const struct key *row =
		importer_key(openvz_keys, openvz_n_keys, l->key);
	struct cutting c = { .r = r, .file = f->path, .l = l };
	bool lost;

	if (row == NULL || strchr(l->key, ':') != NULL ||
	    str_eq(l->key, "script")) {
		bare(r, f, l, l->key);
		reading_decide(r, BIN_UNKNOWN,
			       "not a setting of the old tools");
		reading_find(r, FIND_SRC_UNKNOWN_KEY, "not known: not carried");
		return;
	}
	fold(&c, f, row);
	lost = c.dead != NULL;
	if (c.dead == NULL && f->global && is_own(l->key)) {
		c.dead = "never taken from vz.conf";
		c.dead_bin = BIN_INERT;
	} else if (c.dead == NULL && f->global &&
		   own->first[row - openvz_keys] != NULL) {
		c.dead = "the guest's own file has the key and won";
		c.dead_bin = BIN_OVERRIDDEN;
	}
	cut_value(&c, row);
	if (!f->global) {
		find_fold(&c, f, row, lost);
		find_spelling(r, l);
	}
}

static void whole_file(struct reading *r, const struct file *f)
{
	const struct origin *at =
		reading_origin(r, ORIGIN_FILE, f->path, 0, "file", NULL);
	bool crlf = false;

	for (size_t i = 0; i < f->lines.n; i++)
		crlf = crlf || f->lines.v[i].crlf;
	if (crlf)
		reading_find_at(r, FIND_SRC_CRLF, at,
				"lines end with CR LF: vzctl took that, a "
				"shell did not");
	if (f->lines.bom)
		reading_find_at(r, FIND_SRC_MEANT, at,
				"begins with a byte order mark: vzctl did not "
				"see the first line");
}

static void all_lines(struct reading *r, const struct file *f,
		      const struct file *own)
{
	for (size_t i = 0; i < f->lines.n; i++) {
		const struct ov_line *l = &f->lines.v[i];

		if (l->fault != OV_FINE)
			broken(r, f, l);
		else
			assignment(r, f, l, own);
	}
	if (!f->global)
		whole_file(r, f);
}

static void libvirt_uuid(struct reading *r, const struct file *f)
{
	const struct ov_line l = { .line = f->lines.uuid_line,
				   .text = f->lines.uuid };

	if (f->lines.uuid == NULL)
		return;
	bare(r, f, &l, "#UUID")->row =
		importer_key(openvz_keys, openvz_n_keys, "#UUID");
	reading_decide(r, BIN_INERT, "%s", r->cur->row->note);
}

int openvz_read_file(const struct openvz *v, const char *path, size_t max,
		     struct arena *mem, struct slice *ret, struct err *e)
{
	const size_t n = strlen(v->path);
	const bool inside = v->dump != NULL && str_starts(path, v->path) &&
			    path[n] == '/';

	return tree_read(inside ? v->dump->tree : v->t,
			 inside ? path + n : path, max, mem, &ret->p, &ret->n,
			 e);
}

static int read_file(struct reading *r, struct file *f, struct err *e)
{
	struct openvz *v = openvz_of(r);
	struct slice data;

	if (openvz_read_file(v, f->path, FILE_MAX, r->g->mem, &data, e) < 0)
		return -1;
	reading_file(r, f->path);
	if (!f->global)
		v->dialect = openvz_dialect_of(v->path, data.p, data.n);
	openvz_lines_cut(r->g->mem, data.p, data.n, v->dialect, &f->lines);
	index_lines(f);
	return 0;
}

int openvz_read_files(struct reading *r, struct err *e)
{
	struct openvz *v = openvz_of(r);
	struct file own = { .path = v->dump != NULL ? v->dump->conf : v->path };
	struct file global = { .path = global_path, .global = true };
	struct err why;

	if (read_file(r, &own, e) < 0)
		return -1;
	if (read_file(r, &global, &why) == 0)
		all_lines(r, &global, &own);
	else if (why.code != ENOENT)
		reading_find_at(r, FIND_SRC_UNREADABLE,
				reading_origin(r, ORIGIN_FILE, global_path, 0,
					       "file", NULL),
				"%s", why.msg);
	all_lines(r, &own, &own);
	libvirt_uuid(r, &own);
	return 0;
}

void openvz_read_text(struct reading *r, const char *text)
{
	struct openvz *v = openvz_of(r);
	struct file own = { .path = v->path };

	openvz_lines_cut(r->g->mem, text, strlen(text), v->dialect, &own.lines);
	index_lines(&own);
	all_lines(r, &own, &own);
}
