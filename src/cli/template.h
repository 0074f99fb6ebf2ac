/* plan --site-template: a site file with a line for every open decision. */
#ifndef REHOST_CLI_TEMPLATE_H
#define REHOST_CLI_TEMPLATE_H

#include "cli/planning.h"

/* Plans all guests and prints the template; an exit status, or -1 with *e. */
int template_print(struct planning *p, FILE *to, struct err *e);

#endif
