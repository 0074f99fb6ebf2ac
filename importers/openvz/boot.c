/* Identity, start and stop, scripts; openvz.md 1.5, 3.1, 3.2, 5.1. */
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/num.h"
#include "importers/openvz/dump.h"
#include "importers/openvz/table.h"

int openvz_hostname(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (value[0] == '\0')
		reading_decide(r, BIN_INERT, "empty");
	else
		take_str(r, FIELD_HOSTNAME, r->g, value);
	return 0;
}

static int hex(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ?
		       toupper((unsigned char)c) - 'A' + 10 :
		       -1;
}

/* libvzctl writes "=0A", Proxmox "%0A"; vzctl the text itself. */
static const char *decode(struct arena *mem, const char *s,
			  enum ov_dialect dialect)
{
	const char mark = dialect == OV_V7 ? '=' : '%';
	char *text = arena_alloc(mem, strlen(s) + 1), *at = text;

	if (dialect == OV_LEGACY)
		return s;
	for (; *s != '\0'; s++) {
		if (*s == mark && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*at++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		} else {
			*at++ = *s;
		}
	}
	return text;
}

int openvz_description(struct reading *r, const char *value, struct err *e)
{
	const char *text = decode(r->g->mem, value, openvz_of(r)->dialect);

	(void)e;
	reading_decide(r, BIN_INERT, "\"%s\": stands in source/",
		       openvz_shown(r, text));
	return 0;
}

int openvz_platform(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	reading_decide(r, BIN_INERT, "what kind of guest it is");
	if (!str_eq(value, "linux"))
		reading_find(r, FIND_SRC_NOT_LINUX, "platform %s",
			     openvz_shown(r, value));
	return 0;
}

int openvz_ve_type(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	reading_decide(r, BIN_INERT, "what the guest was for");
	if (str_eq(value, "template") || str_eq(value, "temporary"))
		reading_find(r, FIND_SRC_FOREIGN,
			     "VE_TYPE %s: hardly meant to be moved", value);
	return 0;
}

int openvz_osrelease(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (value[0] == '\0')
		reading_decide(r, BIN_INERT, "empty");
	else
		take_str(r, FIELD_UTS_RELEASE, r->g, value);
	return 0;
}

/* The old tools started the highest first, engines start the lowest. */
int openvz_boot_order(struct reading *r, const char *value, struct err *e)
{
	uint64_t n;

	if (openvz_integer(value, 0, INT32_MAX, &n, e) < 0)
		return -1;
	take_i64(r, FIELD_START_ORDER, r->g, -(int64_t)n);
	return 0;
}

int openvz_stop_timeout(struct reading *r, const char *value, struct err *e)
{
	uint64_t n;

	if (openvz_integer(value, 0, INT32_MAX, &n, e) < 0)
		return -1;
	take_u64(r, FIELD_STOP_TIMEOUT, r->g, n);
	return 0;
}

int openvz_environment(struct reading *r, const char *value, struct err *e)
{
	const size_t n = strcspn(value, "=");
	struct env *env;

	if (value[0] == '\0') {
		reading_decide(r, BIN_INERT, "empty");
		return 0;
	}
	if (n == 0 || value[n] != '=')
		return err_set(e, 0, "not NAME=VALUE");
	env = take_env(r);
	take_str(r, FIELD_ENV_NAME, env, arena_strndup(r->g->mem, value, n));
	take_str(r, FIELD_ENV_VALUE, env, value + n + 1);
	return 0;
}

/* --- architecture ----------------------------------------------------- */

/* Names of it in templates and technologies, longest first. */
static const struct arch_row {
	const char *word, *arch;
} arch_rows[] = {
	{ "x86_64", "x86_64" }, { "amd64", "x86_64" }, { "ia64", "ia64" },
	{ "i386", "i686" },     { "i586", "i686" },    { "i686", "i686" },
	{ "x86", "i686" },
};

static void guess_arch(struct reading *r, struct setting *s, const char *arch)
{
	reading_resume(r, s);
	reading_default(r, FIELD_ARCH, r->g, arch,
			"openvz.md 3.1: the tree itself decides");
	take_part(r, FIELD_ARCH, r->g);
}

int openvz_technology(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < COUNT(arch_rows); i++) {
		if (!str_eq(arch_rows[i].word, value))
			continue;
		guess_arch(r, r->cur, arch_rows[i].arch);
		return 0;
	}
	reading_decide(r, BIN_INERT, "a hint at what the template needs");
	return 0;
}

static void settle_template(struct reading *r)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_OSTEMPLATE];

	if (k->s == NULL)
		return;
	for (size_t i = 0; i < COUNT(arch_rows); i++) {
		if (strstr(k->text, arch_rows[i].word) == NULL)
			continue;
		guess_arch(r, k->s, arch_rows[i].arch);
		return;
	}
	openvz_end(r, k->s, BIN_INERT,
		   "the template it was made from: the tree itself is looked "
		   "at");
}

/* --- start ------------------------------------------------------------ */

static bool is_disabled(struct reading *r)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_DISABLED];
	bool yes = false;
	struct err e;

	if (k->s == NULL)
		return false;
	if (openvz_yes_no(k->text, &yes, &e) < 0)
		openvz_end_find(r, k->s, BIN_INVALID, FIND_SRC_NOT_STARTED,
				arena_strdup(r->g->mem, e.msg));
	else if (!yes)
		openvz_end(r, k->s, BIN_CARRIED, "as without it");
	if (!yes)
		return false;
	reading_resume(r, k->s);
	take_bool(r, FIELD_AUTOSTART, r->g, false);
	reading_find(r, FIND_INI_DISABLED, "not started with the host");
	return true;
}

static void settle_start(struct reading *r)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_ONBOOT];
	const bool disabled = is_disabled(r);
	bool yes;
	struct err e;

	if (k->s == NULL || k->text[0] == '\0' || str_eq(k->text, "auto")) {
		openvz_end_find(r, k->s, BIN_APPROXIMATED, FIND_INI_LAST_STATE,
				"started with the host only where it ran "
				"before: it is not");
		return;
	}
	if (openvz_yes_no(k->text, &yes, &e) < 0) {
		openvz_end_find(r, k->s, BIN_INVALID, FIND_SRC_MEANT,
				arena_strdup(r->g->mem, e.msg));
	} else if (disabled) {
		openvz_end(r, k->s, BIN_OVERRIDDEN, "DISABLED won");
	} else {
		reading_resume(r, k->s);
		take_bool(r, FIELD_AUTOSTART, r->g, yes);
	}
}

/* --- name ------------------------------------------------------------- */

/* Whether the link in names/ leads to this configuration. */
static bool name_leads_back(struct reading *r, const char *name)
{
	const struct openvz *v = openvz_of(r);
	const char *real;
	struct err e;

	return strchr(name, '/') == NULL &&
	       tree_resolve(v->t,
			    arena_printf(r->g->mem, "/etc/vz/names/%s", name),
			    r->g->mem, &real, &e) == 0 &&
	       str_eq(real, v->real);
}

static void settle_name(struct reading *r)
{
	const struct openvz *v = openvz_of(r);
	const struct ov_value *k = &v->kept[OVK_NAME];

	if (k->s == NULL)
		return;
	if (k->text[0] == '\0') {
		openvz_end(r, k->s, BIN_INERT, "empty");
	} else if (v->dump == NULL && tree_is_dir(v->t, "/etc/vz/names") &&
		   !name_leads_back(r, k->text)) {
		openvz_end_find(r, k->s, BIN_INERT, FIND_SRC_MEANT,
				"no link of that name in /etc/vz/names leads "
				"back: the old tools did not know it");
	} else {
		reading_resume(r, k->s);
		take_str(r, FIELD_DISPLAY_NAME, r->g, k->text);
	}
}

void openvz_boot_settle(struct reading *r)
{
	settle_template(r);
	settle_start(r);
	settle_name(r);
}

/* --- scripts ---------------------------------------------------------- */

enum {
	SCRIPT_MAX = 1 << 20, /* bytes of a script */
	HITS_MAX = 5,         /* lines quoted */
	QUOTE_MAX = 60,       /* bytes of a line */
};

static const char *const events[] = { "premount",   "mount", "umount",
				      "postumount", "start", "stop" };

/* What such a script typically makes: a bridge's port, a mount, a rule. */
static const char *const keywords[] = { "--bind",   "-o bind",  "simfs",
					"brctl",    "mount ",   "ip link",
					"ifconfig", "iptables", "mknod" };

static bool is_hit(const char *line)
{
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (line[0] != '#' && strstr(line, keywords[i]) != NULL)
			return true;
	return false;
}

static const char *hits(struct reading *r, const char *data, size_t n)
{
	struct slice rest = { data, n }, raw;
	const char *text = "";
	unsigned number = 0, found = 0;

	while (slice_next(&rest, '\n', &raw)) {
		const char *line = slice_dup(r->g->mem, slice_trim(raw));

		number++;
		if (!is_hit(line) || found++ >= HITS_MAX)
			continue;
		text = arena_printf(r->g->mem, "%s%s line %u \"%s\"", text,
				    found == 1 ? ":" : ",", number,
				    str_show(r->g->mem, line, strlen(line),
					     QUOTE_MAX));
	}
	return text;
}

/* value is the event; the origin's file the script. */
int openvz_script(struct reading *r, const char *value, struct err *e)
{
	const char *path = r->cur->from.file;
	struct hook *h = take_hook(r);
	struct slice data;
	struct err why;

	(void)e;
	take_str(r, FIELD_HOOK_PATH, h, path);
	take_str(r, FIELD_HOOK_EVENT, h, value);
	if (openvz_read_file(openvz_of(r), path, SCRIPT_MAX, r->g->mem, &data,
			     &why) < 0) {
		reading_find(r, FIND_SRC_UNREADABLE, "%s", why.msg);
		return 0;
	}
	reading_file(r, path);
	reading_find(r, FIND_INI_HOOK, "script %s is not run%s", value,
		     hits(r, data.p, data.n));
	return 0;
}

static void script(struct reading *r, const char *path, const char *event)
{
	const struct origin at = {
		.kind = ORIGIN_FILE, .file = path, .key = event, .text = event
	};
	const struct openvz *v = openvz_of(r);
	struct tree_stat st;
	struct err e;

	if (tree_stat(v->dump != NULL ? v->dump->tree : v->t,
		      v->dump != NULL ? path + strlen(v->path) : path, &st,
		      &e) == 0 &&
	    S_ISREG(st.mode))
		reading_setting(r, openvz_keys, openvz_n_keys, &at, "script",
				NULL);
}

void openvz_scripts(struct reading *r)
{
	const struct openvz *v = openvz_of(r);
	struct arena *mem = r->g->mem;
	const char *stem = v->dump != NULL ?
				   arena_strndup(mem, v->dump->conf,
						 strlen(v->dump->conf) - 5) :
				   arena_printf(mem, "%s/%s", v->dir, v->id);

	for (size_t i = 0; i < COUNT(events); i++)
		script(r, arena_printf(mem, "%s.%s", stem, events[i]),
		       events[i]);
	for (size_t i = 0; i < COUNT(events) && v->private_dir != NULL; i++)
		script(r,
		       arena_printf(mem, "%s/scripts/%s", v->private_dir,
				    events[i]),
		       events[i]);
}
