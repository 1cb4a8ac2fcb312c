# scry: build, test, install.  `make help` lists the targets.

BUILD   ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
VERSION := $(shell sed -n 's/^\#define SCRY_VERSION *"\(.*\)"/\1/p' include/scry.h)

CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wpointer-arith -Wwrite-strings \
            -Wno-missing-field-initializers
CPPFLAGS += -Isrc -Iinclude -D_GNU_SOURCE
LIBS     :=
override CFLAGS += -std=gnu11 $(WARN) -fno-strict-aliasing -ffunction-sections -fdata-sections $(SAN)
override LDFLAGS += -Wl,--gc-sections $(SAN)

# Folders of the library; narrow it while another folder is under construction:
#   make check MODULES="base ir" BUILD=/tmp/b
MODULES ?= $(filter-out cli,$(notdir $(patsubst %/,%,$(wildcard src/*/))))
LIB_SRC := $(foreach m,$(MODULES),$(wildcard src/$(m)/*.c))
CLI_SRC := $(wildcard src/cli/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o)
UNIT    := $(foreach m,$(MODULES),$(wildcard tests/unit/test_$(m)_*.c))
UNIT_BIN := $(UNIT:tests/unit/%.c=$(BUILD)/tests/%)

.PHONY: all static help unit clean
all: $(BUILD)/scry
static: $(BUILD)/scry.static

$(BUILD)/scry: $(CLI_OBJ) $(BUILD)/libscry.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/scry.static: $(CLI_OBJ) $(BUILD)/libscry.a
	$(CC) $(LDFLAGS) -static -s -o $@ $^ $(LIBS)

$(BUILD)/libscry.a: $(LIB_OBJ)
	@rm -f $@
	ar rcsP $@ $^  # P: members keep their folders, two check.o do not collide

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A unit test is tests/unit/test_<folder>_<subject>.c, a program of cmocka.
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/libscry.a -lcmocka $(LIBS)

unit: $(UNIT_BIN)
	@for t in $(UNIT_BIN); do echo "== $$t"; $$t || exit 1; done

clean:
	rm -rf build build-*

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT_BIN:=.d)
