/*
 * mirror DISK DISK: makes a RAID 1 array of two disks without writing any metadata to them,
 * has a block written through, and takes the array apart.  See drivers/md/md.c.
 */
#include "work.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/major.h>
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>

#define NEW_ARRAY "/sys/module/md_mod/parameters/new_array"

static int open_array(void)
{
	int fd = open(NEW_ARRAY, O_WRONLY);

	if (fd < 0 || write(fd, "md0", 3) != 3)
		err(1, NEW_ARRAY);
	close(fd);
	fd = open("/dev/md0", O_RDWR);
	if (fd < 0)
		err(1, "/dev/md0");
	return fd;
}

static void add_disk(int array, int number, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		err(1, "%s", path);

	mdu_disk_info_t disk = { .number = number,
				 .raid_disk = number,
				 .major = (int)major(st.st_rdev),
				 .minor = (int)minor(st.st_rdev),
				 .state = 1 << MD_DISK_ACTIVE | 1 << MD_DISK_SYNC };

	if (ioctl(array, ADD_NEW_DISK, &disk))
		err(1, "add %s", path);
}

int main(int argc, char **argv)
{
	mdu_array_info_t info = { .level = 1,
				  .raid_disks = 2,
				  .nr_disks = 2,
				  .state = 1 << MD_SB_CLEAN,
				  .not_persistent = 1,
				  .size = 1024 };
	char block[4096] = "";

	if (argc != 3)
		errx(2, "usage: mirror DISK DISK");

	int array = open_array();

	if (ioctl(array, SET_ARRAY_INFO, &info))
		err(1, "SET_ARRAY_INFO");
	add_disk(array, 0, argv[1]);
	add_disk(array, 1, argv[2]);
	if (ioctl(array, RUN_ARRAY, NULL))
		err(1, "RUN_ARRAY");
	if (write(array, block, sizeof(block)) != sizeof(block) || fsync(array))
		err(1, "write /dev/md0");
	ioctl(array, STOP_ARRAY, NULL);
	return 0;
}
