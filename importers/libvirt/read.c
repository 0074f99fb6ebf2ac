/*
 * From the file to settings. What counts as one, for whoever counts a second
 * time:
 *
 *	an attribute (declarations of namespaces are none)              1
 *	an element with text other than blanks                          1
 *	an element without text, attributes and elements in it          1
 *	a child of metadata, whatever it holds                          1
 *	the link in autostart/, a hook script of the host's libvirt     1
 *
 * The file of a virtual network that an interface names counts in the same
 * way. A file that cannot be read is an error for the guest's own, and a
 * finding for a network's.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "importers/libvirt/table.h"

enum {
	SHOWN_MAX = 80,   /* bytes of a value in a message */
	REPAIRS_MAX = 16, /* lines of one file that are repaired */
};

const struct key libvirt_keys[] = {
#include "importers/libvirt/keys.def"
};

const size_t libvirt_n_keys = LIBVIRT_N_KEYS;

/* Elements of which each counts; what is in one stands there once. */
static const char *const lists[] = {
	"os/initarg",
	"os/initenv",
	"idmap/uid",
	"idmap/gid",
	"features/capabilities",
	"features/capabilities/*",
	"blkiotune/device",
	"seclabel",
	"clock/timer",
	"devices/interface/ip",
	"devices/interface/route",
	"devices/interface/vlan/tag",
	"devices/interface/filterref/parameter",
	"network/portgroup",
	"network/portgroup/vlan/tag",
	"network/vlan/tag",
	"network/forward/interface",
	"network/forward/pf",
	"status/taint",
};

/* Namespaces that libvirt's drivers look at. */
static const struct {
	const char *uri, *prefix;
} namespaces[] = {
	{ "http://libvirt.org/schemas/domain/lxc/1.0", "lxc" },
	{ "http://libvirt.org/schemas/domain/qemu/1.0", "qemu" },
	{ "http://libvirt.org/schemas/domain/xen/1.0", "xen" },
	{ "http://libvirt.org/schemas/domain/bhyve/1.0", "bhyve" },
	{ "http://libvirt.org/schemas/network/dnsmasq/1.0", "dnsmasq" },
};

int libvirt_keep(struct reading *r, const char *value, struct err *e)
{
	(void)r;
	(void)value;
	(void)e;
	return 0;
}

int libvirt_vm(struct reading *r, const char *value, struct err *e)
{
	const struct key *row = r->cur->row;

	(void)value;
	(void)e;
	if (libvirt_is_machine(r)) {
		reading_decide(r, BIN_INERT,
			       "of the machine itself: a container has none");
		return 0;
	}
	reading_decide(r, BIN_INERT, "%s", row->note);
	if (row->finding != FIND__MAX)
		reading_find(r, row->finding, "%s", row->note);
	return 0;
}

const char *libvirt_shown(struct reading *r, const char *s)
{
	return str_show(r->g->mem, s, strlen(s), SHOWN_MAX);
}

/* --- ending settings --- */

void libvirt_end(struct reading *r, struct setting *s, enum bin bin,
		 const char *note)
{
	if (s == NULL || s->decided || s->parts.n > 0)
		return;
	reading_resume(r, s);
	reading_decide(r, bin, "%s", note);
}

void libvirt_end_find(struct reading *r, struct setting *s, enum bin bin,
		      enum finding_id id, const char *note)
{
	if (s == NULL || s->decided || s->parts.n > 0)
		return;
	libvirt_end(r, s, bin, note);
	reading_find(r, id, "%s", note);
}

void libvirt_end_below(struct reading *r, const struct xml_node *node,
		       enum bin bin, const char *note)
{
	libvirt_end(r, node->of, bin, note);
	for (size_t i = 0; i < node->n_attrs; i++)
		libvirt_end(r, node->attrs[i].of, bin, note);
	for (node = node->child; node != NULL; node = node->next)
		libvirt_end_below(r, node, bin, note);
}

/* --- places --- */

static void collect(struct arena *mem, const struct xml_node *of,
		    const char *path, struct lv_nodes *ret)
{
	const size_t n = strcspn(path, "/");

	for (struct xml_node *c = of->child; c != NULL; c = c->next) {
		if (c->ns != NULL || strlen(c->name) != n ||
		    memcmp(c->name, path, n) != 0)
			continue;
		if (path[n] == '\0')
			*vec_add(mem, &ret->list) = c;
		else
			collect(mem, c, path + n + 1, ret);
	}
}

struct lv_nodes libvirt_all(struct reading *r, const char *path)
{
	struct lv_nodes ret = { 0 };

	collect(r->g->mem, libvirt_of(r)->domain, path, &ret);
	return ret;
}

struct xml_node *libvirt_first(struct reading *r, const char *path)
{
	const struct lv_nodes all = libvirt_all(r, path);

	return all.list.n == 0 ? NULL : all.list.v[0];
}

static struct lv_value value_of(struct setting *s)
{
	return (struct lv_value){ .s = s,
				  .text = s == NULL ? NULL : s->from.text };
}

struct lv_value libvirt_text(const struct xml_node *of)
{
	if (of == NULL || of->text[0] == '\0')
		return value_of(NULL);
	return value_of(of->of);
}

struct lv_value libvirt_flag(const struct xml_node *of)
{
	return value_of(of == NULL ? NULL : of->of);
}

struct lv_value libvirt_attr(const struct xml_node *of, const char *name)
{
	const struct xml_attr *a = xml_attr(of, name);

	return value_of(a == NULL ? NULL : a->of);
}

struct lv_value libvirt_text_at(struct reading *r, const char *path)
{
	return libvirt_text(libvirt_first(r, path));
}

bool libvirt_is(struct lv_value v, const char *word)
{
	return v.s != NULL && str_eq(v.text, word);
}

const struct origin *libvirt_at(struct reading *r, const struct xml_node *node,
				const char *key)
{
	return reading_origin(r, ORIGIN_FILE, libvirt_of(r)->path, node->line,
			      key, NULL);
}

/* --- settings of a tree --- */

static bool is_list(const char *path)
{
	const char *device = str_starts(path, "devices/") ? path + 8 : NULL;

	if (device != NULL && strchr(device, '/') == NULL)
		return true;
	for (size_t i = 0; i < COUNT(lists); i++)
		if (str_eq(lists[i], path))
			return true;
	return false;
}

/* The row of a path, or of what it lies in: "cpu/" and two stars. */
static const char *row_name(struct reading *r, const char *path)
{
	char *name;
	size_t n;

	if (importer_key(libvirt_keys, libvirt_n_keys, path) != NULL)
		return path;
	name = arena_printf(r->g->mem, "%s/**", path);
	for (n = strlen(path); n > 0; n--) {
		if (path[n] != '\0' && path[n] != '/' && path[n] != '@')
			continue;
		memcpy(name, path, n);
		memcpy(name + n, "/**", 4);
		if (importer_key(libvirt_keys, libvirt_n_keys, name) != NULL)
			return name;
	}
	return path;
}

static bool is_known_above(const char *path)
{
	const size_t n = strlen(path);

	for (size_t i = 0; i < libvirt_n_keys; i++)
		if (strncmp(libvirt_keys[i].name, path, n) == 0 &&
		    strchr("/@", libvirt_keys[i].name[n]) != NULL)
			return true;
	return false;
}

struct place {
	const char *path; /* below the domain; "" is the domain itself */
	const char *item; /* a name that the path does not hold; or NULL */
	struct strv *scope;
	bool again; /* in an element that stands there twice */
};

static struct setting *make(struct reading *r, const struct place *p,
			    const char *name, unsigned line, const char *text)
{
	const char *row = row_name(r, name);
	const struct origin *at = reading_origin(
		r, ORIGIN_TEXT, libvirt_of(r)->file, line, name, text);
	struct setting *s;

	if (p->again) {
		s = reading_bare(r, at, p->item);
		reading_decide(r, BIN_OVERRIDDEN,
			       "stands there twice: the first counts");
		reading_find(r, FIND_SRC_MULTIPLE, "%s",
			     "stands there twice: the first counts");
		return s;
	}
	if (text[0] == '\0' && strchr(name, '@') == NULL &&
	    importer_key(libvirt_keys, libvirt_n_keys, row) == NULL &&
	    is_known_above(name)) {
		s = reading_bare(r, at, p->item);
		reading_decide(r, BIN_INERT, "it is empty");
		return s;
	}
	return reading_setting(r, libvirt_keys, libvirt_n_keys, at, row,
			       p->item);
}

/* The name in a path: with the driver's prefix; "?" of what nobody reads. */
static const char *path_name(struct reading *r, const char *ns,
			     const char *name)
{
	if (ns == NULL)
		return name;
	for (size_t i = 0; i < COUNT(namespaces); i++)
		if (str_eq(namespaces[i].uri, ns))
			return arena_printf(r->g->mem, "%s:%s",
					    namespaces[i].prefix, name);
	return arena_printf(r->g->mem, "?:%s", name);
}

static bool has_settings(const struct xml_node *node)
{
	return node->n_attrs > 0 || node->child == NULL || xml_has_text(node);
}

static void walk(struct reading *r, struct xml_node *node, struct place p);

static void walk_child(struct reading *r, struct xml_node *node,
		       const struct place *of)
{
	const char *name = path_name(r, node->ns, node->name);
	struct strv scope = { 0 };
	struct place p = *of;

	if (str_eq(of->path, "features/capabilities")) {
		p.item = name;
		name = "*";
	}
	p.path = of->path[0] == '\0' ?
			 name :
			 arena_printf(r->g->mem, "%s/%s", of->path, name);
	if (str_eq(of->path, "metadata") ||
	    str_eq(of->path, "network/metadata")) {
		p.path = arena_printf(r->g->mem, "%s/*", of->path);
		node->of = make(r, &p, p.path, node->line,
				node->ns != NULL ? node->ns : node->name);
		return;
	}
	if (str_eq(p.path, "status/domain"))
		return; /* read apart */
	if (str_ends(row_name(r, p.path), "/**"))
		p.scope = NULL; /* nothing in it is looked at */
	if (is_list(p.path)) {
		p.scope = &scope;
	} else if (p.scope != NULL && has_settings(node)) {
		p.again = p.again || strv_has(p.scope, p.path);
		strv_add(r->g->mem, p.scope, p.path);
	}
	walk(r, node, p);
}

static void walk(struct reading *r, struct xml_node *node, struct place p)
{
	for (size_t i = 0; i < node->n_attrs; i++) {
		struct xml_attr *a = &node->attrs[i];

		a->of = make(r, &p,
			     arena_printf(r->g->mem, "%s@%s", p.path,
					  path_name(r, a->ns, a->name)),
			     node->line, a->value);
	}
	if (xml_has_text(node) || (node->n_attrs == 0 && node->child == NULL))
		node->of = make(r, &p, p.path, node->line,
				xml_has_text(node) ? node->text : "");
	for (struct xml_node *c = node->child; c != NULL; c = c->next)
		walk_child(r, c, &p);
}

void libvirt_walk(struct reading *r, struct xml_node *root, const char *file,
		  const char *prefix)
{
	struct libvirt *v = libvirt_of(r);
	const char *before = v->file;
	struct strv scope = { 0 };

	v->file = file;
	walk(r, root, (struct place){ .path = prefix, .scope = &scope });
	v->file = before;
}

/* --- what libvirt itself wrote wrongly --- */

static bool is_entity(const char *p)
{
	static const char *const names[] = { "&amp;", "&lt;", "&gt;", "&quot;",
					     "&apos;" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_starts(p, names[i]))
			return true;
	if (p[1] != '#')
		return false;
	p += p[2] == 'x' ? 3 : 2;
	return isxdigit((unsigned char)*p) &&
	       p[strspn(p, "0123456789abcdefABCDEF")] == ';';
}

static void escape(struct buf *b, const char *s, size_t n, char quote)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '&' && !is_entity(s + i))
			buf_adds(b, "&amp;");
		else if (s[i] == '<')
			buf_adds(b, "&lt;");
		else if (quote != '\0' && s[i] == quote)
			buf_adds(b, quote == '\'' ? "&apos;" : "&quot;");
		else
			buf_addc(b, s[i]);
}

/* "<initenv name='a'>b</initenv>" with both pieces escaped; false: not it. */
static bool repair_env(const char *line, struct buf *b)
{
	static const char head[] = "<initenv name='", tail[] = "</initenv>";
	const char *name = line + strlen(head), *mid;
	size_t n;

	if (!str_starts(line, head) || !str_ends(line, tail))
		return false;
	mid = strstr(name, "'>");
	n = strlen(line) - strlen(tail);
	if (mid == NULL || (size_t)(mid + 2 - line) > n)
		return false;
	buf_adds(b, head);
	escape(b, name, (size_t)(mid - name), '\'');
	buf_adds(b, "'>");
	escape(b, mid + 2, n - (size_t)(mid + 2 - line), '\0');
	buf_adds(b, tail);
	return true;
}

static bool repair_element(const char *line, const char *name, struct buf *b)
{
	const size_t n = strlen(line), len = strlen(name);

	if (n < 2 * len + 5 || line[0] != '<' ||
	    memcmp(line + 1, name, len) != 0 || line[1 + len] != '>' ||
	    memcmp(line + n - len - 3, "</", 2) != 0 ||
	    memcmp(line + n - len - 1, name, len) != 0 || line[n - 1] != '>')
		return false;
	buf_add(b, line, len + 2);
	escape(b, line + len + 2, n - 2 * len - 5, '\0');
	buf_adds(b, line + n - len - 3);
	return true;
}

/* "<lxc:shareuts type='name' value='a'/>", whatever the prefix is. */
static bool repair_share(const char *line, struct buf *b)
{
	static const char key[] = " value='", tail[] = "'/>";
	const char *colon = strchr(line, ':'), *at = strstr(line, key);
	size_t n;

	if (line[0] != '<' || colon == NULL || at == NULL || colon > at ||
	    !str_starts(colon, ":share") || !str_ends(line, tail))
		return false;
	at += strlen(key);
	n = strlen(line) - strlen(tail);
	if ((size_t)(at - line) > n)
		return false;
	buf_add(b, line, (size_t)(at - line));
	escape(b, at, n - (size_t)(at - line), '\'');
	buf_adds(b, tail);
	return true;
}

/*
 * The text with that line repaired, NULL where the line is none of those that
 * libvirt writes without escaping; libvirt.md 6.5.
 */
static const char *repair(struct reading *r, const char *data, size_t *n,
			  unsigned line)
{
	struct buf whole CLEANUP(buf_done) = { 0 };
	struct buf b CLEANUP(buf_done) = { 0 };
	const char *begin = data, *end = data + *n, *close;
	struct slice s;
	char *old;

	for (unsigned i = 1; i < line && begin != NULL; i++) {
		begin = memchr(begin, '\n', (size_t)(end - begin));
		begin = begin == NULL ? NULL : begin + 1;
	}
	if (begin == NULL || begin >= end)
		return NULL;
	close = memchr(begin, '\n', (size_t)(end - begin));
	close = close == NULL ? end : close;
	s = slice_trim((struct slice){ begin, (size_t)(close - begin) });
	old = slice_dup(r->g->mem, s);
	if (!repair_env(old, &b) && !repair_element(old, "inituser", &b) &&
	    !repair_element(old, "initgroup", &b) && !repair_share(old, &b))
		return NULL;
	reading_find_at(r, FIND_SRC_REPAIRED,
			reading_origin(r, ORIGIN_FILE, libvirt_of(r)->path,
				       line, "initenv", NULL),
			"libvirt wrote it without escaping and cannot read it "
			"again: %s was read as %s",
			libvirt_shown(r, old), libvirt_shown(r, buf_str(&b)));
	buf_add(&whole, data, (size_t)(s.p - data));
	buf_add(&whole, b.p, b.n);
	buf_add(&whole, s.p + s.n, (size_t)(end - s.p) - s.n);
	*n = whole.n;
	return arena_strndup(r->g->mem, whole.p, whole.n);
}

static int parse(struct reading *r, const char *data, size_t n,
		 struct xml_node **ret, struct err *e)
{
	const char *path = libvirt_of(r)->path;
	unsigned line, last = 0;

	for (unsigned i = 0;; i++) {
		if (xml_read(data, n, path, r->g->mem, ret, &line, e) == 0)
			return 0;
		if (e->code != EUCLEAN || line <= last || i == REPAIRS_MAX)
			return -1;
		last = line;
		data = repair(r, data, &n, line);
		if (data == NULL)
			return -1;
	}
}

/* --- the document --- */

static const struct {
	const char *type;
	enum lv_driver driver;
} drivers[] = {
	{ "lxc", LV_LXC }, { "openvz", LV_OPENVZ }, { "xen", LV_XEN },
	{ "kvm", LV_KVM }, { "qemu", LV_KVM },      { "kqemu", LV_KVM },
	{ "hvf", LV_KVM },
};

static enum lv_driver driver_of(const struct xml_node *domain)
{
	const struct xml_attr *type = xml_attr(domain, "type");

	for (size_t i = 0; type != NULL && i < COUNT(drivers); i++)
		if (str_eq(drivers[i].type, type->value))
			return drivers[i].driver;
	return LV_OTHER;
}

static struct xml_node *domain_of(struct xml_node *root)
{
	return xml_is(root, "domain")    ? root :
	       xml_is(root, "domstatus") ? xml_child(root, "domain") :
					   NULL;
}

struct libvirt *libvirt_begin(struct reading *r, const char *path)
{
	struct libvirt *v = arena_alloc(r->g->mem, sizeof(*v));

	v->t = r->source->host->tree;
	v->path = path;
	v->file = path;
	r->state = v;
	reading_defaults(r);
	return v;
}

static int check_root(struct reading *r, struct err *e)
{
	const struct libvirt *v = libvirt_of(r);

	if (v->domain == NULL)
		return err_set(e, 0,
			       "%s: its root element is %s, not domain or "
			       "domstatus with a domain in it",
			       v->path, libvirt_shown(r, v->root->name));
	if (xml_attr(v->domain, "type") == NULL)
		return err_set(e, 0, "%s: domain has no type", v->path);
	return 0;
}

int libvirt_read_text(struct reading *r, const char *data, size_t n,
		      struct err *e)
{
	struct libvirt *v = libvirt_of(r);

	if (parse(r, data, n, &v->root, e) < 0)
		return -1;
	v->domain = domain_of(v->root);
	if (check_root(r, e) < 0)
		return -1;
	v->driver = driver_of(v->domain);
	if (v->root != v->domain)
		libvirt_walk(r, v->root, v->path, "status");
	libvirt_walk(r, v->domain, v->path, "");
	return 0;
}

int libvirt_read_file(struct reading *r, struct err *e)
{
	const struct libvirt *v = libvirt_of(r);
	const char *data;
	size_t n;

	if (tree_read(v->t, v->path, XML_BYTES_MAX, r->g->mem, &data, &n, e) <
	    0)
		return -1;
	reading_file(r, v->path);
	return libvirt_read_text(r, data, n, e);
}

const char *libvirt_name_of(struct tree *t, const char *path, struct arena *mem,
			    enum lv_driver *ret_driver)
{
	struct xml_node *root, *domain;
	const struct xml_node *name;
	const char *data;
	struct err e;
	size_t n;

	if (tree_read(t, path, XML_BYTES_MAX, mem, &data, &n, &e) < 0 ||
	    xml_read(data, n, path, mem, &root, NULL, &e) < 0)
		return NULL;
	domain = domain_of(root);
	name = xml_child(domain, "name");
	if (domain == NULL)
		return NULL;
	*ret_driver = driver_of(domain);
	return name == NULL ? "" : name->text;
}
