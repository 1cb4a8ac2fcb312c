/*
 * account.h - the session's last words about itself: see output/account.h.
 */
#ifndef SCRY_SESSION_ACCOUNT_H
#define SCRY_SESSION_ACCOUNT_H

#include <stdbool.h>

struct session;

/*
 * Shows what was not told before, or everything (opt.account), after the maps were printed and
 * before the programs are unloaded. True: something is missing that counters_finish() did not
 * know of, entries evicted or text that was cut.
 */
bool account_show(struct session *s);

#endif
