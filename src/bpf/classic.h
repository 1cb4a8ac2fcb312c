/*
 * classic.h - classic BPF: the filters of sockets, tcpdump and seccomp.
 *
 * Programs are struct sock_filter of <linux/filter.h>.  All but the checker and the two readers
 * of text expect a program that classic_check() found good.
 */
#ifndef SCRY_BPF_CLASSIC_H
#define SCRY_BPF_CLASSIC_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sb.h"
#include "bpf/insn.h"

#include <linux/filter.h>
#include <stddef.h>

/*
 * Checks what the kernel's bpf_check_classic() checks: known opcodes, jumps inside the program,
 * a return at the end, memory slots below 16, no constant division by 0 and no shift by 32 or
 * more.
 */
int classic_check(const struct sock_filter *insns, uint32_t n, struct err *e);

/* Reads what `tcpdump -ddd` prints: the count, then four numbers per line. Lives in a. */
int classic_read(struct arena *a, const char *text, size_t len, struct sock_filter **insns,
		 uint32_t *n, struct err *e);

/* One instruction as `tcpdump -d` prints it, without a newline. */
void classic_disasm(struct sb *out, const struct sock_filter *insns, uint32_t i);
/* What `tcpdump -dd` and -ddd print: C initialisers, numbers behind their count. */
void classic_print_c(struct sb *out, const struct sock_filter *insns, uint32_t n);
void classic_print_numbers(struct sb *out, const struct sock_filter *insns, uint32_t n);

/* Runs a filter: caplen bytes of a packet that had len. Returns what it returns. */
uint32_t classic_run(const struct sock_filter *insns, const uint8_t *packet, uint32_t caplen,
		     uint32_t len);

/*
 * Translates to a socket filter (context: struct __sk_buff) of the same meaning, in a. Returns
 * -ENOTSUP for Linux's ancillary data (negative offsets).
 */
int classic_translate(struct arena *a, const struct sock_filter *insns, uint32_t n,
		      struct bpf_insn **out, uint32_t *out_n, struct err *e);

#endif
