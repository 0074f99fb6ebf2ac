/* A list of members against what is found. */
#include "pack/verify.h"

#include <locale.h>
#include <string.h>
#include <sys/stat.h>

#include "pack/order.h"

static void verify_done(struct verify *v)
{
	lines_closep(&v->lines);
	content_freep(&v->content);
	buf_done(&v->text);
}

static void differ(struct verify *v, const char *path, const char *what)
{
	if (v->result.n++ < PACK_NAMES)
		*vec_add(v->mem, &v->found) = (struct pack_difference){
			.path = arena_printf(v->mem, "/%s", path),
			.what = what,
		};
}

static int next_line(struct verify *v, struct err *e)
{
	int r = lines_next(v->lines, &v->line, e);

	v->has_line = r > 0;
	return r < 0 ? -1 : 0;
}

static bool has_content(const struct member *m)
{
	return S_ISREG(m->st.mode) && !m->first;
}

int verify_begin(struct verify *v, const struct member *m,
		 struct content **ret_content, struct err *e)
{
	struct slice content;

	v->result.members++;
	while (v->has_line && order_paths(v->line.path, m->path) < 0) {
		differ(v, v->line.path, "missing");
		if (next_line(v, e))
			return -1;
	}
	if (!v->has_line || !str_eq(v->line.path, m->path)) {
		differ(v, m->path, "not in the list");
		return 0;
	}
	content = v->line.fields[LIST_CONTENT];
	if (!has_content(m))
		return 1;
	content_begin(v->content, m->st.size,
		      content.n > 0 && *content.p == 'z');
	*ret_content = v->content;
	return 1;
}

/* The others are of the source, or say what is in which variant. */
static const struct {
	enum list_field field;
	const char *name;
} compared[] = {
	{ LIST_TYPE, "type" },       { LIST_MODE, "mode" },
	{ LIST_OWNER, "owner" },     { LIST_SIZE, "size" },
	{ LIST_MTIME, "mtime" },     { LIST_XATTRS, "xattrs" },
	{ LIST_CONTENT, "content" },
};

static bool has_acl(const struct member *m)
{
	for (size_t i = 0; i < m->xattrs.n; i++)
		if (str_eq(m->xattrs.v[i].name, "system.posix_acl_access"))
			return true;
	return false;
}

/*
 * Of a member with an access ACL libarchive gives the owning group's bits,
 * where an inode has the mask: the ACL itself is among the xattrs.
 */
static bool is_same_mode(struct slice a, struct slice b)
{
	return a.n == 4 && b.n == 4 && memcmp(a.p, b.p, 2) == 0 &&
	       a.p[3] == b.p[3];
}

/* An archive holds no fraction of a second of a link, nor before 1970. */
static bool is_same_time(const struct member *m, struct slice a, struct slice b)
{
	const char *dot = memchr(a.p, '.', a.n);
	size_t n = dot ? (size_t)(dot - a.p) + 1 : 0;

	return (m->first || *a.p == '-') && n > 0 && b.n >= n &&
	       memcmp(a.p, b.p, n) == 0;
}

static bool is_same(const struct verify *v, enum list_field field,
		    const struct member *m, struct slice a, struct slice b)
{
	if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0)
		return true;
	if (!v->check->archive)
		return false;
	if (field == LIST_MODE && has_acl(m))
		return is_same_mode(a, b);
	return field == LIST_MTIME && is_same_time(m, a, b);
}

static void compare(struct verify *v, const struct member *m)
{
	struct slice rest = { v->text.p, v->text.n }, got[LIST_FIELDS] = { 0 };

	for (size_t i = 0; slice_next(&rest, '\t', &got[i]);)
		if (++i == LIST_FIELDS)
			break;
	for (size_t i = 0; i < COUNT(compared); i++) {
		enum list_field f = compared[i].field;
		struct slice want = v->line.fields[f];

		if (is_same(v, f, m, want, got[f]))
			continue;
		differ(v, m->path,
		       arena_printf(v->mem, "%s %s, not %s", compared[i].name,
				    str_show(v->mem, got[f].p, got[f].n, 200),
				    str_show(v->mem, want.p, want.n, 200)));
	}
}

int verify_end(struct verify *v, const struct member *m, struct content *c,
	       struct err *e)
{
	char content[CONTENT_TEXT] = "-";

	if (c)
		content_end(c, content);
	buf_clear(&v->text);
	list_line(m, content, &v->text);
	compare(v, m);
	return next_line(v, e);
}

static int run(struct verify *v, struct err *e)
{
	const struct pack_check *c = v->check;

	if (lines_open(c->dirfd, c->files, c->variant, &v->lines, e) ||
	    next_line(v, e) ||
	    (c->archive ? verify_archive(v, e) : verify_tree(v, e)))
		return -1;
	while (v->has_line) {
		differ(v, v->line.path, "missing");
		if (next_line(v, e))
			return -1;
	}
	return 0;
}

int pack_verify(const struct pack_check *c, struct arena *mem,
		struct pack_verified *ret, struct err *e)
{
	struct verify v CLEANUP(verify_done) = { .check = c,
						 .mem = mem,
						 .content = content_new() };
	/* libarchive reads names by the locale of the thread */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);
	int r = run(&v, e);

	uselocale(before);
	if (utf8)
		freelocale(utf8);
	if (r)
		return err_wrap(e, "verify %s",
				c->archive ? c->archive : tree_name(c->tree));
	v.result.first = v.found.v;
	v.result.n_first = v.found.n;
	*ret = v.result;
	return 0;
}
