/*
 * Builtins that are written in the language: their text is script/prelude.bt.
 */
#include "builtin/builtin.h"

BUILTINS(prelude) = {
	{ "ppid", "u32 ppid([any])", BI_BARE | BI_PRELUDE,
	  .doc = "Process id of the parent, of the current task or of the given one." },
	{ "pcomm", "? pcomm([any])", BI_BARE | BI_PRELUDE,
	  .doc = "Name of the parent, of the current task or of the given one." },
	{ "leader_tid", "u32 leader_tid()", BI_BARE | BI_PRELUDE,
	  .doc = "Thread id of the process's first thread." },
	{ "leader_comm", "? leader_comm()", BI_BARE | BI_PRELUDE,
	  .doc = "Name of the process's first thread." },
	{ "strcontains", "bool strcontains(str, str)", BI_PRELUDE,
	  .doc = "Is the second text part of the first?" },
	{ "is_err", "bool is_err(int)", BI_PRELUDE,
	  .doc = "Is this pointer one of the kernel's error codes?" },
	{ "assert", "none assert(raw, lit)", BI_STMT | BI_PRELUDE,
	  .doc = "Ends the session with an error and status 1 unless the condition holds." },
	{ 0 },
};
