/* libvirt: what a running domain holds, and attaching and detaching. libvirt is loaded by domain_connect(). */
#ifndef DOMAIN_H
#define DOMAIN_H

#include <stddef.h>

#include "device.h"

struct _virConnect; /* libvirt's: virConnectPtr and virDomainPtr point to these */
struct _virDomain;

struct domain {
	struct _virDomain *handle;
	const char *name;
};

enum { /* bytes: room for what the functions below write */
	HOSTDEV_XML = 128,
	DID_NOT = 256,
};

/* Writes the <hostdev> that names the device by bus and device number into xml. Returns xml. */
const char *domain_hostdev_xml(const struct device *device, char xml[static HOSTDEV_XML]);

/*
 * Writes how a message begins that says why a change was not made, such as "vm1: did not attach 3-10.2
 * (046d:c08e, bus 3 device 7)", into text. Returns text.
 */
const char *domain_did_not(const char *name, enum change change, const struct device *device,
			   char text[static DID_NOT]);

/*
 * Connects to libvirt. Returns 1 and the connection; 0, with a line logged at level info, where libvirt isn't
 * up; -1, with the error logged, where it can't be loaded or refuses. did_not is how that line begins.
 */
int domain_connect(const char *uri, const char *did_not, struct _virConnect **connection);
void domain_disconnect(struct _virConnect *connection);

/*
 * Looks a domain up by its name, which domain borrows. Returns 1 and the domain where it is running; 0 where it
 * isn't; -1, with the error logged behind did_not, where libvirt doesn't know it or can't tell.
 */
int domain_open(struct _virConnect *connection, const char *name, const char *did_not, struct domain *domain);
void domain_close(struct domain *domain);

/*
 * Attaches the device to the running domain, or detaches it, unless that is so already. Returns 0 where it is
 * so now, having logged what was done, and where the domain has stopped; -1 with the error logged.
 */
int domain_change(const struct domain *domain, enum change change, const struct device *device);

#endif
