# What script/test can run, section by section. Each function here is a job of jobs.sh, in a shell of its own: it prints
# lines of the report and counts. POSIX sh; sourced by script/test, never run.

# shellcheck shell=sh

PASSED=0
FAILED=0
LOGS=$PROJECT_DIR/build/test-logs
section_start=0

now() { date +%s; }
begin() { section_start=$(now); }

# One line of the report.
tally() { # TITLE PASSED FAILED [LOG]
    PASSED=$((PASSED + $2))
    FAILED=$((FAILED + $3))
    printf '%-34s %5d passed %4d failed %5d s\n' "$1" "$2" "$3" $(($(now) - section_start))
    if [ "$3" -gt 0 ] && [ -n "${4:-}" ]; then
        printf '    see %s\n' "${4#"$PROJECT_DIR"/}"
        tail -n 25 "$4" | sed 's/^/    | /'
    fi
    begin
}

skipped() { printf '%-34s skipped: %s\n' "$1" "$2"; }

count() { grep -c -E "$1" "$2" 2>/dev/null || :; }

# ---------------------------------------------------------------------------------------------------------
# Without a server
# ---------------------------------------------------------------------------------------------------------

# A checker that prints 'ok' and 'not ok' lines.
run_checker() { # TITLE SCRIPT
    checker_log=$LOGS/${2##*/}.log
    run_step "$2" >"$checker_log" 2>&1
    checker_status=$?
    bad=$(count '^not ok' "$checker_log")
    [ "$checker_status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    tally "$1" "$(count '^ok' "$checker_log")" "$bad" "$checker_log"
}

section_layers() {
    run_checker 'layers' script/check-layers
    run_checker 'layers: rules of the SQL' script/check-sql
}

# clang-format's output differs from major to major; .clang-format is written for this one.
section_format() {
    major=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
    if [ "$major" != 14 ]; then
        skipped 'format' "needs clang-format 14, here is ${major:-none}"
        return
    fi
    good=0
    bad=0
    : >"$LOGS/format.log"
    for file in $(find src test/unit -name '*.h' -o -name '*.cpp' | LC_ALL=C sort); do
        if clang-format --dry-run -Werror "$file" >>"$LOGS/format.log" 2>&1; then
            good=$((good + 1))
        else
            bad=$((bad + 1))
        fi
    done
    [ "$good" -gt 0 ] || bad=1
    tally 'format' "$good" "$bad" "$LOGS/format.log"
}

unit_options() { # plain|sanitized
    case $1 in
        plain) say -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPIPEDRIVE_WERROR=ON ;;
        sanitized) say -DCMAKE_BUILD_TYPE=Debug -DPIPEDRIVE_SANITIZE=ON ;;
    esac
}

unit_build() { # plain|sanitized COMPILERS
    log=$LOGS/unit-$1-build.log
    # shellcheck disable=SC2046  # words
    if run_step cmake -S . -B "build/$1" -G Ninja $(unit_options "$1") >"$log" 2>&1 &&
        run_step cmake --build "build/$1" --parallel "$2" >>"$log" 2>&1; then
        tally "units ($1): build" 1 0
    else
        tally "units ($1): build" 0 1 "$log"
    fi
}

unit_run() { # plain|sanitized TITLE FILTER
    log=$LOGS/unit-$2.log
    result=$PROJECT_DIR/build/$1/unit-$2.json
    rm -f "$result"
    run_step env ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
        UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 "build/$1/pipedrive_unit" \
        --gtest_brief=1 "--gtest_output=json:$result" "--gtest_filter=$3" >"$log" 2>&1
    unit_status=$?
    unit=$2
    if [ -s "$result" ]; then
        # shellcheck disable=SC2046  # two words
        set -- $(python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
bad = r["failures"] + r.get("errors", 0)
print(r["tests"] - bad - r.get("disabled", 0), bad)' "$result")
    else
        set -- 0 1 # it died before it could write
    fi
    good=${1:-0}
    bad=${2:-1}
    [ "$unit_status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1 # a leak report comes after the last test
    [ "$good" -eq 0 ] && [ "$bad" -eq 0 ] && bad=1
    tally "units ($unit)" "$good" "$bad" "$log"
}

section_simulator() {
    log=$LOGS/simulator.log
    run_step_unprivileged python3 test/simulator/selftest.py >"$log" 2>&1
    simulator_status=$?
    ran=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\}.*/\1/p' "$log" | tail -n 1)
    bad=$(sed -n 's/^FAILED (\(.*\))/\1/p' "$log" | tr ',' '\n' | sed -n 's/.*\(failures\|errors\)=//p' | awk '{ n += $1 } END { print n + 0 }')
    ran=${ran:-0}
    [ "$simulator_status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    [ "$ran" -eq 0 ] && [ "$bad" -eq 0 ] && bad=1
    good=$((ran - bad))
    [ "$good" -ge 0 ] || good=0
    tally "the simulator's own" "$good" "$bad" "$log"
}

# ---------------------------------------------------------------------------------------------------------
# The module, and what needs a server with it
# ---------------------------------------------------------------------------------------------------------

# Built and installed for every section that needs the server; and the cluster that the others copy.
section_install() { # [MAKE-ARGUMENT...]
    log=$LOGS/module.log
    good=0
    bad=0
    if build_module "$log" "$@"; then
        good=1
        # a Makefile that drops our flags would make this check an empty one
        if grep -E '[-]c .*\.cpp|\.cpp.* -c ' "$log" | grep -q -v -e '-Werror'; then
            printf '%s\n' 'some file was compiled without -Werror' >>"$log"
            bad=1
        fi
        if install_module "$log" "$@"; then good=$((good + 1)); else bad=$((bad + 1)); fi
    else
        bad=1
    fi
    tally 'module: build and install' "$good" "$bad" "$log"
    if [ "$bad" -eq 0 ] && ! cluster_template 2>"$LOGS/cluster.log"; then
        tally 'throw-away cluster' 0 1 "$LOGS/cluster.log"
    fi
}

section_module() { run_checker 'module: exports' script/check-exports; }

# Where no package of it is for this major, or PostgreSQL is not the distribution's, it may not be there.
section_plpgsql() {
    if [ -e "$("$PG_CONFIG" --sharedir)/extension/plpgsql_check.control" ]; then
        section_program plpgsql
    else
        skipped 'plpgsql' "there is no plpgsql_check for $PG_CONFIG"
    fi
}

# A cluster and a simulator for a test that is told by the environment where they are.
with_server() { # TITLE FUNCTION LOG [SIMULATOR-ARGUMENT...]
    server_title=$1
    server_function=$2
    server_log=$3
    shift 3
    # shellcheck disable=SC2086
    if ! { cluster_start && simulator_start $SIMULATOR_ARGS "$@"; } >"$server_log" 2>&1; then
        tally "$server_title: no server" 0 1 "$server_log"
        return
    fi
    "$server_function"
    simulator_stop
    cp "$CLUSTER_LOG" "$LOGS/postgresql-${server_log##*/}"
    cluster_alive || tally "$server_title: the cluster did not survive" 0 1 "$LOGS/postgresql-${server_log##*/}"
    cluster_stop
}

variant_settings() { # VARIANT
    printf '%s\n' "$VARIANTS" | sed -n "s/^$1: *//p"
}

section_regress() { # VARIANT
    variant=$1
    title='regress'
    set --
    if [ "$variant" != default ]; then
        title="regress, switches: $variant"
        for setting in $(variant_settings "$variant"); do set -- "$@" --switch "$setting"; done
    fi
    if [ -z "$REGRESS_FILES" ]; then
        tally "$title: no file in sql/" 0 1
        return
    fi
    with_server "$title" regress_files "$LOGS/regress-$variant.log" "$@"
}

# pg_regress says 'test import ... ok' up to 15 and 'ok 1 - import' from 16 on.
regress_files() {
    log=$LOGS/regress-$variant.log
    output=$STAGE/regress-$variant
    as_unprivileged mkdir -p "$output"
    for name in $REGRESS_FILES; do # a new file: pg_regress would not run on without
        [ -e "$STAGE/expected/$name.out" ] || as_unprivileged touch "$STAGE/expected/$name.out"
    done
    # shellcheck disable=SC2086
    run_step_unprivileged "$PG_PGXS_DIR/test/regress/pg_regress" --inputdir="$STAGE" --outputdir="$output" \
        --bindir="$PG_BINDIR" --host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --encoding=UTF8 \
        --dbname=contrib_regression $REGRESS_FILES >>"$log" 2>&1
    regress_status=$?
    good=$(count '^(ok +[0-9]+ |(test | {5}).* \.\.\. ok )' "$log")
    # shellcheck disable=SC2086
    set -- $REGRESS_FILES
    bad=$(($# - good))
    [ "$regress_status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    if [ "$bad" -gt 0 ] && [ -n "$ACCEPT" ]; then
        accept_results
    elif [ "$bad" -gt 0 ] && [ -s "$output/regression.diffs" ]; then
        cp "$output/regression.diffs" "$LOGS/regress-$variant.diffs"
        tally "$title" "$good" "$bad"
        grep -E '^(not ok|(test | {5}).*FAILED)' "$log" | sed 's/^/    | /'
        printf '    see build/test-logs/regress-%s.diffs\n' "$variant"
        head -n 60 "$output/regression.diffs" | sed 's/^/    | /'
    else
        tally "$title" "$good" "$bad" "$log"
    fi
}

# The new output becomes the expected one, unless psql or the server did not come to the end of the file.
accept_results() {
    accepted=0
    refused=0
    for name in $REGRESS_FILES; do
        result=$output/results/$name.out
        cmp -s "$result" "$PROJECT_DIR/expected/$name.out" && continue
        if [ ! -s "$result" ] || grep -E "^(not ok|test).* $name .*" "$log" | grep -q 'test process'; then
            printf '    | %s did not come to its end, so its output was not accepted\n' "$name"
            refused=$((refused + 1))
            continue
        fi
        [ -e "$PROJECT_DIR/expected/$name.out" ] || : >"$PROJECT_DIR/expected/$name.out"
        diff -u --label "expected/$name.out" --label "$name, now" "$PROJECT_DIR/expected/$name.out" "$result"
        cat "$result" >"$PROJECT_DIR/expected/$name.out"
        accepted=$((accepted + 1))
    done
    tally "$title: $accepted accepted" "$((good + accepted))" "$refused" "$log"
}

# Every value of every switch must occur in VARIANTS, or be the default.
section_settings() {
    if printf '%s\n' "$VARIANTS" | python3 -c '
import sys
sys.path.insert(0, "test/simulator")
from switches import SWITCHES
tried = set(sys.stdin.read().split())
known = {"%s=%s" % (name, value) for name, values, _ in SWITCHES for value in values[1:]}
untried = sorted(known - tried)
unknown = sorted(word for word in tried - known if "=" in word)
for word in untried: print("never tried:", word)
for word in unknown: print("no such setting:", word)
sys.exit(1 if untried or unknown else 0)' >"$LOGS/switches.log" 2>&1; then
        set -- 1 0
    else
        set -- 0 1
    fi
    tally 'switches: every setting is tried' "$1" "$2" "$LOGS/switches.log"
}

# One file as PGXS's prove_installcheck runs it. It starts its own servers and simulator.
section_tap() { # NAME
    log=$LOGS/tap-$1.log
    data=$STAGE/tap/$1
    as_unprivileged mkdir -p "$data/log"
    run_step_unprivileged env PERL5LIB="$PG_PGXS_DIR/test/perl${PERL5LIB:+:$PERL5LIB}" \
        PG_REGRESS="$PG_PGXS_DIR/test/regress/pg_regress" TESTDIR="$data" TESTDATADIR="$data" \
        TESTLOGDIR="$data/log" PGPORT=65432 \
        prove -v -I "$PG_PGXS_DIR/test/perl" -I "$STAGE/test/t" "$STAGE/test/t/$1.pl" >"$log" 2>&1
    tap_status=$?
    rm -rf "$LOGS/tap-$1"
    cp -R "$data/log" "$LOGS/tap-$1" 2>/dev/null
    good=$(count '^ok [0-9]+' "$log")
    bad=$(grep -E '^not ok [0-9]+' "$log" | grep -v -c '# TODO' || :)
    [ "$tap_status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    [ "$good" -eq 0 ] && [ "$bad" -eq 0 ] && bad=1
    tally "tap: $1" "$good" "$bad" "$log"
    if [ "$bad" -gt 0 ]; then
        grep -n -B 1 -A 12 -E '^not ok|^# +Failed|Dubious' "$log" | head -n 60 | sed 's/^/    | /'
        say "    its servers and scripts: build/test-logs/tap-$1"
    fi
}

# A test that is a program: test/NAME/run, which ends with the line 'N passed, N failed'.
section_program() { # NAME [ARGUMENT...]
    program=$1
    shift
    program_arguments=$*
    log=$LOGS/$program.log
    if [ ! -x "test/$program/run" ]; then
        say "test/$program/run is missing" >"$log"
        tally "$program" 0 1 "$log"
        return
    fi
    with_server "$program" program_run "$log"
}

program_run() {
    # shellcheck disable=SC2086  # words
    run_step_unprivileged "test/$program/run" $program_arguments >"$log" 2>&1
    program_status=$?
    # shellcheck disable=SC2046
    set -- $(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*/\1 \2/p' "$log" | tail -n 1)
    good=${1:-0}
    bad=${2:-1}
    [ "$program_status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    if [ "$bad" -gt 0 ] && grep -q '^not ok' "$log"; then
        tally "$program" "$good" "$bad"
        printf '    see build/test-logs/%s.log\n' "$program"
        grep -n -A 12 '^not ok' "$log" | head -n 60 | sed 's/^/    | /'
    else
        tally "$program" "$good" "$bad" "$log"
    fi
    if [ -n "$WRITE" ]; then take_pages; fi
}

# What test/docs/run --write wrote in the staged tree.
take_pages() {
    for page in README.md doc/*.md; do
        cmp -s "$STAGE/$page" "$page" && continue
        diff -u --label "$page" --label "$page, now" "$page" "$STAGE/$page"
        cat "$STAGE/$page" >"$page"
        say "    written: $page"
    done
}
