/*
 * The tables themselves: every row of every importer, emitter and catalogue.
 * A gap that a new row, field or target leaves is found here, before any guest
 * falls into it.
 */
#include <check.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cap.h"
#include "base/str.h"
#include "derive.h"
#include "emit/emit.h"
#include "importers/lxc/table.h"
#include "importers/openvz/read.h"
#include "importers/openvz/table.h"
#include "importers/vserver/format.h"
#include "importers/vserver/read.h"
#include "importers/vserver/table.h"
#include "reading.h"
#include "site.h"

/* --- fields, findings, capabilities, words of the site file -------------- */

static bool is_of(const char *s, const char *bytes)
{
	return s[0] != '\0' && strspn(s, bytes) == strlen(s);
}

static bool is_text(const char *s)
{
	return s != NULL && s[0] != '\0' && s[strlen(s) - 1] != ' ';
}

START_TEST(field_row)
{
	const enum field_id id = (enum field_id)_i;
	const struct field *f = field_get(id);
	const char *dot = strchr(f->name, '.');

	ck_assert_msg(dot != NULL && strchr(dot + 1, '.') == NULL &&
			      is_of(f->name, "abcdefghijklmnopqrstuvwxyz"
					     "0123456789.-"),
		      "%s: not AREA.NAME", f->name);
	ck_assert_msg(is_text(f->text), "%s: no meaning", f->name);
	/* field_find takes the first of that name */
	ck_assert_msg(field_find(f->name) == id, "%s: twice", f->name);
	ck_assert_int_lt(f->scope, SCOPE__MAX);
	ck_assert_int_lt(f->area, AREA__MAX);
	if (f->order == ORDER_LESS)
		ck_assert_msg(f->type == VALUE_U64 || f->type == VALUE_I64 ||
				      f->type == VALUE_LIMIT,
			      "%s: only numbers can be less", f->name);
	if (f->order == ORDER_TRUE)
		ck_assert_int_eq(f->type, VALUE_BOOL);
}
END_TEST

START_TEST(scope_key)
{
	const enum field_id id = field_key((enum scope)_i);

	ck_assert_int_lt(id, FIELD__MAX);
	ck_assert_int_eq(field_get(id)->scope, _i);
	for (enum field_id f = 0; f < id; f++)
		ck_assert_msg(field_get(f)->scope != (enum scope)_i,
			      "%s comes before the key %s", field_get(f)->name,
			      field_get(id)->name);
}
END_TEST

static const char *const areas[] = { "NET", "CAP", "DEV", "LIM", "MNT",
				     "IDM", "LSM", "INI", "EDT", "DSK",
				     "SRC", "HST", "SYN", "ISO" };

static bool is_area(const char *code)
{
	for (size_t i = 0; i < COUNT(areas); i++)
		if (strncmp(areas[i], code, 3) == 0)
			return true;
	return false;
}

START_TEST(finding_row_)
{
	const enum finding_id id = (enum finding_id)_i;
	const struct finding_row *row = finding_row(id);
	const char *last = "";

	ck_assert_msg(strlen(row->code) == 6 && is_area(row->code) &&
			      is_of(row->code + 3, "0123456789"),
		      "%s: not an area and three digits", row->code);
	ck_assert_msg(finding_find(row->code) == id, "%s: twice", row->code);
	ck_assert_msg(is_text(row->text), "%s: no text", row->code);
	ck_assert_msg(is_text(row->advice), "%s: no advice", row->code);
	ck_assert_msg(row->text[strlen(row->text) - 1] != '.',
		      "%s: a text has no full stop", row->code);
	ck_assert_msg(row->waive == WAIVE_YES || row->severity == SEV_BLOCKER,
		      "%s: only a blocker is waived", row->code);
	/* the codes of an area stand together and rise */
	for (enum finding_id i = 0; i < id; i++)
		if (strncmp(finding_row(i)->code, row->code, 3) == 0)
			last = finding_row(i)->code;
	ck_assert_msg(strcmp(last, row->code) < 0, "%s after %s", row->code,
		      last);
	ck_assert_msg(last[0] == '\0' ||
			      str_eq(last, finding_row(id - 1)->code),
		      "%s: away from %s", row->code, last);
}
END_TEST

START_TEST(capability)
{
	char *libcaps = cap_to_name((cap_value_t)_i);
	char want[64];

	snprintf(want, sizeof(want), "cap_%s", cap_name((unsigned)_i));
	ck_assert_str_eq(libcaps, want);
	cap_free(libcaps);
	ck_assert_int_eq(cap_find(want), _i);
}
END_TEST

/* libcap has no name for the number after the last. */
START_TEST(all_capabilities)
{
	char *beyond = cap_to_name(CAP_N);

	ck_assert_msg(is_of(beyond, "0123456789"), "cap.def lacks %s", beyond);
	cap_free(beyond);
	ck_assert_int_ge(CAP_N - 1, CAP_LAST_CAP);
}
END_TEST

START_TEST(words_of_site)
{
	size_t n;
	const struct site_word *w = site_words(&n);
	struct err e;

	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(is_text(w[i].text), "%s: no text", w[i].name);
		ck_assert_msg(is_text(w[i].allowed), "%s: takes what?",
			      w[i].name);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(w[i].name, w[j].name);
		if (w[i].value[0] == '\0')
			continue;
		ck_assert_msg(site_words_check(&w[i], w[i].value, &e) == 0,
			      "the default of %s: %s", w[i].name, e.msg);
	}
}
END_TEST

/* --- emitters ------------------------------------------------------------ */

static void check_rule(const struct emitter *em, enum field_id id)
{
	const struct emit_rule *r = &em->rules[id];
	const char *name = field_get(id)->name;

	ck_assert_msg(r->fidelity != FID_UNDECIDED, "%s: %s: not decided",
		      em->name, name);
	if (r->fidelity == FID_EXACT) {
		ck_assert_msg(r->key != NULL || r->put != NULL,
			      "%s: %s: exact, but nothing is written", em->name,
			      name);
		return;
	}
	ck_assert_msg(is_text(r->note), "%s: %s: not exact, and no note",
		      em->name, name);
	if (r->fidelity == FID_INERT) {
		ck_assert_msg(field_get(id)->area == AREA_NONE ||
				      r->put != NULL || r->finding < FIND__MAX,
			      "%s: %s: the policy shows it: not inert",
			      em->name, name);
		return;
	}
	/* without a finding of its own, put finds by value */
	ck_assert_msg(r->finding < FIND__MAX || r->put != NULL,
		      "%s: %s: not exact, and no finding", em->name, name);
}

START_TEST(rules_of_emitter)
{
	size_t n;
	const struct emitter *em = emit_all(&n)[_i];

	for (enum field_id id = 0; id < FIELD__MAX; id++)
		check_rule(em, id);
	ck_assert_ptr_eq(emit_find(em->name), em);
	ck_assert_msg(is_text(em->summary), "%s", em->name);
	ck_assert_msg(is_text(em->default_version), "%s", em->name);
	ck_assert_ptr_nonnull(em->default_path);
	ck_assert_msg(em->begin != NULL && em->finish != NULL, "%s", em->name);
}
END_TEST

/* --- importers ----------------------------------------------------------- */

/* The i-th row of all importers together. */
static const struct key *row_at(size_t i, const struct importer **ret)
{
	size_t n;
	const struct importer *const *all = importer_all(&n);

	for (size_t k = 0; k < n; k++) {
		*ret = all[k];
		if (i < all[k]->n_keys)
			return &all[k]->keys[i];
		i -= all[k]->n_keys;
	}
	ck_abort_msg("no row");
	return NULL;
}

static int n_rows(void)
{
	size_t n, sum = 0;
	const struct importer *const *all = importer_all(&n);

	for (size_t k = 0; k < n; k++)
		sum += all[k]->n_keys;
	return (int)sum;
}

/*
 * "bcapabilities:CHOWN" is the row of a word in the lists of bcapabilities:
 * the list's parser reads it.
 */
static const char *word_of(const struct key *k)
{
	const char *colon = strchr(k->name, ':');

	if (colon == NULL || str_starts(k->name, "conf:") ||
	    importer_key(vserver_keys, vserver_n_keys, k->name) != k)
		return NULL;
	/* the tools had no word for it, only the bit */
	return str_eq(colon, ":multicast") ? "^12" : colon + 1;
}

/* Whether something reads the values of a row: its parser, or its list's. */
static bool has_parser(const struct importer *imp, const struct key *k)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct key *list;

	if (word_of(k) == NULL)
		return k->parse != NULL;
	list = importer_key(imp->keys, imp->n_keys,
			    arena_strndup(mem, k->name, strcspn(k->name, ":")));
	return list != NULL && list->parse != NULL;
}

START_TEST(importer_row)
{
	const struct importer *imp;
	const struct key *k = row_at((size_t)_i, &imp);
	const bool lossy = k->fate == FATE_APPROX || k->fate == FATE_DROPPED;

	ck_assert_msg(is_text(k->name), "row %d has no name", _i);
	ck_assert_msg(importer_key(imp->keys, imp->n_keys, k->name) == k,
		      "%s: twice", k->name);
	ck_assert_msg(is_text(k->ref), "%s: no reference", k->name);
	ck_assert_int_le(k->field, FIELD__MAX);
	ck_assert_int_le(k->finding, FIND__MAX);
	if (k->fate != FATE_EXACT)
		ck_assert_msg(is_text(k->note), "%s: not exact, and no note",
			      k->name);
	ck_assert_msg(!lossy || k->finding < FIND__MAX,
		      "%s: something is lost without a finding", k->name);
	if (k->fate == FATE_EXACT || k->fate == FATE_APPROX)
		ck_assert_msg(k->field < FIELD__MAX && has_parser(imp, k),
			      "%s: what takes its value?", k->name);
	if (k->parse != NULL)
		ck_assert_msg(k->example != NULL, "%s: no example", k->name);
}
END_TEST

START_TEST(default_rows)
{
	size_t n;
	const struct importer *imp = importer_all(&n)[_i];
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct guest *g = guest_new(mem);

	for (size_t i = 0; i < imp->n_defaults; i++) {
		const struct default_value *d = &imp->defaults[i];
		const char *name = field_get(d->field)->name;

		ck_assert_msg(is_text(d->ref), "%s: no reference", name);
		ck_assert_int_eq(field_get(d->field)->scope, SCOPE_GUEST);
		ck_assert_msg(field_value(d->field, g).from == NULL,
			      "%s: two defaults", name);
		derive_default(g, d->field, g, d->value, d->ref);
		ck_assert_msg(field_value(d->field, g).from != NULL,
			      "%s: \"%s\" is not taken", name, d->value);
	}
}
END_TEST

/* --- examples of Linux-VServer ------------------------------------------- */

/* A guest being read beneath an empty root. */
struct box {
	char dir[32];
	struct arena *mem;
	struct tree *tree;
	struct host host;
	struct source source;
	struct reading *r;
};

/* The directory that the examples of disk limits name. */
static void make_dirs(struct box *b, bool make)
{
	const char *vservers = arena_printf(b->mem, "%s/vservers", b->dir);
	const char *web = arena_printf(b->mem, "%s/web", vservers);

	if (make) {
		ck_assert_int_eq(mkdir(vservers, 0700), 0);
		ck_assert_int_eq(mkdir(web, 0700), 0);
	} else {
		ck_assert_int_eq(rmdir(web), 0);
		ck_assert_int_eq(rmdir(vservers), 0);
	}
}

static void box_open(struct box *b)
{
	struct err e;

	*b = (struct box){ .dir = "/tmp/check_tables.XXXXXX",
			   .mem = arena_new() };
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	ck_assert_int_eq(tree_open_dir(b->dir, &b->tree, &e), 0);
	b->host = (struct host){ .name = "h", .dir = b->dir, .tree = b->tree };
	b->source = (struct source){ .host = &b->host,
				     .kind = "vserver",
				     .id = "web",
				     .path = "/etc/vservers/web" };
	b->r = reading_new(guest_new(b->mem), &b->source,
			   importer_find("vserver"));
	b->r->g->host = "h";
	b->r->g->kind = "vserver";
	b->r->g->id = "web";
	b->r->g->name = "web";
	b->r->g->key = "h/vserver:web";
	b->r->g->source = b->source.path;
	vserver_begin(b->r, b->source.path);
}

static void box_done(struct box *b)
{
	tree_close(b->tree);
	ck_assert_int_eq(rmdir(b->dir), 0);
	arena_free(b->mem);
}

/* Whether it is the text of a file: a last line without end would be lost. */
static bool with_newline(struct box *b, const char *name, const char *text)
{
	const char *stars[2];
	const struct key *k = vserver_table_find(b->mem, name, stars);

	return k != NULL && !str_ends(text, "\n") &&
	       vserver_format_is_text(VS_FORMAT_OF(k->arg));
}

/* One file, or one variable of a NAME.conf. */
static void read_one(struct box *b, const char *name, const char *text)
{
	const struct origin at = { .kind = ORIGIN_TEXT,
				   .line = 1,
				   .file = "/etc/vservers/web.conf",
				   .key = name,
				   .text = text };

	if (str_starts(name, "conf:"))
		reading_setting(b->r, vserver_keys, vserver_n_keys, &at, name,
				NULL);
	else if (with_newline(b, name, text))
		vserver_read_text(b->r, name,
				  arena_printf(b->mem, "%s\n", text));
	else
		vserver_read_text(b->r, name, text);
}

/* "interfaces/0/ip" of a row's name. */
static const char *path_of(struct box *b, const char *name)
{
	char *path = arena_strdup(b->mem, name);

	if (!str_starts(name, "conf:"))
		path[strcspn(path, ":")] = '\0';
	for (char *p = path; *p != '\0'; p++)
		if (*p == '*')
			*p = '0';
	return path;
}

/* What stands beside a value that means nothing alone. */
static const struct context {
	const char *rows; /* how the names begin */
	const char *path, *text;
} contexts[] = {
	{ "interfaces/", "interfaces/0/ip", "192.0.2.10" },
	{ "interfaces/", "interfaces/dev", "eth0" },
	{ "interfaces/*/table", "interfaces/0/gateway", "192.0.2.1" },
	{ "netns/interfaces/", "netns/interfaces/0/host", "vethvpn" },
	{ ".defaults/netns/interfaces/", ".defaults/netns/interfaces/0/host",
	  "vethvpn" },
	{ "sysctl/*/setting", "sysctl/0/value", "1" },
	{ "sysctl/*/value", "sysctl/0/setting", "net.ipv4.ip_forward" },
	{ "apps/vdevmap/", "apps/vdevmap/0/device", "/dev/net/tun" },
	{ "apps/vdevmap/*/target", "apps/vdevmap/0/remap", "" },
	{ "apps/vdevmap/*/remap", "apps/vdevmap/0/target", "/dev/null" },
	{ ".defaults/apps/vdevmap/", ".defaults/apps/vdevmap/0/device",
	  "/dev/net/tun" },
	{ ".defaults/apps/vdevmap/*/target", ".defaults/apps/vdevmap/0/remap",
	  "" },
	{ ".defaults/apps/vdevmap/*/remap", ".defaults/apps/vdevmap/0/target",
	  "/dev/null" },
	{ "rlimits/rss.soft", "rlimits/rss.hard", "200000" },
	{ "rlimits/rss.soft", "cflags", "virt_mem" },
	{ "dlimits/", "context", "40001" },
	{ "dlimits/", "dlimits/0/directory", "/vservers/web" },
	{ "dlimits/", "dlimits/0/space_total", "1024" },
	{ "dlimits/", "dlimits/0/inodes_total", "1000" },
	{ "dlimits/", "dlimits/0/reserved", "5" },
	{ "sched/", "cflags", "sched_hard" },
	{ "sched/", "sched/fill-rate", "1" },
	{ "sched/", "sched/interval", "4" },
	{ "cpuset/", "cpuset/name", "web" },
	{ "cgroup/memory.memsw", "cgroup/memory.limit_in_bytes", "64M" },
	{ ".defaults/cgroup/memory.memsw",
	  ".defaults/cgroup/memory.limit_in_bytes", "64M" },
	{ "conf:IPROOT", "conf:IPROOT", "192.0.2.10" },
	{ "conf:IPROOT", "conf:IPROOTDEV", "eth0" },
};

static void read_context(struct box *b, const struct key *k)
{
	const char *own = path_of(b, k->name);

	for (size_t i = 0; i < COUNT(contexts); i++)
		if (str_starts(k->name, contexts[i].rows) &&
		    !str_eq(contexts[i].path, own))
			read_one(b, contexts[i].path, contexts[i].text);
}

/* Rows whose example makes no value of the row's field, and why. */
static const struct no_value {
	const char *row, *why;
} no_values[] = {
	{ "personality", "the type makes the architecture, flags the field" },
};

static bool makes_value(const struct key *k)
{
	if (k->fate != FATE_EXACT && k->fate != FATE_APPROX)
		return false;
	for (size_t i = 0; i < COUNT(no_values); i++)
		if (str_eq(no_values[i].row, k->name))
			return false;
	return true;
}

static bool has_part(const struct setting *s, enum field_id field)
{
	for (size_t i = 0; i < s->parts.n; i++)
		if (s->parts.v[i].field == field)
			return true;
	return false;
}

/* The files of other tools are known, and decided to be unknown. */
static bool is_good(const struct setting *s)
{
	if (!s->decided)
		return true;
	if (s->bin == BIN_UNKNOWN)
		return s->row->fate == FATE_DECIDED && is_text(s->note);
	return s->bin != BIN_INVALID && s->bin != BIN_UNREADABLE;
}

/* Settings of the file; that of a word has the word's row. */
static void check_settings(struct box *b, const struct key *k)
{
	const char *path = path_of(b, k->name);
	const struct guest *g = b->r->g;
	bool seen = false, made = false;

	for (size_t i = 0; i < g->settings.n; i++) {
		const struct setting *s = g->settings.v[i];

		if (!str_eq(s->from.key, path) ||
		    (word_of(k) != NULL && s->row != k))
			continue;
		seen = true;
		ck_assert_msg(is_good(s), "%s: \"%s\": %s: %s", k->name,
			      s->from.text ? s->from.text : "",
			      setting_bin_name(s->bin), s->note);
		made = made || (k->field < FIELD__MAX && has_part(s, k->field));
	}
	ck_assert_msg(seen, "%s: no setting came of it", k->name);
	ck_assert_msg(made || !makes_value(k), "%s: %s was not set", k->name,
		      field_get(k->field)->name);
}

static void check_findings(const struct guest *g, const struct key *k)
{
	for (size_t i = 0; i < g->findings.n; i++) {
		const struct finding *f = g->findings.v[i];

		ck_assert_msg(f->id != FIND_SYN_UNACCOUNTED &&
				      f->id != FIND_SYN_UNANNOUNCED &&
				      f->id != FIND_SRC_NOT_STARTED,
			      "%s: %s: %s", k->name, finding_row(f->id)->code,
			      f->message);
	}
}

START_TEST(vserver_example)
{
	const struct key *k = &vserver_keys[_i];
	const char *text = word_of(k) != NULL ? word_of(k) : k->example;
	struct box b;
	struct err e;

	if (text == NULL)
		return; /* nothing reads the value; importer_row looks */
	box_open(&b);
	if (str_starts(k->name, "dlimits/"))
		make_dirs(&b, true);
	read_context(&b, k);
	read_one(&b, path_of(&b, k->name), text);
	vserver_settle(b.r);
	ck_assert_int_eq(reading_close(b.r, &e), 0);
	check_settings(&b, k);
	check_findings(b.r->g, k);
	if (str_starts(k->name, "dlimits/"))
		make_dirs(&b, false);
	box_done(&b);
}
END_TEST

/* --- examples of OpenVZ -------------------------------------------------- */

/* What stands beside a value that means nothing alone. */
static const struct ovz_context {
	const char *row, *before;
} ovz_contexts[] = {
	{ "PHYSPAGES", "SWAPPAGES=\"0:0\"\n" },
	{ "SWAPPAGES", "PHYSPAGES=\"0:1G\"\n" },
	{ "MEMGUARANTEE", "PHYSPAGES=\"0:1G\"\nSWAPPAGES=\"0:0\"\n" },
	{ "MEMGUARANTEE_BYTES", "PHYSPAGES=\"0:1G\"\nSWAPPAGES=\"0:0\"\n" },
	{ "CPUS", "CPULIMIT=\"300\"\n" },
};

/* "NETIF:mac" is a sub-key: with what makes its interface. */
static const char *ovz_text(struct box *b, const struct key *k)
{
	const char *colon = strchr(k->name, ':');
	const char *list = "";

	for (size_t i = 0; i < COUNT(ovz_contexts); i++)
		if (str_eq(ovz_contexts[i].row, k->name))
			list = ovz_contexts[i].before;
	if (colon == NULL)
		return arena_printf(b->mem, "%s%s=\"%s\"\n", list, k->name,
				    k->example);
	if (str_eq(colon, ":ifname"))
		list = "mac=00:18:51:0a:1b:2c,";
	else if (str_starts(k->name, "NETIF:"))
		list = "ifname=eth0,";
	else if (str_eq(colon, ":uuid"))
		list = "image=root.hdd,";
	else if (str_eq(colon, ":image") || str_eq(colon, ":device"))
		list = "uuid={1},";
	else
		list = "uuid={00000000-0000-0000-0000-000000000000},"
		       "image=root.hdd,";
	return arena_printf(b->mem, "%.*s=\"%s%s=%s\"\n",
			    (int)(colon - k->name), k->name, list, colon + 1,
			    k->example);
}

static void check_example(const struct guest *g, const struct key *k)
{
	bool seen = false, made = false;

	for (size_t i = 0; i < g->settings.n; i++) {
		const struct setting *s = g->settings.v[i];

		/* a list of sub-keys makes settings of their rows */
		if (s->row != k && !str_eq(s->from.key, k->name))
			continue;
		seen = true;
		ck_assert_msg(is_good(s), "%s: \"%s\": %s: %s", k->name,
			      s->from.text, setting_bin_name(s->bin), s->note);
		made = made || (k->field < FIELD__MAX && has_part(s, k->field));
	}
	ck_assert_msg(seen, "%s: no setting came of it", k->name);
	ck_assert_msg(made || k->fate != FATE_EXACT, "%s: %s was not set",
		      k->name, field_get(k->field)->name);
}

START_TEST(openvz_example)
{
	const struct key *k = &openvz_keys[_i];
	struct box b;
	struct err e;

	if (k->example == NULL || str_eq(k->name, "script") ||
	    str_eq(k->name, "DISK"))
		return; /* nothing reads it alone; a script is a file */
	box_open(&b);
	b.source.kind = "openvz";
	b.source.path = "/etc/vz/conf/101.conf";
	b.r = reading_new(guest_new(b.mem), &b.source, importer_find("openvz"));
	b.r->g->kind = "openvz";
	b.r->g->key = "h/openvz:101";
	openvz_begin(b.r, b.source.path);
	openvz_read_text(b.r, ovz_text(&b, k));
	openvz_settle(b.r);
	ck_assert_int_eq(reading_close(b.r, &e), 0);
	check_example(b.r->g, k);
	check_findings(b.r->g, k);
	box_done(&b);
}
END_TEST

/* --- examples of LXC ----------------------------------------------------- */

/* What stands for the '*' or the 'N' of a row's name. */
static const struct lxc_name {
	const char *row, *key;
} lxc_names[] = {
	{ "lxc.sysctl.*", "lxc.sysctl.net.ipv4.ip_forward" },
	{ "lxc.prlimit.*", "lxc.prlimit.nofile" },
	{ "lxc.limit.*", "lxc.limit.nofile" },
	{ "lxc.proc.*", "lxc.proc.oom_score_adj" },
	{ "lxc.namespace.share.*", "lxc.namespace.share.net" },
};

/* What stands beside a value that means nothing alone. */
static const struct lxc_context {
	const char *row, *beside;
} lxc_contexts[] = {
	{ "lxc.cgroup.devices.allow", "lxc.cgroup.devices.deny = a\n" },
	{ "lxc.cgroup2.devices.allow", "lxc.cgroup2.devices.deny = a\n" },
	{ "lxc.cgroup.memory.memsw.limit_in_bytes",
	  "lxc.cgroup.memory.limit_in_bytes = 512M\n" },
	{ "lxc.rootfs.backend", "lxc.rootfs = /srv/web\n" },
	{ "lxc.rootfs.options", "lxc.rootfs.path = /srv/web\n" },
};

/* The type of interface that a key belongs to. */
static const char *lxc_type(const char *sub)
{
	static const char *const types[] = { "macvlan", "ipvlan" };

	for (size_t i = 0; i < COUNT(types); i++)
		if (str_starts(sub, types[i]))
			return types[i];
	return str_eq(sub, "vlan.id") ? "vlan" : "veth";
}

static const char *lxc_nic_text(struct box *b, const struct key *k)
{
	const bool old = str_starts(k->name, "lxc.network.");
	const char *sub = k->name + strlen(old ? "lxc.network." : "lxc.net.N.");
	const char *head = old ? "lxc.network" : "lxc.net.0";

	if (str_eq(sub, "type"))
		return arena_printf(b->mem, "%s.type = %s\n%s.link = br0\n",
				    head, k->example, head);
	return arena_printf(b->mem, "%s.type = %s\n%s.%s = %s\n", head,
			    lxc_type(sub), head, sub, k->example);
}

static const char *lxc_text(struct box *b, const struct key *k)
{
	const char *key = k->name, *beside = "";

	if (str_starts(k->name, "lxc.network.") ||
	    str_starts(k->name, "lxc.net.N."))
		return lxc_nic_text(b, k);
	for (size_t i = 0; i < COUNT(lxc_names); i++)
		if (str_eq(lxc_names[i].row, k->name))
			key = lxc_names[i].key;
	for (size_t i = 0; i < COUNT(lxc_contexts); i++)
		if (str_eq(lxc_contexts[i].row, k->name))
			beside = lxc_contexts[i].beside;
	return arena_printf(b->mem, "%s%s = %s\n", beside, key, k->example);
}

START_TEST(lxc_example)
{
	const struct key *k = &lxc_keys[_i];
	const char *text;
	struct box b;
	struct err e;

	if (k->example == NULL || !str_starts(k->name, "lxc.") ||
	    str_starts(k->name, "lxc.mount.fstab") ||
	    str_eq(k->name, "lxc.mount"))
		return; /* nothing reads it, or what it says is a file */
	box_open(&b);
	b.source.kind = "lxc";
	b.source.path = "/var/lib/lxc/web/config";
	b.r = reading_new(guest_new(b.mem), &b.source, importer_find("lxc"));
	b.r->g->kind = "lxc";
	b.r->g->key = "h/lxc:web";
	lxc_begin(b.r, b.source.path);
	text = lxc_text(&b, k);
	lxc_read_text(b.r, text, strlen(text));
	ck_assert_int_eq(reading_close(b.r, &e), 0);
	check_example(b.r->g, k);
	check_findings(b.r->g, k);
	box_done(&b);
}
END_TEST

static TCase *importers(void)
{
	TCase *c = tcase_create("importers");
	size_t n;

	importer_all(&n);
	tcase_add_loop_test(c, importer_row, 0, n_rows());
	tcase_add_loop_test(c, default_rows, 0, (int)n);
	tcase_add_loop_test(c, vserver_example, 0, VSERVER_N_KEYS);
	tcase_add_loop_test(c, openvz_example, 0, OPENVZ_N_KEYS);
	tcase_add_loop_test(c, lxc_example, 0, LXC_N_KEYS);
	return c;
}

static Suite *suite(void)
{
	Suite *s = suite_create("tables");
	TCase *c = tcase_create("catalogues");
	TCase *t = tcase_create("emitters");
	size_t n;

	tcase_add_loop_test(c, field_row, 0, FIELD__MAX);
	tcase_add_loop_test(c, scope_key, SCOPE_GUEST + 1, SCOPE__MAX);
	tcase_add_loop_test(c, finding_row_, 0, FIND__MAX);
	tcase_add_loop_test(c, capability, 0, CAP_N);
	tcase_add_test(c, all_capabilities);
	tcase_add_test(c, words_of_site);
	emit_all(&n);
	tcase_add_loop_test(t, rules_of_emitter, 0, (int)n);
	suite_add_tcase(s, c);
	suite_add_tcase(s, t);
	suite_add_tcase(s, importers());
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
