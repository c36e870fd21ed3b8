#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "hotplug.h"

/* The locks are on the program's own file, and end with the process. */
static int open_own_file(void)
{
	return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

bool turn_take(void)
{
	return flock(open_own_file(), LOCK_EX | LOCK_NB) == 0;
}

void turn_wait_for(bool settles_all)
{
	const int waiting = open_own_file();
	struct flock lock = { .l_type = F_RDLCK };

	/* Only systemd's child: a person may lose patience. */
	if (settles_all && getppid() == 1)
		fcntl(waiting, F_OFD_SETLK, &lock);
	flock(open_own_file(), LOCK_EX);
	close(waiting);
}

bool turn_is_awaited(void)
{
	const int file = open_own_file();
	struct flock lock = { .l_type = F_WRLCK };
	const bool awaited = fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	close(file);
	return awaited;
}
