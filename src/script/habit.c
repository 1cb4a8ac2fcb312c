#include "script/habit.h"

#include <stdbool.h>
#include <string.h>

static const char *const LOOPS =
	"loops are `for ($i : 0..10) { }`, `for ($kv : @map) { }` and `while ($i < 10) { }`";

/*
 * The first row that fits counts. wanted NULL: whatever was expected; found ends with '*': any
 * text that begins so; hint NULL: nothing is to be said.
 */
static const struct {
	const char *wanted, *found, *hint;
} syntax[] = {
	{ "':'", "=", LOOPS },
	{ "')'", "in", LOOPS },
	{ "a variable", "int", LOOPS },
	{ "a variable", "*", "a variable is written $name" },
	{ "';'", "=", NULL }, /* $a = $b = 1 */
	{ "']'", "=", NULL }, /* @[pid = 1: the bracket is missing */
	{ NULL, "=", "== compares" },
	{ NULL, "and", "this is written &&" },
	{ NULL, "or", "this is written ||" },
	{ "';'", ":", "= assigns" },
	{ "')'", "\"*", "texts are joined with +" },
	{ "';'", "\"*", "texts are joined with +" },
};

const char *habit_of_syntax(const char *wanted, const char *found)
{
	for (size_t i = 0; i < sizeof(syntax) / sizeof(syntax[0]); i++) {
		size_t len = strlen(syntax[i].found);
		bool any = syntax[i].found[len - 1] == '*';

		if (syntax[i].wanted && strcmp(syntax[i].wanted, wanted) != 0)
			continue;
		if (any ? !strncmp(syntax[i].found, found, len - 1)
			: !strcmp(syntax[i].found, found))
			return syntax[i].hint;
	}
	return NULL;
}

static const char *const UNTYPED = "no word: $x = 5 makes a variable";

static const struct {
	const char *theirs, *ours;
} names[] = {
	{ "char", NULL },
	{ "do", "while" },
	{ "int", NULL },
	{ "long", NULL },
	{ "switch", "if and else if" },
	{ "var", NULL },
	{ "NULL", "0" },
	{ "alloca", "variables: $name" },
	{ "copyin", "*(type *)uptr(address)" },
	{ "copyinstr", "str" },
	{ "curthread", "curtask" },
	{ "elif", "else if" },
	{ "elsif", "else if" },
	{ "errno", "the args.ret of a system call's exit, negative" },
	{ "execname", "comm" },
	{ "gettimeofday_ns", "nsecs" },
	{ "gettimeofday_us", "nsecs / 1000" },
	{ "kernel_string", "str" },
	{ "log", "printf" },
	{ "lquantize", "lhist" },
	{ "not", "!" },
	{ "pp", "probe" },
	{ "ppfunc", "func" },
	{ "print_backtrace", "print(kstack)" },
	{ "print_ubacktrace", "print(ustack)" },
	{ "printa", "print" },
	{ "println", "print" },
	{ "probefunc", "func" },
	{ "probename", "probe" },
	{ "quantize", "hist" },
	{ "stack", "kstack" },
	{ "stringof", "str" },
	{ "timestamp", "nsecs" },
	{ "trace", "print" },
	{ "user_string", "str" },
	{ "vtimestamp", "curtask.se.sum_exec_runtime" },
	{ "walltimestamp", "nsecs(tai), or strftime(\"%T\", nsecs)" },
};

const char *habit_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].theirs, name))
			return names[i].ours ? names[i].ours : UNTYPED;
	return NULL;
}
