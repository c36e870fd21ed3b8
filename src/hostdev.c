#include <libxml/xpathInternals.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hotplug.h"

/* libxml2 is among the libraries that come with libvirt, whatever its version: dlsym(3) finds it there. */
#define FUNCTIONS(F) \
	F(xmlReadMemory) F(xmlFreeDoc) F(xmlXPathNewContext) F(xmlXPathFreeContext) F(xmlXPathEval) \
	F(xmlXPathCastToString) F(xmlXPathFreeObject) F(xmlXPathNewFloat) F(xmlXPathRegisterVariable)

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
	if (device->has_id)
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

/* Numbers have a zero before them, so that there is one also where the attribute is missing. */
#define HOSTDEV "(/domain/devices/hostdev[@mode='subsystem' and @type='usb'])[$number]"
#define SOURCE HOSTDEV "/source"
#define FIELDS \
	"concat(count(" HOSTDEV "), ' ', number(concat('0', " SOURCE "/address/@bus)), " \
	"' ', number(concat('0', " SOURCE "/address/@device)), ' ', count(" SOURCE "[@missing='yes']), " \
	"' ', count(" SOURCE "/vendor), ' 0', substring-after(" SOURCE "/vendor/@id, 'x'), " \
	"' 0', substring-after(" SOURCE "/product/@id, 'x'), ' ', " HOSTDEV "/alias/@name)"

/* Reads the hostdev numbered so, from 1. Returns false behind the last one. */
static bool read_hostdev(xmlXPathContextPtr context, size_t number, struct hostdev *hostdev)
{
	struct device *device = &hostdev->device;
	unsigned int exists = 0, missing = 0, has_id = 0;
	char alias[64] = "", *fields;
	xmlXPathObjectPtr result;

	sym_xmlXPathRegisterVariable(context, (const xmlChar *)"number", sym_xmlXPathNewFloat((double)number));
	result = sym_xmlXPathEval((const xmlChar *)FIELDS, context);
	fields = (char *)sym_xmlXPathCastToString(result);
	if (fields && sscanf(fields, "%u %u %u %u %u %x %x %63s", &exists, &device->bus, &device->number, &missing, &has_id,
			     &device->id.vendor, &device->id.product, alias) < 7)
		*device = (struct device){ 0 };
	device->has_id = has_id;
	hostdev->missing = missing;
	if (strncmp(alias, ALIAS, strlen(ALIAS)) == 0)
		snprintf(device->port, sizeof(device->port), "%.31s", alias + strlen(ALIAS));
	replace(device->port, '_', '.');
	free(fields);
	sym_xmlXPathFreeObject(result);
	return exists;
}

int hostdev_read(const char *xml, const char *domain, struct hostdev **hostdevs, size_t *count)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	struct hostdev hostdev = { .domain = domain };
	xmlDocPtr document = LOAD_LIBRARY(LIBVIRT) < 0 ? NULL : sym_xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, options);
	xmlXPathContextPtr context;

	if (!document)
		return -1;
	context = sym_xmlXPathNewContext(document);
	for (size_t number = 1; context && read_hostdev(context, number, &hostdev); number++) {
		*hostdevs = reallocarray(*hostdevs, *count + 1, sizeof(hostdev));
		if (!*hostdevs)
			abort();
		(*hostdevs)[(*count)++] = hostdev;
		hostdev = (struct hostdev){ .domain = domain };
	}
	sym_xmlXPathFreeContext(context);
	sym_xmlFreeDoc(document);
	return 0;
}
