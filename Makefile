# scry: build, test, install.  `make help` lists the targets.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
VERSION := $(shell sed -n 's/^\#define SCRY_VERSION *"\(.*\)"/\1/p' include/scry.h)

CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith -Wwrite-strings \
            -Wno-missing-field-initializers
CPPFLAGS += -Isrc -Iinclude -D_GNU_SOURCE
# As archives: what is not used costs nothing then, neither at start nor on a box without them.
LIBS     := -l:libbpf.a -l:libdw.a -l:libelf.a -l:libz.a -l:liblzma.a -liberty
# Without the sanitizers, for programs that go into a guest.
PLAIN    := $(CFLAGS) -std=gnu11 $(WARN)
# Nothing unwinds scry but a debugger, which has its own tables: they would be a twentieth of the program.
override CFLAGS += -std=gnu11 $(WARN) -fno-strict-aliasing -fno-asynchronous-unwind-tables \
                   -ffunction-sections -fdata-sections $(SAN)
override LDFLAGS += -Wl,--gc-sections $(SAN)

# Folders of the library; narrow it while another folder is under construction:
#   make unit MODULES="base ir" BUILD=/tmp/b
MODULES ?= $(filter-out cli,$(notdir $(patsubst %/,%,$(wildcard src/*/))))
LIB_SRC := $(foreach m,$(MODULES),$(wildcard src/$(m)/*.c))
CLI_SRC := $(wildcard src/cli/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o)
UNIT    := $(foreach m,$(MODULES),$(wildcard tests/unit/test_$(m)_*.c))
UNIT_BIN := $(UNIT:tests/unit/%.c=$(BUILD)/tests/%)

# Suites are the folders under tests/ with a program named run.  These need no root.
SUITES  := $(patsubst tests/%/run,%,$(wildcard tests/*/run))
CHECK   := $(filter-out host guest tools fuzz,$(SUITES))
WORK    := $(patsubst tests/guest/work/%.c,$(BUILD)/tests/work/%,$(wildcard tests/guest/work/*.c)) \
           $(addprefix $(BUILD)/tests/work/,debug-O2 debugcc usdts_shared.so late.so calls_static calls_pie calls_nopie) \
           $(patsubst tests/guest/objects/%.c,$(BUILD)/tests/work/%.bpf.o,$(wildcard tests/guest/objects/*.c))

.PHONY: all static unit check test asan tsan fuzz fuzzers bench run docs deps install uninstall clean help
all: $(BUILD)/scry                       ## build/scry
static: $(BUILD)/scry.static             ## build/scry.static, one file without libraries

# At a fixed address, as the static one: 9,000 relocations are 0.1 ms and 0.3 MB of every start.
$(BUILD)/scry: $(CLI_OBJ) $(BUILD)/libscry.a
	$(CC) $(LDFLAGS) -no-pie -o $@ $^ $(LIBS)

$(BUILD)/scry.static: $(CLI_OBJ) $(BUILD)/libscry.a
	$(CC) $(LDFLAGS) -static -s -o $@ $^ $(LIBS)

# Rewritten when the list changes (MODULES, a file that is gone): an archive of other objects is
# not this one, however new it is.
LIST := $(BUILD)/libscry.list
ifneq ($(file <$(LIST)),$(LIB_OBJ))
.PHONY: $(LIST)
endif
$(LIST):
	@mkdir -p $(@D)
	@echo $(LIB_OBJ) >$@

$(BUILD)/libscry.a: $(LIB_OBJ) $(LIST)
	@rm -f $@
	ar rcsP $@ $(LIB_OBJ)  # P: members keep their folders, two check.o do not collide

$(BUILD)/src/script/prelude.o: src/script/prelude.bt

# What runs once per command is made small instead of fast.
COLD  := cli object cfront probe
SMALL := $(if $(filter -O2,$(CFLAGS)),-Os)
$(foreach folder,$(COLD),$(BUILD)/src/$(folder)/%.o): override CFLAGS += $(SMALL)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A unit test is tests/unit/test_<folder>_<subject>.c, a program of cmocka.
$(BUILD)/tests/test_%: tests/unit/test_%.c $(BUILD)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libscry.a -lcmocka $(LIBS)

# What carries out test cases, on this machine and in a guest alike, and what is traced there.
$(BUILD)/tests/runner: $(wildcard tests/runner/* src/base/*)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests/runner $(PLAIN) -static -s -o $@ $(filter %.c,$^)

$(BUILD)/tests/work/%: tests/guest/work/%.c tests/guest/work/work.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PLAIN) $(WORK_FLAGS) -o $@ $<

# BPF objects as others build them.
$(BUILD)/tests/work/%.bpf.o: tests/guest/objects/%.c
	@mkdir -p $(@D)
	clang -target bpf -D__TARGET_ARCH_x86 -I/usr/include/x86_64-linux-gnu -O2 -g -c -o $@ $<

$(BUILD)/tests/work/gcc_%.bpf.o: tests/guest/objects/gcc_%.c
	@mkdir -p $(@D)
	bpf-gcc -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include -O2 -gbtf -c -o $@ $<

# Those whose functions are traced keep their symbols and frames, and are loaded anywhere.
WORK_FLAGS := -static -s
$(addprefix $(BUILD)/tests/work/,calls feeds floats grows usdts manyargs paged): \
	WORK_FLAGS := -static-pie -fPIE -fno-omit-frame-pointer
$(BUILD)/tests/work/calls_static: WORK_FLAGS := -static -no-pie
$(BUILD)/tests/work/calls_pie: WORK_FLAGS := -pie -fPIE
$(BUILD)/tests/work/calls_nopie: WORK_FLAGS := -no-pie
$(BUILD)/tests/work/touches: WORK_FLAGS := -static -no-pie
$(addprefix $(BUILD)/tests/work/calls_,static pie nopie): tests/guest/work/calls.c tests/guest/work/work.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PLAIN) $(WORK_FLAGS) -o $@ $<
# These are to be found without frames.
$(BUILD)/tests/work/unwinds: WORK_FLAGS := -static-pie -fPIE -fomit-frame-pointer
$(BUILD)/tests/work/unwinds_shared: WORK_FLAGS := -fomit-frame-pointer -Wl,-z,lazy
$(BUILD)/tests/work/unwinds_shared: tests/guest/work/unwinds.c

# A process that is as short as can be: no C library, no page that is not needed.
$(BUILD)/tests/work/once: WORK_FLAGS := -static -nostdlib -no-pie -Wl,-z,norelro,--build-id=none

$(BUILD)/tests/work/usdts_shared.so: tests/guest/work/usdts.c tests/guest/work/work.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PLAIN) -DSHARED -shared -fPIC -o $@ $<

$(BUILD)/tests/work/late: WORK_FLAGS := -fomit-frame-pointer -rdynamic
$(BUILD)/tests/work/late.so: tests/guest/work/late.c tests/guest/work/work.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PLAIN) -DSHARED -shared -fPIC -fomit-frame-pointer -o $@ $<

# Those whose debug information is read: at fixed addresses and not, old and new DWARF.
$(BUILD)/tests/work/debug: WORK_FLAGS := -O0 -gdwarf-4 -static -no-pie
$(BUILD)/tests/work/debug-O2: tests/guest/work/debug.c tests/guest/work/work.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PLAIN) -O2 -gdwarf-5 -static-pie -fPIE -o $@ $<
$(BUILD)/tests/work/debugcc: tests/guest/work/debugcc.cc
	@mkdir -p $(@D)
	$(CC) -Wall -Wextra -O1 -g -fno-exceptions -fno-rtti -static -o $@ $<

# The fuzzers' harnesses: with a driver of their own, or (LIBFUZZER=1, see `fuzz`) libFuzzer's.
FUZZ     := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CLI := src/cli/capture.c src/cli/packet_line.c
$(FUZZ): $(BUILD)/tests/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/smoke.c $(FUZZ_CLI) $(BUILD)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(if $(LIBFUZZER),-fsanitize=fuzzer) -o $@ $< \
		$(if $(LIBFUZZER),,tests/fuzz/smoke.c) $(FUZZ_CLI) $(BUILD)/libscry.a $(LIBS)

TIME ?= 60
fuzz:                                    ## every fuzzer for TIME=60 seconds, with clang's libFuzzer
	@tests/deps build fuzz
	@$(MAKE) --no-print-directory fuzzers BUILD=build-fuzz CC=clang LIBFUZZER=1 \
		SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer"
	@$(MAKE) --no-print-directory $(BUILD)/tests/test_session_random
	@SEED=$$$$ SECONDS=$(TIME) $(BUILD)/tests/test_session_random
	@BUILD=build-fuzz tests/fuzz/long $(TIME)

fuzzers: $(FUZZ)

unit: $(UNIT_BIN)                        ## the unit tests, no root
	@tests/unit/run $(UNIT_BIN)

check: $(BUILD)/scry $(UNIT_BIN) $(BUILD)/tests/runner $(BUILD)/docs/reference ## all that needs no root, under a minute
	@BUILD=$(BUILD) tests/run $(CHECK)

test:                                    ## everything, with what it needs installed (root)
	@tests/deps build test
	@$(MAKE) --no-print-directory $(BUILD)/scry static $(UNIT_BIN) $(BUILD)/tests/runner \
		$(BUILD)/docs/reference $(WORK) $(FUZZ)
	@BUILD=$(BUILD) tests/run $(CHECK) $(filter-out $(CHECK),$(SUITES))

asan:                                    ## check, under the address and undefined sanitizers
	@$(MAKE) --no-print-directory check BUILD=build-asan \
		SAN="-fsanitize=address,undefined -fno-omit-frame-pointer"

TSAN := threads library maps hostile
tsan:                                    ## threads on the BPF machine, under the thread sanitizer
	@$(MAKE) --no-print-directory unit BUILD=build-tsan UNIT_BIN="$(TSAN:%=build-tsan/tests/test_vm_%)" \
		SAN="-fsanitize=thread -fno-omit-frame-pointer"

bench:                                   ## figures beside Debian's bpftrace (root)
	@tests/deps build bench
	@$(MAKE) --no-print-directory $(BUILD)/scry static $(BUILD)/bench/load $(BUILD)/bench/filter $(BUILD)/bench/machine \
		$(BUILD)/tests/work/storm $(BUILD)/tests/work/once
	@BUILD=$(BUILD) bench/run

# Those that measure the library itself; libpcap is loaded at run time.
$(BUILD)/bench/filter $(BUILD)/bench/machine: $(BUILD)/bench/%: bench/%.c src/cli/pcap.c $(BUILD)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Its stacks are walked by frame pointers.
$(BUILD)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PLAIN) -fno-omit-frame-pointer -static -o $@ $<

run:                                     ## build scry and trace something (root)
	@tests/deps build
	@$(MAKE) --no-print-directory $(BUILD)/scry
	@SCRY=$(BUILD)/scry tests/demo

docs: $(BUILD)/docs/reference            ## docs/reference.md, from the tables
	$< >docs/reference.md

$(BUILD)/docs/%: docs/%.c $(BUILD)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

deps:                                    ## install what building, testing and bench need (root)
	@tests/deps build test bench

# What scry_vm.h declares, and what that needs: no other library, and no other name is seen.
VM_PARTS := base bpf vm
install: $(BUILD)/scry                   ## DESTDIR, PREFIX; BPFTRACE=1 also links it as bpftrace
	install -D -s -m 755 $(BUILD)/scry $(DESTDIR)$(PREFIX)/bin/scry
	install -D -m 644 man/scry.1 $(DESTDIR)$(PREFIX)/share/man/man1/scry.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include include/scry_vm.h
	mkdir -p $(DESTDIR)$(PREFIX)/lib
	rm -f $(DESTDIR)$(PREFIX)/lib/libscry.a
	ld -r -o $(BUILD)/scry_vm.o $(filter $(addsuffix /%.o,$(addprefix $(BUILD)/src/,$(VM_PARTS))),$(LIB_OBJ))
	objcopy --strip-debug --wildcard --keep-global-symbol='scry_vm_*' $(BUILD)/scry_vm.o
	ar rcs $(DESTDIR)$(PREFIX)/lib/libscry.a $(BUILD)/scry_vm.o
	$(if $(BPFTRACE),ln -sf scry $(DESTDIR)$(PREFIX)/bin/bpftrace)

uninstall:                               ## undoes install
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/scry share/man/man1/scry.1 lib/libscry.a include/scry_vm.h)
	@[ "$$(readlink $(DESTDIR)$(PREFIX)/bin/bpftrace)" != scry ] || rm $(DESTDIR)$(PREFIX)/bin/bpftrace

clean:                                   ## removes all that was built
	rm -rf build build-*

help:                                    ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT_BIN:=.d)
