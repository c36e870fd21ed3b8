/*
 * Which virtual machine each USB port belongs to. A row goes above the last "};". After a change: make && sudo make install
 *
 * A copy of this, as /etc/libvirt-usb-hotplug.h, is taken in its place, and no update touches it.
 *
 * To find a port's path, plug a device in there and run "libvirt-usb-hotplug -l". By hand: plug it in while
 * "udevadm monitor -k -s usb/usb_device" runs; the path is what the "add" line ends with, without "(usb)".
 */
static const char uri[] = "qemu:///system";
static const unsigned int timeout = 10; /* s: the longest that one event may keep udev waiting */

/*
 * domain: a virtual machine's name in libvirt, or HOST: the device stays with the host.
 * path:   of a port, of a port of a hub, or of a whole bus or controller; "*" may stand for the bus number.
 * id:     if given, the row is for devices of this vendor:product only, as lsusb prints it.
 * guest:  if given, the port of the guest that the device is plugged into there, as libvirt writes it, BUS:PORT. Windows
 *         takes a device at another port for a new one. The path has to be one port then.
 *
 * Of the rows that cover a device, one with an id that fits comes before one without, then the one that matches more of the
 * device's path, then one with a bus's number before one with "*". Domains of rows that are equal in all that take turns.
 */
static const struct port ports[] = {
	/* domain              path                                                        id */
	/* { "vm1",            "/devices/pci0000:00/0000:00:14.0/usb3/3-11" }, */
	/* { "windows",        "/devices/pci0000:00/0000:00:14.0/usb3/3-12",                 .guest = "0:5" }, */
	/* { HOST,             "/devices",                                                 "1050:0407" }, */
};
