/*
 * The least that a libvirt client can do: client attach|detach DOMAIN XML... Prints how many milliseconds its calls took,
 * in a line of names and numbers.
 */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

int main(int argc, char *argv[])
{
	const double start = now();
	virConnectPtr connection = argc >= 4 ? virConnectOpen("qemu:///system") : NULL;
	const double connected = now();
	virDomainPtr domain = connection ? virDomainLookupByName(connection, argv[2]) : NULL;
	const double found = now();
	double changed, closed;
	int result = 0;

	if (!domain)
		return 1;
	for (int i = 3; i < argc; i++)
		result |= strcmp(argv[1], "attach") == 0 ?
				  virDomainAttachDeviceFlags(domain, argv[i], VIR_DOMAIN_AFFECT_LIVE) :
				  virDomainDetachDeviceFlags(domain, argv[i], VIR_DOMAIN_AFFECT_LIVE);
	changed = now();
	virDomainFree(domain);
	virConnectClose(connection);
	closed = now();
	printf("open %.2f lookup %.2f call %.2f close %.2f\n", connected - start, found - connected, changed - found,
	       closed - changed);
	return result < 0;
}
