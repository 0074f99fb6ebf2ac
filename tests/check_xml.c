/* The reader of XML: what it makes of a text, and what it refuses in time. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/xml.h"

static struct arena *mem;

static void set_up(void)
{
	mem = arena_new();
}

static void tear_down(void)
{
	arena_free(mem);
}

static struct xml_node *read_text(const char *text)
{
	struct xml_node *root = NULL;
	struct err e = { .msg = "" };

	ck_assert_msg(xml_read(text, strlen(text), "x", mem, &root, NULL, &e) ==
			      0,
		      "%s", e.msg);
	return root;
}

static void refused(const char *data, size_t n, const char *why)
{
	struct xml_node *root = NULL;
	struct err e = { .msg = "" };

	ck_assert_msg(xml_read(data, n, "x", mem, &root, NULL, &e) == -1,
		      "it was read: %.60s", data);
	ck_assert_msg(strstr(e.msg, why) != NULL, "\"%s\" is not in \"%s\"",
		      why, e.msg);
	ck_assert_int_eq(e.code, EUCLEAN);
	ck_assert_ptr_null(root);
}

START_TEST(tree)
{
	struct xml_node *r = read_text("<!-- head -->\n<a x='1 &amp; &lt;2' "
				       "n:y='&#38;amp;' xmlns:n='urn:n'>\n"
				       "<b>t &amp; u<![CDATA[<v>]]></b><n:b/>"
				       "<b/></a>");
	struct xml_node *b = xml_child(r, "b");

	ck_assert_str_eq(r->name, "a");
	ck_assert_str_eq(xml_attr(r, "x")->value, "1 & <2");
	ck_assert_ptr_null(xml_attr(r, "y"));
	ck_assert_str_eq(r->attrs[1].ns, "urn:n");
	ck_assert_str_eq(r->attrs[1].value, "&amp;");
	ck_assert_uint_eq(r->n_attrs, 2);
	ck_assert_str_eq(b->text, "t & u<v>");
	ck_assert_str_eq(b->first, "t & u");
	ck_assert_uint_eq(b->line, 3);
	ck_assert_str_eq(b->next->ns, "urn:n");
	ck_assert_ptr_eq(xml_again(b), b->next->next);
	ck_assert_ptr_null(xml_again(xml_again(b)));
	ck_assert_ptr_eq(b->parent, r);
	ck_assert(!xml_has_text(r));
}
END_TEST

START_TEST(encodings)
{
	static const char utf16[] = "\xff\xfe<\0a\0>\0\xe4\0<\0/\0a\0>\0";
	struct xml_node *r;
	struct err e;

	r = read_text("\xef\xbb\xbf<a>\xc3\xa4</a>");
	ck_assert_str_eq(r->text, "\xc3\xa4");
	r = read_text("<?xml version='1.0' encoding='iso-8859-1'?><a>\xe4</a>");
	ck_assert_str_eq(r->text, "\xc3\xa4");
	ck_assert_int_eq(
		xml_read(utf16, sizeof(utf16) - 1, "x", mem, &r, NULL, &e), 0);
	ck_assert_str_eq(r->text, "\xc3\xa4");
}
END_TEST

START_TEST(prefix_undeclared)
{
	struct xml_node *r = read_text("<a><q:memory>1</q:memory></a>");

	ck_assert_str_eq(r->child->name, "memory");
	ck_assert_str_eq(r->child->ns, "q");
	ck_assert_ptr_null(xml_child(r, "memory"));
}
END_TEST

static const struct {
	const char *text, *why;
} broken[] = {
	{ "", "empty" },
	{ " \n", "not well-formed" },
	{ "<!-- only -->", "not well-formed" },
	{ "<a>", "not well-formed" },
	{ "<a></b>", "not well-formed" },
	{ "<a x='1' x='2'/>", "not well-formed" },
	{ "<a x=1/>", "not well-formed" },
	{ "<a>&</a>", "not well-formed" },
	{ "<a>&foo;</a>", "not well-formed" },
	{ "<a>&#0;</a>", "not well-formed" },
	{ "<a>&#xD800;</a>", "not well-formed" },
	{ "<a>&#x110000;</a>", "not well-formed" },
	{ "<a>\x01</a>", "not well-formed" },
	{ "<a>\xc3</a>", "not UTF-8" },
	{ "<a>\xc0\xaf</a>", "not UTF-8" },
	{ "<a/><b/>", "not well-formed" },
	{ "<a/>text", "not well-formed" },
	{ " <?xml version='1.0'?><a/>", "not well-formed" },
	{ "<a><!-- x -- y --></a>", "not well-formed" },
	{ "<?xml version='1.0' encoding='UTF-7'?><a/>", "encoding UTF-7" },
	{ "<!DOCTYPE a><a/>", "DOCTYPE" },
	{ "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE" },
	{ "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DOCTYPE" },
	{ "<!DOCTYPE a [<!ATTLIST a t CDATA 'lxc'>]><a/>", "DOCTYPE" },
};

START_TEST(refuses)
{
	refused(broken[_i].text, strlen(broken[_i].text), broken[_i].why);
}
END_TEST

START_TEST(nul)
{
	refused("<a>\0</a>", 8, "NUL");
}
END_TEST

START_TEST(not_a_doctype)
{
	read_text("<a><!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE b>]]></a>");
}
END_TEST

/* head, n times what two texts and the number between them make, tail. */
static void big(const char *head, const char *left, const char *right, size_t n,
		const char *tail, const char *why)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	const clock_t before = clock();

	buf_adds(&b, head);
	for (size_t i = 0; i < n; i++)
		if (right == NULL)
			buf_adds(&b, left);
		else
			buf_printf(&b, "%s%zu%s", left, i, right);
	buf_adds(&b, tail);
	refused(b.p, b.n, why);
	/* of the processor's time: without the bounds minutes */
	ck_assert_int_lt((clock() - before) / CLOCKS_PER_SEC, 20);
}

START_TEST(too_much)
{
	big("<a ", "b", "='1' ", 100000, "/>", "a tag is longer");
	big("<a ", "b", "='1' ", 300, "/>", "too many attributes");
	big("", "<a>", NULL, 65, "", "too deeply");
	big("<r>", "<a/>", NULL, 2000000, "</r>", "too many elements");
	big("<r>", "0123456789", NULL, 100000, "</r>", "too much text");
	big("<r a='", "0123456789", NULL, 100000, "'/>", "a tag is longer");
	big("<", "n", "", 20000, "/>", "a tag is longer");
	big("<r>", "0123456789", NULL, 1100000, "</r>", "larger than");
	big("<!DOCTYPE r [<!ENTITY % a 'b'>", "<!ENTITY % p", " '%a;%a;'>",
	    2000, "]><r/>", "DOCTYPE");
}
END_TEST

/* Cut anywhere it is refused and nothing of it is kept. */
START_TEST(truncated)
{
	static const char text[] =
		"<?xml version='1.0'?><!-- c --><d type='lxc'><name>a &amp; b"
		"</name><x y='1'/><![CDATA[z]]></d>";

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct xml_node *root = NULL;
		struct err e = { .msg = "" };

		ck_assert_int_eq(xml_read(text, n, "x", mem, &root, NULL, &e),
				 -1);
		ck_assert_ptr_null(root);
	}
}
END_TEST

START_TEST(says_the_line)
{
	struct xml_node *root = NULL;
	unsigned line = 0;
	struct err e;

	ck_assert_int_eq(xml_read("<a>\n<b>\n&\n</b></a>", 18, "f.xml", mem,
				  &root, &line, &e),
			 -1);
	ck_assert_uint_eq(line, 3);
	ck_assert(str_starts(e.msg, "f.xml: line 3: "));
	/* of two faults the first */
	ck_assert_int_eq(xml_read("<a>\n<b>&</b>\n<c>a < b</c></a>", 29,
				  "f.xml", mem, &root, &line, &e),
			 -1);
	ck_assert_uint_eq(line, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xml");
	TCase *c = tcase_create("xml");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, tree);
	tcase_add_test(c, encodings);
	tcase_add_test(c, prefix_undeclared);
	tcase_add_loop_test(c, refuses, 0, COUNT(broken));
	tcase_add_test(c, nul);
	tcase_add_test(c, not_a_doctype);
	tcase_add_test(c, too_much);
	tcase_add_test(c, truncated);
	tcase_add_test(c, says_the_line);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
