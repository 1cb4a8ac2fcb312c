#include "cli/capture.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC_MICRO = 0xa1b2c3d4, MAGIC_NANO = 0xa1b23c4d };

struct file_head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, linktype;
};

struct packet_head {
	uint32_t sec, part, caplen, len;
};

int capture_open(struct capture *c, const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file_head head;
	struct stat st;

	*c = (struct capture){ .at = sizeof(head) };
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return 0;
	if ((head.magic != MAGIC_MICRO && head.magic != MAGIC_NANO) || head.major != 2 ||
	    head.minor != 4)
		return 0;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return 0;
	c->mem = p;
	c->size = (size_t)st.st_size;
	c->nanoseconds = head.magic == MAGIC_NANO;
	c->snaplen = head.snaplen && head.snaplen < PCAP_SNAPLEN ? head.snaplen : PCAP_SNAPLEN;
	return 1;
}

void capture_close(struct capture *c)
{
	if (c->mem)
		munmap((void *)(uintptr_t)c->mem, c->size);
	c->mem = NULL;
}

int capture_next(struct capture *c, struct pcap_packet *packet, const uint8_t **data,
		 struct err *e)
{
	struct packet_head head;
	size_t left = c->size - c->at;

	if (!left)
		return 0;
	if (left < sizeof(head))
		return err_set(e, -EIO,
			       "the file ends within the head of a packet, at byte %zu",
			       c->size);
	memcpy(&head, c->mem + c->at, sizeof(head));
	if (head.caplen > PCAP_SNAPLEN)
		return err_set(e, -EIO, "a packet of %u bytes at byte %zu: the file is damaged",
			       head.caplen, c->at);
	if (left - sizeof(head) < head.caplen)
		return err_set(e, -EIO,
			       "the file ends within a packet of %u bytes, %zu of which are "
			       "there, at byte %zu",
			       head.caplen, left - sizeof(head), c->size);
	*data = c->mem + c->at + sizeof(head);
	c->at += sizeof(head) + head.caplen;
	packet->ts.tv_sec = head.sec;
	packet->ts.tv_usec = c->nanoseconds ? head.part / 1000 : head.part;
	packet->caplen = head.caplen < c->snaplen ? head.caplen : c->snaplen;
	packet->len = head.len;
	return 1;
}
