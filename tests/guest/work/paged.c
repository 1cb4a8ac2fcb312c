/*
 * paged OUT IN: calls paged_text() OUT times with the address of a text whose page was dropped
 * after it had been read, and IN times with one that stays.  Nobody reads it there, so the page
 * of the former, of a file, comes back only when it is looked at for the next call.
 */
#include "work.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static const char USAGE[] = "paged OUT IN";

__attribute__((noipa)) void paged_text(const char *text)
{
	__asm__ volatile("" : : "r"(text) : "memory");
}

/* A page of this very program, mapped once more, alone: what is read near it brings no other.
 */
static char *map_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *page = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	if (page == MAP_FAILED)
		err(1, "mmap");
	close(fd);
	return page;
}

static void page_out(char *page)
{
	if (*(volatile char *)page != '\177')
		errx(1, "the page does not come back");
	if (madvise(page, PAGE, MADV_DONTNEED))
		err(1, "madvise");
}

int main(int argc, char **argv)
{
	long out = work_number(argc, argv, 1, USAGE);
	long in = work_number(argc, argv, 2, USAGE);
	char *page = map_file();
	static char stays[] = "stays";

	while (out--) {
		page_out(page);
		paged_text(page);
	}
	stays[0] = 's'; /* the page is there */
	while (in--)
		paged_text(stays);
	return 0;
}
