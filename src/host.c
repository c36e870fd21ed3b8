#include <dlfcn.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "load.h"
#include "log.h"

#define LIBUDEV "libudev.so.1"

#define FUNCTIONS(F) \
	F(udev_new) F(udev_unref) F(udev_enumerate_new) F(udev_enumerate_unref) F(udev_enumerate_add_match_subsystem) \
	F(udev_enumerate_add_match_property) F(udev_enumerate_scan_devices) F(udev_enumerate_get_list_entry) \
	F(udev_list_entry_get_next) F(udev_list_entry_get_name) F(udev_device_new_from_syspath) F(udev_device_unref) \
	F(udev_device_get_devpath) F(udev_device_get_syspath) F(udev_device_get_sysattr_value) \
	F(udev_device_get_property_value)

FUNCTIONS(LOAD_DECLARE)
LOAD_NOTE("libudev", "Reads what is plugged in", LIBUDEV);

static int load_libudev(void)
{
	static const struct symbol symbols[] = { FUNCTIONS(LOAD_SYMBOL) };

	return load_library(LIBUDEV, symbols, sizeof(symbols) / sizeof(*symbols));
}

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

/* Returns a device whose bus is 0 where it has gone meanwhile. */
static struct device read_device(struct udev *udev, const char *syspath)
{
	struct device device = { .entry = sym_udev_device_new_from_syspath(udev, syspath) };

	if (!device.entry)
		return device;
	device.devpath = sym_udev_device_get_devpath(device.entry);
	device.bus = (unsigned int)strtoul(host_attribute(&device, "busnum"), NULL, 10);
	device.number = (unsigned int)strtoul(host_attribute(&device, "devnum"), NULL, 10);
	device.hub = strcmp(host_attribute(&device, "bDeviceClass"), "09") == 0;
	device.has_id =
		usb_id_from_product(or_empty(sym_udev_device_get_property_value(device.entry, "PRODUCT")), &device.id);
	return device;
}

static int read_devices(struct host *host, struct udev_enumerate *enumerate)
{
	struct udev_list_entry *item;
	size_t length = 0;

	if (!enumerate || sym_udev_enumerate_add_match_subsystem(enumerate, "usb") < 0 ||
	    sym_udev_enumerate_add_match_property(enumerate, "DEVTYPE", "usb_device") < 0 ||
	    sym_udev_enumerate_scan_devices(enumerate) < 0)
		return -1;
	for (item = sym_udev_enumerate_get_list_entry(enumerate); item; item = sym_udev_list_entry_get_next(item))
		length++;
	host->devices = calloc(length + 1, sizeof(*host->devices));
	if (!host->devices)
		return -1;
	for (item = sym_udev_enumerate_get_list_entry(enumerate); item; item = sym_udev_list_entry_get_next(item)) {
		host->devices[host->count] = read_device(host->udev, sym_udev_list_entry_get_name(item));
		if (host->devices[host->count].bus)
			host->count++;
		else
			sym_udev_device_unref(host->devices[host->count].entry);
	}
	return 0;
}

int host_read(struct host *host)
{
	struct udev_enumerate *enumerate;
	int result;

	*host = (struct host){ 0 };
	if (load_libudev() < 0) {
		log_error("cannot read what is plugged in: %s", dlerror());
		return -1;
	}
	host->udev = sym_udev_new();
	enumerate = host->udev ? sym_udev_enumerate_new(host->udev) : NULL;
	result = read_devices(host, enumerate);
	if (result < 0)
		log_error("cannot read from sysfs what is plugged in");
	sym_udev_enumerate_unref(enumerate);
	return result;
}

void host_free(struct host *host)
{
	for (size_t i = 0; i < host->count; i++)
		sym_udev_device_unref(host->devices[i].entry);
	free(host->devices);
	if (host->udev)
		sym_udev_unref(host->udev);
}

bool host_still_has(const struct host *host, const struct device *device)
{
	struct device now = read_device(host->udev, sym_udev_device_get_syspath(device->entry));

	sym_udev_device_unref(now.entry);
	return now.bus == device->bus && now.number == device->number;
}
