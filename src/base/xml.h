/*
 * XML from anybody, read by libxml2 into a plain tree. Refused before or while
 * it is read, for each has brought parsers down (libvirt.md 6.1): a document
 * type of any kind, more bytes, elements, depth or attributes than the bounds,
 * a tag longer than 64 KiB, NUL, other encodings than UTF-8, US-ASCII,
 * ISO-8859-1 and UTF-16 with its mark. Nothing outside of the text is opened.
 */
#ifndef REHOST_BASE_XML_H
#define REHOST_BASE_XML_H

#include <stdbool.h>

#include "arena.h"
#include "err.h"

enum {
	XML_BYTES_MAX = 10 << 20, /* of a document; virsh reads no more */
	XML_TAG_MAX = 64 << 10,   /* bytes between '<' and '>' */
	XML_DEPTH_MAX = 64,       /* of elements */
	XML_NODES_MAX = 200000,   /* elements */
	XML_ATTRS_MAX = 256,      /* of an element */
	XML_TEXT_MAX = 256 << 10, /* bytes of an element's own text */
};

struct xml_attr {
	const char *ns; /* its namespace; NULL: none */
	const char *name, *value;
	void *of; /* the reader's own */
};

struct xml_node {
	const char *ns; /* its namespace; NULL: none */
	const char *name;
	const char *text;  /* its own, with CDATA; "" where there is none */
	const char *first; /* of its text what comes before anything else */
	unsigned line;     /* where its tag ends */
	struct xml_attr *attrs;
	size_t n_attrs;
	struct xml_node *parent, *child, *next; /* NULL: none */
	void *of;                               /* the reader's own */
};

/*
 * Reads the n bytes; the tree is in mem. name is for messages. A fault of the
 * text is EUCLEAN, "NAME: line N: what"; *ret_line (NULL: not asked for) is
 * then that line, 0 where it has none.
 */
int xml_read(const char *data, size_t n, const char *name, struct arena *mem,
	     struct xml_node **ret, unsigned *ret_line, struct err *e);

/* The first child of that name and no namespace; NULL: none, or of is NULL. */
struct xml_node *xml_child(const struct xml_node *of, const char *name);
/* The next sibling of the same name and namespace; NULL at the end. */
struct xml_node *xml_again(const struct xml_node *node);
/* An attribute without namespace; NULL: none, or of is NULL. */
struct xml_attr *xml_attr(const struct xml_node *of, const char *name);
/* Whether it has that name and no namespace. */
bool xml_is(const struct xml_node *node, const char *name);
/* Whether the element has text other than blanks. */
bool xml_has_text(const struct xml_node *node);

#endif
