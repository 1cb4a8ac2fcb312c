/*
 * habit.h - what people write who know another language, and how this one says it.
 *
 * Hints for messages only: nothing here is accepted.
 */
#ifndef SCRY_SCRIPT_HABIT_H
#define SCRY_SCRIPT_HABIT_H

/*
 * The hint for a text that the parser did not expect: wanted is what it expected, in the words
 * of its message ("':'"). NULL when there is nothing to say.
 */
const char *habit_of_syntax(const char *wanted, const char *found);
/* The name in this language for one of DTrace, SystemTap or C ("execname"), or NULL. */
const char *habit_of_name(const char *name);

#endif
