#include "../../src/hostdev.c"

#include "test.h"

static void assert_read(const char *devices_xml, size_t expected_count, const struct hostdev *expected)
{
	char xml[2048];
	struct hostdev *hostdevs = NULL;
	size_t count = 0;

	snprintf(xml, sizeof(xml), "<domain><devices>%s</devices></domain>", devices_xml);
	assert_int_equal(hostdev_read(xml, "vm1", &hostdevs, &count), 0);
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(hostdevs[i].domain, "vm1");
		assert_string_equal(hostdevs[i].device.port, expected[i].device.port);
		assert_int_equal(hostdevs[i].device.bus, expected[i].device.bus);
		assert_int_equal(hostdevs[i].device.number, expected[i].device.number);
		assert_int_equal(hostdevs[i].device.has_id, expected[i].device.has_id);
		assert_int_equal(hostdevs[i].device.id.vendor, expected[i].device.id.vendor);
		assert_int_equal(hostdevs[i].device.id.product, expected[i].device.id.product);
		assert_int_equal(hostdevs[i].ours, expected[i].ours);
		assert_int_equal(hostdevs[i].missing, expected[i].missing);
	}
	free(hostdevs);
}

static void usb_hostdevs_are_read_with_whose_they_are(void **state)
{
	(void)state;
	assert_read("", 0, NULL);
	assert_read("<hostdev mode='subsystem' type='usb' managed='no'><source><address bus='3' device='7'/></source>"
		    "<alias name='hostdev0'/><address type='usb' bus='0' port='1'/></hostdev>"
		    "<hostdev mode='subsystem' type='usb'><source startupPolicy='optional'><vendor id='0x046d'/>"
		    "<product id='0xc08e'/><address bus='1' device='12'/></source><alias name='ua-usb-hotplug-1-10_2'/></hostdev>"
		    "<hostdev mode='subsystem' type='usb'><source startupPolicy='optional' missing='yes'><vendor id='0x046d'/>"
		    "<product id='0xc08e'/></source><alias name='ua-mine'/></hostdev>"
		    "<hostdev mode='subsystem' type='usb'><source><address bus='3' port='10.2'/></source>"
		    "<alias name='hostdev3'/></hostdev>"
		    "<hostdev mode='subsystem' type='usb'><source startupPolicy='optional' missing='yes'>"
		    "<address bus='90012' device='7'/></source><alias name='ua-usb-hotplug-12-1'/></hostdev>",
		    5, (const struct hostdev[]){
			{ .device = { .bus = 3, .number = 7 } },
			{ .device = { .port = "1-10.2", .bus = 1, .number = 12, .has_id = true, .id = { 0x046d, 0xc08e } },
			  .ours = true },
			{ .device = { .has_id = true, .id = { 0x046d, 0xc08e } }, .missing = true },
			{ .device = { .port = "3-10.2", .bus = 3 } },
			{ .device = { .port = "12-1", .bus = 90012, .number = 7 }, .ours = true, .missing = true } });
}

static void nothing_else_is(void **state)
{
	(void)state;
	assert_read("<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x06' slot='0x12' "
		    "function='0x5'/></source></hostdev>"
		    "<redirdev bus='usb' type='spicevmc'><address type='usb' bus='0' port='4'/></redirdev>"
		    "<x><hostdev mode='subsystem' type='usb'><source><address bus='1' device='1'/></source></hostdev></x>",
		    0, NULL);
	assert_read("<hostdev mode='subsystem' type='usb'><source><address bus='-1' device='x'/></source></hostdev>", 1,
		    (const struct hostdev[]){ { .missing = false } });
}

static void what_is_no_xml_is_refused(void **state)
{
	struct hostdev *hostdevs = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(hostdev_read("", "vm1", &hostdevs, &count), -1);
	assert_int_equal(hostdev_read("<domain>", "vm1", &hostdevs, &count), -1);
	assert_int_equal(hostdev_read("no", "vm1", &hostdevs, &count), -1);
	assert_int_equal(count, 0);
}

static void what_is_written_says_whose_it_is(void **state)
{
	struct device device = { .port = "3-10.2", .bus = 3, .number = 7, .has_id = true, .id = { 0x046d, 0xc08e } };
	char xml[TEXT];

	(void)state;
	assert_string_equal(hostdev_write(&device, "0:5", xml),
			    "<hostdev mode='subsystem' type='usb'>\n"
			    "  <source startupPolicy='optional'>\n"
			    "    <vendor id='0x046d'/>\n"
			    "    <product id='0xc08e'/>\n"
			    "    <address bus='3' device='7'/>\n"
			    "  </source>\n"
			    "  <alias name='ua-usb-hotplug-3-10_2'/>\n"
			    "  <address type='usb' bus='0' port='5'/>\n"
			    "</hostdev>\n");
	device = (struct device){ .bus = 999, .number = 999 };
	assert_string_equal(hostdev_write(&device, NULL, xml),
			    "<hostdev mode='subsystem' type='usb'>\n"
			    "  <source startupPolicy='optional'>\n"
			    "    <address bus='999' device='999'/>\n"
			    "  </source>\n"
			    "</hostdev>\n");
}

static void a_vendor_of_zero_is_left_out_with_its_product(void **state)
{
	const struct device device = { .bus = 3, .number = 7, .has_id = true, .id = { 0, 0xc08e } };
	char xml[TEXT];

	(void)state;
	assert_null(strstr(hostdev_write(&device, NULL, xml), "vendor"));
	assert_null(strstr(xml, "product"));
	assert_non_null(strstr(xml, "<address bus='3' device='7'/>"));
}

static void no_markup_of_the_environment_gets_into_it(void **state)
{
	struct device device = { .port = "3-1'/><x y='", .bus = 3, .number = 7 };
	char xml[TEXT];

	(void)state;
	assert_null(strstr(hostdev_write(&device, NULL, xml), "alias"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usb_hostdevs_are_read_with_whose_they_are),
		cmocka_unit_test(nothing_else_is),
		cmocka_unit_test(what_is_no_xml_is_refused),
		cmocka_unit_test(what_is_written_says_whose_it_is),
		cmocka_unit_test(a_vendor_of_zero_is_left_out_with_its_product),
		cmocka_unit_test(no_markup_of_the_environment_gets_into_it),
	};

	return cmocka_run_group_tests_name("hostdev", tests, NULL, NULL);
}
