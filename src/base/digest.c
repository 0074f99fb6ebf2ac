/*
 * SHA-256 through libcrypto. It fails only for want of memory, or where the
 * host's policy forbids SHA-256: nothing can be packed there.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/digest.h"

/* An EVP_MD_CTX under our name: never dereferenced here. */
static EVP_MD_CTX *context(struct digest *d)
{
	return (EVP_MD_CTX *)(void *)d;
}

static void must(int ok)
{
	if (ok == 1)
		return;
	fprintf(stderr, "rehost: sha-256 through libcrypto failed\n");
	abort();
}

struct digest *digest_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	must(c != NULL && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1);
	return (struct digest *)(void *)c;
}

void digest_add(struct digest *d, const void *data, size_t n)
{
	must(EVP_DigestUpdate(context(d), data, n));
}

void digest_take(struct digest *d, char ret[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	must(EVP_DigestFinal_ex(context(d), sum, &n) == 1 &&
	     2 * n + 1 == DIGEST_HEX);
	for (unsigned i = 0; i < n; i++) {
		*ret++ = digits[sum[i] >> 4];
		*ret++ = digits[sum[i] & 15];
	}
	*ret = '\0';
	must(EVP_DigestInit_ex(context(d), NULL, NULL));
}

void digest_end(struct digest *d, char ret[DIGEST_HEX])
{
	digest_take(d, ret);
	EVP_MD_CTX_free(context(d));
}

void digest_freep(struct digest **d)
{
	EVP_MD_CTX_free(context(*d));
	*d = NULL;
}

void digest_of(const void *data, size_t n, char ret[DIGEST_HEX])
{
	struct digest *d = digest_new();

	digest_add(d, data, n);
	digest_end(d, ret);
}
