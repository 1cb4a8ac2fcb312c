/*
 * once: calls work_once, through which a USDT probe work:once is passed, and exits with status
 * 0.
 *
 * Without a C library and in as few pages as can be: what a process costs is the kernel's part.
 */
#include <linux/unistd.h>

__attribute__((noipa)) void work_once(void)
{
	__asm__ volatile("990:	nop\n"
			 "	.pushsection .note.stapsdt,\"\",\"note\"\n"
			 "	.balign 4\n"
			 "	.4byte 992f-991f, 994f-993f, 3\n"
			 "991:	.asciz \"stapsdt\"\n"
			 "992:	.balign 4\n"
			 "993:	.8byte 990b, 0, 0\n"
			 "	.asciz \"work\"\n"
			 "	.asciz \"once\"\n"
			 "	.asciz \"\"\n"
			 "994:	.balign 4\n"
			 "	.popsection\n");
}

_Noreturn void _start(void)
{
	work_once();
	__asm__ volatile("syscall" : : "a"(__NR_exit_group), "D"(0) : "rcx", "r11", "memory");
	__builtin_unreachable();
}
