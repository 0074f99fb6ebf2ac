/*
 * A config of LXC: as an old guest's, and as one that was written, read back.
 * The dictionary is printed from the importer's rows (make docs).
 */
#include <stddef.h>
#include <stdint.h>

#include "policy/read_lxc.h"
#include "tests/check_lxc_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct policy *p;
	struct lxc_box b;
	struct err e;

	if (lxc_box_open(&b, (const char *)data, n) < 0 ||
	    lxc_box_lost(&b) != NULL)
		abort();
	policy_read_lxc(arena_strndup(b.mem, (const char *)data, n), "config",
			b.mem, &p, &e);
	lxc_box_done(&b);
	return 0;
}
