/*
 * account.h - the session's last words about itself: see output/account.h.
 */
#ifndef SCRY_SESSION_ACCOUNT_H
#define SCRY_SESSION_ACCOUNT_H

struct session;

/*
 * Shows what was not told before, or everything (opt.account), after the maps were printed and
 * before the programs are unloaded.
 */
void account_show(struct session *s);

#endif
