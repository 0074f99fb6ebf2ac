/* The JSON Schema of plan's document, as it is installed. */
#include "report/report.h"

const char report_schema[] = {
#include "embed/plan.schema.json.inc"
	, '\0'
};
