#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/xpath.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "domain.h"
#include "load.h"
#include "log.h"

#define LIBVIRT "libvirt.so.0"

/* libxml2 is among the libraries that come with libvirt: dlsym(3) finds it there. */
#define FUNCTIONS(F) \
	F(virConnectOpen) F(virConnectClose) F(virSetErrorFunc) F(virGetLastError) \
	F(virDomainLookupByName) F(virDomainFree) F(virDomainGetID) F(virDomainIsActive) F(virDomainGetXMLDesc) \
	F(virDomainAttachDeviceFlags) F(virDomainDetachDeviceFlags) \
	F(xmlReadMemory) F(xmlFreeDoc) F(xmlXPathNewContext) F(xmlXPathFreeContext) \
	F(xmlXPathEval) F(xmlXPathCastToNumber) F(xmlXPathFreeObject)

FUNCTIONS(LOAD_DECLARE)
LOAD_NOTE("libvirt", "Attaches devices to domains", LIBVIRT);

static int load_libvirt(void)
{
	static const struct symbol symbols[] = { FUNCTIONS(LOAD_SYMBOL) };

	return load_library(LIBVIRT, symbols, sizeof(symbols) / sizeof(*symbols));
}

/* libvirt calls this for each error. It would write them to stderr otherwise, those that are no failure too. */
static void keep_error(void *libvirt, virErrorPtr error)
{
	struct libvirt *to = libvirt;

	snprintf(to->error, sizeof(to->error), "%s", error->message ? error->message : "libvirt doesn't say why");
}

/* Its socket isn't there, or nobody listens: where a system call failed, libvirt's error has errno in int1. */
static bool is_libvirt_down(void)
{
	virErrorPtr error = sym_virGetLastError();

	return error && error->code == VIR_ERR_SYSTEM_ERROR && (error->int1 == ENOENT || error->int1 == ECONNREFUSED);
}

int libvirt_connect(struct libvirt *libvirt, const char *uri)
{
	*libvirt = (struct libvirt){ 0 };
	if (load_libvirt() < 0) {
		snprintf(libvirt->error, sizeof(libvirt->error), "%s", dlerror());
		return -1;
	}
	sym_virSetErrorFunc(libvirt, keep_error);
	/* A libvirtd that dies meanwhile would end us too, and without a word. */
	signal(SIGPIPE, SIG_IGN);
	libvirt->connection = sym_virConnectOpen(uri);
	if (libvirt->connection)
		return 1;
	return is_libvirt_down() ? 0 : -1;
}

/* libvirtd listens first, and then loads its drivers and starts domains in this thread (src/remote/remote_daemon.c). */
static bool is_initialising(pid_t libvirtd)
{
	char name[64];
	glob_t threads;
	bool found = false;

	snprintf(name, sizeof(name), "/proc/%d/task/*/comm", libvirtd);
	if (glob(name, GLOB_NOSORT, NULL, &threads) != 0)
		return false;
	for (size_t i = 0; i < threads.gl_pathc && !found; i++) {
		FILE *file = fopen(threads.gl_pathv[i], "re");

		found = file && fgets(name, sizeof(name), file) && strcmp(name, "daemon-init\n") == 0;
		if (file)
			fclose(file);
	}
	globfree(&threads);
	return found;
}

/* SO_PEERCRED has the process that called listen(2), see unix(7): at boot systemd, until libvirtd takes over. */
bool libvirt_is_starting(void)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
		    (peer.pid == 1 || is_initialising(peer.pid)))
			return true;
	return false;
}

void libvirt_disconnect(struct libvirt *libvirt)
{
	sym_virConnectClose(libvirt->connection);
}

int domain_open(struct domain *domain, struct libvirt *libvirt, const char *name)
{
	*domain = (struct domain){ .libvirt = libvirt, .name = name };
	domain->handle = sym_virDomainLookupByName(libvirt->connection, name);
	if (!domain->handle)
		return -1;
	/* Only a running domain has an ID, and it came with the domain: libvirtd need not be asked again. */
	if (sym_virDomainGetID(domain->handle) != (unsigned int)-1)
		return 1;
	domain_close(domain);
	return 0;
}

bool domain_is_unknown(void)
{
	virErrorPtr error = sym_virGetLastError();

	return error && error->code == VIR_ERR_NO_DOMAIN;
}

void domain_close(struct domain *domain)
{
	sym_virDomainFree(domain->handle);
}

/* The number that an XPath expression gives of the address numbered so, from 1. */
static unsigned int ask(xmlXPathContextPtr context, const char *function, const char *what, unsigned int number)
{
	char expression[128];
	xmlXPathObjectPtr result;
	double value;

	snprintf(expression, sizeof(expression), "%s((/domain/devices/hostdev[@type='usb']/source/address)[%u]%s)",
		 function, number, what);
	result = sym_xmlXPathEval((const xmlChar *)expression, context);
	value = result ? sym_xmlXPathCastToNumber(result) : 0;
	if (result)
		sym_xmlXPathFreeObject(result);
	return value >= 1 && value <= 999 ? (unsigned int)value : 0; /* NaN is neither */
}

static int read_held(xmlXPathContextPtr context, struct device **devices)
{
	unsigned int count = 0;

	while (ask(context, "count", "", count + 1))
		count++;
	*devices = calloc(count + 1, sizeof(**devices));
	for (unsigned int i = 0; *devices && i < count; i++)
		(*devices)[i] = (struct device){
			.bus = ask(context, "number", "/@bus", i + 1),
			.number = ask(context, "number", "/@device", i + 1),
			.has_id = ask(context, "count", "/../vendor", i + 1),
		};
	return *devices ? (int)count : -1;
}

static int read_xml(const char *xml, struct device **devices)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	xmlDocPtr document = sym_xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, options);
	xmlXPathContextPtr context = document ? sym_xmlXPathNewContext(document) : NULL;
	int count = context ? read_held(context, devices) : -1;

	if (context)
		sym_xmlXPathFreeContext(context);
	if (document)
		sym_xmlFreeDoc(document);
	return count;
}

int domain_held(const struct domain *domain, struct device **devices)
{
	char *xml = sym_virDomainGetXMLDesc(domain->handle, 0);
	int count = xml ? read_xml(xml, devices) : -1;

	free(xml);
	return count;
}

int domain_holds(const struct domain *domain, const struct device *device)
{
	struct device *held = NULL;
	int count = domain_held(domain, &held), holds = count < 0 ? -1 : 0;

	for (int i = 0; i < count; i++)
		if (held[i].bus == device->bus && held[i].number == device->number)
			holds = 1;
	free(held);
	return holds;
}

enum { HOSTDEV = 128 }; /* bytes */

static const char *hostdev_xml(const struct device *device, char xml[static HOSTDEV])
{
	snprintf(xml, HOSTDEV,
		 "<hostdev mode='subsystem' type='usb'>\n"
		 "  <source>\n"
		 "    <address bus='%u' device='%u'/>\n"
		 "  </source>\n"
		 "</hostdev>\n",
		 device->bus, device->number);
	return xml;
}

int domain_change(const struct domain *domain, enum change change, const struct device *device)
{
	int (*const call)(virDomainPtr, const char *, unsigned int) =
		change == ATTACH ? sym_virDomainAttachDeviceFlags : sym_virDomainDetachDeviceFlags;
	char text[DEVICE_TEXT], xml[HOSTDEV];
	struct libvirt refused;

	device_text(device, text);
	/* Asked first, because libvirtd logs an error for each call that it refuses. */
	if (!device->is_new && domain_holds(domain, device) == (change == ATTACH)) {
		log_debug(change == ATTACH ? "%s: holds %s already" : "%s: does not hold %s any more", domain->name, text);
		return 0;
	}
	if (call(domain->handle, hostdev_xml(device, xml), VIR_DOMAIN_AFFECT_LIVE) == 0) {
		log_info("%s: %s %s", domain->name, change == ATTACH ? "attached" : "detached", text);
		return 0;
	}
	/* Another run may have been faster, or the domain has stopped; asking that may overwrite the error. */
	refused = *domain->libvirt;
	if (domain_holds(domain, device) == (change == ATTACH))
		return 0;
	if (sym_virDomainIsActive(domain->handle) == 0) {
		char did_not[DID_NOT];

		log_info("%s: the domain is not running", domain_did_not(domain->name, change, device, did_not));
		return 0;
	}
	*domain->libvirt = refused;
	return -1;
}

void domain_print_change(const char *name, enum change change, const struct device *device)
{
	char xml[HOSTDEV];

	printf("%s %s %u %u\n%s", change == ATTACH ? "attach" : "detach", name, device->bus, device->number,
	       hostdev_xml(device, xml));
}

const char *domain_did_not(const char *name, enum change change, const struct device *device,
			   char text[static DID_NOT])
{
	char device_words[DEVICE_TEXT];

	snprintf(text, DID_NOT, "%.100s: did not %s %s", name, change == ATTACH ? "attach" : "detach",
		 device_text(device, device_words));
	return text;
}
