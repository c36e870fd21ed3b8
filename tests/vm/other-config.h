/* A changed table: port 10 is now vm1's. */
static const char uri[] = "qemu:///system";
static const unsigned int timeout = 10;

static const struct port ports[] = {
	/* domain    path                                                 id */
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-1" },
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-10" },
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-3.2" },
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-4" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb1/1-4.3" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb2/2-5" },
	{ "off",     "/devices/pci0000:00/0000:00:14.0/usb1/1-6" },
	{ "missing", "/devices/pci0000:00/0000:00:14.0/usb1/1-7" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb*/*-8" },
	{ HOST,      "/devices",                                          "056a:0000" },
};
