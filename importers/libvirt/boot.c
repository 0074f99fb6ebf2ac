/*
 * Identity, init and its environment, namespaces that are shared, labels.
 * Reference: libvirt.md 2.1, 2.5, 2.8, 2.13, 3.1, 3.3.
 */
#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "importers/libvirt/table.h"

enum {
	NAME_MAX_BYTES = 255,
	UUID_DIGITS = 32,
	UUID_TEXT = 37, /* with dashes and NUL */
};

/* What libvirt_lxc gives init before anything of the domain; 3.3. */
static const struct {
	const char *name, *value;
} environment[] = {
	{ "PATH", "/bin:/sbin" },
	{ "TERM", "linux" },
	{ "HOME", "/" },
};

static bool has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

/* --- environment --- */

static struct env *env_of(struct reading *r, const char *name)
{
	struct guest *g = r->g;

	for (size_t i = 0; i < g->envs.n; i++)
		if (str_eq(g->envs.v[i]->name.v, name))
			return g->envs.v[i];
	return NULL;
}

static void default_env(struct reading *r, const char *name, const char *value)
{
	struct env *v = take_env(r);

	reading_default(r, FIELD_ENV_NAME, v, name, "libvirt.md 3.3");
	reading_default(r, FIELD_ENV_VALUE, v, value, "libvirt.md 3.3");
}

/* A variable that the current setting makes. */
static void set_env(struct reading *r, const char *name, const char *value)
{
	struct env *v = env_of(r, name);

	if (v == NULL) {
		v = take_env(r);
		take_str(r, FIELD_ENV_NAME, v, name);
	}
	take_str(r, FIELD_ENV_VALUE, v, value);
}

static const char *env_fault(const struct xml_node *node, const char *name)
{
	if (name == NULL || name[0] == '\0')
		return "a variable without name: libvirt refuses it";
	if (strchr(name, '=') != NULL || has_control(name))
		return "not a name that a variable can have";
	if (node->text[0] == '\0')
		return "a variable without value: libvirt refuses it";
	if (has_control(node->text))
		return "a value of several lines cannot be written to a "
		       "configuration";
	return NULL;
}

static void init_env(struct reading *r, struct xml_node *node)
{
	const struct lv_value name = libvirt_attr(node, "name");
	struct setting *s = node->of;
	const char *why = env_fault(node, name.text);
	struct env *v;

	if (why != NULL) {
		libvirt_end_find(r, s != NULL ? s : name.s, BIN_INVALID,
				 FIND_INI_SYSTEMD_OLD_LINE, why);
		libvirt_end_below(r, node, BIN_INVALID, why);
		return;
	}
	if (str_eq(name.text, "container")) {
		libvirt_end_find(r, s, BIN_DROPPED, FIND_INI_ENV,
				 "the engine sets container itself");
		libvirt_end(r, name.s, BIN_DROPPED,
			    "the engine sets container itself");
		return;
	}
	v = env_of(r, name.text);
	reading_resume(r, name.s);
	if (v == NULL) {
		v = take_env(r);
		take_str(r, FIELD_ENV_NAME, v, name.text);
	} else {
		take_part(r, FIELD_ENV_NAME, v);
	}
	reading_resume(r, s);
	take_str(r, FIELD_ENV_VALUE, v, node->first);
	if (!str_eq(node->first, node->text))
		reading_find(r, FIND_SRC_MEANT,
			     "libvirt takes what stands before the first "
			     "comment alone: %s",
			     libvirt_shown(r, node->first));
}

static void cmdline(struct reading *r)
{
	const struct lv_value v = libvirt_text_at(r, "os/cmdline");

	if (v.s == NULL)
		return;
	reading_resume(r, v.s);
	if (libvirt_is_machine(r))
		reading_decide(r, BIN_INERT, "arguments of a kernel");
	else if (has_control(v.text))
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_INI_SYSTEMD_OLD_LINE,
				 "a value of several lines");
	else
		set_env(r, "LIBVIRT_LXC_CMDLINE", v.text);
}

/* --- name, uuid --- */

/* Whatever is no letter, digit or dash is left out, and dashes before it. */
static const char *hostname_of(struct arena *mem, const char *name)
{
	char *s = arena_strdup(mem, name), *to = s;

	for (; *name != '\0'; name++)
		if (isalnum((unsigned char)*name) || (*name == '-' && to != s))
			*to++ = *name;
	*to = '\0';
	return s;
}

static void name(struct reading *r)
{
	const struct lv_value v = libvirt_text_at(r, "name");
	const char *host;

	if (v.s == NULL)
		return;
	reading_resume(r, v.s);
	if (strchr(v.text, '/') != NULL || strchr(v.text, '\n') != NULL ||
	    strlen(v.text) > NAME_MAX_BYTES) {
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_SRC_NOT_STARTED,
				 "not a name that libvirt takes");
		return;
	}
	take_str(r, FIELD_CONFIG_NAME, r->g, v.text);
	if (libvirt_is_machine(r))
		return;
	host = hostname_of(r->g->mem, v.text);
	if (host[0] != '\0')
		take_str(r, FIELD_HOSTNAME, r->g, host);
	if (libvirt_of(r)->driver == LV_LXC && !has_control(v.text))
		set_env(r, "LIBVIRT_LXC_NAME", v.text);
}

/* 32 digits, dashes anywhere, in lower case with dashes; false: it is none. */
static bool uuid_of(const char *text, char ret[UUID_TEXT])
{
	size_t digits = 0, n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '-' || isspace((unsigned char)*text))
			continue;
		if (!isxdigit((unsigned char)*text) || digits == UUID_DIGITS)
			return false;
		if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
			ret[n++] = '-';
		ret[n++] = (char)tolower((unsigned char)*text);
		digits++;
	}
	ret[n] = '\0';
	return digits == UUID_DIGITS;
}

static void uuid(struct reading *r)
{
	const struct lv_value v = libvirt_text_at(r, "uuid");
	char text[UUID_TEXT];

	if (v.s == NULL)
		return;
	reading_resume(r, v.s);
	if (!uuid_of(v.text, text)) {
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_SRC_NOT_STARTED,
				 "not a UUID");
	} else if (libvirt_of(r)->driver != LV_LXC) {
		reading_decide(r, BIN_INERT, "id of the domain");
	} else {
		set_env(r, "container_uuid", text);
		set_env(r, "LIBVIRT_LXC_UUID", text);
	}
}

/* --- os --- */

static void os_type(struct reading *r)
{
	const struct xml_node *node = libvirt_first(r, "os/type");
	const struct lv_value type = libvirt_text(node);
	const struct lv_value arch = libvirt_attr(node, "arch");
	const bool is_exe = libvirt_is(type, "exe");

	if (libvirt_is_machine(r))
		libvirt_end(r, type.s, BIN_INERT,
			    is_exe ? "exe is of containers" :
				     "how the machine was made");
	else if (is_exe)
		libvirt_end(r, type.s, BIN_CARRIED, "a container");
	else
		libvirt_end_find(r, type.s, BIN_INVALID, FIND_SRC_NOT_STARTED,
				 "a container's type is exe");
	if (arch.s == NULL)
		return;
	reading_resume(r, arch.s);
	take_str(r, FIELD_ARCH, r->g, arch.text);
}

static void init_args(struct reading *r)
{
	const struct lv_nodes args = libvirt_all(r, "os/initarg");

	for (size_t i = 0; i < args.list.n; i++) {
		struct xml_node *node = args.list.v[i];
		struct setting *s = node->of;

		reading_resume(r, s);
		if (node->text[0] == '\0') {
			libvirt_end_find(r, s, BIN_INVALID,
					 FIND_INI_SYSTEMD_OLD_LINE,
					 "an empty argument: libvirt leaves it "
					 "out");
		} else if (has_control(node->text)) {
			libvirt_end_find(r, s, BIN_INVALID,
					 FIND_INI_SYSTEMD_OLD_LINE,
					 "an argument of several lines cannot "
					 "be written to a configuration");
		} else {
			take_element(r, FIELD_INIT_CMD, r->g, node->first);
			if (!str_eq(node->first, node->text))
				reading_find(r, FIND_SRC_MEANT,
					     "libvirt takes what stands before "
					     "the first comment alone: %s",
					     libvirt_shown(r, node->first));
		}
	}
}

static void init(struct reading *r)
{
	const struct lv_value v = libvirt_text_at(r, "os/init");
	static const char openvz[] = "/sbin/init";

	if (libvirt_is_machine(r)) {
		libvirt_end(r, v.s, BIN_INERT, "a machine boots by itself");
		return;
	}
	if (v.s != NULL && !has_control(v.text)) {
		reading_resume(r, v.s);
		take_element(r, FIELD_INIT_CMD, r->g, v.text);
	} else if (v.s != NULL) {
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_SRC_NOT_STARTED,
				 "not the path of a program");
	} else if (libvirt_of(r)->driver == LV_OPENVZ) {
		reading_default(r, FIELD_INIT_CMD, r->g, openvz,
				"libvirt.md 2.5");
	} else {
		reading_find_at(r, FIND_INI_MISSING,
				libvirt_at(r, libvirt_of(r)->domain, "os/init"),
				"no init is named: libvirt does not start it");
	}
	init_args(r);
}

/* Where init starts and as whom: fields that no engine's row knows yet. */
static void init_context(struct reading *r)
{
	static const struct {
		const char *path, *plain, *other;
	} rows[] = {
		{ "os/initdir", "/", NULL },
		{ "os/inituser", "0", "root" },
		{ "os/initgroup", "0", "root" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct lv_value v = libvirt_text_at(r, rows[i].path);

		if (v.s == NULL)
			continue;
		if (str_eq(v.text, rows[i].plain) ||
		    (rows[i].other != NULL && str_eq(v.text, rows[i].other)))
			libvirt_end(r, v.s, BIN_INERT, "as without it");
		else
			libvirt_end_find(
				r, v.s, BIN_DROPPED, FIND_INI_CONTEXT,
				arena_printf(r->g->mem,
					     "init was started with %s %s: not "
					     "carried",
					     rows[i].path + 3,
					     libvirt_shown(r, v.text)));
	}
}

/* --- namespaces that are shared --- */

static bool is_lxc(const struct xml_node *n, const char *name)
{
	return str_eq(n->name, name) &&
	       str_eq(n->ns, "http://libvirt.org/schemas/domain/lxc/1.0");
}

static const struct xml_node *share_of(struct reading *r, const char *name)
{
	for (const struct xml_node *n = libvirt_of(r)->domain->child; n != NULL;
	     n = n->next)
		for (const struct xml_node *c = n->child;
		     c != NULL && is_lxc(n, "namespace"); c = c->next)
			if (is_lxc(c, name))
				return c;
	return NULL;
}

static void share(struct reading *r, const char *name, enum field_id field)
{
	const struct xml_node *node = share_of(r, name);
	const struct lv_value type = libvirt_attr(node, "type");
	const struct lv_value value = libvirt_attr(node, "value");

	if (node == NULL)
		return;
	if (libvirt_is(type, "none")) {
		libvirt_end(r, type.s, BIN_CARRIED, "a namespace of its own");
		libvirt_end(r, value.s, BIN_INERT, "nothing is shared");
	} else if (libvirt_is(type, "name") && value.s != NULL) {
		reading_resume(r, type.s);
		take_part(r, field, r->g);
		reading_resume(r, value.s);
		take_str(r, field, r->g,
			 arena_printf(r->g->mem, "shared:%s", value.text));
		take_element(r, FIELD_DEPENDS, r->g, value.text);
	} else {
		libvirt_end_find(
			r, type.s, BIN_DROPPED, FIND_NET_FOREIGN_SPACE,
			arena_printf(
				r->g->mem,
				"%s of %s %s: nothing on another host has "
				"it; the guest gets a namespace of its own",
				name,
				type.s == NULL ? "nothing" :
						 libvirt_shown(r, type.text),
				value.s == NULL ?
					"" :
					libvirt_shown(r, value.text)));
		libvirt_end(r, value.s, BIN_DROPPED, "not on another host");
	}
	libvirt_end_below(r, node, BIN_INERT, "not looked at");
}

/* --- labels --- */

static void label(struct reading *r, const struct xml_node *node)
{
	const struct lv_value type = libvirt_attr(node, "type");
	const struct lv_value model = libvirt_attr(node, "model");
	const struct xml_node *text = xml_child(node, "label");
	struct lv_value v = libvirt_text(text);

	if (v.s == NULL)
		v = libvirt_text(xml_child(node, "baselabel"));
	libvirt_end(r, type.s, BIN_HOSTSIDE, "labels are the new host's");
	libvirt_end(r, model.s, BIN_HOSTSIDE, "labels are the new host's");
	if (v.s != NULL && !libvirt_is(type, "none"))
		libvirt_end_find(
			r, v.s, BIN_HOSTSIDE, FIND_LSM_PROFILE,
			arena_printf(r->g->mem,
				     "libvirt labelled it %s: the engine's own "
				     "profile or none applies",
				     libvirt_shown(r, v.text)));
	libvirt_end_below(r, node, BIN_INERT, "of the same label");
}

static void state(struct reading *r)
{
	const struct libvirt *v = libvirt_of(r);
	const struct xml_node *taint = xml_child(v->root, "taint");
	const struct lv_value now = libvirt_attr(v->root, "state");

	if (v->root == v->domain)
		return;
	if (!libvirt_is(now, "shutoff"))
		r->g->state = "running";
	libvirt_end(r, now.s, BIN_INERT, "what libvirt last knew of it");
	for (; taint != NULL; taint = xml_again(taint)) {
		const struct lv_value flag = libvirt_attr(taint, "flag");

		if (libvirt_is(flag, "hook-script"))
			libvirt_end_find(r, flag.s, BIN_HOSTSIDE, FIND_INI_HOOK,
					 "a hook script of the host ran at its "
					 "start");
		else
			libvirt_end(r, flag.s, BIN_INERT,
				    "a mark of the driver");
	}
}

static void clock_devices(struct reading *r)
{
	const struct lv_value offset =
		libvirt_attr(libvirt_first(r, "clock"), "offset");
	const struct lv_nodes timers = libvirt_all(r, "clock/timer");

	for (size_t i = 0; i < timers.list.n; i++) {
		const struct xml_node *t = timers.list.v[i];
		const struct lv_value what = libvirt_attr(t, "name");

		if (libvirt_is_machine(r) || !libvirt_is(offset, "localtime") ||
		    !libvirt_is(libvirt_attr(t, "present"), "yes") ||
		    (!libvirt_is(what, "rtc") && !libvirt_is(what, "hpet")))
			libvirt_end_below(r, t, BIN_INERT,
					  "no effect on a container");
		libvirt_end_find(r, what.s, BIN_DROPPED, FIND_DEV_PASSED,
				 arena_printf(r->g->mem,
					      "/dev/%s could be read: the "
					      "host's clock is left to it",
					      what.text == NULL ? "" :
								  what.text));
		libvirt_end_below(r, t, BIN_DROPPED, "of that timer");
	}
	libvirt_end(r, offset.s, BIN_INERT,
		    "containers have the clock of the host");
}

void libvirt_boot_settle(struct reading *r)
{
	const struct lv_nodes env = libvirt_all(r, "os/initenv");
	const struct lv_nodes labels = libvirt_all(r, "seclabel");

	if (libvirt_of(r)->driver == LV_LXC)
		for (size_t i = 0; i < COUNT(environment); i++)
			default_env(r, environment[i].name,
				    environment[i].value);
	state(r);
	name(r);
	uuid(r);
	os_type(r);
	init(r);
	init_context(r);
	cmdline(r);
	for (size_t i = 0; i < env.list.n; i++)
		init_env(r, env.list.v[i]);
	share(r, "sharenet", FIELD_NS_NET);
	share(r, "shareipc", FIELD_NS_IPC);
	share(r, "shareuts", FIELD_NS_UTS);
	for (size_t i = 0; i < labels.list.n; i++)
		label(r, labels.list.v[i]);
	clock_devices(r);
}
