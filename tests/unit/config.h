/* The table for unit tests; those that need other rows bring their own. */
static const char uri[] = "test:///none";
static const unsigned int timeout = 7;

static const struct port ports[] = {
	{ "vm1", "/devices/pci0000:00/0000:00:14.0/usb3/3-1" },
	{ HOST,  "/devices", "1050:0407" },
};
