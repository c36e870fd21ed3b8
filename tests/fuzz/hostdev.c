/* A domain's XML: any text is read or refused, and what the program writes is read back as it was. */
#include "../../src/hostdev.c"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return LOAD_LIBRARY(LIBVIRT);
}

static void read_anything(const uint8_t *data, size_t size)
{
	char *xml = text_of(data, size);
	struct hostdev *hostdevs = NULL;
	size_t count = 0;

	if (hostdev_read(xml, "vm1", &hostdevs, &count) < 0)
		MUST(count == 0);
	for (size_t i = 0; i < count; i++) {
		MUST(hostdevs[i].device.bus <= INT32_MAX && hostdevs[i].device.number <= INT32_MAX);
		MUST(strlen(hostdevs[i].device.port) < PORT_NAME);
	}
	free(hostdevs);
	free(xml);
}

/* Each six bytes are a device: its bus, its number, its id, and its port. */
static struct device device_of(const uint8_t *data)
{
	struct device device = {
		.bus = data[0] + 1U, .number = data[1] + 1U, .has_id = data[2] % 2,
		.id = { data[2] * 256U + data[3], data[3] * 256U + data[4] },
	};

	snprintf(device.port, sizeof(device.port), "%u-%u.%u", device.bus, data[4], data[5]);
	device.has_id = device.has_id && device.id.vendor;
	if (!device.has_id)
		device.id = (struct usb_id){ 0 };
	return device;
}

static void read_back(const uint8_t *data, size_t size)
{
	char *xml = NULL, element[TEXT];
	size_t length, count = 0;
	FILE *stream = open_memstream(&xml, &length);
	struct hostdev *hostdevs = NULL;

	MUST(stream);
	fputs("<domain type='qemu' id='1'><devices>", stream);
	for (size_t i = 0; i + 6 <= size; i += 6) {
		const struct device device = device_of(data + i);

		fputs(hostdev_write(&device, i % 4 ? NULL : "0:1.2", element), stream);
	}
	fputs("</devices></domain>", stream);
	fclose(stream);
	MUST(hostdev_read(xml, "vm1", &hostdevs, &count) == 0 && count == size / 6);
	for (size_t i = 0; i < count; i++) {
		const struct device device = device_of(data + 6 * i);

		MUST(device_is_same(&hostdevs[i].device, &device) && hostdevs[i].device.has_id == device.has_id);
		MUST(strcmp(hostdevs[i].device.port, device.port) == 0);
		MUST(!hostdevs[i].missing);
	}
	free(hostdevs);
	free(xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_anything(data, size);
	read_back(data, size < 60 ? size : 60);
	return 0;
}
