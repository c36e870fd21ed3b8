/* A domain's XML: any text is read or refused, and the <hostdev>s that libvirt writes are read back as they are. */
#include "../../src/domain.c"

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return load_libvirt();
}

static void read_anything(const uint8_t *data, size_t size)
{
	char *xml = text_of(data, size);
	struct device *held = NULL;
	const int count = read_xml(xml, &held);

	MUST(count >= -1);
	for (int i = 0; i < count; i++)
		MUST(held[i].bus <= 999 && held[i].number <= 999);
	free(held);
	free(xml);
}

/* Each three bytes are a <hostdev>: its bus, its device number, and whether it has an id. */
static void read_back(const uint8_t *data, size_t size)
{
	char *xml = NULL;
	size_t length;
	FILE *stream = open_memstream(&xml, &length);
	struct device *held = NULL;
	const int expected = (int)(size / 3);

	MUST(stream);
	fputs("<domain type='qemu' id='1'><devices>", stream);
	for (int i = 0; i < expected; i++)
		fprintf(stream,
			"<hostdev mode='subsystem' type='usb' managed='no'><source>%s<address bus='%u' device='%u'/>"
			"</source><address type='usb' bus='0' port='%d'/></hostdev>",
			data[3 * i + 2] % 2 ? "<vendor id='0x046d'/><product id='0xc08e'/>" : "", data[3 * i] + 1U,
			data[3 * i + 1] + 1U, i);
	fputs("</devices></domain>", stream);
	fclose(stream);
	MUST(read_xml(xml, &held) == expected);
	for (int i = 0; i < expected; i++)
		MUST(held[i].bus == data[3 * i] + 1U && held[i].number == data[3 * i + 1] + 1U &&
		     held[i].has_id == data[3 * i + 2] % 2);
	free(held);
	free(xml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_anything(data, size);
	read_back(data, size < 60 ? size : 60);
	return 0;
}
