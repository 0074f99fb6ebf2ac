/*
 * libxml2 calls back for each element and no tree of its own is made, so that
 * reading stops where a bound is passed and not after it. The order matters:
 * what costs the parser most (attributes of one tag, parameter entities) is
 * refused by a look at the bytes before it sees them.
 */
#include "base/xml.h"

#include <errno.h>
#include <iconv.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/* What is made of one document. */
struct maker {
	struct arena *mem;
	xmlParserCtxt *ctxt;
	struct xml_node *root, *at, **last[XML_DEPTH_MAX + 1];
	struct buf text[XML_DEPTH_MAX + 1];
	size_t n_first[XML_DEPTH_MAX + 1];
	bool broken[XML_DEPTH_MAX + 1]; /* its first piece of text is over */
	unsigned depth, n_nodes;
	const char *why; /* it was stopped, or is wrong; NULL: neither */
	unsigned why_line;
};

/* --- before it is parsed ---------------------------------------------- */

static unsigned line_of(const char *data, const char *at)
{
	unsigned line = 1;

	for (; data < at; data++)
		line += *data == '\n';
	return line;
}

PRINTF(5, 6)
static int bad(const char *name, unsigned line, unsigned *ret_line,
	       struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line > 0)
		err_fill(e, 0, "%s: line %u: %s", name, line, text);
	else
		err_fill(e, 0, "%s: %s", name, text);
	e->code = EUCLEAN;
	if (ret_line != NULL)
		*ret_line = line;
	return -1;
}

/* The end of what begins with '<' at p; NULL: it has none. */
static const char *markup_end(const char *p, const char *end)
{
	static const struct {
		const char *begin, *close;
	} rows[] = { { "<!--", "-->" },
		     { "<![CDATA[", "]]>" },
		     { "<?", "?>" } };
	char quote = '\0';

	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t n = strlen(rows[i].begin);
		const char *at;

		if ((size_t)(end - p) < n || memcmp(p, rows[i].begin, n) != 0)
			continue;
		at = memmem(p + n, (size_t)(end - p) - n, rows[i].close,
			    strlen(rows[i].close));
		return at == NULL ? NULL : at + strlen(rows[i].close);
	}
	for (; p < end; p++) {
		if (quote != '\0')
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '>')
			return p + 1;
	}
	return NULL;
}

static bool is_tag(const char *p, const char *end)
{
	return end - p < 2 || (p[1] != '!' && p[1] != '?');
}

static int scan(const char *data, size_t n, const char *name,
		unsigned *ret_line, struct err *e)
{
	const char *end = data + n, *p = data;

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		const char *close = markup_end(p, end);

		if (end - p >= 9 && memcmp(p, "<!DOCTYPE", 9) == 0)
			return bad(name, line_of(data, p), ret_line, e,
				   "it has a DOCTYPE, which is not read");
		if (is_tag(p, end) &&
		    (close == NULL ? end : close) - p > XML_TAG_MAX)
			return bad(name, line_of(data, p), ret_line, e,
				   "a tag is longer than %d bytes",
				   XML_TAG_MAX);
		/* without an end the parser says what is wrong */
		if (close == NULL)
			return 0;
		p = close;
	}
	return 0;
}

/* --- encodings -------------------------------------------------------- */

/* What the text declares, "" where it does not; in ret. */
static void declared(const char *data, size_t n, char ret[32])
{
	const char *end = n < 5 || memcmp(data, "<?xml", 5) != 0 ?
				  NULL :
				  memmem(data, n, "?>", 2);
	const char *at =
		end == NULL ? NULL :
			      memmem(data, (size_t)(end - data), "encoding", 8);
	size_t len = 0;

	ret[0] = '\0';
	if (at == NULL)
		return;
	for (at += 8; at < end && strchr(" \t\r\n=", *at) != NULL; at++)
		;
	for (at++; at < end && *at != '"' && *at != '\'' && len < 31; at++)
		ret[len++] = *at;
	ret[len] = '\0';
}

static int convert(const char **data, size_t *n, const char *from,
		   const char *name, struct arena *mem, struct err *e)
{
	const size_t room = *n * 2 + 4;
	char *out = arena_alloc(mem, room + 1), *to = out;
	char *in = arena_memdup(mem, *data, *n);
	size_t left = *n, spare = room;
	iconv_t cd = iconv_open("UTF-8", from);

	if (cd == (iconv_t)-1)
		return err_set(e, errno, "%s: %s", name, from);
	if (iconv(cd, &in, &left, &to, &spare) == (size_t)-1) {
		iconv_close(cd);
		return bad(name, 0, NULL, e, "it is no text in %s", from);
	}
	iconv_close(cd);
	*data = out;
	*n = (size_t)(to - out);
	return 0;
}

/* UTF-8 without a mark, whatever it was. */
static int to_utf8(const char **data, size_t *n, const char *name,
		   struct arena *mem, struct err *e)
{
	char encoding[32];

	if (*n >= 2 && (memcmp(*data, "\xff\xfe", 2) == 0 ||
			memcmp(*data, "\xfe\xff", 2) == 0)) {
		if (convert(data, n, "UTF-16", name, mem, e) < 0)
			return -1;
	} else if (*n >= 3 && memcmp(*data, "\xef\xbb\xbf", 3) == 0) {
		*data += 3;
		*n -= 3;
	}
	declared(*data, *n, encoding);
	if (str_caseeq(encoding, "ISO-8859-1") &&
	    convert(data, n, "ISO-8859-1", name, mem, e) < 0)
		return -1;
	if (encoding[0] != '\0' && !str_caseeq(encoding, "UTF-8") &&
	    !str_caseeq(encoding, "US-ASCII") &&
	    !str_caseeq(encoding, "ISO-8859-1") &&
	    !str_caseeq(encoding, "UTF-16"))
		return bad(name, 0, NULL, e, "its encoding %s is not read",
			   str_show(mem, encoding, strlen(encoding), 31));
	if (memchr(*data, '\0', *n) != NULL)
		return bad(name, 0, NULL, e, "it holds a NUL byte");
	if (!str_utf8(*data, *n))
		return bad(name, 0, NULL, e, "it is not UTF-8 text");
	return 0;
}

/* --- while it is parsed ----------------------------------------------- */

static void stop(struct maker *m, const char *why)
{
	if (m->why == NULL) {
		m->why = why;
		m->why_line = (unsigned)xmlSAX2GetLineNumber(m->ctxt);
	}
	xmlStopParser(m->ctxt);
}

static const char *copy(struct arena *mem, const xmlChar *s)
{
	return s == NULL ? NULL : arena_strdup(mem, (const char *)s);
}

/*
 * A value as libxml2 hands it over where entities are not replaced: all of it
 * is plain but '&', which stands there as "&#38;" for whoever reads it again.
 */
static const char *attr_value(struct arena *mem, const xmlChar *begin,
			      const xmlChar *end)
{
	char *s =
		arena_strndup(mem, (const char *)begin, (size_t)(end - begin));
	char *to = s;

	for (const char *p = s; *p != '\0';) {
		*to++ = *p;
		p += strncmp(p, "&#38;", 5) == 0 ? 5 : 1;
	}
	*to = '\0';
	return s;
}

static void take_attrs(struct maker *m, struct xml_node *node, size_t n,
		       const xmlChar **attrs)
{
	node->attrs = arena_alloc(m->mem, n * sizeof(*node->attrs));
	node->n_attrs = n;
	for (size_t i = 0; i < n; i++, attrs += 5) {
		const xmlChar *prefix = attrs[1], *uri = attrs[2];
		struct xml_attr *a = &node->attrs[i];

		a->name = copy(m->mem, attrs[0]);
		a->value = attr_value(m->mem, attrs[3], attrs[4]);
		/* a prefix that nothing declares is a namespace of its own */
		a->ns = copy(m->mem, uri != NULL ? uri : prefix);
	}
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int n_ns UNUSED,
		     const xmlChar **ns UNUSED, int n_attrs,
		     int n_defaulted UNUSED, const xmlChar **attrs)
{
	struct maker *m = ((xmlParserCtxt *)arg)->_private;
	struct xml_node *node;

	if (m->why != NULL)
		return;
	if (m->depth == XML_DEPTH_MAX)
		return stop(m, "elements are nested too deeply");
	if (++m->n_nodes > XML_NODES_MAX)
		return stop(m, "it has too many elements");
	if (n_attrs > XML_ATTRS_MAX)
		return stop(m, "an element has too many attributes");
	node = arena_alloc(m->mem, sizeof(*node));
	node->name = copy(m->mem, name);
	node->ns = copy(m->mem, uri != NULL ? uri : prefix);
	node->line = (unsigned)xmlSAX2GetLineNumber(m->ctxt);
	node->parent = m->at;
	take_attrs(m, node, (size_t)n_attrs, attrs);
	m->broken[m->depth] = true;
	if (m->root == NULL)
		m->root = node;
	else if (m->depth > 0)
		*m->last[m->depth] = node;
	m->last[m->depth] = &node->next;
	m->at = node;
	m->depth++;
	if (m->depth <= XML_DEPTH_MAX)
		m->last[m->depth] = &node->child;
	m->text[m->depth].n = 0;
	m->n_first[m->depth] = 0;
	m->broken[m->depth] = false;
}

static void on_end(void *arg, const xmlChar *name UNUSED,
		   const xmlChar *prefix UNUSED, const xmlChar *uri UNUSED)
{
	struct maker *m = ((xmlParserCtxt *)arg)->_private;
	const struct buf *text;

	if (m->why != NULL || m->at == NULL)
		return;
	text = &m->text[m->depth];
	m->at->text =
		arena_strndup(m->mem, text->n > 0 ? text->p : "", text->n);
	m->at->first = arena_strndup(m->mem, m->at->text, m->n_first[m->depth]);
	m->at = m->at->parent;
	m->depth--;
}

static void add_text(struct maker *m, const xmlChar *s, int n, bool first)
{
	if (m->why != NULL || m->at == NULL)
		return;
	if (m->text[m->depth].n + (size_t)n > XML_TEXT_MAX)
		return stop(m, "an element holds too much text");
	buf_add(&m->text[m->depth], s, (size_t)n);
	if (first && !m->broken[m->depth])
		m->n_first[m->depth] += (size_t)n;
}

static void on_text(void *arg, const xmlChar *s, int n)
{
	add_text(((xmlParserCtxt *)arg)->_private, s, n, true);
}

static void on_cdata(void *arg, const xmlChar *s, int n)
{
	struct maker *m = ((xmlParserCtxt *)arg)->_private;
	const bool first = m->text[m->depth].n == 0;

	add_text(m, s, n, first);
	m->broken[m->depth] = true;
}

static void on_comment(void *arg, const xmlChar *s UNUSED)
{
	struct maker *m = ((xmlParserCtxt *)arg)->_private;

	m->broken[m->depth] = true;
}

static void on_pi(void *arg, const xmlChar *target UNUSED,
		  const xmlChar *data UNUSED)
{
	on_comment(arg, NULL);
}

static void on_doctype(void *arg, const xmlChar *name UNUSED,
		       const xmlChar *id UNUSED, const xmlChar *where UNUSED)
{
	stop(((xmlParserCtxt *)arg)->_private,
	     "it has a DOCTYPE, which is not read");
}

static void on_reference(void *arg, const xmlChar *name UNUSED)
{
	stop(((xmlParserCtxt *)arg)->_private,
	     "it refers to an entity, which is not read");
}

/* Nothing but the text itself is ever opened. */
static xmlParserInput *no_entity(void *arg, const xmlChar *id UNUSED,
				 const xmlChar *where UNUSED)
{
	on_reference(arg, NULL);
	return NULL;
}

static void ctxt_freep(xmlParserCtxt **ctxt)
{
	xmlFreeParserCtxt(*ctxt);
}

/* Of several faults the first is the cause; the parser goes on a while. */
static void on_error(void *arg, xmlError *error)
{
	struct maker *m = ((xmlParserCtxt *)arg)->_private;
	const char *text = error->message == NULL ? "" : error->message;

	if (m->why != NULL || error->level != XML_ERR_FATAL)
		return;
	m->why_line = (unsigned)error->line;
	m->why = arena_printf(m->mem, "not well-formed XML: %s",
			      str_show(m->mem, text, strcspn(text, "\n"), 160));
}

static void set_handlers(xmlParserCtxt *ctxt)
{
	*ctxt->sax = (xmlSAXHandler){
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_cdata,
		.comment = on_comment,
		.processingInstruction = on_pi,
		.internalSubset = on_doctype,
		.externalSubset = on_doctype,
		.reference = on_reference,
		.resolveEntity = no_entity,
		.serror = on_error,
	};
}

static int parse(struct maker *m, const char *data, size_t n, const char *name,
		 unsigned *ret_line, struct err *e)
{
	xmlParserCtxt *ctxt CLEANUP(ctxt_freep) = xmlNewParserCtxt();
	xmlDoc *doc;

	if (ctxt == NULL)
		return err_set(e, ENOMEM, "%s", name);
	set_handlers(ctxt);
	m->ctxt = ctxt;
	ctxt->_private = m;
	doc = xmlCtxtReadMemory(
		ctxt, data, (int)n, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_BIG_LINES |
			XML_PARSE_IGNORE_ENC | XML_PARSE_NOERROR |
			XML_PARSE_NOWARNING);
	xmlFreeDoc(doc); /* none is made; NULL is fine */
	/* a stopped parser calls what it has read well-formed */
	if (m->why != NULL)
		return bad(name, m->why_line, ret_line, e, "%s", m->why);
	if (!ctxt->wellFormed || m->root == NULL)
		return bad(name, 1, ret_line, e, "not well-formed XML");
	return 0;
}

int xml_read(const char *data, size_t n, const char *name, struct arena *mem,
	     struct xml_node **ret, unsigned *ret_line, struct err *e)
{
	struct maker m = { .mem = mem };
	int done;

	if (ret_line != NULL)
		*ret_line = 0;
	if (n > XML_BYTES_MAX)
		return bad(name, 0, ret_line, e, "larger than %d bytes",
			   XML_BYTES_MAX);
	if (n == 0)
		return bad(name, 0, ret_line, e, "it is empty");
	if (to_utf8(&data, &n, name, mem, e) < 0 ||
	    scan(data, n, name, ret_line, e) < 0)
		return -1;
	done = parse(&m, data, n, name, ret_line, e);
	for (size_t i = 0; i < COUNT(m.text); i++)
		buf_done(&m.text[i]);
	if (done == 0)
		*ret = m.root;
	return done;
}

/* --- looking at it ---------------------------------------------------- */

bool xml_is(const struct xml_node *node, const char *name)
{
	return node != NULL && node->ns == NULL && str_eq(node->name, name);
}

struct xml_node *xml_child(const struct xml_node *of, const char *name)
{
	struct xml_node *node = of == NULL ? NULL : of->child;

	while (node != NULL && !xml_is(node, name))
		node = node->next;
	return node;
}

struct xml_node *xml_again(const struct xml_node *node)
{
	struct xml_node *next = node->next;

	while (next != NULL &&
	       (!str_eq(next->name, node->name) || !str_eq(next->ns, node->ns)))
		next = next->next;
	return next;
}

struct xml_attr *xml_attr(const struct xml_node *of, const char *name)
{
	for (size_t i = 0; of != NULL && i < of->n_attrs; i++)
		if (of->attrs[i].ns == NULL && str_eq(of->attrs[i].name, name))
			return &of->attrs[i];
	return NULL;
}

bool xml_has_text(const struct xml_node *node)
{
	return node->text[strspn(node->text, " \t\r\n")] != '\0';
}
