/* SHA-256 through libcrypto. */
#ifndef REHOST_BASE_DIGEST_H
#define REHOST_BASE_DIGEST_H

#include <stddef.h>

enum { DIGEST_HEX = 65 }; /* 64 digits and NUL */

struct digest; /* one computation under way; owned by its maker */

struct digest *digest_new(void);
void digest_add(struct digest *d, const void *data, size_t n);
/* Ends the computation; the next one starts with d. */
void digest_take(struct digest *d, char ret[DIGEST_HEX]);
/* Ends the computation and frees it. */
void digest_end(struct digest *d, char ret[DIGEST_HEX]);
void digest_freep(struct digest **d); /* for CLEANUP; NULL is fine */

void digest_of(const void *data, size_t n, char ret[DIGEST_HEX]);

#endif
