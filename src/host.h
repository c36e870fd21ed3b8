/* The USB devices that are plugged in, hubs and buses among them, as sysfs has them. */
#ifndef HOST_H
#define HOST_H

#include <stddef.h>

#include "device.h"

struct host {
	struct udev *udev;
	struct device *devices; /* ordered by DEVPATH */
	size_t count;
};

/* Reads what is plugged in now. Returns 0, or -1 with the error logged. host_free() releases it either way. */
int host_read(struct host *host);
void host_free(struct host *host);

/* Whether a device of the host is plugged in still, under the same number. */
bool host_still_has(const struct host *host, const struct device *device);

/* A sysfs attribute of a device of the host, such as "speed", or "" where it has none. */
const char *host_attribute(const struct device *device, const char *name);

/* What a device of the host calls itself, or else udev's hardware database, or "". */
const char *host_product(const struct device *device);

#endif
