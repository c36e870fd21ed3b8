#include "../../src/domain.c"

#include "test.h"

static void assert_held(const char *devices_xml, int expected_count, const struct device *expected)
{
	char xml[2048];
	struct device *held = NULL;
	int count;

	snprintf(xml, sizeof(xml), "<domain><devices>%s</devices></domain>", devices_xml);
	count = read_xml(xml, &held);
	assert_int_equal(count, expected_count);
	for (int i = 0; i < count; i++) {
		assert_int_equal(held[i].bus, expected[i].bus);
		assert_int_equal(held[i].number, expected[i].number);
		assert_int_equal(held[i].has_id, expected[i].has_id);
	}
	free(held);
}

static void usb_hostdevs_are_read_by_address(void **state)
{
	(void)state;
	assert_held("", 0, NULL);
	assert_held("<hostdev mode='subsystem' type='usb' managed='no'><source><address bus='3' device='7'/></source>"
		    "<alias name='hostdev0'/><address type='usb' bus='0' port='1'/></hostdev>"
		    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc08e'/>"
		    "<address bus='1' device='12'/></source></hostdev>",
		    2, (const struct device[]){ { .bus = 3, .number = 7 }, { .bus = 1, .number = 12, .has_id = true } });
}

static void nothing_else_is(void **state)
{
	(void)state;
	assert_held("<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x06' slot='0x12' "
		    "function='0x5'/></source></hostdev>"
		    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc08e'/></source></hostdev>"
		    "<redirdev bus='usb' type='spicevmc'><address type='usb' bus='0' port='4'/></redirdev>"
		    "<x><hostdev type='usb'><source><address bus='1' device='1'/></source></hostdev></x>",
		    0, NULL);
	assert_held("<hostdev type='usb'><source><address bus='-1' device='x'/></source></hostdev>", 1,
		    (const struct device[]){ { .bus = 0, .number = 0 } });
}

static void what_is_no_xml_is_refused(void **state)
{
	struct device *held;

	(void)state;
	assert_int_equal(read_xml("", &held), -1);
	assert_int_equal(read_xml("<domain>", &held), -1);
	assert_int_equal(read_xml("no", &held), -1);
}

static void a_change_that_was_not_made_names_domain_and_port(void **state)
{
	const struct device device = { .devpath = "/devices/usb3/3-10.2", .bus = 3, .number = 7 };
	char text[DID_NOT];

	(void)state;
	assert_string_equal(domain_did_not("vm1", ATTACH, &device, text), "vm1: did not attach 3-10.2 (bus 3 device 7)");
	assert_string_equal(domain_did_not("vm1", DETACH, &device, text), "vm1: did not detach 3-10.2 (bus 3 device 7)");
}

static int load(void **state)
{
	(void)state;
	return load_libvirt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usb_hostdevs_are_read_by_address),
		cmocka_unit_test(nothing_else_is),
		cmocka_unit_test(what_is_no_xml_is_refused),
		cmocka_unit_test(a_change_that_was_not_made_names_domain_and_port),
	};

	return cmocka_run_group_tests_name("domain", tests, load, NULL);
}
