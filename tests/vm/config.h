/* The table that the lab's machine is installed with: an xHCI at 0000:00:14.0, USB 2 on bus 1, USB 3 on bus 2. */
static const char uri[] = "qemu:///system";
static const unsigned int timeout = 10;

static const struct port ports[] = {
	/* domain    path                                                 id */
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-1" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb1/1-2" },
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-3.2" },
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-4" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb1/1-4.3" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb2/2-5" },
	{ "off",     "/devices/pci0000:00/0000:00:14.0/usb1/1-6" },
	{ "missing", "/devices/pci0000:00/0000:00:14.0/usb1/1-7" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb*/*-8" },
	{ "small",   "/devices/pci0000:00/0000:00:14.0/usb1/1-9" },
	{ "guest",   "/devices/pci0000:00/0000:00:14.0/usb2/2-9" },
	{ "vm1",     "/devices/pci0000:00/0000:00:14.0/usb1/1-13" },
	{ "vm2",     "/devices/pci0000:00/0000:00:14.0/usb1/1-13" },
	{ HOST,      "/devices",                                          "056a:0000" },
};
