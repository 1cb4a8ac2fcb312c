#include "cli/program.h"

#include "base/auto.h"

#include <errno.h>
#include <string.h>

int program_read_file(const char *path, struct sb *out, struct err *e)
{
	int err = sb_read_file(out, path);

	if (err)
		return err_set(e, err, "failed to open file '%s': %s", path, strerror(-err));
	return 0;
}

/* Words that start with "--" are the script's options, the others its parameters. */
static void take_words(struct arena *a, char **words, unsigned n, struct program *out)
{
	const char **params = arena_array(a, const char *, n + 1);
	const char **options = arena_array(a, const char *, n + 1);

	for (unsigned i = 0; i < n; i++) {
		if (!strncmp(words[i], "--", 2))
			options[out->noptions++] = words[i];
		else
			params[out->nparams++] = words[i];
	}
	out->params = params;
	out->options = options;
}

int program_read(const struct options *o, struct program *out, struct err *e)
{
	auto_sb struct sb text = {};
	int nwords = o->nwords;
	char **words = o->words;

	*out = (struct program){ .name = "stdin", .text = o->program };
	if (!o->program) {
		if (!nwords) {
			err_set(e, -EINVAL, "there is no program to run");
			return err_hint(e, "give a FILE, or -e 'PROGRAM'");
		}
		const char *path = *words++;
		int err = program_read_file(path, &text, e);

		nwords--;
		if (err)
			return err;
		if (strcmp(path, "-") != 0)
			out->name = path;
		out->text = arena_strndup(o->arena, sb_str(&text), text.len);
	}
	out->len = o->program ? strlen(o->program) : text.len;
	take_words(o->arena, words, (unsigned)nwords, out);
	return 0;
}
