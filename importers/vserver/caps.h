/* Parsers of the rows in keys_caps.def, and the lists of their bits. */
#ifndef REHOST_IMPORTERS_VSERVER_CAPS_H
#define REHOST_IMPORTERS_VSERVER_CAPS_H

#include "importers/vserver/vserver.h"

/* The flag lists. The rows of their bits are named "FILE:BIT". */
enum vserver_list {
	VS_BCAP,
	VS_CCAP,
	VS_NCAP,
	VS_CFLAG,
	VS_NFLAG,
	VS_UMASK,
	VS_LIST__MAX
};

/* The .arg of a bit's row: which bit of which list. */
#define VS_BIT(list, bit) ((unsigned)(bit) | ((unsigned)(list) << 8))
#define VS_BIT_OF(arg) ((arg)&0xffU)

/* One item of a flag list; the row's number is its list. */
int vserver_caps_item(struct reading *r, const char *value, struct err *e);

#endif
