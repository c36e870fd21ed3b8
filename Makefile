VERSION = 1.0
PREFIX = /usr/local
SYSCONFDIR = /etc
CONFIG = config.h

# CC, CFLAGS, CPPFLAGS and LDFLAGS from the command line come after these.
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla
C_FLAGS = -std=gnu11 -O2 -g $(WARNINGS) -fPIE -fstack-protector-strong
CPP_FLAGS = -D_GNU_SOURCE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -DVERSION='"$(VERSION)"' \
	$(shell pkg-config --cflags libvirt libxml-2.0 libudev)
LD_FLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
COMPILE = $(CC) $(CPP_FLAGS) $(C_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(LD_FLAGS) $(LDFLAGS) -ldl -lrt -lpthread
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all

NAME = libvirt-usb-hotplug
SOURCES = $(wildcard src/*.c)
INPUTS = $(SOURCES) $(wildcard src/*.h) Makefile build/flags
TESTS = $(basename $(notdir $(wildcard tests/unit/*.c)))
BINARY = $(DESTDIR)$(PREFIX)/sbin/$(NAME)
RULES = $(DESTDIR)$(PREFIX)/lib/udev/rules.d/99-$(NAME).rules
INSTALLED = $(BINARY) $(RULES)

all: $(NAME) build/99-$(NAME).rules

# Holds what the last build was made with, so that another CONFIG, PREFIX or flag makes a new one.
build/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK) $(CONFIG) $(PREFIX)' | cmp -s - $@ || echo '$(COMPILE) $(LINK) $(CONFIG) $(PREFIX)' >$@

$(NAME): $(INPUTS) $(CONFIG)
	$(COMPILE) -DCONFIG='"$(abspath $(CONFIG))"' $(SOURCES) -o $@ $(LINK)

build/%: rules/%.in build/flags
	sed 's|@BINARY@|$(PREFIX)/sbin/$(NAME)|' $< >$@

install: all
	install -D -m 755 $(NAME) $(BINARY)
	install -D -m 644 build/99-$(NAME).rules $(RULES)
	$(RELOAD)

uninstall:
	rm -f $(INSTALLED)
	$(RELOAD)

# A packager's DESTDIR is no running system.
RELOAD = $(if $(DESTDIR),,udevadm control --reload)

# The same tests twice: on the program as it is built for users, and with the sanitizers watching.
check-fast: $(TESTS:%=build/unit/%) $(TESTS:%=build/sanitized/unit/%) build/cli/$(NAME) build/sanitized/cli/$(NAME)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(TESTS:%=build/unit/%) $(TESTS:%=build/sanitized/unit/%)
	PROGRAM=build/cli/$(NAME) prove tests/cli
	PROGRAM=build/sanitized/cli/$(NAME) prove tests/cli

build/sanitized/%: C_FLAGS += $(SANITIZE)
# AddressSanitizer looks at start-up for the functions that it wraps, some of which libvirt calls.
build/sanitized/%: LD_FLAGS += -Wl,--no-as-needed -lvirt

define COMPILE_UNIT_TEST
@mkdir -p $(@D)
$(COMPILE) -DCONFIG='"$(abspath tests/unit/config.h)"' $< $(filter-out src/main.c src/$*.c,$(SOURCES)) -o $@ $(LINK) -lcmocka
endef
build/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_UNIT_TEST)
build/sanitized/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_UNIT_TEST)

build/cli/$(NAME) build/sanitized/cli/$(NAME): $(INPUTS) tests/cli/config.h
	@mkdir -p $(@D)
	$(COMPILE) -DCONFIG='"$(abspath tests/cli/config.h)"' $(SOURCES) -o $@ $(LINK)

clean:
	rm -rf build $(NAME)

FORCE:
.PHONY: all install uninstall check check-fast check-vm demo bench deps dist clean FORCE
