#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hotplug.h"

struct outcome outcome_of(enum answer answer, const char *why, ...)
{
	struct outcome outcome = { .answer = answer };
	va_list args;

	va_start(args, why);
	vsnprintf(outcome.why, TEXT, why, args);
	va_end(args);
	return outcome;
}

void device_set_devpath(struct device *device, const char *devpath)
{
	const char *slash = strrchr(devpath, '/');

	device->devpath = devpath;
	snprintf(device->port, sizeof(device->port), "%s", slash ? slash + 1 : devpath);
}

bool device_is_at(const struct device *a, const struct device *b)
{
	return a->bus == b->bus && a->number == b->number;
}

bool device_is_same(const struct device *a, const struct device *b)
{
	return device_is_at(a, b) && (!a->has_id || !b->has_id || memcmp(&a->id, &b->id, sizeof(a->id)) == 0);
}

const char *device_text(const struct device *device, char text[static TEXT])
{
	char id[sizeof("ffff:ffff, ")] = "";

	if (device->has_id)
		snprintf(id, sizeof(id), "%04x:%04x, ", device->id.vendor & 0xffff, device->id.product & 0xffff);
	if (*device->port)
		snprintf(text, TEXT, "%s (%sbus %u device %u)", device->port, id, device->bus, device->number);
	else
		snprintf(text, TEXT, "%sbus %u device %u", id, device->bus, device->number);
	return text;
}

bool usb_id_read(const char *text, const char *format, struct usb_id *id)
{
	struct usb_id read;
	int end = 0;

	/* sscanf(3) itself takes signs, blanks and "0x" as well. */
	if (strspn(text, "0123456789abcdefABCDEF:/") != strlen(text) ||
	    sscanf(text, format, &read.vendor, &read.product, &end) != 2 || !end || text[end])
		return false;
	*id = read;
	return true;
}
