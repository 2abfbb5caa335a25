# pipedrive_fdw: built by PGXS and nothing else. The core's own tests are built by CMakeLists.txt.

EXTENSION = pipedrive_fdw
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pipedrive_fdw.control)

MODULE_big = pipedrive_fdw
SOURCES := $(sort $(wildcard src/core/*/*.cpp) $(wildcard src/pg/*.cpp))
OBJS = $(SOURCES:.cpp=.o)

# The extension's SQL: what is made once, then what can be run again, room by room; in each by name. Only views, defaults and
# triggers need what they name before them: CREATE EXTENSION turns check_function_bodies off.
ROOMS = base catalogue server field mirror sync webhook view schedule keeper
SCHEMA_SQL := $(sort $(wildcard src/install/schema/*.sql))
CODE_SQL := $(foreach room,$(ROOMS),$(sort $(wildcard src/install/code/$(room)/*.sql)))
INSTALL_SQL := $(SCHEMA_SQL) $(CODE_SQL)
LOST_SQL := $(filter-out $(INSTALL_SQL),$(shell find src/install -name '*.sql' -not -path 'src/install/updates/*'))
ifneq ($(strip $(LOST_SQL)),)
$(error in no room of the Makefile: $(LOST_SQL))
endif

# Updates to this version, src/install/updates/FROM--TO: what changed in schema/, what is not there of schema/, all of code/, and
# what needs the code. The wrapper is never made twice.
UPDATES := $(notdir $(wildcard src/install/updates/*--$(EXTVERSION)))
UPDATE_SQL = $(sort $(wildcard src/install/updates/$(1)/$(2)/*.sql))
BEFORE_CHANGES := $(filter %/05_alone.sql %/10_schemas.sql,$(SCHEMA_SQL))
IF_NOT_THERE := $(filter-out $(BEFORE_CHANGES) %/20_wrapper.sql,$(SCHEMA_SQL))
UPDATE_SCRIPTS := $(UPDATES:%=$(EXTENSION)--%.sql)
DATA_built = $(EXTENSION)--$(EXTVERSION).sql $(UPDATE_SCRIPTS)

# pg_regress: needs a running server and the simulator; script/test provides both.
REGRESS ?= $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=.

# -Wno-register: headers of PostgreSQL before 16 use "register", which C++17 removed. $(COPT): PGXS adds it for C only.
# No -fvisibility=hidden: before 16 nothing marks our functions for export; exports.map decides what leaves the library.
PG_CPPFLAGS = -Isrc -DPIPEDRIVE_FDW_VERSION='"$(EXTVERSION)"' -DPIPEDRIVE_VERSION='"$(EXTVERSION)"'
PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-register -Wno-unused-parameter -Wno-missing-field-initializers -MMD -MP $(COPT)
SHLIB_LINK = -lcurl -lstdc++ -Wl,--version-script=exports.map -Wl,--gc-sections
EXTRA_CLEAN = $(SOURCES:.cpp=.d) $(EXTENSION)--*.sql

# No bitcode: the callbacks of a foreign-data wrapper are not inlined by JIT, and PGXS would compile them with clang's default C++ standard.
override with_llvm := no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Header edits rebuild what includes them; a change of version, flags or export list rebuilds all.
-include $(SOURCES:.cpp=.d)
$(OBJS): Makefile pipedrive_fdw.control
$(shlib): exports.map

$(EXTENSION)--$(EXTVERSION).sql: $(INSTALL_SQL) pipedrive_fdw.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit' ''; cat $(INSTALL_SQL); } > $@

$(UPDATE_SCRIPTS): $(EXTENSION)--%.sql: $(INSTALL_SQL) $(sort $(wildcard src/install/updates/*/*/*.sql)) pipedrive_fdw.control
	{ printf '%s\n' '\echo Use "ALTER EXTENSION $(EXTENSION) UPDATE" to load this file. \quit' ''; \
	  cat $(BEFORE_CHANGES) $(call UPDATE_SQL,$*,before); \
	  sed -E 's/^CREATE (UNLOGGED )?(TABLE|SEQUENCE|INDEX) /CREATE \1\2 IF NOT EXISTS /' $(IF_NOT_THERE); \
	  cat $(CODE_SQL) $(call UPDATE_SQL,$*,after); } > $@

.PHONY: demo test bench
demo:
	script/demo
test:
	script/test
