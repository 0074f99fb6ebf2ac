/* Unit tests of src/report: every dress, rules, explain, trace. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "importer.h"
#include "report/parts.h"

static const char *const targets[] = { "lxc" };

static struct report_options options(bool single)
{
	return (struct report_options){ .tool = "rehost test",
					.targets = targets,
					.n_targets = 1,
					.single = single };
}

/* A document in which ' stands for ". */
static json_t *document(const char *text)
{
	char *s = strdup(text);
	json_error_t why;
	json_t *j;

	for (char *c = s; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	j = json_loads(s, 0, &why);
	ck_assert_msg(j != NULL, "%s: %.2000s", why.text, s);
	free(s);
	return j;
}

#define FINDING(code, severity, isolation, line, target, accepted, message)    \
	"{'code':'" code "','severity':'" severity "','isolation':'" isolation \
	"','action':'site','field':'limit.memory','target':" target            \
	",'file':'/etc/v/web/x','line':" line ",'key':'x','message':'" message \
	"','advice':'do it','accepted':" accepted ",'accepted_by':null,"       \
	"'items':[]}"
#define GUEST(name, findings)                                                  \
	"{'key':'h1/vserver:" name "','host':'h1','name':'" name "','kind':"   \
	"'vserver','id':'" name "','source':'/etc/v/" name "','verdict':"      \
	"'review','failed':null,'state':'stopped','state_how':'no run file',"  \
	"'settings':[{'file':'/etc/v/web/x','line':1,'key':'x','item':null,"   \
	"'value':'=1+2, \\\"a\\\"','outcome':{'lxc':'carried'},'fields':"      \
	"['limit.memory'],'note':null},{'file':'/etc/v/web/y','line':0,"       \
	"'key':'y','item':'b','value':null,'outcome':{'lxc':'inert'},"         \
	"'fields':[],'note':'old'}],'findings':[" findings "],'edits':[{"      \
	"'path':'/etc/<i>','action':'replace','reason':'no getty','targets':"  \
	"[],'diff':'-1:getty\\n+#1:getty <b>\\n'}],"                           \
	"'fields':{'limit.memory':{'value':4096,'origins':[{'kind':'text',"    \
	"'file':'/etc/v/web/x','line':1}],'emitted':{'lxc':"                   \
	"'lxc.cgroup2.memory.max'}},'nic[eth0].mtu':{'value':1400,'origins':"  \
	"[],'emitted':{'lxc':'lxc.net.N.mtu'}},'mount[/proc].source':{"        \
	"'value':'none','origins':[],'emitted':{'lxc':'lxc.mount.entry'}}},"   \
	"'targets':{'lxc':{'verdict':"                                         \
	"'review','name':'" name "','files':{'config':'# lxc.net.0.mtu = 9\\n" \
	"lxc.cgroup2.memory.max = 4096\\nlxc.net.0.name = eth1\\n"             \
	"lxc.net.0.mtu = 9000\\nlxc.net.1.name = eth0\\n"                      \
	"lxc.net.1.mtu = 1400\\nlxc.mount.entry = none tmp tmpfs\\n'}}}}"

#define A_NOTE FINDING("NET007", "note", "same", "3", "null", "null", "a note")
#define A_LOSS                                                                 \
	FINDING("NET004", "loss", "same", "9", "'lxc'", "'agreed'", "lost")
#define A_BLOCKER                                                              \
	FINDING("CAP003", "blocker", "weaker", "0", "null", "null", "all")
#define STRICTER                                                               \
	FINDING("NET012", "loss", "stricter", "2", "null", "null", "b\\u001b")

static const char web[] =
	GUEST("web", A_NOTE "," A_LOSS "," A_BLOCKER "," STRICTER);

static void render(struct buf *b, const struct report_format *f,
		   const struct report_options *o, const char *text)
{
	struct report_totals t = { 0 };
	json_t *guest = document(text);

	report_totals_add(&t, report_record(guest));
	f->head(b, o, &t);
	f->guest(b, o, guest);
	f->tail(b, o, &t);
	report_totals_done(&t);
	json_decref(guest);
}

static bool has(const struct buf *b, const char *text)
{
	return strstr(buf_str(b), text) != NULL;
}

START_TEST(text_single)
{
	const struct report_options o = options(true);
	struct buf b = { 0 };

	render(&b, &text_report, &o, web);
	ck_assert_str_eq(
		buf_str(&b),
		"h1/vserver:web: lxc review; name web; stopped (no run file)\n"
		"/etc/v/web/x: blocker, weaker: x: all [CAP003 limit.memory]\n"
		"/etc/v/web/x:2: loss, stricter: x: b\\x1b [NET012 "
		"limit.memory]\n"
		"/etc/v/web/x:9: loss: x: lost [NET004 limit.memory lxc]\n"
		"    accepted: agreed\n"
		"lxc: 2 settings: 1 carried, 1 inert\n"
		"1 note, -v shows it\n");
	buf_done(&b);
}
END_TEST

START_TEST(text_verbose)
{
	struct report_options o = options(true);
	struct buf b = { 0 };

	o.verbose = 1;
	render(&b, &text_report, &o, web);
	ck_assert(has(&b, "/etc/v/web/x:3: note: x: a note [NET007 "
			  "limit.memory]\n    do it\n"));
	ck_assert(has(&b, "\n/etc/<i>: replace: no getty\n    -1:getty\n"
			  "    +#1:getty <b>\n"));
	ck_assert(!has(&b, "shows it") && !has(&b, "y (b)"));
	buf_clear(&b);
	o.verbose = 2;
	render(&b, &text_report, &o, web);
	ck_assert(has(&b, "/etc/v/web/x:1: x = =1+2, \"a\": lxc carried\n"
			  "/etc/v/web/y: y (b): lxc inert; old\n"));
	ck_assert(!has(&b, "\033"));
	buf_clear(&b);
	o.color = true;
	render(&b, &text_report, &o, web);
	ck_assert(has(&b, "\033[31mloss\033[0m, stricter: "));
	buf_done(&b);
}
END_TEST

START_TEST(text_by_guest)
{
	struct report_options o = options(false);
	struct buf b = { 0 };

	o.by_guest = true;
	render(&b, &text_report, &o, web);
	ck_assert(str_starts(buf_str(&b), "1 guest for lxc: 1 review\n"
					  "1 note of 1 code, -v shows it\n"
					  "h1/web: /etc/v/web/x: blocker, "));
	buf_done(&b);
}
END_TEST

/* 300 guests, the more the number the fewer have the finding. */
static void fill(struct report_totals *t, size_t codes)
{
	for (size_t i = 0; i < 300; i++) {
		json_t *r = document("{'host':'h','kind':'vserver','failed':"
				     "null,'targets':{'lxc':'blocked'},"
				     "'codes':{}}");
		char name[64];

		snprintf(name, sizeof(name),
			 "a-long-host-name/vserver:customer-%03zu", i);
		json_put_str(r, "key", name);
		json_put_str(r, "name", name);
		json_put_str(r, "verdict", i % 3 == 0 ? "ready" : "blocked");
		for (size_t c = 0; c < codes && c <= i; c++)
			json_put(json_object_get(r, "codes"),
				 finding_row((enum finding_id)c)->code,
				 document("{'count':2,'open':1}"));
		report_totals_add(t, r);
	}
}

static const size_t code_counts[] = { 0, 1, 4, 12, 40, 100 };

START_TEST(text_fleet)
{
	const struct report_options o = options(false);
	struct report_totals t = { 0 };
	struct buf b = { 0 };
	struct slice rest, line;
	size_t lines = 0;

	fill(&t, code_counts[_i]);
	text_report.head(&b, &o, &t);
	text_report.tail(&b, &o, &t);
	for (rest = (struct slice){ b.p, b.n }; slice_next(&rest, '\n', &line);
	     lines++)
		ck_assert_msg(line.n <= 80, "%.*s", (int)line.n, line.p);
	ck_assert_msg(lines <= 24, "%zu lines:\n%.3000s", lines, b.p);
	ck_assert(has(&b, "300 guests for lxc: 100 ready, 200 blocked\n"));
	ck_assert(has(&b, "; --by guest lists them\n"));
	ck_assert(has(&b, "blocked  a-long-host-name/vserver:customer-001"));
	ck_assert(has(&b, "CODE") == (code_counts[_i] != 0));
	if (code_counts[_i] == 40)
		ck_assert(has(&b, "more codes; --format md lists them\n"));
	report_totals_done(&t);
	buf_done(&b);
}
END_TEST

START_TEST(text_failed)
{
	struct report_options o = options(false);
	struct report_totals t = { 0 };
	struct buf b = { 0 };
	json_t *g = report_failed("h/vserver:a", "h", "vserver", "a", "no\nfd");

	report_totals_add(&t, report_record(g));
	text_report.head(&b, &o, &t);
	ck_assert_str_eq(buf_str(&b), "1 guest for lxc: 1 failed\n\n"
				      "failed   h/vserver:a  no\\nfd\n");
	buf_clear(&b);
	o.by_guest = true;
	text_report.guest(&b, &o, g);
	ck_assert_str_eq(buf_str(&b), "h/a: failed: no\\nfd\n");
	buf_clear(&b);
	csv_report.guest(&b, &o, g);
	ck_assert_str_eq(buf_str(&b), "\"h/vserver:a\",\"a\",,,,,,,\"failed\","
				      "\"no\\nfd\"\r\n");
	json_decref(g);
	report_totals_done(&t);
	buf_done(&b);
}
END_TEST

START_TEST(csv)
{
	const struct report_options o = options(false);
	struct buf b = { 0 };

	render(&b, &csv_report, &o, web);
	ck_assert_str_eq(
		buf_str(&b),
		"key,name,file,line,setting,item,value,target,bin,note\r\n"
		"\"h1/vserver:web\",\"web\",\"/etc/v/web/x\",1,\"x\",\"\","
		"\"'=1+2, \"\"a\"\"\",\"lxc\",\"carried\",\"\"\r\n"
		"\"h1/vserver:web\",\"web\",\"/etc/v/web/y\",,\"y\",\"b\","
		"\"\",\"lxc\",\"inert\",\"old\"\r\n");
	buf_done(&b);
}
END_TEST

/* Whoever named the guest must not write the page. */
static const char evil[] = GUEST("<script>|a&`b`\\u0007\\u202e",
				 FINDING("NET004", "loss", "same", "9", "'lxc'",
					 "null", "<b>|*x*"));

START_TEST(hostile_html)
{
	const struct report_options o = options(true);
	struct buf b = { 0 };

	render(&b, &html_report, &o, evil);
	ck_assert(!has(&b, "<script") && !has(&b, "<b>|") && !has(&b, "\a") &&
		  !has(&b, "\xe2\x80\xae"));
	ck_assert(has(&b, "h1/vserver:&lt;script&gt;|a&amp;`b`\\x07"
			  "\\xe2\\x80\\xae"));
	ck_assert(has(&b, "<a href=\"#h1/vserver:%3Cscript%3E%7Ca%26%60b%60%07"
			  "%E2%80%AE\">"));
	ck_assert(has(&b, "<div id=\"h1/vserver:%3Cscript%3E%7Ca%26%60b%60%07"
			  "%E2%80%AE\">"));
	ck_assert(has(&b, "&lt;b&gt;|*x*"));
	ck_assert(has(&b, "<pre>\n-1:getty\n+#1:getty &lt;b&gt;\n</pre>"));
	ck_assert(has(&b, "<pre>\n# lxc.net.0.mtu = 9\nlxc.cgroup2"));
	ck_assert(has(&b, "=1+2, &quot;a&quot;"));
	buf_done(&b);
}
END_TEST

START_TEST(hostile_markdown)
{
	const struct report_options o = options(true);
	struct buf b = { 0 };

	render(&b, &markdown_report, &o, evil);
	ck_assert(has(&b, "## h1/vserver:&lt;script\\>\\|a&amp;\\`b\\`\\\\x07"
			  "\\\\xe2\\x80\\xae\n"));
	ck_assert(has(&b, "| loss | same | NET004 | /etc/v/web/x:9 | x | "
			  "&lt;b\\>\\|\\*x\\* | limit.memory | lxc |\n"));
	ck_assert(has(&b, "| /etc/&lt;i\\> | replace | no getty |\n"));
	ck_assert(has(&b, "1 guest: 0 ready, 1 review, 0 blocked, 0 failed."));
	buf_done(&b);
}
END_TEST

START_TEST(json)
{
	const struct report_options o = options(false);
	struct buf b = { 0 };
	json_t *j, *codes;

	render(&b, &json_report, &o, web);
	j = json_loads(buf_str(&b), 0, NULL);
	ck_assert_ptr_nonnull(j);
	codes = json_object_get(json_object_get(j, "summary"), "codes");
	ck_assert_uint_eq(json_num(json_object_get(codes, "NET004"), "open"),
			  0);
	ck_assert_uint_eq(json_num(json_object_get(codes, "CAP003"), "open"),
			  1);
	ck_assert_uint_eq(json_num(json_object_get(j, "summary"), "review"), 1);
	json_decref(j);
	j = json_loads(report_schema, 0, NULL);
	ck_assert_ptr_nonnull(j);
	json_decref(j);
	buf_done(&b);
}
END_TEST

/* Dresses are functions of the document: the same bytes each time. */
START_TEST(deterministic)
{
	static const char *const names[] = { "text", "json", "html", "md",
					     "csv" };
	const struct report_options o = options(true);
	struct buf a = { 0 }, b = { 0 };

	ck_assert_ptr_null(report_format("pdf"));
	render(&a, report_format(names[_i]), &o, web);
	render(&b, report_format(names[_i]), &o, web);
	ck_assert_str_eq(buf_str(&a), buf_str(&b));
	buf_done(&a);
	buf_done(&b);
}
END_TEST

static const struct {
	const char *s;
	size_t n;
} unsafe[] = {
	{ "a", 0 },
	{ "", 0 },
	{ "\033[0m", 1 },
	{ "\177", 1 },
	{ "\n", 1 },
	{ "\xc2\x9b", 2 },
	{ "\xc3\xa4", 0 },
	{ "\xc2\xa0", 0 },
	{ "\xe2\x80\xae", 3 },
	{ "\xe2\x81\xa6", 3 },
	{ "\xe2\x82\xac", 0 },
};

START_TEST(unsafe_bytes)
{
	ck_assert_uint_eq(parts_unsafe(unsafe[_i].s), unsafe[_i].n);
}
END_TEST

START_TEST(wrapped)
{
	struct buf b = { 0 };
	char words[200];

	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = i % 5 == 4 ? ' ' : 'x';
	words[sizeof(words) - 1] = '\0';
	parts_wrap(&b, "note", 9, words);
	ck_assert(str_starts(buf_str(&b), "note     xxxx "));
	ck_assert_ptr_eq(strchr(b.p, '\n'), b.p + 9 + 14 * 5 - 1);
	ck_assert(has(&b, "\n         xxxx"));
	buf_done(&b);
}
END_TEST

START_TEST(rules)
{
	const struct importer *imp = importer_find("vserver");
	struct buf b = { 0 };
	json_t *j = report_rules_json("vserver", "lxc"), *first;
	size_t rows = 0;

	first = json_array_get(json_object_get(j, "importers"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(first, "settings")),
			  imp->n_keys);
	json_decref(j);
	report_rules_markdown(&b, "vserver", "lxc");
	for (const char *s = b.p; (s = strstr(s, "\n| `")) != NULL; s++)
		rows++;
	ck_assert_uint_eq(rows, imp->n_keys + imp->n_defaults);
	ck_assert(has(&b, "| setting | fate | field | lxc | note |\n"));
	ck_assert(has(&b, "\n| `interfaces/*/ip` | carried | `addr.ip` | "
			  "`lxc.net.N.ipv4.address` | "));
	buf_clear(&b);
	report_rules_markdown(&b, NULL, NULL);
	ck_assert(!has(&b, " model |"));
	buf_done(&b);
}
END_TEST

static const struct {
	const char *what, *text; /* NULL: not known */
} explained[] = {
	{ "NET004", "NET004: no gateway is known" },
	{ "limit.memory", "\nunit   bytes\narea   limits\norder  the smaller" },
	{ "limit.memory", "\n  vserver      rlimits/rss: approximated" },
	{ "limit.memory", "\n  lxc          lxc.cgroup2.memory.max: exact" },
	{ "addr.ip", "\nof     each addr\n" },
	{ "rlimits/rss.hard", "\nfield    limit.memory: hard limit" },
	{ "interfaces/0/ip", "interfaces/*/ip: a setting of vserver\n" },
	{ "lxc.idmap", "lxc.idmap: a setting of lxc\n" },
	{ "lxc.idmap", "\n  lxc          lxc.idmap: exact" },
	{ "memory-headroom", "\ndefault  0%\nallowed  PERCENT\n" },
	{ "nothing-of-that-name", NULL },
	{ "", NULL },
	{ "NET999", NULL },
};

START_TEST(explain)
{
	struct buf b = { 0 };
	const bool found = report_explain(&b, explained[_i].what);

	ck_assert_int_eq(found, explained[_i].text != NULL);
	ck_assert_msg(explained[_i].text == NULL ? b.n == 0 :
						   has(&b, explained[_i].text),
		      "%.2000s", buf_str(&b));
	buf_done(&b);
}
END_TEST

/* Every row has a name under which it is found. */
START_TEST(explain_all)
{
	for (enum finding_id i = 0; i < FIND__MAX; i++) {
		struct buf b = { 0 };

		ck_assert(report_explain(&b, finding_row(i)->code));
		ck_assert(has(&b, "\nseverity   "));
		buf_done(&b);
	}
	for (enum field_id i = 0; i < FIELD__MAX; i++) {
		struct buf b = { 0 };

		ck_assert(report_explain(&b, field_get(i)->name));
		ck_assert(has(&b, "Written by the targets as:\n"));
		buf_done(&b);
	}
}
END_TEST

static const struct {
	const char *what, *text; /* NULL: nothing is called so */
} traced[] = {
	{ NULL, "/etc/v/web/y: y (b)\n  lxc: inert\n  note: old\n" },
	{ "x", "/etc/v/web/x:1: x = =1+2, \"a\"\n  lxc: carried\n"
	       "  -> limit.memory = 4096\n    from text /etc/v/web/x:1\n"
	       "    -> lxc/config:2: lxc.cgroup2.memory.max = 4096\n" },
	{ "limit.memory", "/etc/v/web/x:1: x = " },
	/* its number is that of the interface, not the first one */
	{ "nic.mtu", "  -> nic[eth0].mtu = 1400\n"
		     "    -> lxc/config:6: lxc.net.1.mtu = 1400\n" },
	{ "nic[eth0].mtu", "config:6: " },
	/* "none" stands in the line of another mount */
	{ "mount.source", "\n    -> lxc: no line of lxc.mount.entry\n" },
	{ "NET004", "NET004 loss: lost (lxc)\n" },
	{ "z", NULL },
};

START_TEST(trace)
{
	json_t *guest = document(web);
	struct buf b = { 0 };
	const bool found = report_trace(&b, guest, traced[_i].what);

	ck_assert_int_eq(found, traced[_i].text != NULL);
	ck_assert_msg(traced[_i].text == NULL || has(&b, traced[_i].text),
		      "%.2000s", buf_str(&b));
	if (traced[_i].what != NULL)
		ck_assert(!has(&b, "lxc.net.0.mtu"));
	json_decref(guest);
	buf_done(&b);
}
END_TEST

/* The document of a guest: labels, secrets, counts that JSON cannot hold. */
START_TEST(guest_document)
{
	struct arena *mem = arena_new();
	struct guest *g = guest_new(mem);
	static const struct origin from = { .kind = ORIGIN_TEXT,
					    .line = 3,
					    .file = "/etc/v/web/x",
					    .key = "x",
					    .text = "PASSWORD=hunter2" };
	const struct report_input in = { .g = g };
	struct setting *s = pvec_add(mem, &g->settings);
	struct addr *a = pvec_add(mem, &g->addrs);
	json_t *j, *fields;

	g->key = "h/vserver:web";
	g->host = "h";
	g->kind = "vserver";
	g->id = g->name = g->package = "web";
	g->source = "/etc/v/web";
	g->mem_max = (struct opt_limit){ .from = &from, .v = UINT64_MAX };
	g->swap_max = (struct opt_limit){ .from = &from, .none = true };
	a->ip = (struct opt_str){ .from = &from, .v = "192.0.2.10" };
	s->from = from;
	s->decided = true;
	*vec_add(mem, &s->parts) =
		(struct setting_part){ .field = FIELD_ADDR_IP, .object = a };
	j = report_guest(&in);
	s = NULL;
	fields = json_object_get(j, "fields");
	ck_assert_str_eq(json_str(json_object_get(fields, "limit.memory"),
				  "value"),
			 "18446744073709551615");
	ck_assert_str_eq(json_str(json_object_get(fields, "limit.swap"),
				  "value"),
			 "unlimited");
	ck_assert_str_eq(
		json_str(json_object_get(fields, "addr[192.0.2.10].ip"),
			 "value"),
		"192.0.2.10");
	fields = json_array_get(json_object_get(j, "settings"), 0);
	ck_assert_str_eq(json_str(fields, "value"), "(hidden)");
	ck_assert_str_eq(json_string_value(json_array_get(
				 json_object_get(fields, "fields"), 0)),
			 "addr[192.0.2.10].ip");
	json_decref(j);
	arena_free(mem);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("report");
	TCase *d = tcase_create("dresses");
	TCase *t = tcase_create("tables");

	tcase_add_test(d, text_single);
	tcase_add_test(d, text_verbose);
	tcase_add_test(d, text_by_guest);
	tcase_add_loop_test(d, text_fleet, 0, COUNT(code_counts));
	tcase_add_test(d, text_failed);
	tcase_add_test(d, csv);
	tcase_add_test(d, hostile_html);
	tcase_add_test(d, hostile_markdown);
	tcase_add_test(d, json);
	tcase_add_loop_test(d, deterministic, 0, 5);
	tcase_add_loop_test(d, unsafe_bytes, 0, COUNT(unsafe));
	tcase_add_test(d, wrapped);
	tcase_add_test(d, guest_document);
	tcase_add_test(t, rules);
	tcase_add_loop_test(t, explain, 0, COUNT(explained));
	tcase_add_test(t, explain_all);
	tcase_add_loop_test(t, trace, 0, COUNT(traced));
	suite_add_tcase(s, d);
	suite_add_tcase(s, t);
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
