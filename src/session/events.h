/*
 * events.h - records from the ring, handled by their kind.
 */
#ifndef SCRY_SESSION_EVENTS_H
#define SCRY_SESSION_EVENTS_H

#include "session/session.h"

/* Handles one record. Returns 0 or -errno with e set; a failed write is in s->write_err. */
int event_handle(struct session *s, const void *record, uint32_t len, struct err *e);
/*
 * Ends the session when a program called exit().  Its event says at which place in the stream;
 * when the ring had no room for that, the request is still found here.
 */
void events_obey_exit(struct session *s);

/* A process that waits for a watchpoint goes on: nobody will set it any more. */
void events_let_go(struct session *s);

/* Is handling this record's kind long: the printing of a map? */
bool event_is_long(const struct session *s, const void *record);

#endif
