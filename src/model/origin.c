/* Names of the kinds of origin. */
#include "model/origin.h"

const char *origin_kind_name(enum origin_kind kind)
{
	switch (kind) {
	case ORIGIN_DEFAULT:
		return "default";
	case ORIGIN_DERIVED:
		return "derived";
	case ORIGIN_FACTS:
		return "facts";
	case ORIGIN_FILE:
		return "file";
	case ORIGIN_TEXT:
		return "text";
	case ORIGIN_SITE:
		return "site";
	case ORIGIN_OPTION:
		return "option";
	}
	return "?";
}
