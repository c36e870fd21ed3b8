#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/xpath.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "log.h"

#define LIBVIRT "libvirt.so.0"

/*
 * libvirt brings some 55 libraries along, and the dynamic linker would load them for every USB event of the
 * machine. So it is loaded once an event is ours. libxml2 is one of those libraries, and dlsym(3) finds it there.
 */
#define FUNCTIONS(F)                                                                                                   \
	F(virConnectOpen)                                                                                              \
	F(virConnectClose)                                                                                             \
	F(virDomainLookupByName)                                                                                       \
	F(virDomainFree)                                                                                               \
	F(virDomainIsActive)                                                                                           \
	F(virDomainGetXMLDesc)                                                                                         \
	F(virDomainAttachDeviceFlags)                                                                                  \
	F(virDomainDetachDeviceFlags)                                                                                  \
	F(virGetLastError)                                                                                             \
	F(virSetErrorFunc)                                                                                             \
	F(xmlReadMemory)                                                                                               \
	F(xmlFreeDoc)                                                                                                  \
	F(xmlXPathNewContext)                                                                                          \
	F(xmlXPathFreeContext)                                                                                         \
	F(xmlXPathEval)                                                                                                \
	F(xmlXPathCastToNumber)                                                                                        \
	F(xmlXPathFreeObject)

#define DECLARE(function) static __typeof__(function) *sym_##function;
FUNCTIONS(DECLARE)

/* Tells packagers of the library that no DT_NEEDED shows: https://uapi-group.org/specifications/specs/elf_dlopen_metadata/ */
#define DLOPEN_NOTE                                                                                                    \
	"[{\"feature\":\"libvirt\",\"description\":\"Attaches devices to domains\","                                   \
	"\"priority\":\"required\",\"soname\":[\"" LIBVIRT "\"]}]"
__attribute__((used, aligned(4), section(".note.dlopen"))) static const struct {
	uint32_t name_size, content_size, type;
	char name[4];
	_Alignas(4) char content[sizeof(DLOPEN_NOTE)];
} dlopen_note = { 4, sizeof(DLOPEN_NOTE), 0x407c0c0a, "FDO", DLOPEN_NOTE };

static int load_libvirt(const char *did_not)
{
#define ENTRY(function) { #function, (void **)&sym_##function },
	static const struct {
		const char *name;
		void **symbol;
	} functions[] = { FUNCTIONS(ENTRY) };
	enum { COUNT = sizeof(functions) / sizeof(*functions) };
	void *found[COUNT];
	void *library = dlopen(LIBVIRT, RTLD_LAZY);

	for (size_t i = 0; i < COUNT; i++) {
		found[i] = library ? dlsym(library, functions[i].name) : NULL;
		if (!found[i]) {
			log_error("%s: cannot load libvirt: %s", did_not, dlerror());
			return -1;
		}
	}
	for (size_t i = 0; i < COUNT; i++)
		*functions[i].symbol = found[i];
	return 0;
}

static const char *last_error(void)
{
	virErrorPtr error = sym_virGetLastError();

	return error && error->message ? error->message : "libvirt doesn't say why";
}

/* Its socket isn't there, or nobody listens: where a system call failed, libvirt's error has errno in int1. */
static bool is_libvirt_down(void)
{
	virErrorPtr error = sym_virGetLastError();

	return error && error->code == VIR_ERR_SYSTEM_ERROR && (error->int1 == ENOENT || error->int1 == ECONNREFUSED);
}

/* libvirt writes errors to stderr unless it is given a function for them. */
static void ignore_error(void *unused, virErrorPtr error)
{
	(void)unused;
	(void)error;
}

int domain_connect(const char *uri, const char *did_not, struct _virConnect **connection)
{
	if (load_libvirt(did_not) < 0)
		return -1;
	sym_virSetErrorFunc(NULL, ignore_error);
	/* A libvirtd that dies meanwhile would end us too, and without a word. */
	signal(SIGPIPE, SIG_IGN);
	*connection = sym_virConnectOpen(uri);
	if (*connection)
		return 1;
	if (is_libvirt_down()) {
		log_info("%s: libvirt is not running: %s", did_not, last_error());
		return 0;
	}
	log_error("%s: %s", did_not, last_error());
	return -1;
}

void domain_disconnect(struct _virConnect *connection)
{
	sym_virConnectClose(connection);
}

int domain_open(struct _virConnect *connection, const char *name, const char *did_not, struct domain *domain)
{
	int active = -1;

	*domain = (struct domain){ .handle = sym_virDomainLookupByName(connection, name), .name = name };
	if (domain->handle)
		active = sym_virDomainIsActive(domain->handle);
	if (active < 0)
		log_error("%s: %s", did_not, last_error());
	if (active <= 0 && domain->handle)
		domain_close(domain);
	return active;
}

void domain_close(struct domain *domain)
{
	sym_virDomainFree(domain->handle);
}

const char *domain_hostdev_xml(const struct device *device, char xml[static HOSTDEV_XML])
{
	snprintf(xml, HOSTDEV_XML,
		 "<hostdev mode='subsystem' type='usb'>\n"
		 "  <source>\n"
		 "    <address bus='%u' device='%u'/>\n"
		 "  </source>\n"
		 "</hostdev>\n",
		 device->bus, device->number);
	return xml;
}

const char *domain_did_not(const char *name, enum change change, const struct device *device, char text[static DID_NOT])
{
	char device_words[DEVICE_TEXT];

	snprintf(text, DID_NOT, "%.100s: did not %s %s", name, change == ATTACH ? "attach" : "detach",
		 device_text(device, device_words));
	return text;
}

/* The number that an XPath expression gives of the domain's live XML; -1 where libvirt doesn't give the XML. */
static double ask_live_xml(const struct domain *domain, const char *expression)
{
	char *xml = sym_virDomainGetXMLDesc(domain->handle, 0);
	xmlDocPtr document = xml ? sym_xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET) : NULL;
	xmlXPathContextPtr context = document ? sym_xmlXPathNewContext(document) : NULL;
	xmlXPathObjectPtr result = context ? sym_xmlXPathEval((const xmlChar *)expression, context) : NULL;
	double number = result ? sym_xmlXPathCastToNumber(result) : -1;

	sym_xmlXPathFreeObject(result);
	sym_xmlXPathFreeContext(context);
	if (document)
		sym_xmlFreeDoc(document);
	free(xml);
	return number;
}

/* Whether the live domain holds the device: 1 or 0, or -1 where libvirt can't tell. */
static int holds(const struct domain *domain, const struct device *device)
{
	char expression[160];
	double count;

	snprintf(expression, sizeof(expression),
		 "count(/domain/devices/hostdev[@type='usb']/source/address[@bus=%u and @device=%u])", device->bus,
		 device->number);
	count = ask_live_xml(domain, expression);
	return count < 0 ? -1 : count > 0;
}

int domain_change(const struct domain *domain, enum change change, const struct device *device)
{
	char did_not[DID_NOT], text[DEVICE_TEXT], xml[HOSTDEV_XML], why[512];
	const int wanted = change == ATTACH;
	int (*const call)(virDomainPtr, const char *, unsigned int) =
		change == ATTACH ? sym_virDomainAttachDeviceFlags : sym_virDomainDetachDeviceFlags;

	/* Asked first, because libvirtd logs an error for each call that it refuses. */
	if (holds(domain, device) == wanted) {
		log_debug("%s: %s %s already", domain->name, change == ATTACH ? "holds" : "has let go of",
			  device_text(device, text));
		return 0;
	}
	if (call(domain->handle, domain_hostdev_xml(device, xml), VIR_DOMAIN_AFFECT_LIVE) == 0) {
		log_info("%s: %s %s", domain->name, change == ATTACH ? "attached" : "detached",
			 device_text(device, text));
		return 0;
	}
	/* The next calls overwrite libvirt's error. */
	snprintf(why, sizeof(why), "%s", last_error());
	domain_did_not(domain->name, change, device, did_not);
	if (sym_virDomainIsActive(domain->handle) == 0) {
		log_info("%s: the domain is not running", did_not);
		return 0;
	}
	/* Another run may have been faster. */
	if (holds(domain, device) == wanted)
		return 0;
	log_error("%s: %s", did_not, why);
	return -1;
}
