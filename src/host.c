#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hotplug.h"

#define LIBUDEV "libudev.so.1"

/* An extended attribute of the device's node, and gone when that is. Everybody can read it, and root write it: xattr(7). */
#define TAKEN_BACK "security.libvirt-usb-hotplug"

#define FUNCTIONS(F) \
	F(udev_new) F(udev_unref) F(udev_enumerate_new) F(udev_enumerate_unref) F(udev_enumerate_add_match_subsystem) \
	F(udev_enumerate_add_match_property) F(udev_enumerate_add_match_parent) F(udev_enumerate_scan_devices) \
	F(udev_enumerate_get_list_entry) F(udev_list_entry_get_next) F(udev_list_entry_get_name) \
	F(udev_device_new_from_syspath) F(udev_device_unref) F(udev_device_get_devpath) F(udev_device_get_devnode) \
	F(udev_device_get_sysname) F(udev_device_get_sysattr_value) F(udev_device_get_property_value)

FUNCTIONS(LOAD_DECLARE)
LOAD_NOTE("libudev", "Reads what is plugged in", LIBUDEV);

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

const char *host_attribute(const struct device *device, const char *name)
{
	return or_empty(sym_udev_device_get_sysattr_value(device->entry, name));
}

const char *host_product(const struct device *device)
{
	const char *product = host_attribute(device, "product");

	return *product ? product : or_empty(sym_udev_device_get_property_value(device->entry, "ID_MODEL_FROM_DATABASE"));
}

/* Adds the device to the host's, unless it has gone meanwhile. */
static void add_device(struct host *host, const char *syspath)
{
	struct device device = { .entry = sym_udev_device_new_from_syspath(host->udev, syspath) };

	if (!device.entry)
		return;
	device_set_devpath(&device, sym_udev_device_get_devpath(device.entry));
	device.bus = (unsigned int)strtoul(host_attribute(&device, "busnum"), NULL, 10);
	device.number = (unsigned int)strtoul(host_attribute(&device, "devnum"), NULL, 10);
	device.hub = strcmp(host_attribute(&device, "bDeviceClass"), "09") == 0;
	device.taken_back = host_is_taken_back(&device);
	device.has_id =
		usb_id_read(or_empty(sym_udev_device_get_property_value(device.entry, "PRODUCT")), PRODUCT_ID, &device.id);
	host->devices = reallocarray(host->devices, host->count + 1, sizeof(device));
	if (!host->devices)
		abort();
	host->devices[host->count++] = device;
	if (!device.bus)
		sym_udev_device_unref(host->devices[--host->count].entry);
}

/* What the host has of a subsystem, with this property; in the tree below a device, or NULL. NULL where sysfs can't be read. */
static struct udev_enumerate *enumerate(const struct host *host, const char *subsystem, const char *property, const char *value,
					const struct device *parent)
{
	struct udev_enumerate *found = sym_udev_enumerate_new(host->udev);

	sym_udev_enumerate_add_match_subsystem(found, subsystem);
	sym_udev_enumerate_add_match_property(found, property, value);
	if (parent)
		sym_udev_enumerate_add_match_parent(found, parent->entry);
	return sym_udev_enumerate_scan_devices(found) < 0 ? sym_udev_enumerate_unref(found) : found;
}

struct outcome host_read(struct host *host)
{
	struct udev_enumerate *devices;

	*host = (struct host){ 0 };
	if (LOAD_LIBRARY(LIBUDEV) < 0)
		return outcome_of(FAILED, "cannot read what is plugged in: %s", dlerror());
	host->udev = sym_udev_new();
	devices = enumerate(host, "usb", "DEVTYPE", "usb_device", NULL);
	if (!devices)
		return outcome_of(FAILED, "cannot read from sysfs what is plugged in");
	for (struct udev_list_entry *item = sym_udev_enumerate_get_list_entry(devices); item;
	     item = sym_udev_list_entry_get_next(item))
		add_device(host, sym_udev_list_entry_get_name(item));
	sym_udev_enumerate_unref(devices);
	return (struct outcome){ .answer = DONE };
}

void host_free(struct host *host)
{
	for (size_t i = 0; i < host->count; i++)
		sym_udev_device_unref(host->devices[i].entry);
	free(host->devices);
	if (host->udev)
		sym_udev_unref(host->udev);
}

/* Where sysfs has something of a port, by its DEVPATH: see usb_hub_create_port_device() in drivers/usb/core/port.c. */
static const char *port_file(const char *devpath, const char *file, char path[static PATH_MAX])
{
	const char *port = strrchr(devpath, '/') + 1, *number = strrchr(port, strchr(port, '.') ? '.' : '-');
	const int parents = (int)(port - devpath) - 1;
	const char *hub = (const char *)memrchr(devpath, '/', (size_t)parents) + 1;

	snprintf(path, PATH_MAX, "/sys%.*s/%.*s%s:1.0/%.*s-port%s/%s", parents, devpath, (int)(number - port), port,
		 *number == '-' ? "-0" : "", (int)(port - hub) - 1, hub, number + 1, file);
	return path;
}

void host_peer(const char *devpath, char peer[static PORT_NAME])
{
	char path[PATH_MAX], target[PATH_MAX] = "";
	const ssize_t length = readlink(port_file(devpath, "peer", path), target, sizeof(target) - 1);
	const char *hub = length > 0 ? strrchr(target, '/') : NULL, *number = hub ? strstr(hub, "-port") : NULL;

	*peer = '\0';
	if (number && strncmp(hub, "/usb", 4) == 0)
		snprintf(peer, PORT_NAME, "%.*s-%.4s", (int)(number - hub) - 4, hub + 4, number + strlen("-port"));
	else if (number)
		snprintf(peer, PORT_NAME, "%.*s.%.4s", (int)(number - hub) - 1, hub + 1, number + strlen("-port"));
}

bool host_port_is(const char *devpath, const char *connect_type)
{
	char path[PATH_MAX], type[16] = "";
	FILE *file = fopen(port_file(devpath, "connect_type", path), "re");

	if (file && fgets(type, sizeof(type), file))
		type[strcspn(type, "\n")] = '\0';
	if (file)
		fclose(file);
	return strcmp(type, connect_type) == 0;
}

static const char *node_of(const struct device *device, char node[static TEXT])
{
	snprintf(node, TEXT, "/dev/bus/usb/%03u/%03u", device->bus % 1000, device->number % 1000);
	return node;
}

bool host_has(const struct device *device)
{
	char node[TEXT];

	return access(node_of(device, node), F_OK) == 0;
}

bool host_is_taken_back(const struct device *device)
{
	char node[TEXT];

	return getxattr(node_of(device, node), TAKEN_BACK, NULL, 0) >= 0;
}

struct outcome host_take_back(const struct device *device, bool taken_back)
{
	char node[TEXT];

	node_of(device, node);
	if (host_is_taken_back(device) != taken_back &&
	    (taken_back ? setxattr(node, TAKEN_BACK, "", 0, 0) : removexattr(node, TAKEN_BACK)) < 0)
		return outcome_of(FAILED, "%s cannot be %s taken back: %s", node, taken_back ? "marked as" : "no longer", strerror(errno));
	return (struct outcome){ .answer = DONE };
}

/* Whoever uses a disk, or a part of it, has claimed it: only then is it busy for O_EXCL, see open(2). */
static struct outcome check_disk(struct udev_device *disk)
{
	const char *node = sym_udev_device_get_devnode(disk), *name = sym_udev_device_get_sysname(disk);
	const int fd = node ? open(node, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC) : -1;
	const int error = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (error == EBUSY)
		return outcome_of(FAILED, "the host uses its disk %.100s", name);
	if (error == EACCES || error == EPERM)
		return outcome_of(FAILED, "the host may use its disk %.100s, which only root can tell", name);
	return (struct outcome){ .answer = DONE };
}

struct outcome host_check(const struct host *host, const struct device *device)
{
	/* Whoever uses a device by its node has claimed interfaces of it: see drivers/usb/core/devio.c in the kernel. */
	struct udev_enumerate *claims = enumerate(host, "usb", "DRIVER", "usbfs", device);
	struct udev_enumerate *disks = enumerate(host, "block", "DEVTYPE", "disk", device);
	struct outcome outcome = { .answer = DONE };
	char node[TEXT];

	if (claims && sym_udev_enumerate_get_list_entry(claims))
		outcome = outcome_of(CLAIMED, "a program has claimed %s", node_of(device, node));
	for (struct udev_list_entry *item = disks ? sym_udev_enumerate_get_list_entry(disks) : NULL;
	     item && outcome.answer == DONE; item = sym_udev_list_entry_get_next(item)) {
		struct udev_device *disk = sym_udev_device_new_from_syspath(host->udev, sym_udev_list_entry_get_name(item));

		if (disk)
			outcome = check_disk(disk);
		sym_udev_device_unref(disk);
	}
	sym_udev_enumerate_unref(claims);
	sym_udev_enumerate_unref(disks);
	return outcome;
}
