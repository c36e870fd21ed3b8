#include <dlfcn.h>

#include "hotplug.h"

int load_library(const char *soname, const struct symbol *symbols)
{
	void *library = dlopen(soname, RTLD_LAZY);

	for (const struct symbol *symbol = symbols; symbol->name; symbol++)
		if (!library || !dlsym(library, symbol->name))
			return -1;
	for (const struct symbol *symbol = symbols; symbol->name; symbol++)
		*symbol->function = dlsym(library, symbol->name);
	return 0;
}
