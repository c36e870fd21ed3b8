#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

/* udev(7) and drivers/usb/core/usb.c in the kernel say which variables a USB device's event has. */

static const char *get(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static bool is_set(const char *name)
{
	return getenv(name) != NULL;
}

static bool set_to_other_than(const char *name, const char *expected)
{
	return is_set(name) && strcmp(get(name), expected) != 0;
}

/* BUSNUM and DEVNUM are decimal and have leading zeros: "008". */
static int read_number(const char *name, unsigned int *number)
{
	const char *text = get(name);
	const unsigned long value = strspn(text, "0123456789") == strlen(text) ? strtoul(text, NULL, 10) : 0;

	if (value < 1 || value > 999) {
		log_error("%s is '%s': it should be a decimal number from 1 to 999", name, text);
		return -1;
	}
	*number = (unsigned int)value;
	return 0;
}

/* A device of class 9 is a hub (USB 2.0 specification, 11.23.1); TYPE is "class/subclass/protocol". */
static bool is_hub(void)
{
	if (*get("TYPE"))
		return strncmp(get("TYPE"), "9/", 2) == 0;
	return strcasestr(get("ID_MODEL"), "hub") || strcasestr(get("ID_MODEL_FROM_DATABASE"), "hub");
}

/* Why the event is not one of a USB device, or NULL. */
static const char *find_other_kind(void)
{
	if (set_to_other_than("SUBSYSTEM", "usb") || set_to_other_than("DEVTYPE", "usb_device"))
		return "is not a USB device";
	return !is_set("BUSNUM") ? "has no BUSNUM" : !is_set("DEVNUM") ? "has no DEVNUM" : NULL;
}

/* Whether the action is one that brings or takes a device. */
static bool read_action(enum action *action)
{
	const char *text = get("ACTION");

	*action = strcmp(text, "remove") == 0 ? DETACH : ATTACH;
	return *action == DETACH || strcmp(text, "add") == 0 || strcmp(text, "bind") == 0;
}

/*
 * The kernel numbers each event, and marks those that were asked for ("udevadm trigger") with SYNTH_UUID: see
 * Documentation/ABI/testing/sysfs-uevent. A person who runs the program by hand has neither.
 */
static bool is_new(void)
{
	return strcmp(get("ACTION"), "add") == 0 && is_set("SEQNUM") && !is_set("SYNTH_UUID");
}

static int require(const char *name)
{
	if (*get(name))
		return 0;
	log_error("%s is %s: udev sets it, and by hand it is, for example, sudo %s=... libvirt-usb-hotplug; for a list: -l, for help: -h",
		  name, is_set(name) ? "empty" : "missing", name);
	return -1;
}

enum event_kind event_read(struct event *event)
{
	const char *other_kind;

	*event = (struct event){ 0 };
	if (require("ACTION") < 0 || require("DEVPATH") < 0)
		return EVENT_BAD;
	if (!read_action(&event->action)) {
		log_debug("left alone: ACTION is '%s', not add, bind or remove", get("ACTION"));
		return EVENT_NOT_OURS;
	}
	other_kind = find_other_kind();
	if (other_kind) {
		log_debug("left alone: %s %s", get("DEVPATH"), other_kind);
		return EVENT_NOT_OURS;
	}
	if (read_number("BUSNUM", &event->device.bus) < 0 || read_number("DEVNUM", &event->device.number) < 0)
		return EVENT_BAD;
	device_set_devpath(&event->device, get("DEVPATH"));
	event->device.has_id = usb_id_read(get("PRODUCT"), PRODUCT_ID, &event->device.id);
	if (is_set("PRODUCT") && !event->device.has_id)
		event->bad_product = get("PRODUCT");
	event->device.hub = is_hub();
	event->is_new = is_new();
	return EVENT_OURS;
}
