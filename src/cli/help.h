/*
 * help.h - the usage text, from the rows of options.def.
 */
#ifndef SCRY_CLI_HELP_H
#define SCRY_CLI_HELP_H

#include <stdio.h>

void help_print(FILE *out);

#endif
