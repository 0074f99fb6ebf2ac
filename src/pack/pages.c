/* Pages of large memory. */
#include "pack/pages.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE = 2 << 20 }; /* bytes, on the machines that have the most memory */

void pages_advise(void *p, size_t n)
{
	size_t before = (HUGE - (uintptr_t)p % HUGE) % HUGE;

	if (n < before + HUGE)
		return;
	n = (n - before) / HUGE * HUGE;
	madvise((char *)p + before, n, MADV_HUGEPAGE);
}
