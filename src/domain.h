/* libvirt: what a running domain holds, attaching and detaching. libvirt_connect() loads the library. */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "device.h"

struct libvirt {
	struct _virConnect *connection;
	char error[512]; /* the words of the last call that failed: libvirt's, or the dynamic linker's */
};

struct domain {
	struct libvirt *libvirt;
	struct _virDomain *handle;
	const char *name;
};

enum { DID_NOT = 256 }; /* bytes: room for what domain_did_not() writes */

/* Each returns 1 where it could; 0 where libvirt is not up, or the domain not running; -1 where it failed. */
int libvirt_connect(struct libvirt *libvirt, const char *uri);
int domain_open(struct domain *domain, struct libvirt *libvirt, const char *name);

/* Whether domain_open() failed just now because libvirt has no such domain. */
bool domain_is_unknown(void);

/* Whether what libvirt_connect() waits for is a libvirtd that is still starting, or the socket that systemd holds for it. */
bool libvirt_is_starting(void);

void libvirt_disconnect(struct libvirt *libvirt);
void domain_close(struct domain *domain);

/*
 * What the live domain holds, as an array of devices to be freed: their addresses, and has_id for one whose
 * <hostdev> names it by vendor and product. Returns their number, or -1.
 */
int domain_held(const struct domain *domain, struct device **devices);

/* Whether the live domain holds a device at this one's address: 1 or 0, or -1. */
int domain_holds(const struct domain *domain, const struct device *device);

/*
 * Attaches the device to the running domain, or detaches it, unless that is so already, and logs what was done.
 * Returns 0 where it is so now, and where the domain has stopped meanwhile; -1 where not.
 */
int domain_change(const struct domain *domain, enum change change, const struct device *device);

/* Prints what a dry run would do: "attach vm1 3 7", and the <hostdev> on the lines after it. */
void domain_print_change(const char *name, enum change change, const struct device *device);

/*
 * Writes how a message begins that says why a change was not made, such as "vm1: did not attach 3-10.2
 * (046d:c08e, bus 3 device 7)", into text. Returns text.
 */
const char *domain_did_not(const char *name, enum change change, const struct device *device,
			   char text[static DID_NOT]);

#endif
