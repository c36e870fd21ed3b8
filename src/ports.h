/* The table of config.h: which domain a port belongs to. */
#ifndef PORTS_H
#define PORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "device.h"

struct port {
	const char *domain; /* a libvirt domain's name, or HOST */
	const char *path;   /* the DEVPATH of a port, a hub's sub-port, a bus or a controller */
	const char *id;     /* vendor:product that the row is narrowed to, or NULL */
};

#define HOST NULL /* as a row's domain: the device stays with the host */

/* What config.h says of libvirt: the connection URI, and the timeout of one event in seconds. */
const char *ports_uri(void);
unsigned int ports_timeout(void);

/* The row that the device belongs to, or NULL if no row covers it. */
const struct port *ports_owner(const struct device *device);

/* Whether a row with an id covers the device's port, so that the device's own id decides. */
bool ports_need_id(const struct device *device);

/* The next domain that the table names, each once: row begins at 0, and moves on. NULL after the last. */
const char *ports_next_domain(size_t *row);

/* The table's rows by their numbers, from 0; NULL after the last. */
const struct port *ports_row(size_t row);

/* Says why a row of the table can never own a device, or returns NULL. */
const char *ports_problem(const struct port *row);

#endif
