/* What the operator accepts of converted guests, when they are verified. */
#ifndef REHOST_CLI_VERIFY_ACCEPT_H
#define REHOST_CLI_VERIFY_ACCEPT_H

#include "cli/options.h"
#include "site.h"

/* Whose findings. */
struct accepting {
	const struct options *o;
	const struct site *site;
	const char *key, *name, *target;
};

/*
 * The site file that counts: --site, or /etc/rehost.conf where it is, or one
 * without a word.
 */
int verify_accept_site(const struct options *o, struct arena *mem,
		       struct site **ret, struct err *e);

/*
 * Why a code is accepted, by --accept or by an accept block; NULL: it is not.
 * ret_needless: it is no more than a note, which nobody has to accept.
 */
int verify_accept_reason(const struct accepting *a, const char *code,
			 struct arena *mem, const char **ret,
			 bool *ret_needless, struct err *e);

#endif
