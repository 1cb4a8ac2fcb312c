/*
 * Packages of split debug information: any bytes as one, of which every unit is unpacked.
 */
#include "types/dwp.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was unpacked must be a whole file again. */
static void look_at(int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *scn = NULL;
	size_t names;

	if (!elf || elf_getshdrstrndx(elf, &names))
		abort();
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || !elf_strptr(elf, names, sh.sh_name) ||
		    !elf_rawdata(scn, NULL))
			abort();
	}
	elf_end(elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("dwp", MFD_CLOEXEC);
	struct dwp *p;

	elf_version(EV_CURRENT);
	p = write(fd, data, size) == (ssize_t)size ? dwp_open(fd) : NULL;
	/* The ids are somewhere among the bytes. */
	for (size_t at = 0; p && at + 8 <= size; at++) {
		uint64_t id;

		memcpy(&id, data + at, sizeof(id));
		int unit = dwp_unpack(p, id);
		if (unit >= 0) {
			look_at(unit);
			close(unit);
		}
	}
	dwp_close(p);
	close(fd);
	return 0;
}
