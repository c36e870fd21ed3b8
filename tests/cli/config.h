/* The table for the command-line tests. The socket is one in the directory that a test runs in, if it makes one. */
static const char uri[] = "qemu:///system?socket=libvirt-sock";
static const unsigned int timeout = 3;

static const struct port ports[] = {
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb3/3-1" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb*/*-10.2", .guest = "0:5" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb3/3-1", "1d6b:0104" },
	{ HOST,  "/devices", "1050:0407" },
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb3/3-4" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb3/3-4", .guest = "0:6" },
};
