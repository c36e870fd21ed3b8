#include "../../src/device.c"

#include "test.h"

static void an_id_is_two_fields_and_a_product_three(void **state)
{
	static const struct {
		const char *text;
		unsigned int vendor, product;
	} lsusb[] = {
		{ "046d:c08e", 0x046d, 0xc08e }, { "46D:C08E", 0x046d, 0xc08e }, { "0:0", 0, 0 }, { "ffff:ffff", 0xffff, 0xffff },
	}, product[] = {
		{ "46d/c08e/100", 0x046d, 0xc08e }, { "0/1/0", 0, 1 }, { "1d6b/0003/0601", 0x1d6b, 0x0003 },
	};
	struct usb_id id;

	(void)state;
	for (size_t i = 0; i < LENGTH(lsusb); i++) {
		assert_true(usb_id_read(lsusb[i].text, LSUSB_ID, &id));
		assert_int_equal(id.vendor, lsusb[i].vendor);
		assert_int_equal(id.product, lsusb[i].product);
	}
	for (size_t i = 0; i < LENGTH(product); i++) {
		assert_true(usb_id_read(product[i].text, PRODUCT_ID, &id));
		assert_int_equal(id.vendor, product[i].vendor);
		assert_int_equal(id.product, product[i].product);
	}
}

static void anything_else_is_no_id(void **state)
{
	static const char *const lsusb[] = { "",	   ":",		"046d",	      "046d:",	   ":c08e",  "046d:c08e ", " 046d:c08e",
					     "046dd:c08e", "046d:c08eg", "046d:c08e:1", "046d/c08e", "0x46:c08e", "-46d:c08e" };
	static const char *const product[] = { "",	     "46d",	     "46d/c08e",     "46d/c08e/",   "46d/c08e/100/",
					       "46d/c08e/1/1", "46d/c08e/10000", "46d:c08e:100", "46d/c08e/100\n", "//" };
	struct usb_id id = { 1, 2 };

	(void)state;
	for (size_t i = 0; i < LENGTH(lsusb); i++)
		if (usb_id_read(lsusb[i], LSUSB_ID, &id))
			fail_msg("'%s' is no id", lsusb[i]);
	for (size_t i = 0; i < LENGTH(product); i++)
		if (usb_id_read(product[i], PRODUCT_ID, &id))
			fail_msg("'%s' is no PRODUCT", product[i]);
	assert_int_equal(id.vendor, 1);
	assert_int_equal(id.product, 2);
}

static void a_message_names_the_device_by_what_is_known(void **state)
{
	struct device device = { .bus = 3, .number = 7 };
	char text[TEXT];

	(void)state;
	assert_string_equal(device_text(&device, text), "bus 3 device 7");
	device_set_devpath(&device, "/devices/usb3/3-10/3-10.2");
	assert_string_equal(device_text(&device, text), "3-10.2 (bus 3 device 7)");
	device.has_id = true;
	device.id = (struct usb_id){ 0x046d, 0xc08e };
	assert_string_equal(device_text(&device, text), "3-10.2 (046d:c08e, bus 3 device 7)");
	device_set_devpath(&device, "3-1");
	assert_string_equal(device_text(&device, text), "3-1 (046d:c08e, bus 3 device 7)");
}

static void devices_are_the_same_by_address_unless_their_ids_differ(void **state)
{
	const struct device device = { .bus = 3, .number = 7, .has_id = true, .id = { 1, 2 } };
	struct device other = { .bus = 3, .number = 7 };

	(void)state;
	assert_true(device_is_same(&device, &other));
	other.has_id = true;
	assert_false(device_is_same(&device, &other));
	other.id = device.id;
	assert_true(device_is_same(&device, &other));
	other.bus = 4;
	assert_false(device_is_same(&device, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_two_fields_and_a_product_three),
		cmocka_unit_test(anything_else_is_no_id),
		cmocka_unit_test(a_message_names_the_device_by_what_is_known),
		cmocka_unit_test(devices_are_the_same_by_address_unless_their_ids_differ),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
