/*
 * need.h - what a case may ask of the machine it runs on.
 */
#ifndef SCRY_RUNNER_NEED_H
#define SCRY_RUNNER_NEED_H

#include "base/sb.h"

#include <stdbool.h>

/*
 * Whether the machine has all of the words; adds the reason to why when it does not. An
 * unknown word is a reason too.
 */
bool need_met(const char *words, struct sb *why);
/* One line per word and its meaning. */
void need_list(struct sb *out);

#endif
