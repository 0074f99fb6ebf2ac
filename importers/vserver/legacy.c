/*
 * NAME.conf: a Bourne shell fragment that the legacy tool sourced. It is taken
 * apart without running anything: assignments, quotes, export, comments, line
 * continuation, `case "$PROFILE" in ... esac`, and $VAR of a variable assigned
 * before in the file. Whatever else stands there is said, and a variable that
 * hangs on it has no value.
 *
 * What counts as a setting: each element of IPROOT, S_FLAGS and S_CAPS, each
 * option of ULIMIT, each other assignment (also an empty one), each assignment
 * of a branch that does not hold, each other statement; a file without any.
 * legacy_scan.c cuts the file. Source: util-vserver scripts/legacy/vserver.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/boot.h"
#include "importers/vserver/legacy.h"
#include "importers/vserver/legacy_scan.h"
#include "importers/vserver/net.h"
#include "importers/vserver/table.h"

enum { CONF_MAX = 1 << 20, PROFILE_MAX = 4096, SHOW_MAX = 80 /* bytes */ };

static const char first_profile[] = "prod";

/* Variables whose value is a list of settings. */
static const char *const list_names[] = { "IPROOT", "S_FLAGS", "S_CAPS",
					  "ULIMIT" };

/* --- parsers of the rows --- */

static bool is_empty(struct reading *r, const char *value)
{
	if (value[0] != '\0')
		return false;
	reading_decide(r, BIN_INERT, "empty: as if it were not set");
	return true;
}

int vserver_legacy_value(struct reading *r, const char *value, struct err *e)
{
	const enum field_id id = r->cur->row->field;
	const enum value_type type = field_get(id)->type;
	int64_t n;

	if (is_empty(r, value))
		return 0;
	if (type == VALUE_STR) {
		take_str(r, id, r->g, value);
	} else if (type == VALUE_BOOL) {
		take_bool(r, id, r->g, str_eq(value, "yes"));
	} else if (num_i64(value, &n, e) < 0) {
		return -1;
	} else if (type == VALUE_I64) {
		take_i64(r, id, r->g, n);
	} else {
		if (n < 0)
			return err_set(e, 0, "%s is negative", value);
		take_u64(r, id, r->g, (uint64_t)n);
	}
	return 0;
}

int vserver_legacy_domain(struct reading *r, const char *value, struct err *e)
{
	if (!str_eq(value, "none"))
		return vserver_legacy_value(r, value, e);
	reading_decide(r, BIN_INERT, "none: a guest has no domain by itself");
	return 0;
}

/* [DEVICE:]ADDRESS[/MASK]; 0.0.0.0 and ALL are every address of the host. */
int vserver_legacy_address(struct reading *r, const char *value, struct err *e)
{
	struct arena *mem = r->g->mem;
	const char *dev = NULL, *mask = NULL;
	const char *colon = strchr(value, ':'), *slash;

	(void)e;
	if (value[0] == '\0' || str_eq(value, "0.0.0.0") ||
	    str_eq(value, "ALL")) {
		vserver_net_legacy_all(r);
		return 0;
	}
	if (colon != NULL) {
		dev = arena_strndup(mem, value, (size_t)(colon - value));
		value = colon + 1;
	}
	slash = strchr(value, '/');
	if (slash != NULL) {
		mask = slash + 1;
		value = arena_strndup(mem, value, (size_t)(slash - value));
	}
	vserver_net_legacy_address(r, dev, value, mask);
	return 0;
}

int vserver_legacy_cap(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (!is_empty(r, value))
		vserver_caps_legacy(r, value);
	return 0;
}

/* fakeinit and minit choose what is started; all others are context flags. */
int vserver_legacy_flag(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (is_empty(r, value))
		return 0;
	if (str_eq(value, "minit"))
		take_str(r, FIELD_INIT_STYLE, r->g, "minit");
	else if (str_eq(value, "fakeinit"))
		take_str(r, FIELD_INIT_STYLE, r->g, "plain");
	else
		vserver_caps_legacy_flag(r, value);
	return 0;
}

int vserver_legacy_ulimit(struct reading *r, const char *value, struct err *e)
{
	const char *p = value + (value[0] == '-');
	bool hard, soft;
	char option;

	if (is_empty(r, value))
		return 0;
	hard = *p == 'H';
	p += hard;
	soft = *p == 'S';
	p += soft;
	if (*p == '\0') {
		reading_decide(r, BIN_INERT,
			       "says which limits the other options set");
		return 0;
	}
	option = *p++;
	p += strspn(p, " ");
	if (*p == '\0')
		return err_set(e, 0, "-%c has no value", option);
	if (!hard && !soft)
		hard = soft = true;
	vserver_limits_legacy_ulimit(r, option, p, soft, hard);
	return 0;
}

static bool is_executable(struct reading *r, const char *path)
{
	struct tree_stat st;
	struct err e;

	return tree_stat(vserver_of(r)->t, path, &st, &e) == 0 &&
	       S_ISREG(st.mode) && (st.mode & 0111) != 0;
}

int vserver_legacy_hook(struct reading *r, const char *value, struct err *e)
{
	(void)value;
	(void)e;
	if (is_executable(r, r->cur->from.file))
		vserver_hooks_take(r,
				   "pre-start post-start pre-stop post-stop");
	else
		reading_decide(r, BIN_INERT, "not executable: never run");
	return 0;
}

/* --- settings out of statements --- */

static struct origin
origin_of(struct reading *r, const struct legacy_statement *s, const char *text)
{
	return *reading_origin(r, ORIGIN_TEXT, r->source->path, s->line,
			       s->name != NULL ? s->name : "code", text);
}

static const char *show(struct reading *r, const char *text)
{
	return str_show(r->g->mem, text, strlen(text), SHOW_MAX);
}

/* A setting that no parser sees. */
static void bare(struct reading *r, const struct legacy_statement *s,
		 const char *text, enum bin bin, const char *note)
{
	const struct origin at = origin_of(r, s, text);

	reading_bare(r, &at, NULL);
	reading_decide(r, bin, "%s", note);
}

static bool is_list(const char *name)
{
	for (size_t i = 0; i < COUNT(list_names); i++)
		if (str_eq(list_names[i], name))
			return true;
	return false;
}

/*
 * The options of ULIMIT in one form: "-HSu 256". -H and -S hold for all,
 * wherever they stand; a lone value is for -f.
 */
static struct strv ulimit_options(struct arena *mem, const char *value)
{
	const struct strv w = strv_split(mem, value, " \t\n");
	bool hard = false, soft = false;
	struct strv out = { 0 };

	for (size_t i = 0; i < w.n; i++) {
		hard = hard || (w.v[i][0] == '-' && strchr(w.v[i], 'H'));
		soft = soft || (w.v[i][0] == '-' && strchr(w.v[i], 'S'));
	}
	for (size_t i = 0; i < w.n; i++) {
		const char *p = w.v[i], *v = "";
		const bool option = p[0] == '-';
		char letter = 'f';

		if (option) {
			p += 1 + strspn(p + 1, "HS");
			if (p[0] == '\0') {
				strv_add(mem, &out, w.v[i]);
				continue;
			}
			letter = *p++;
		}
		if (p[0] != '\0')
			v = p;
		else if (i + 1 < w.n && w.v[i + 1][0] != '-')
			v = w.v[++i];
		strv_add(mem, &out,
			 arena_printf(mem, "-%s%s%c %s", hard ? "H" : "",
				      soft ? "S" : "", letter, v));
	}
	return out;
}

static struct strv elements(struct reading *r, const struct legacy_statement *s)
{
	struct strv l = { 0 };

	if (str_eq(s->name, "ULIMIT"))
		l = ulimit_options(r->g->mem, s->value);
	else if (is_list(s->name))
		l = strv_split(r->g->mem, s->value, " \t\n");
	if (l.n == 0)
		strv_add(r->g->mem, &l, s->value);
	return l;
}

/* A later assignment that surely ran; NULL: none. */
static const struct legacy_statement *later(const struct legacy_scan *scan,
					    size_t at)
{
	for (size_t i = scan->list.n; i > at + 1; i--) {
		const struct legacy_statement *s = &scan->list.v[i - 1];

		if ((s->kind == LEGACY_VALUE || s->kind == LEGACY_BAD) &&
		    str_eq(s->name, scan->list.v[at].name))
			return s;
	}
	return NULL;
}

static void take_value(struct reading *r, const struct legacy_scan *scan,
		       size_t at)
{
	const struct legacy_statement *s = &scan->list.v[at];
	const struct legacy_statement *by = later(scan, at);
	const char *row = arena_printf(r->g->mem, "conf:%s", s->name);
	const struct strv l = elements(r, s);

	for (size_t i = 0; i < l.n; i++) {
		const struct origin o = origin_of(r, s, l.v[i]);

		if (by != NULL) {
			bare(r, s, l.v[i], BIN_OVERRIDDEN,
			     arena_printf(r->g->mem, "line %u won", by->line));
			reading_find(r, FIND_SRC_MULTIPLE,
				     "%s is given again: line %u is used",
				     s->name, by->line);
		} else if (s->used && importer_key(vserver_keys, vserver_n_keys,
						   row) == NULL) {
			bare(r, s, l.v[i], BIN_INERT,
			     "part of the values of other variables");
		} else {
			reading_setting(r, vserver_keys, vserver_n_keys, &o,
					row, is_list(s->name) ? l.v[i] : NULL);
		}
	}
}

static void take_inactive(struct reading *r, const struct legacy_scan *scan,
			  const struct legacy_statement *s)
{
	bare(r, s, s->value != NULL ? s->value : s->text, BIN_INERT,
	     arena_printf(r->g->mem, "of profile %s; %s is active", s->profile,
			  scan->profile));
	reading_find(r, FIND_SRC_PROFILE,
		     "profile %s would have %s; %s is active", s->profile,
		     show(r, s->text), scan->profile);
}

static void take_bad(struct reading *r, const struct legacy_statement *s)
{
	bare(r, s, s->text, BIN_INVALID, s->why);
	if (s->kind == LEGACY_QUIET)
		return;
	reading_find(r, FIND_SRC_SHELL_CODE, "line %u, \"%s\": %s%s%s", s->line,
		     show(r, s->text), s->why,
		     s->name != NULL ? ": no value is taken for " : "",
		     s->name != NULL ? s->name : "");
}

static void take_statement(struct reading *r, const struct legacy_scan *scan,
			   size_t at)
{
	const struct legacy_statement *s = &scan->list.v[at];

	switch (s->kind) {
	case LEGACY_VALUE:
		take_value(r, scan, at);
		break;
	case LEGACY_EXPORT:
		bare(r, s, s->text, BIN_INERT, "exports what is set elsewhere");
		break;
	case LEGACY_INACTIVE:
		take_inactive(r, scan, s);
		break;
	case LEGACY_FORM:
		bare(r, s, s->text, BIN_INERT,
		     "gives the profile where none is given");
		break;
	case LEGACY_BAD:
	case LEGACY_MAYBE:
	case LEGACY_CODE:
	case LEGACY_QUIET:
		take_bad(r, s);
		break;
	}
}

/* "export PROFILE=NAME", or the name alone; NULL: another line. */
static const char *profile_in(const char *line)
{
	const char *eq = strstr(line, "PROFILE=");

	if (eq != NULL)
		line = eq + strlen("PROFILE=");
	return line[0] != '\0' && strpbrk(line, " \t\"'$#=") == NULL ? line :
								       NULL;
}

/*
 * The profile that the guest was last started with, as the tool left it in
 * the guest's /etc/PROFILE; NULL: not recorded.
 */
static const char *last_profile(struct reading *r)
{
	struct tree *root CLEANUP(tree_closep) = NULL;
	const char *data;
	struct slice rest, line;
	struct err e;
	size_t n;

	if (tree_sub(vserver_of(r)->t, vserver_boot_root(r), &root, &e) < 0 ||
	    tree_read(root, "/etc/PROFILE", PROFILE_MAX, r->g->mem, &data, &n,
		      &e) < 0)
		return NULL;
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		const char *profile =
			profile_in(slice_dup(r->g->mem, slice_trim(line)));

		if (profile != NULL)
			return profile;
	}
	return NULL;
}

static void take_script(struct reading *r)
{
	const struct vserver *v = vserver_of(r);
	const char *path =
		arena_printf(r->g->mem, "%s/%s.sh", v->confdir, v->name);
	const struct origin *at;

	if (!tree_exists(v->t, path))
		return;
	reading_file(r, path);
	at = reading_origin(r, ORIGIN_FILE, path, 0, "NAME.sh", NULL);
	reading_setting(r, vserver_keys, vserver_n_keys, at, "conf:NAME.sh",
			NULL);
}

int vserver_legacy_read(struct reading *r, const char *path, struct err *e)
{
	const char *profile = last_profile(r);
	struct legacy_scan scan = {
		.profile = profile != NULL ? profile : first_profile,
		.known = profile != NULL,
	};
	const struct origin *at;
	const char *data;
	size_t n;

	if (tree_read(vserver_of(r)->t, path, CONF_MAX, r->g->mem, &data, &n,
		      e) < 0)
		return -1;
	reading_file(r, path);
	legacy_scan(&scan, r->g->mem, data, n);
	at = reading_origin(r, ORIGIN_FILE, path, 0, "NAME.conf", NULL);
	if (scan.crlf)
		reading_find_at(r, FIND_SRC_CRLF, at,
				"read without the carriage returns");
	for (size_t i = 0; i < scan.list.n; i++)
		take_statement(r, &scan, i);
	if (scan.list.n == 0) {
		reading_bare(r, at, NULL);
		reading_decide(r, BIN_INERT, "sets nothing");
	}
	take_script(r);
	return 0;
}
