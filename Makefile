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

NAME = libvirt-usb-hotplug
SOURCES = $(wildcard src/*.c)
INPUTS = $(SOURCES) $(wildcard src/*.h) Makefile build/flags
BINARY = $(DESTDIR)$(PREFIX)/sbin/$(NAME)
RULES = $(DESTDIR)$(PREFIX)/lib/udev/rules.d/99-$(NAME).rules
HOOK = $(DESTDIR)$(SYSCONFDIR)/libvirt/hooks/qemu.d/$(NAME)
MANUAL = $(DESTDIR)$(PREFIX)/share/man/man8/$(NAME).8
SERVICE = $(DESTDIR)$(PREFIX)/lib/systemd/system/$(NAME).service
TEMPLATES = build/99-$(NAME).rules build/qemu-hook build/$(NAME).service
PACKAGES = gcc make pkg-config libc6-dev libvirt-dev libxml2-dev libudev-dev libcmocka-dev perl python3 clang clang-tidy \
	cppcheck shellcheck mmdebstrap uidmap debian-archive-keyring e2fsprogs util-linux qemu-system-x86 mandoc hyperfine \
	libclang-rt-dev strace time git umockdev musl-tools binutils

all: $(NAME) $(TEMPLATES)

# Holds what the last build was made with, so that another CONFIG, PREFIX or flag makes a new one.
build/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(LINK) $(CONFIG) $(PREFIX)' | cmp -s - $@ || echo '$(COMPILE) $(LINK) $(CONFIG) $(PREFIX)' >$@

$(NAME): $(INPUTS) $(CONFIG)
	$(COMPILE) -DCONFIG='"$(abspath $(CONFIG))"' $(SOURCES) -o $@ $(LINK)

$(TEMPLATES): build/%: rules/%.in build/flags
	sed 's|@BINARY@|$(PREFIX)/sbin/$(NAME)|' $< >$@

install: all
	install -D -m 755 $(NAME) $(BINARY)
	install -D -m 644 build/99-$(NAME).rules $(RULES)
	install -D -m 644 build/$(NAME).service $(SERVICE)
	install -D -m 644 src/$(NAME).8 $(MANUAL)
	install -D -m 755 build/qemu-hook $(HOOK)
	$(RELOAD)
	$(if $(DESTDIR),,@if grep -q '^[[:space:]]*{' $(CONFIG); \
		then echo 'Next, to bring what is plugged in already in line: sudo $(NAME) -s'; \
		else echo 'Next, to see your ports, and rows to paste into $(CONFIG): sudo $(NAME) -l'; \
	fi)

uninstall:
	$(if $(DESTDIR),,@[ ! -d /run/systemd/system ] || [ ! -e $(SERVICE) ] || systemctl stop $(NAME).service)
	rm -f $(BINARY) $(RULES) $(SERVICE) $(MANUAL) $(HOOK)
	$(RELOAD)

# udev's rules, systemd's units and libvirt's hooks. A packager's DESTDIR is no running system.
RELOAD = $(if $(DESTDIR),,@udevadm control --reload || echo 'udev is not running here, and will read its rules when it starts'; \
	if [ -d /run/systemd/system ]; then \
		systemctl daemon-reload; \
		for daemon in libvirtd virtqemud; do ! systemctl --quiet is-active $$daemon || systemctl reload $$daemon; done; \
	fi)

-include tests/tests.mk

deps:
	@command -v apt-get >/dev/null || { echo 'No apt-get here: README.md has what to install on Fedora, Arch and openSUSE'; exit 1; }
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(PACKAGES)

dist:
	git archive --prefix=$(NAME)-$(VERSION)/ -o $(NAME)-$(VERSION).tar.gz HEAD

clean:
	rm -rf build $(NAME)

FORCE:
.NOTPARALLEL:
.PHONY: all install uninstall deps dist clean FORCE
