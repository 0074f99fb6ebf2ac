/*
 * A disk image of any form: ploop, partitions, ext2/3/4; all of it is read. A
 * seed is small, for the bytes behind those given are zeros up to a whole file
 * system.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/check_image_memory.h"

enum { IMAGE = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char *bytes = arena_alloc(mem, IMAGE);

	memcpy(bytes, data, n < IMAGE ? n : IMAGE);
	read_image(bytes, IMAGE);
	return 0;
}
