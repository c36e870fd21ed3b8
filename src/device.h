/* A USB device, as the rest of the program passes it on. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>

struct usb_id {
	unsigned int vendor, product; /* 0 to 0xffff */
};

struct device {
	const char *devpath;    /* its DEVPATH, or NULL where only its address is known */
	unsigned int bus;       /* 1 to 999 */
	unsigned int number;    /* the device number on its bus: 1 to 999 */
	bool has_id;
	struct usb_id id;       /* where has_id */
	bool hub;
	bool is_new;            /* was announced by the kernel just now, so that no domain holds it yet */
	struct udev_device *entry; /* of a device that was read from sysfs */
};

enum change { ATTACH, DETACH };

enum { DEVICE_TEXT = 128 }; /* bytes: room for what device_text() writes */

/* The name of the device's port: the last component of its DEVPATH, such as "3-10.2". */
const char *device_port(const struct device *device);

/*
 * Writes the device as messages name it, such as "3-10.2 (046d:c08e, bus 3 device 7)", into text, leaving out
 * what is not known. Returns text.
 */
const char *device_text(const struct device *device, char text[static DEVICE_TEXT]);

/*
 * Each reads an id: the kernel's PRODUCT, vendor/product/version as in "46d/c08e/100", and lsusb's
 * vendor:product, as in "046d:c08e". Returns false, and leaves id alone, where text is anything else.
 */
bool usb_id_from_product(const char *text, struct usb_id *id);
bool usb_id_from_lsusb(const char *text, struct usb_id *id);

#endif
