#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

/* libxml2 is among the libraries that come with libvirt, whatever its version: dlsym(3) finds it there. */
#define FUNCTIONS(F) F(xmlReadMemory) F(xmlFreeDoc) F(xmlDocGetRootElement) F(xmlHasProp)

FUNCTIONS(LOAD_DECLARE)

/* An alias that begins with "ua-" is the user's own, and may have letters, digits, '_' and '-' in it. */
#define ALIAS "ua-usb-hotplug-"

static void replace(char *text, char what, char by)
{
	while ((text = strchr(text, what)))
		*text = by;
}

const char *hostdev_write(const struct device *device, const char *guest, char xml[static TEXT])
{
	const int guest_bus = guest ? (int)strcspn(guest, ":") : 0;
	char ids[80] = "", alias[80] = "", address[120] = "", port[PORT_NAME];

	memcpy(port, device->port, sizeof(port));
	replace(port, '.', '_');
	/* libvirt refuses a vendor of 0, and a product without a vendor. */
	if (device->has_id && device->id.vendor)
		snprintf(ids, sizeof(ids), "    <vendor id='0x%04x'/>\n    <product id='0x%04x'/>\n",
			 device->id.vendor & 0xffff, device->id.product & 0xffff);
	/* The port may be the environment's, and nothing but a port's name may come into the XML. */
	if (*port && strspn(port, "0123456789-_") == strlen(port))
		snprintf(alias, sizeof(alias), "  <alias name='" ALIAS "%s'/>\n", port);
	if (guest && guest[guest_bus])
		snprintf(address, sizeof(address), "  <address type='usb' bus='%.*s' port='%s'/>\n", guest_bus, guest,
			 guest + guest_bus + 1);
	/* With a startupPolicy a saved domain starts also when the device is gone, or elsewhere, by then. */
	snprintf(xml, TEXT,
		 "<hostdev mode='subsystem' type='usb'>\n"
		 "  <source startupPolicy='optional'>\n"
		 "%s"
		 "    <address bus='%u' device='%u'/>\n"
		 "  </source>\n"
		 "%s%s"
		 "</hostdev>\n",
		 ids, device->bus, device->number, alias, address);
	return xml;
}

/* The first element of this name in another one, or NULL; in none there is none. */
static xmlNodePtr element_in(xmlNodePtr parent, const char *name)
{
	for (xmlNodePtr node = parent ? parent->children : NULL; node; node = node->next)
		if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0)
			return node;
	return NULL;
}

/* An element's attribute, "" where it has none, or is none. */
static const char *attribute(xmlNodePtr element, const char *name)
{
	xmlAttrPtr found = element ? sym_xmlHasProp(element, (const xmlChar *)name) : NULL;

	return found && found->children ? (const char *)found->children->content : "";
}

/* An attribute as a number to this base; 0 where it is none. */
static unsigned int number_of(xmlNodePtr element, const char *name, int base)
{
	const unsigned long number = strtoul(attribute(element, name), NULL, base);

	return number <= INT32_MAX ? (unsigned int)number : 0;
}

static struct hostdev read_hostdev(xmlNodePtr element, const char *domain)
{
	xmlNodePtr source = element_in(element, "source"), address = element_in(source, "address");
	const char *alias = attribute(element_in(element, "alias"), "name"), *port = attribute(address, "port");
	struct hostdev hostdev = { .domain = domain, .ours = strstr(alias, ALIAS) == alias };
	struct device *device = &hostdev.device;

	hostdev.missing = strcmp(attribute(source, "missing"), "yes") == 0;
	device->bus = number_of(address, "bus", 10);
	device->number = number_of(address, "device", 10);
	device->has_id = element_in(source, "vendor");
	device->id.vendor = number_of(element_in(source, "vendor"), "id", 16);
	device->id.product = number_of(element_in(source, "product"), "id", 16);
	if (hostdev.ours)
		snprintf(device->port, sizeof(device->port), "%.31s", alias + strlen(ALIAS));
	else if (!device->number && *port)
		snprintf(device->port, sizeof(device->port), "%u-%.20s", device->bus, port);
	replace(device->port, '_', '.');
	return hostdev;
}

static bool is_usb_hostdev(xmlNodePtr node)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "hostdev") == 0 &&
	       strcmp(attribute(node, "mode"), "subsystem") == 0 && strcmp(attribute(node, "type"), "usb") == 0;
}

int hostdev_read(const char *xml, const char *domain, struct hostdev **hostdevs, size_t *count)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	xmlDocPtr document = LOAD_LIBRARY(LIBVIRT) < 0 ? NULL : sym_xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, options);
	xmlNodePtr devices;

	if (!document)
		return -1;
	devices = element_in(sym_xmlDocGetRootElement(document), "devices");
	for (xmlNodePtr node = devices ? devices->children : NULL; node; node = node->next) {
		if (!is_usb_hostdev(node))
			continue;
		*hostdevs = reallocarray(*hostdevs, *count + 1, sizeof(**hostdevs));
		if (!*hostdevs)
			abort();
		(*hostdevs)[(*count)++] = read_hostdev(node, domain);
	}
	sym_xmlFreeDoc(document);
	return 0;
}

bool hostdev_holds(const struct hostdev *hostdev, const struct device *device)
{
	if (!hostdev->ours && *hostdev->device.port)
		return strcmp(hostdev->device.port, device->port) == 0;
	return !hostdev->missing && device_is_same(&hostdev->device, device);
}
