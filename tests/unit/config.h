/* The table for unit tests: some rows are wrong, as their domains say. Those that need other rows bring their own. */
static const char uri[] = "test:///none";
static const unsigned int timeout = 7;

static const struct port ports[] = {
	{ "vm1",      "/devices/pci0000:00/0000:00:14.0/usb3/3-1" },
	{ HOST,       "/devices", "1050:0407" },
	{ "vm1",      "/devices/pci0000:00/0000:00:14.0/usb3/3-2:1.0" },
	{ "no path",  NULL },
	{ "path",     "/device/usb3/3-1" },
	{ "path",     "/devicesusb3/3-1" },
	{ "star",     "/devices/pci0000:*/0000:00:14.0/usb3/3-1" },
	{ "star",     "/devices/pci0000:00/0000:00:14.0/usb3/3-*" },
	{ "id",       "/devices/pci0000:00/0000:00:14.0/usb3/3-3", "1050" },
	{ "repeated", "/sys/devices/pci0000:00/0000:00:14.0/usb3/3-7/3-1/" },
	{ "vm2",      "/devices/pci0000:00/0000:00:14.0/usb*/*-4.1/" },
	{ "vm2",      "/devices/pci0000:00/0000:00:14.0/usb3/3-1", "1050:0407" },
	{ "vm3",      "/devices/" },
	{ "guest",    "/devices/pci0000:00/0000:00:14.0/usb3/3-5", .guest = "5" },
	{ "guest",    "/devices/pci0000:00/0000:00:14.0/usb7", .guest = "0:5" },
	{ "guest",    "/devices/pci0000:00/0000:00:14.0/usb3/3-6", .guest = "0:5" },
	{ "bus",      "/devices/pci0000:00/0000:00:14.0/usb5/6-1" },
	{ "port",     "/devices/pci0000:00/0000:00:14.0/usb5/5" },
	{ "port",     "/devices/pci0000:00/0000:00:14.0/usb5/5-1..2" },
	{ "port",     "/devices/pci0000:00/0000:00:14.0/usb5/5-0" },
	{ "no bus",   "/devices/pci0000:00/0000:00:14.0/5-3" },
	{ "port",     "/devices/pci0000:00/0000:00:14.0/usb5/5-256" },
	{ "vm9",      "/devices/pci0000:00/0000:00:14.0/usb3/3-10" },
};
