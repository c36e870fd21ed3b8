# What tests the program: make check, and the parts of it. The Makefile includes this.

PROGRAMS = cli/$(NAME) cli/driver/$(NAME) machines/$(NAME)
UNITS = $(basename $(notdir $(wildcard tests/unit/*.c)))
FUZZERS = $(basename $(notdir $(wildcard tests/fuzz/*.c)))
BENCH = empty linked rows-10 rows-300 client
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all

# The same tests twice: on the program as it is built for users, and with the sanitizers watching.
check-fast: $(UNITS:%=build/unit/%) $(UNITS:%=build/sanitized/unit/%) $(PROGRAMS:%=build/%) $(PROGRAMS:%=build/sanitized/%)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(UNITS:%=build/unit/%) $(UNITS:%=build/sanitized/unit/%)
	PROGRAM=build/cli/$(NAME) prove tests/cli
	PROGRAM=build/cli/driver/$(NAME) prove tests/cli/driver
	PROGRAM=build/machines/$(NAME) prove tests/machines
	PROGRAM=$$(command -v make) prove tests/install.t
	PROGRAM=build/sanitized/cli/$(NAME) prove tests/cli
	PROGRAM=build/sanitized/cli/driver/$(NAME) prove tests/cli/driver
	PROGRAM=build/sanitized/machines/$(NAME) prove tests/machines
	$(GIVE_BACK)

# AddressSanitizer checks more than _FORTIFY_SOURCE, whose functions umockdev doesn't know.
build/sanitized/%: private C_FLAGS += $(SANITIZE) -U_FORTIFY_SOURCE
# AddressSanitizer looks at start-up for the functions that it wraps, some of which libvirt calls.
build/sanitized/%: private LD_FLAGS += -Wl,--no-as-needed -lvirt

# With musl, for which Debian has no libvirt to load: what needs none.
build/musl/%: private override CC = musl-gcc
build/musl/%: private C_FLAGS += -Werror -idirafter /usr/include -idirafter /usr/include/$(shell gcc -print-multiarch)

# A test includes the source file that it is named after, and so reaches its static functions.
define COMPILE_WITH_TEST
@mkdir -p $(@D)
$(COMPILE) -DCONFIG='"$(abspath tests/unit/config.h)"' $< $(filter-out src/main.c src/$*.c,$(SOURCES)) -o $@ $(LINK)
endef
build/unit/% build/sanitized/unit/% build/coverage/unit/%: private LINK += -lcmocka
build/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)
build/sanitized/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)
build/coverage/unit/%: tests/unit/%.c tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)

# A program has the table that is in its tests' directory.
$(PROGRAMS:%=build/%) $(PROGRAMS:%=build/sanitized/%) $(PROGRAMS:%=build/musl/%) $(PROGRAMS:%=build/coverage/%): $(INPUTS) $(PROGRAMS:%/$(NAME)=tests/%/config.h)
	@mkdir -p $(@D)
	$(COMPILE) -DCONFIG='"$(abspath tests/$(patsubst coverage/%,%,$(patsubst musl/%,%,$(patsubst sanitized/%,%,$(@D:build/%=%))))/config.h)"' \
		$(SOURCES) -o $@ $(LINK)

# Debian's release in the lab, where the program is built (outside or inside it), and words in the names of scenarios.
SUITE = bookworm
BUILD = outside
TESTS =

# How many plugs and pulls the lab's random ones are, and in proportion what else it repeats or waits for; 300 is the long run.
CYCLES = 40

check check-vm check-all coverage: export LAB_CYCLES = $(CYCLES)

# The lab's init: systemd, or sysv; and with systemd, libvirt's daemon: libvirtd, or virtqemud.
INIT = systemd
DAEMON = libvirtd

check check-vm check-all storm coverage: export LAB_INIT = $(INIT)
check check-vm check-all storm coverage: export LAB_DAEMON = $(DAEMON)

check-vm:
	tests/vm/run $(SUITE) $(BUILD) $(TESTS)

# Each part of the contract once, in ten minutes; and everything.
CORE = 'plugged device reaches' identical 'hub stays' 'most specific' 'kept for the host' superspeed 'stopped domain' \
	'while the domain is off' 'hangs for 15' 'device was replugged meanwhile starts' 'every way' 'disk that the host uses' \
	'pulled while libvirtd is down' 'announcing' 'list shows'

check: check-fast
	tests/vm/run $(SUITE) $(BUILD) $(CORE)
	$(GIVE_BACK)

# Where there is no systemd: what an event leaves to a process that stays behind.
SYSV = 'plugged device reaches' 'once it starts' 'does not answer holds' 'hangs for 15' 'ever more slowly' 'twenty two devices'

check-all: check-fast
	tests/vm/run $(SUITE) $(BUILD) $(TESTS) --sysv $(SYSV)

# Random steps in the lab, against a model. The same seed gives the same steps.
SEED = 1
STEPS = 60

storm:
	tests/vm/storm $(SEED) $(STEPS) $(SUITE) $(BUILD)

# A running domain goes from one lab to another and back.
migration:
	tests/vm/migration $(SUITE) $(BUILD)

demo:
	tests/vm/demo $(SUITE)
	$(GIVE_BACK)

# Which of the lines of src/ the tests run, as gcc counts them: the unit and command-line tests, and the lab's scenarios.
coverage: $(UNITS:%=build/coverage/unit/%) $(PROGRAMS:%=build/coverage/%)
	find build/coverage -name '*.gcda' -delete
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(UNITS:%=build/coverage/unit/%)
	PROGRAM=build/coverage/cli/$(NAME) prove tests/cli
	PROGRAM=build/coverage/cli/driver/$(NAME) prove tests/cli/driver
	PROGRAM=build/coverage/machines/$(NAME) prove tests/machines
	LAB_COVERAGE=build/coverage/vm tests/vm/run $(SUITE) outside $(TESTS)
	tests/coverage build/coverage

# _exit(2) would leave out what a deadline does.
build/coverage/%: private override CC = gcc
build/coverage/%: private C_FLAGS += --coverage -O0 -D_exit=exit

# Seconds for each of the fuzz targets. What they find, and what they learn, stays in build/fuzz.
FUZZ_SECONDS = 60

fuzz: $(FUZZERS:%=build/fuzz/%)
	for target in $(FUZZERS); do \
		mkdir -p build/fuzz/learnt/$$target && \
		build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=10 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/$$target- build/fuzz/learnt/$$target tests/fuzz/corpus/$$target || exit; \
	done

build/fuzz/%: private override CC = clang
build/fuzz/%: private C_FLAGS += $(SANITIZE) -fsanitize=fuzzer
build/fuzz/%: private LD_FLAGS += -Wl,--no-as-needed -lvirt
build/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h tests/unit/config.h $(INPUTS)
	$(COMPILE_WITH_TEST)

bench: $(BENCH:%=build/bench/%)
	tests/bench/event build/bench
	tests/bench/lab build/bench $(SUITE)

build/bench/rows-%: tests/bench/table $(INPUTS)
	@mkdir -p $(@D)
	tests/bench/table $* >$@.h
	$(COMPILE) -DCONFIG='"$(abspath $@.h)"' $(SOURCES) -o $@ $(LINK)
build/bench/linked build/bench/client: private LD_FLAGS += -Wl,--no-as-needed -lvirt
build/bench/client: tests/bench/client.c
build/bench/empty build/bench/linked: tests/bench/empty.c
build/bench/empty build/bench/linked build/bench/client:
	@mkdir -p $(@D)
	$(COMPILE) $< -o $@ $(LD_FLAGS)

lint: LINT = $(CPP_FLAGS) $(C_FLAGS) -DCONFIG='"$(abspath config.h)"'
lint: all build/musl/cli/$(NAME)
	! { echo GLIBC_2.34; objdump -p $(NAME) | grep -oE 'GLIBC_[0-9A-Z_.]+'; } | sort -uV | sed '1,/^GLIBC_2.34$$/d' | grep . || \
		{ echo '$(NAME) asks for a newer glibc than 2.34'; exit 1; }
	for file in $(SOURCES); do \
		clang-tidy --quiet $$file -- $(LINT) && \
		gcc -fanalyzer -Werror $(LINT) -c $$file -o /dev/null && \
		clang -Werror $(LINT) -c $$file -o /dev/null || exit; \
	done
	build/musl/cli/$(NAME) -h >/dev/null
	PROGRAM=build/musl/cli/$(NAME) prove tests/cli/event.t
	cppcheck --quiet --std=c11 --enable=warning,style,performance,portability --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=unusedStructMember --suppress=variableScope -DCONFIG='"../config.h"' $(SOURCES)
	shellcheck -x rules/qemu-hook.in tests/install.t tests/cli/*.t tests/vm/image tests/vm/virtqemud tests/vm/image.d/* tests/vm/guest tests/bench/table .ci/run
	mandoc -T lint -W warning build/$(NAME).8

.PHONY: check check-all check-fast check-vm storm migration lint coverage fuzz demo bench
