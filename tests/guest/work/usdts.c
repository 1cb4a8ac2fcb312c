/*
 * usdts N [WAIT]: passes N times, with numbers from 0, over the static probes
 *
 *	work:plain  (int, a text)
 *	work:places (a byte of a static variable, an element of an array, -7, a signed short)
 *	work:twice  (a number), at two places with different operands
 *	work:armed  behind a semaphore; prints how often that was up
 *	work:forms  (floating point by its mark, by its register, thread-local, bits 8-15 and
 *		    bits 0-7 of the number, a short behind a base and an index, the number
 *		    without a size)
 *	work:many   (256 of them: the number as the 11th and the 255th, 2 as the last, else 1)
 *
 * It waits WAIT milliseconds before, or for a line in the FIFO of that name.
 *
 * As a shared library (-DSHARED) it passes as often as USDTS says when it is loaded.
 *
 * The notes are written here as the assembler takes them, since the probes' own header is not
 * everywhere.
 */
#include "work.h"

#include <stdio.h>
#include <unistd.h>

#define NOTE(name, semaphore, operands)                      \
	"990:	nop\n"                                         \
	"	.pushsection .note.stapsdt,\"\",\"note\"\n"        \
	"	.balign 4\n"                                       \
	"	.4byte 992f-991f, 994f-993f, 3\n"                  \
	"991:	.asciz \"stapsdt\"\n"                          \
	"992:	.balign 4\n"                                   \
	"993:	.8byte 990b, work_sdt_base, " semaphore "\n" \
	"	.asciz \"work\"\n"                                 \
	"	.asciz \"" name "\"\n"                       \
	"	.asciz \"" operands "\"\n"                   \
	"994:	.balign 4\n"                                   \
	"	.popsection\n"

__asm__("	.pushsection .stapsdt.base,\"a\",\"progbits\"\n"
	"work_sdt_base: .space 1\n"
	"	.popsection\n");

__attribute__((section(".probes"), used)) volatile unsigned short work_armed_semaphore;
__attribute__((used)) volatile unsigned char work_static = 77;

static void pass_plain(int n, const char *text)
{
	__asm__ volatile(NOTE("plain", "0", "-4@%k0 8@%1") : : "r"(n), "r"(text));
}

static void pass_places(long n)
{
	static const int table[] = { 100, 200, 300, 400 };
	short small = (short)-n;

	__asm__ volatile(NOTE("places", "0", "1@work_static(%%rip) -4@(%0,%1,4) -4@$-7 -2@%w2")
			 :
			 : "r"(table), "r"(n % 4), "r"(small));
}

static void pass_twice(long n)
{
	register long first __asm__("rbx") = n;
	register long second __asm__("r12") = n + 1;

	__asm__ volatile(NOTE("twice", "0", "8@%%rbx") : : "r"(first));
	__asm__ volatile(NOTE("twice", "0", "8@%%r12") : : "r"(second));
}

static void pass_forms(long n)
{
	static const short table[] = { 0, 0, 0, 0, 100, -200, 300, -400 };
	register long number __asm__("rcx") = n;
	register const short *at __asm__("rbx") = table;
	register long index __asm__("r12") = n % 4;

	__asm__ volatile(
		NOTE("forms", "0",
		     "8f@%%xmm0 8@%%xmm1 8@%%fs:16 1@%%ch 1@%%cl -2@8(%%rbx,%%r12,2) %%ecx")
		:
		: "r"(number), "r"(at), "r"(index), "m"(table));
}

#define THREE(text) text text text
#define FOUR(text)  text text text text

static void pass_many(long n)
{
	__asm__ volatile(
		NOTE("many", "0",
		     THREE(THREE("1@$1 ")) "1@$1 8@%0 " THREE(FOUR(FOUR(FOUR("1@$1 "))))
			     THREE(FOUR(FOUR("1@$1 "))) THREE("1@$1 ") "8@%0 1@$2")
		:
		: "r"(n));
}

static int pass_armed(void)
{
	if (!work_armed_semaphore)
		return 0;
	__asm__ volatile(NOTE("armed", "work_armed_semaphore", "") : :);
	return 1;
}

static void pass_all(long n)
{
	int armed = 0;

	for (long i = 0; i < n; i++) {
		pass_plain((int)-i, i % 2 ? "odd" : "even");
		pass_places(i);
		pass_twice(i);
		pass_forms(i);
		pass_many(i);
		armed += pass_armed();
	}
	printf("armed %d\n", armed);
}

#ifdef SHARED
__attribute__((constructor)) static void loaded(void)
{
	pass_all(atol(getenv("USDTS")));
}
#else
int main(int argc, char **argv)
{
	static const char usage[] = "usdts N [WAIT]";
	long n = work_number(argc, argv, 1, usage);

	if (argc > 2)
		work_wait(argc, argv, 2, usage);
	pass_all(n);
	return 0;
}
#endif
