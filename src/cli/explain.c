/* rehost explain: meaning and advice, or the trace of a converted guest. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "report/parts.h"
#include "report/report.h"
#include "site.h"
#include "runtime/probe_tables.h"

static void explain_site(struct buf *b)
{
	size_t n;
	const struct site_word *words = site_words(&n);

	buf_adds(b, "Words of the site file, rehost.conf(5). Blocks: subnet, "
		    "device, guest, accept,\ntarget, idmap.\n\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s = \"%s\"  (%s)\n", words[i].name,
			   words[i].value, words[i].allowed);
		parts_wrap(b, "", 4, words[i].text);
	}
}

/* DIR/NAME of an output: its report.json holds the document. */
static int explain_guest(const struct options *o, const char *dir,
			 struct arena *mem, struct buf *b, struct err *e)
{
	const char *path = arena_printf(mem, "%s/report.json", dir);
	const char *what = o->args.n > 1 ? o->args.v[1] : NULL;
	json_t *doc CLEANUP(json_freep) = NULL;
	json_error_t why;

	doc = json_load_file(path, 0, &why);
	if (doc == NULL)
		return err_set(e, 0, "read %s: line %d: %s", path, why.line,
			       why.text);
	if (!report_trace(b, doc, what))
		return err_set(e, 0,
			       "%s: no setting, field or finding is "
			       "called %s",
			       dir, what == NULL ? "so" : what);
	return 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int explain_run(const struct options *o, struct arena *mem, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	const char *what;

	if (o->args.n == 0 || o->args.n > 2)
		return err_set(
			e, EINVAL,
			"explain: give CODE, FIELD, KEY, site, probes, or "
			"DIR/NAME [FIELD|KEY]");
	what = o->args.v[0];
	if (str_eq(what, "site"))
		explain_site(&b);
	else if (str_eq(what, "probes"))
		probe_tables(&b);
	else if (is_dir(what)) {
		if (explain_guest(o, what, mem, &b, e) < 0)
			return -1;
	} else if (!report_explain(&b, what)) {
		return err_set(e, EINVAL,
			       "%s: no finding, field, source key or word of "
			       "the site file is called so",
			       what);
	}
	fputs(buf_str(&b), stdout);
	return EXIT_OK;
}
