#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "hotplug.h"

/*
 * Not the program's own file, which a new table replaces while the old one's run may be under way; and root's, so that no user
 * can keep the turn from the others.
 */
#define LOCK_FILE "/run/libvirt-usb-hotplug.lock"

enum { PAUSE = 50 }; /* ms: between two looks at whether the turn is free */

int turn_open_file(void)
{
	return open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

bool turn_take(int *file, unsigned int seconds, bool (*in_vain)(void))
{
	const struct timespec pause = { .tv_nsec = PAUSE * 1000000L };

	*file = turn_open_file();
	for (unsigned int waited = 0; *file >= 0 && flock(*file, LOCK_EX | LOCK_NB) < 0; waited += PAUSE) {
		if (waited >= 1000 * seconds || (in_vain && in_vain()))
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}
