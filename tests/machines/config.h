/* The table for the machines' lists. No libvirt listens there, and a busy machine may take its time to load the library. */
static const char uri[] = "qemu:///system?socket=libvirt-sock";
static const unsigned int timeout = 60;

static const struct port ports[] = {
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb3/3-1" },
	{ "vm2", "/devices/pci0000:00/0000:00:14.0/usb*/*-10.2", .guest = "0:5" },
	{ "vm3", "/devices/pci0000:00/0000:00:14.0/usb1/1-1.99" },
};
