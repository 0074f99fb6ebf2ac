/*
 * A tar archive of any packing, all of it read: names, metadata, content. What
 * vzdump wrote is such a one.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/check_archive_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	read_archive((const char *)data, n);
	return 0;
}
