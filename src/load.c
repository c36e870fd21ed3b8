#include <dlfcn.h>

#include "load.h"

int load_library(const char *soname, const struct symbol symbols[], size_t count)
{
	void *library = dlopen(soname, RTLD_LAZY);

	for (size_t i = 0; i < count; i++)
		if (!library || !dlsym(library, symbols[i].name))
			return -1;
	for (size_t i = 0; i < count; i++)
		*symbols[i].function = dlsym(library, symbols[i].name);
	return 0;
}
