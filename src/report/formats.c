/* The formats by name. */
#include "base/str.h"
#include "report/report.h"

const struct report_format *report_format(const char *name)
{
	static const struct report_format *const all[] = {
		&text_report,     &json_report, &html_report,
		&markdown_report, &csv_report,
	};

	for (size_t i = 0; i < COUNT(all); i++)
		if (str_eq(all[i]->name, name))
			return all[i];
	return NULL;
}
