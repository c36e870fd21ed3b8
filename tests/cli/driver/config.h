/* The table for the tests with libvirt's test driver, whose file is in the directory that a test runs in. */
static const char uri[] = "test:///proc/self/cwd/node.xml";
static const unsigned int timeout = 60;

static const struct port ports[] = {
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb3" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb3", "1d6b:0104" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb4" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb4/4-1", .guest = "0:5" },
	{ "vm3", "/devices/pci0000:00/0000:00:14.0/usb5" },
	{ "vm4", "/devices/pci0000:00/0000:00:14.0/usb6" },
	{ HOST,  "/devices/pci0000:00/0000:00:14.0/usb7" },
	{ "vm3", "/devices/pci0000:00/0000:00:14.0/usb9" },
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb9" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb9" },
	{ "vm4", "/devices/pci0000:00/0000:00:14.0/usb10" },
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb10" },
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb8/8-3.1" },
};
