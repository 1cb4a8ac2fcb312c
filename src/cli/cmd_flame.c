#include "cli/cmd_flame.h"

#include "base/auto.h"
#include "cli/report.h"
#include "output/flame.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

static const char usage[] =
	"usage: scry flame [OPTION]... [FILE]\n"
	"\n"
	"Draws folded stacks (scry -f folded, stackcollapse) as a flame graph: one SVG file that\n"
	"opens in a browser, with search and zoom. Without FILE, or with -, reads standard input.\n"
	"\n"
	"  -o, --output FILE  write to FILE instead of standard output\n"
	"  -t, --title TEXT   the heading\n"
	"  -u, --unit WORD    what is counted (samples)\n"
	"  -i, --inverted     the outermost function at the top\n"
	"  -h, --help         this text\n";

struct request {
	const char *input, *output;
	struct flame_options opt;
	bool help;
};

static int parse(struct request *r, int argc, char **argv, struct err *e)
{
	static const struct option longs[] = {
		{ "output", 1, NULL, 'o' }, { "title", 1, NULL, 't' },
		{ "unit", 1, NULL, 'u' },   { "inverted", 0, NULL, 'i' },
		{ "help", 0, NULL, 'h' },   {}
	};
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":o:t:u:ih", longs, NULL)) != -1) {
		switch (c) {
		case 'o': r->output = optarg; break;
		case 't': r->opt.title = optarg; break;
		case 'u': r->opt.unit = optarg; break;
		case 'i': r->opt.inverted = true; break;
		case 'h': r->help = true; break;
		case ':':
			return err_set(e, -EINVAL, "flame: option %s needs an argument",
				       argv[optind - 1]);
		default:
			err_set(e, -EINVAL, "flame: there is no option %s", argv[optind - 1]);
			return err_hint(e, "scry flame --help lists the options");
		}
	}
	if (argc - optind > 1)
		return err_set(e, -EINVAL, "flame: one file at a time, not also '%s'",
			       argv[optind + 1]);
	r->input = optind < argc && strcmp(argv[optind], "-") != 0 ? argv[optind] : NULL;
	return 0;
}

static int read_all(const char *path, struct sb *out, struct err *e)
{
	auto_fclose FILE *file = path ? fopen(path, "re") : NULL;
	FILE *f = path ? file : stdin;
	char block[64 << 10];
	size_t n;

	if (!f)
		return err_set(e, -errno, "read %s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		sb_write(out, block, n);
	if (ferror(f))
		return err_set(e, -errno, "read %s: %s", path ? path : "standard input",
			       strerror(errno));
	return 0;
}

static int write_all(const char *path, const struct sb *text, struct err *e)
{
	auto_fclose FILE *file = path ? fopen(path, "we") : NULL;
	FILE *f = path ? file : stdout;

	if (!f)
		return err_set(e, -errno, "write %s: %s", path, strerror(errno));
	fwrite(sb_str(text), 1, text->len, f);
	if (fflush(f) || ferror(f))
		return err_set(e, -errno, "write %s: %s", path ? path : "standard output",
			       strerror(errno));
	return 0;
}

/* What is missing from the drawing. */
static void tell(const struct flame_result *res)
{
	if (res->bad_lines)
		fprintf(stderr,
			"scry: flame: %zu line%s left out that are no folded stacks, the first is "
			"line %zu\n",
			res->bad_lines, res->bad_lines == 1 ? "" : "s", res->bad_line);
	if (res->cut)
		fprintf(stderr, "scry: flame: %zu stack%s cut at %d frames\n", res->cut,
			res->cut == 1 ? "" : "s", FLAME_DEPTH_MAX);
}

static int draw(const struct request *r, struct err *e)
{
	auto_sb struct sb text = {}, svg = {};
	struct flame_result res;

	if (read_all(r->input, &text, e))
		return report_system(e);
	flame_draw(sb_str(&text), text.len, &r->opt, &svg, &res);
	tell(&res);
	if (!res.stacks) {
		err_set(e, -EINVAL, "flame: there are no folded stacks in %s",
			r->input ? r->input : "standard input");
		err_hint(e,
			 "a line is \"main;work;leaf 42\"; scry -f folded writes such lines");
		return report_usage(e);
	}
	return write_all(r->output, &svg, e) ? report_system(e) : EXIT_OK;
}

int cmd_flame(int argc, char **argv)
{
	struct request r = {};
	struct err e = {};

	if (parse(&r, argc, argv, &e))
		return report_usage(&e);
	if (!r.help)
		return draw(&r, &e);
	fputs(usage, stdout);
	return EXIT_OK;
}
