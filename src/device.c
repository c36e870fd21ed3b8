#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

const char *device_port(const struct device *device)
{
	const char *slash = strrchr(device->devpath, '/');

	return slash ? slash + 1 : device->devpath;
}

const char *device_text(const struct device *device, char text[static DEVICE_TEXT])
{
	char id[sizeof("ffff:ffff, ")] = "";

	if (device->has_id)
		snprintf(id, sizeof(id), "%04x:%04x, ", device->id.vendor & 0xffff, device->id.product & 0xffff);
	if (device->devpath)
		snprintf(text, DEVICE_TEXT, "%.64s (%sbus %u device %u)", device_port(device), id, device->bus,
			 device->number);
	else
		snprintf(text, DEVICE_TEXT, "bus %u device %u", device->bus, device->number);
	return text;
}

/* Reads text as count fields of one to four hexadecimal digits each, and nothing else. */
static bool read_hex_fields(const char *text, char separator, unsigned int fields[], int count)
{
	for (int i = 0; i < count; i++) {
		size_t digits = strspn(text, "0123456789abcdefABCDEF");

		if (digits < 1 || digits > 4)
			return false;
		fields[i] = (unsigned int)strtoul(text, NULL, 16);
		text += digits;
		if (*text != (i + 1 < count ? separator : '\0'))
			return false;
		text++;
	}
	return true;
}

static bool read_id(const char *text, char separator, int count, struct usb_id *id)
{
	unsigned int fields[3];

	if (!read_hex_fields(text, separator, fields, count))
		return false;
	*id = (struct usb_id){ .vendor = fields[0], .product = fields[1] };
	return true;
}

bool usb_id_from_product(const char *text, struct usb_id *id)
{
	return read_id(text, '/', 3, id);
}

bool usb_id_from_lsusb(const char *text, struct usb_id *id)
{
	return read_id(text, ':', 2, id);
}
