/*
 * scry prog run: a program on given bytes, in the kernel.  scry prog tracelog: what programs
 * print.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "cli/cmd_prog.h"
#include "kernel/tracefs.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

enum { ROOM = 32 << 10 }; /* of what comes out, unless told */

/* A file's name, what it has or gets, and how much that may be. */
struct bytes {
	const char *path;
	struct sb in;
	uint8_t *out;
	uint32_t room;
};

struct test {
	struct bytes data_in, data_out, ctx_in, ctx_out;
	uint32_t repeat;
};

static int read_all(struct bpf_task *t, struct bytes *b)
{
	int err = b->path ? sb_read_file(&b->in, b->path) : 0;

	return err ? err_set(&t->err, err, "read %s", b->path) : 0;
}

static void put_hexdump(const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n; at += 16) {
		size_t end = n - at < 16 ? n - at : 16;

		printf("%07zx\t", at);
		for (size_t i = 0; i < 16; i++) {
			if (i < end)
				printf("%02x", bytes[at + i]);
			else
				printf("  ");
			if (i % 2)
				putchar(' ');
		}
		printf("| ");
		for (size_t i = 0; i < end; i++)
			printf("%s%c", i == 8 ? " " : "",
			       isprint(bytes[at + i]) ? bytes[at + i] : '.');
		putchar('\n');
	}
}

/* To a file; or, for "-", to the answer. */
static int put_out(struct bpf_task *t, const char *name, const struct bytes *b, uint32_t n)
{
	if (!b->path || !n)
		return 0;
	if (strcmp(b->path, "-") != 0) {
		auto_fclose FILE *f = fopen(b->path, "we");

		return f && fwrite(b->out, 1, n, f) == n && !fflush(f)
			       ? 0
			       : err_set(&t->err, -errno, "write %s", b->path);
	}
	if (!t->json) {
		put_hexdump(b->out, n);
		return 0;
	}
	facts_list(&t->facts, name);
	for (uint32_t i = 0; i < n; i++)
		jw_number(&t->facts.w, NULL, b->out[i]);
	facts_close(&t->facts);
	return 0;
}

static int take_number(struct bpf_task *t, const char *what, uint32_t *out)
{
	const char *word = bpf_next_word(t);
	char *end;
	unsigned long v = strtoul(word, &end, 0);

	if (!*word || *end || v > UINT32_MAX)
		return err_set(&t->err, -EINVAL, "%s: '%s' is no number", what, word);
	*out = (uint32_t)v;
	return 0;
}

static int take_words(struct bpf_task *t, struct test *x)
{
	const struct {
		const char *name;
		const char **path;
		uint32_t *number;
	} WORDS[] = { { "data_in", &x->data_in.path, NULL },
		      { "data_out", &x->data_out.path, NULL },
		      { "data_size_out", NULL, &x->data_out.room },
		      { "ctx_in", &x->ctx_in.path, NULL },
		      { "ctx_out", &x->ctx_out.path, NULL },
		      { "ctx_size_out", NULL, &x->ctx_out.room },
		      { "repeat", NULL, &x->repeat } };
	enum { NWORDS = sizeof(WORDS) / sizeof(*WORDS) };

	while (t->words.n) {
		const char *word = bpf_next_word(t);
		size_t i = 0;

		while (i < NWORDS && strcmp(WORDS[i].name, word) != 0)
			i++;
		if (i == NWORDS)
			return err_set(&t->err, -EINVAL,
				       "'%s' is none of data_in, data_out, data_size_out, "
				       "ctx_in, ctx_out, ctx_size_out, repeat",
				       word);
		if (!t->words.n)
			return err_set(&t->err, -EINVAL, "%s: its argument is missing", word);
		if (WORDS[i].path)
			*WORDS[i].path = bpf_next_word(t);
		else if (take_number(t, word, WORDS[i].number))
			return t->err.code;
	}
	return x->data_in.path || x->ctx_in.path
		       ? 0
		       : err_set(&t->err, -EINVAL, "data_in FILE or ctx_in FILE is missing");
}

static int run_test(struct bpf_task *t, struct test *x, int fd)
{
	struct facts *f = &t->facts;
	struct kbpf_test k = { .repeat = x->repeat };

	k.data_in = x->data_in.in.s;
	k.data_size_in = (uint32_t)x->data_in.in.len;
	k.ctx_in = x->ctx_in.in.s;
	k.ctx_size_in = (uint32_t)x->ctx_in.in.len;
	if (x->data_out.path)
		k.data_out = x->data_out.out = xcalloc(1, k.data_size_out = x->data_out.room);
	if (x->ctx_out.path)
		k.ctx_out = x->ctx_out.out = xcalloc(1, k.ctx_size_out = x->ctx_out.room);
	int err = kbpf_test(fd, &k);
	if (err) {
		err_set(&t->err, err, "run the program");
		return err == -EOPNOTSUPP || err == -524 /* ENOTSUPP */
			       ? err_hint(&t->err,
					  "the kernel runs no programs of this type so")
			       : err;
	}
	facts_object(f, NULL);
	err = put_out(t, "data_out", &x->data_out, k.data_size_out);
	if (!err)
		err = put_out(t, "ctx_out", &x->ctx_out, k.ctx_size_out);
	if (err)
		return err;
	facts_number(f, "retval", "Return value: ", k.retval, ", ");
	facts_number(f, "duration",
		     x->repeat > 1 ? "duration (average): " : "duration: ", k.duration, "ns\n");
	facts_close(f);
	return 0;
}

int prog_run(struct bpf_task *t)
{
	auto_close int fd = inspect_open(KBPF_PROG, &t->words, &t->err);
	struct test x = { .data_out.room = ROOM, .ctx_out.room = ROOM, .repeat = 1 };
	int err = fd < 0 ? fd : take_words(t, &x);

	if (!err)
		err = read_all(t, &x.data_in);
	if (!err)
		err = read_all(t, &x.ctx_in);
	if (!err)
		err = run_test(t, &x, fd);
	sb_free(&x.data_in.in);
	sb_free(&x.ctx_in.in);
	free(x.data_out.out);
	free(x.ctx_out.out);
	return err;
}

/* --- tracelog --- */

/* Lines as they come, until ^C; in JSON each is an element of a list. */
static void put_lines(struct bpf_task *t, int fd)
{
	auto_close int stop = bpf_stop_signals();
	struct pollfd fds[] = { { .fd = stop, .events = POLLIN },
				{ .fd = fd, .events = POLLIN } };
	auto_sb struct sb text = {};
	char buf[4096], *end;
	ssize_t n;

	while (!fds[0].revents) {
		poll(fds, 2, -1);
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (n > 0 && !t->json)
			fwrite(buf, 1, (size_t)n, stdout);
		else if (n > 0)
			sb_write(&text, buf, (size_t)n);
		while (text.len && (end = memchr(text.s, '\n', text.len))) {
			size_t line = (size_t)(end - text.s);

			jw_text_n(&t->facts.w, NULL, text.s, line);
			memmove(text.s, end + 1, text.len - line - 1);
			text.len -= line + 1;
		}
		fflush(stdout);
	}
}

int prog_tracelog(struct bpf_task *t)
{
	if (bpf_end_of_words(t))
		return t->err.code;
	struct tracefs *fs = tracefs_open(&t->err);
	if (!fs)
		return t->err.code;
	auto_close int fd = tracefs_open_stream(fs, "trace_pipe");
	tracefs_close(fs);
	if (fd < 0)
		return err_set(&t->err, fd, "read trace_pipe");
	facts_list(&t->facts, NULL);
	put_lines(t, fd);
	facts_close(&t->facts);
	return 0;
}
