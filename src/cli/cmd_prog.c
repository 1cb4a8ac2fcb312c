#include "cli/cmd_prog.h"
#include "base/auto.h"
#include "cli/facts.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static const char USAGE[] =
	"usage: scry prog [{show|list} [PROG]] [-f] [-j|-p]\n"
	"       scry prog dump xlated PROG [opcodes] [linum] | visual | file PATH\n"
	"       scry prog dump jited PROG [opcodes] [linum] | file PATH\n"
	"       scry prog {load|loadall} FILE PATH [type TYPE] [map {idx N|name NAME} MAP]...\n"
	"                 [pinmaps FOLDER] [autoattach]\n"
	"       scry prog {attach|detach} PROG TYPE [MAP]\n"
	"       scry prog run PROG {data_in FILE|ctx_in FILE} [data_out FILE [data_size_out N]]\n"
	"                 [ctx_out FILE [ctx_size_out N]] [repeat N]\n"
	"       scry prog tracelog\n"
	"       scry prog profile PROG [[duration] SECONDS]   runs and time, a line a second\n"
	"       scry prog profile PROG [[duration] SECONDS] METRIC...\n"
	"                 cycles instructions l1d_loads llc_misses itlb_misses dtlb_misses\n"
	"       scry prog pin PROG PATH\n"
	"PROG: id N, name NAME, tag TAG, or pinned PATH\n";

/* The kernel keeps 15 characters of a name; the first function's BTF has all of it. */
static const char *name_of(const struct inspect_prog *p)
{
	const char *name = inspect_func_at(p, 0);

	return name && *name ? name : p->info.name;
}

/* Seconds since 1970 when the program was loaded. */
static time_t loaded_at(uint64_t boot_ns)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return real.tv_sec - boot.tv_sec +
	       (time_t)((boot_ns + (uint64_t)(real.tv_nsec - boot.tv_nsec)) / 1000000000);
}

static void put_head(struct facts *f, const struct inspect_prog *p)
{
	const struct bpf_prog_info *i = &p->info;
	const char *type = inspect_prog_type(i->type), *name = name_of(p);
	char tag[17];

	for (int k = 0; k < 8; k++)
		snprintf(tag + 2 * k, 3, "%02x", i->tag[k]);
	facts_number(f, "id", "", i->id, ": ");
	if (type)
		facts_text(f, "type", "", type, "  ");
	else
		facts_number(f, "type", "type ", i->type, "  ");
	if (*name)
		facts_text(f, "name", "name ", name, "  ");
	facts_text(f, "tag", "tag ", tag, "");
	facts_bool(f, "gpl_compatible", "  gpl", i->gpl_compatible);
}

static void put_runs(struct facts *f, const struct bpf_prog_info *i)
{
	if (i->run_time_ns) {
		facts_number(f, "run_time_ns", " run_time_ns ", i->run_time_ns, "");
		facts_number(f, "run_cnt", " run_cnt ", i->run_cnt, "");
	}
	if (i->recursion_misses)
		facts_number(f, "recursion_misses", " recursion_misses ", i->recursion_misses,
			     "");
}

static void put_sizes(struct facts *f, const struct inspect_prog *p, int fd)
{
	const struct bpf_prog_info *i = &p->info;
	uint64_t memlock = bpf_fdinfo(fd, "memlock");

	facts_number(f, "bytes_xlated", "\n\txlated ", i->xlated_prog_len, "B");
	facts_bool(f, "jited", NULL, i->jited_prog_len != 0);
	if (i->jited_prog_len)
		facts_number(f, "bytes_jited", "  jited ", i->jited_prog_len, "B");
	else
		facts_say(f, "  not jited");
	if (memlock)
		facts_number(f, "bytes_memlock", "  memlock ", memlock, "B");
	facts_numbers(f, "map_ids", "  map_ids ", p->map_ids, i->nr_map_ids);
}

static void put_prog(struct bpf_task *t, const struct inspect_prog *p, int fd)
{
	const struct bpf_prog_info *i = &p->info;
	struct facts *f = &t->facts;
	time_t at = loaded_at(i->load_time);
	char when[64];
	struct tm tm;

	facts_object(f, NULL);
	put_head(f, p);
	strftime(when, sizeof(when), "%FT%T%z", localtime_r(&at, &tm));
	facts_text(f, NULL, "\n\tloaded_at ", when, "  ");
	facts_number(f, "loaded_at", NULL, (uint64_t)at, "");
	facts_number(f, "uid", "uid ", i->created_by_uid, "");
	put_runs(f, i);
	put_sizes(f, p, fd);
	/* As text the paths come before the types. */
	if (!t->json)
		bpf_put_paths(t, KBPF_PROG, i->id);
	if (i->btf_id)
		facts_number(f, "btf_id", "\n\tbtf_id ", i->btf_id, "");
	if (t->json)
		bpf_put_paths(t, KBPF_PROG, i->id);
	bpf_put_processes(t, KBPF_PROG, i->id);
	facts_say(f, "\n");
	facts_close(f);
}

static int show_prog(struct bpf_task *t, int fd, void *arg)
{
	struct inspect_prog p;
	int err = inspect_prog(&p, fd);

	(void)arg;
	if (err)
		err_set(&t->err, err, "ask about a program");
	else
		put_prog(t, &p, fd);
	inspect_prog_fini(&p);
	return err;
}

static int prog_show(struct bpf_task *t)
{
	return bpf_show_list(t, KBPF_PROG, show_prog);
}

static int prog_pin(struct bpf_task *t)
{
	return bpf_pin(t, KBPF_PROG);
}

int cmd_prog(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = {
		{ "show", prog_show },	       { "list", prog_show },
		{ "dump", prog_dump },	       { "pin", prog_pin },
		{ "load", prog_load },	       { "loadall", prog_loadall },
		{ "attach", prog_attach },     { "detach", prog_detach },
		{ "tracelog", prog_tracelog }, { "run", prog_run },
		{ "profile", prog_profile },   { 0 },
	};

	return bpf_command(argc, argv, VERBS, USAGE);
}
