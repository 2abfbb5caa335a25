# Functions shared by script/test and script/demo. POSIX sh; sourced, never run.
#
# The caller sets PROJECT_DIR (absolute) and calls `run_dir_create` before anything that starts a process.
# Everything that is started or written outside the project lives in RUN_DIR and dies with the script.

# shellcheck shell=sh

RUN_DIR=            # this run's private directory: cluster, sockets, logs, staged tests
CLUSTER_DATA=       # data directory of the running cluster, empty if none runs
SIMULATOR_PID=      # process group of the running simulator, empty if none runs
STEP_PID=           # process group of the command that `run_step` is waiting for
KEEP_RUN_DIR=       # not empty: leave RUN_DIR behind
BUILD_PACKAGES=
TEST_PACKAGES=

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { warn "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }

# ---------------------------------------------------------------------------------------------------------
# Packages
# ---------------------------------------------------------------------------------------------------------

as_root() {
    if is_root; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        warn "this needs root, and there is no sudo here: $*"
        return 1
    fi
}

# A PostgreSQL one can build against and start a server of.
complete_postgres() { # BINDIR
    [ -x "$1/pg_config" ] && [ -x "$1/postgres" ] && [ -x "$1/initdb" ] &&
        [ -e "$("$1/pg_config" --pgxs)" ]
}

# The major version that the distribution's metapackage stands for; needs package lists or an installed one.
distribution_major() {
    {
        apt-cache depends postgresql
        dpkg-query -W -f='${Depends}\n' postgresql
    } 2>/dev/null | sed -n 's/.*postgresql-\([0-9][0-9]*\).*/\1/p' | head -n 1
}

# Sets PG_MAJOR: of PG_CONFIG if given, else the distribution's, else the newest complete installation.
choose_postgres() {
    if [ -n "${PG_CONFIG:-}" ]; then
        have "$PG_CONFIG" || die "PG_CONFIG is set to \"$PG_CONFIG\", which cannot be run"
        PG_CONFIG=$(command -v "$PG_CONFIG")
        PG_MAJOR=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        return
    fi
    PG_MAJOR=
    if have apt-get; then
        PG_MAJOR=$(distribution_major)
        [ -n "$PG_MAJOR" ] && complete_postgres "/usr/lib/postgresql/$PG_MAJOR/bin" && return
    fi
    for major in 18 17 16 15 14; do
        if complete_postgres "/usr/lib/postgresql/$major/bin"; then
            PG_MAJOR=$major
            return
        fi
    done
}

find_pg_config() {
    if [ -z "${PG_CONFIG:-}" ]; then
        if [ -n "$PG_MAJOR" ] && [ -x "/usr/lib/postgresql/$PG_MAJOR/bin/pg_config" ]; then
            PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
        elif have pg_config; then
            PG_CONFIG=$(command -v pg_config)
        else
            die "no pg_config found; set PG_CONFIG"
        fi
    fi
    PG_BINDIR=$("$PG_CONFIG" --bindir)
    PG_PKGLIBDIR=$("$PG_CONFIG" --pkglibdir)
    # shellcheck disable=SC2034  # for script/test
    PG_PGXS_DIR=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")") # .../pgxs/src
    PG_MAJOR=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    export PG_CONFIG
}

list_packages() { # build|test
    BUILD_PACKAGES="g++ make pkg-config libcurl4-openssl-dev rapidjson-dev python3 ca-certificates"
    case ${PG_CONFIG:-/usr/lib/postgresql/} in
        # Debian's own PostgreSQL; any other is the caller's business.
        /usr/lib/postgresql/* | /usr/bin/*)
            BUILD_PACKAGES="$BUILD_PACKAGES postgresql-${PG_MAJOR:-NN} postgresql-server-dev-${PG_MAJOR:-NN}"
            CRON_PACKAGE="postgresql-${PG_MAJOR:-NN}-cron"
            ;;
        *) CRON_PACKAGE= ;;
    esac
    TEST_PACKAGES="cmake ninja-build libgtest-dev zlib1g-dev clang-format libipc-run-perl perl curl binutils ${CRON_PACKAGE:-}"
    case $1 in
        build) say "$BUILD_PACKAGES" ;;
        test) say "$BUILD_PACKAGES $TEST_PACKAGES" ;;
    esac
}

missing_packages() { # PACKAGE...
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
    done
}

need_tools() { # build|test, on a system that we cannot install on
    tools="g++ make pkg-config python3"
    [ "$1" = test ] && tools="$tools cmake ninja prove perl curl nm"
    absent=
    for tool in $tools; do
        have "$tool" || absent="$absent $tool"
    done
    [ -n "${PG_CONFIG:-}" ] || have pg_config || absent="$absent pg_config"
    [ -z "$absent" ] && return
    warn "missing here:$absent"
    warn "install what your system calls these Debian packages: $(list_packages "$1")"
    exit 3
}

# Debian's package creates and starts a cluster 'main' when PostgreSQL is installed for the first time. Nobody
# asked us for a server, so a drop-in says no for as long as apt-get runs; existing clusters are not touched.
DROP_IN_WRITTEN=
NO_MAIN_CLUSTER=/etc/postgresql-common/createcluster.d/zz-pipedrive-fdw-no-main.conf

remove_drop_in() {
    [ -n "$DROP_IN_WRITTEN" ] || return 0
    as_root rm -f "$NO_MAIN_CLUSTER"
    DROP_IN_WRITTEN=
}

apt_install() { # PACKAGE...
    case " $* " in
        *" postgresql-$PG_MAJOR "*)
            as_root mkdir -p "${NO_MAIN_CLUSTER%/*}"
            DROP_IN_WRITTEN=yes
            say 'create_main_cluster = false' | as_root tee "$NO_MAIN_CLUSTER" >/dev/null
            ;;
    esac
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -q --no-install-recommends "$@" >"$RUN_DIR/apt.log" 2>&1
    apt_status=$?
    remove_drop_in
    if [ "$apt_status" -ne 0 ]; then
        tail -n 25 "$RUN_DIR/apt.log" >&2
        die "apt-get could not install: $*"
    fi
}

apt_update() {
    say "reading the package lists (apt-get update)"
    as_root apt-get -o DPkg::Lock::Timeout=300 update -q >"$RUN_DIR/apt.log" 2>&1 ||
        { tail -n 25 "$RUN_DIR/apt.log" >&2; die "apt-get update failed"; }
}

# Installs what the build (or build and tests) need and is not there. Sets PG_CONFIG and friends.
need_packages() { # build|test
    choose_postgres
    if ! have apt-get; then
        need_tools "$1"
        find_pg_config
        return
    fi
    # shellcheck disable=SC2046  # one word a package
    missing=$(missing_packages $(list_packages "$1"))
    if [ -n "$missing" ]; then
        if ! is_root && ! have sudo; then
            warn "missing packages: $(printf '%s' "$missing" | sed "s/-NN/-<major version>/g")"
            warn "install them as root with apt-get, then run this again"
            exit 3
        fi
        apt_update
        [ -n "$PG_MAJOR" ] || choose_postgres
        [ -n "$PG_MAJOR" ] || PG_MAJOR=$(distribution_major)
        [ -n "$PG_MAJOR" ] || die "apt knows no package 'postgresql'"
        # shellcheck disable=SC2046
        missing=$(missing_packages $(list_packages "$1"))
        say "installing: $missing"
        # shellcheck disable=SC2086
        apt_install $missing
    fi
    find_pg_config
}

# ---------------------------------------------------------------------------------------------------------
# The run directory, the unprivileged user, steps that can be interrupted
# ---------------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root, so root hands servers and tests to the package's user.
choose_user() {
    UNPRIVILEGED=
    is_root || return 0
    if id postgres >/dev/null 2>&1; then UNPRIVILEGED=postgres; else UNPRIVILEGED=nobody; fi
    # root's own PATH may start in a home directory that nobody else can read
    UNPRIVILEGED_PATH=$PG_BINDIR:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
}

# exec, so that in the background $! is the command itself: setpriv and env replace themselves.
exec_unprivileged() { # CMD...
    if [ -n "${UNPRIVILEGED:-}" ]; then
        exec setpriv --reuid="$UNPRIVILEGED" --regid="$(id -g "$UNPRIVILEGED")" --init-groups -- \
            env HOME="$RUN_DIR/home" USER="$UNPRIVILEGED" LOGNAME="$UNPRIVILEGED" TMPDIR="$RUN_DIR/tmp" \
            PATH="$UNPRIVILEGED_PATH" "$@"
    else
        exec env HOME="$RUN_DIR/home" TMPDIR="$RUN_DIR/tmp" PATH="$PG_BINDIR:$PATH" "$@"
    fi
}

as_unprivileged() { ( cd "$RUN_DIR" && exec_unprivileged "$@" ); }

# Unix socket paths end at 107 bytes, so a long TMPDIR is no place for us.
run_dir_create() {
    run_parent=${TMPDIR:-/tmp}
    [ "${#run_parent}" -le 60 ] && [ -w "$run_parent" ] || run_parent=/tmp
    RUN_DIR=$(mktemp -d "$run_parent/pipedrive_fdw.XXXXXX") || exit 1
    mkdir "$RUN_DIR/home" "$RUN_DIR/tmp" "$RUN_DIR/socket" "$RUN_DIR/log"
    export PYTHONDONTWRITEBYTECODE=1
    # a proxy is for the outside, not for the simulator
    no_proxy=127.0.0.1,localhost${no_proxy:+,$no_proxy}
    NO_PROXY=$no_proxy
    export no_proxy NO_PROXY
}

# After need_packages: the unprivileged user exists now.
run_dir_hand_over() {
    choose_user
    [ -n "$UNPRIVILEGED" ] || return 0
    if ! as_unprivileged test -x "${RUN_DIR%/*}"; then
        new_dir=$(mktemp -d /tmp/pipedrive_fdw.XXXXXX) || exit 1
        rm -rf "$new_dir" && mv "$RUN_DIR" "$new_dir" && RUN_DIR=$new_dir
    fi
    chown -R "$UNPRIVILEGED" "$RUN_DIR"
}

# Runs a command in its own process group and waits for it, so that a signal to this script is acted on at
# once and reaches everything the command has started. (A background command would ignore SIGINT: reset it.)
run_step() { # CMD...
    setsid env --default-signal=INT,QUIT "$@" 9>&- &
    STEP_PID=$!
    wait "$STEP_PID"
    step_status=$?
    STEP_PID=
    return "$step_status"
}

run_step_unprivileged() { # CMD..., in STAGE
    (
        exec 9>&-
        cd "$STAGE" || exit 1
        exec_unprivileged setsid env --default-signal=INT,QUIT "$@"
    ) &
    STEP_PID=$!
    wait "$STEP_PID"
    step_status=$?
    STEP_PID=
    return "$step_status"
}

# TERM, then KILL after two seconds, to a whole process group.
end_group() { # PID
    kill -s TERM -- "-$1" 2>/dev/null || kill -s TERM "$1" 2>/dev/null || return 0
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -s 0 -- "-$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -s KILL -- "-$1" 2>/dev/null
}

# Everything of ours runs below RUN_DIR: the simulator in STAGE, every PostgreSQL process in its data directory,
# those that TAP tests have started included.
running_in_run_dir() {
    for cwd in /proc/[0-9]*/cwd; do
        case $(readlink "$cwd" 2>/dev/null) in
            "$RUN_DIR" | "$RUN_DIR"/*)
                pid=${cwd#/proc/}
                pid=${pid%/cwd}
                [ "$pid" = "$$" ] || printf '%s ' "$pid"
                ;;
        esac
    done
}

# QUIT is an immediate shutdown to PostgreSQL and the end to the rest.
end_running_in_run_dir() {
    for end_signal in QUIT QUIT KILL; do
        left=$(running_in_run_dir)
        [ -n "$left" ] || return 0
        # shellcheck disable=SC2086  # one word a process
        kill -s "$end_signal" $left 2>/dev/null
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            [ -n "$(running_in_run_dir)" ] || return 0
            sleep 0.1
        done
    done
}

cleanup() {
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$STEP_PID" ]; then end_group "$STEP_PID"; fi
    cd / || :
    simulator_stop
    cluster_stop
    remove_drop_in
    case $RUN_DIR in
        */pipedrive_fdw.??????)
            end_running_in_run_dir
            if [ -n "$KEEP_RUN_DIR" ]; then say "kept: $RUN_DIR"; else rm -rf "$RUN_DIR"; fi
            ;;
    esac
}

# 128 + signal number, as a shell would report it.
install_traps() {
    trap cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

# ---------------------------------------------------------------------------------------------------------
# Build and install
# ---------------------------------------------------------------------------------------------------------

# The server loads the library from one directory of the system, so two runs (of two clones, say) must not
# overlap: the lock is on that directory itself, held on descriptor 9 until lock_release or the script's end.
lock_install() {
    exec 9<"$PG_PKGLIBDIR"
    flock -n 9 && return
    say "another run is using the installed extension; waiting for it"
    flock 9 &
    STEP_PID=$!
    wait "$STEP_PID" || exit 1
    STEP_PID=
}

lock_release() { exec 9>&-; }

jobs() { nproc 2>/dev/null || echo 2; }

# Objects of another PostgreSQL, or made with other flags, look up to date to make. Remember what they are for.
build_module() { # LOG [MAKE-ARGUMENT...]
    build_log=$1
    shift
    module_stamp=$PROJECT_DIR/build/module-flags
    module_flags="$("$PG_CONFIG" --version) $*"
    if [ -e "$module_stamp" ] && [ "$(cat "$module_stamp")" = "$module_flags" ]; then :; else
        make -C "$PROJECT_DIR" PG_CONFIG="$PG_CONFIG" clean >"$build_log" 2>&1
        mkdir -p "${build_log%/*}" # where clean takes build/ along
    fi
    run_step make -C "$PROJECT_DIR" -j"$(jobs)" PG_CONFIG="$PG_CONFIG" "$@" all >>"$build_log" 2>&1 || return 1
    mkdir -p "${module_stamp%/*}" && printf '%s\n' "$module_flags" >"$module_stamp"
}

install_module() { # LOG [MAKE-ARGUMENT...]
    install_log=$1
    shift
    if [ -w "$PG_PKGLIBDIR" ]; then
        make -C "$PROJECT_DIR" PG_CONFIG="$PG_CONFIG" "$@" install >>"$install_log" 2>&1
    else
        as_root make -C "$PROJECT_DIR" PG_CONFIG="$PG_CONFIG" "$@" install >>"$install_log" 2>&1
    fi
}

# A copy of what runs as the unprivileged user: root's clone may be unreadable for it, and test output stays out
# of the clone. Sets STAGE. `../shared`, where it exists, stays at ../shared.
stage_tree() {
    STAGE=$RUN_DIR/tree/pipedrive_fdw
    mkdir -p "$STAGE"
    for part in sql expected test script doc README.md; do
        [ -e "$PROJECT_DIR/$part" ] && cp -R "$PROJECT_DIR/$part" "$STAGE/"
    done
    mkdir -p "$STAGE/src/pg"
    cp "$PROJECT_DIR/src/pg/report.cpp" "$STAGE/src/pg/" # its messages are looked for in the README
    PIPEDRIVE_TEST_ROOT=$STAGE
    PIPEDRIVE_SIMULATOR_DIR=$STAGE/test/simulator
    PIPEDRIVE_SIMULATOR_CTL=$STAGE/test/simulator/ctl
    export PIPEDRIVE_TEST_ROOT PIPEDRIVE_SIMULATOR_DIR PIPEDRIVE_SIMULATOR_CTL
    if [ -d "$PROJECT_DIR/../shared/recorded" ]; then
        mkdir -p "$RUN_DIR/tree/shared"
        cp -R "$PROJECT_DIR/../shared/recorded" "$RUN_DIR/tree/shared/"
    fi
    chmod -R u+w "$RUN_DIR/tree"
    [ -z "$UNPRIVILEGED" ] || chown -R "$UNPRIVILEGED" "$RUN_DIR/tree"
}

# ---------------------------------------------------------------------------------------------------------
# The throw-away cluster and the simulator
# ---------------------------------------------------------------------------------------------------------

# Reachable only through a socket in RUN_DIR, which only its owner and root may enter: hence trust.
cluster_start() {
    CLUSTER_LOG=$RUN_DIR/log/postgresql.log
    as_unprivileged initdb -D "$RUN_DIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N \
        >"$RUN_DIR/log/initdb.log" 2>&1 || { cat "$RUN_DIR/log/initdb.log" >&2; return 1; }
    cat >>"$RUN_DIR/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$RUN_DIR/socket'
unix_socket_permissions = 0700
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 60
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %q%u@%d '
log_min_error_statement = panic
cluster_name = 'pipedrive_fdw throw-away'
END
    CLUSTER_DATA=$RUN_DIR/data
    as_unprivileged pg_ctl -D "$CLUSTER_DATA" -l "$CLUSTER_LOG" -w -t 60 -s start \
        </dev/null >"$RUN_DIR/log/pg_ctl.log" 2>&1 9>&- ||
        { cat "$RUN_DIR/log/pg_ctl.log" "$CLUSTER_LOG" >&2; return 1; }
    PGHOST=$RUN_DIR/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    PIPEDRIVE_CLUSTER_LOG=$CLUSTER_LOG
    export PGHOST PGPORT PGUSER PGDATABASE PIPEDRIVE_CLUSTER_LOG
    unset PGPASSWORD PGSERVICE PGOPTIONS PGSSLMODE PGHOSTADDR PGPASSFILE
}

cluster_pid() { head -n 1 "$CLUSTER_DATA/postmaster.pid" 2>/dev/null; }

# Neither gone nor restarted after a crash of a backend.
cluster_alive() {
    as_unprivileged pg_ctl -D "$CLUSTER_DATA" status >/dev/null 2>&1 &&
        ! grep -q 'all server processes terminated; reinitializing' "$CLUSTER_LOG"
}

cluster_stop() {
    [ -n "$CLUSTER_DATA" ] || return 0
    cluster_postmaster=$(cluster_pid)
    as_unprivileged pg_ctl -D "$CLUSTER_DATA" -m fast -w -t 10 -s stop >/dev/null 2>&1 ||
        as_unprivileged pg_ctl -D "$CLUSTER_DATA" -m immediate -w -t 10 -s stop >/dev/null 2>&1
    if [ -n "$cluster_postmaster" ] && kill -s 0 "$cluster_postmaster" 2>/dev/null; then
        kill -s KILL -- "-$cluster_postmaster" 2>/dev/null
    fi
    CLUSTER_DATA=
}

# Exports PIPEDRIVE_SIMULATOR_URL (no slash at the end). Runs from STAGE.
simulator_start() { # ARGUMENT...
    simulator_stop
    port_file=$RUN_DIR/tmp/simulator.url
    rm -f "$port_file"
    (
        exec 9>&-
        cd "$STAGE" || exit 1
        exec_unprivileged setsid python3 "$STAGE/test/simulator" --port 0 --port-file "$port_file" "$@"
    ) >>"$RUN_DIR/log/simulator.log" 2>&1 </dev/null &
    SIMULATOR_PID=$!
    simulator_tries=0
    until [ -s "$port_file" ]; do
        simulator_tries=$((simulator_tries + 1))
        if [ "$simulator_tries" -gt 600 ] || ! kill -s 0 "$SIMULATOR_PID" 2>/dev/null; then
            tail -n 20 "$RUN_DIR/log/simulator.log" >&2
            warn "the simulator did not start: $*"
            simulator_stop
            return 1
        fi
        sleep 0.1
    done
    PIPEDRIVE_SIMULATOR_URL=$(cat "$port_file") # http://127.0.0.1:PORT
    export PIPEDRIVE_SIMULATOR_URL
}

simulator_stop() {
    [ -n "$SIMULATOR_PID" ] || return 0
    end_group "$SIMULATOR_PID"
    wait "$SIMULATOR_PID" 2>/dev/null
    SIMULATOR_PID=
}
