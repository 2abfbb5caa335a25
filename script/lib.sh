# What the scripts share: packages, the run's directory, steps that can be interrupted; server.sh has the build, the
# cluster and the simulator. POSIX sh; sourced, never run.
#
# The caller sets PROJECT_DIR (absolute) and calls `run_dir_create` before anything that starts a process.
# Everything that is started or written outside the project lives in RUN_DIR and dies with the script.

# shellcheck shell=sh

RUN_DIR=            # this run's private directory: cluster, sockets, logs, staged tests
CLUSTER_DATA=       # data directory of the running cluster, empty if none runs
SIMULATOR_PID=      # process group of the running simulator, empty if none runs
STEP_PID=           # process group of the command that `run_step` is waiting for
KEEP_RUN_DIR=       # not empty: leave RUN_DIR behind

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

known_package() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# What a purpose needs, as a Depends field would say it.
dependencies() { # build|test|gdb|fuzz
    needed="g++ (>= 4:10), make, pkg-config, libcurl4-openssl-dev (>= 7.74), rapidjson-dev, python3 (>= 3.9), ca-certificates"
    own_postgres=
    case ${PG_CONFIG:-/usr/lib/postgresql/} in
        # Debian's own PostgreSQL; any other is the caller's business.
        /usr/lib/postgresql/* | /usr/bin/*) own_postgres=yes ;;
    esac
    [ -z "$own_postgres" ] || needed="$needed, postgresql-${PG_MAJOR:-NN}, postgresql-server-dev-${PG_MAJOR:-NN}"
    case $1 in
        test)
            needed="$needed, cmake (>= 3.18), ninja-build, libgtest-dev, zlib1g-dev, clang-format, libipc-run-perl, perl, curl, binutils"
            [ -z "$own_postgres" ] || needed="$needed, postgresql-${PG_MAJOR:-NN}-cron"
            # not every distribution has it for every major: section_plpgsql says so then
            if [ -n "$own_postgres" ] && known_package "postgresql-${PG_MAJOR:-NN}-plpgsql-check"; then
                needed="$needed, postgresql-$PG_MAJOR-plpgsql-check"
            fi
            ;;
        gdb) needed="$needed, curl, gdb" ;;
        shell) needed="$needed, curl" ;;
        fuzz) needed="cmake (>= 3.18), ninja-build, clang, libclang-rt-dev | libclang-common-11-dev, pkg-config, libcurl4-openssl-dev (>= 7.74), rapidjson-dev, zlib1g-dev" ;;
    esac
    say "$needed"
}

# apt-get knows what is there, without root and without package lists.
satisfied() { # DEPENDENCIES
    satisfied_plan=$(LC_ALL=C apt-get satisfy --dry-run --no-install-recommends "$1" 2>/dev/null) || return 1
    case $satisfied_plan in *'Inst '*) return 1 ;; esac
}

need_tools() { # PURPOSE, on a system that we cannot install on
    case $1 in
        test) tools="g++ make pkg-config python3 cmake ninja prove perl curl nm" ;;
        shell) tools="g++ make pkg-config python3 curl" ;;
        gdb) tools="g++ make pkg-config python3 curl gdb" ;;
        fuzz) tools="clang++ cmake ninja pkg-config" ;;
        *) tools="g++ make pkg-config python3" ;;
    esac
    absent=
    for tool in $tools; do
        have "$tool" || absent="$absent $tool"
    done
    [ "$1" = fuzz ] || [ -n "${PG_CONFIG:-}" ] || have pg_config || absent="$absent pg_config"
    [ -z "$absent" ] && return
    warn "missing here:$absent"
    warn "install what your system calls these Debian packages: $(dependencies "$1")"
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

apt_install() { # DEPENDENCIES
    case ", $1," in
        *", postgresql-$PG_MAJOR,"*)
            as_root mkdir -p "${NO_MAIN_CLUSTER%/*}"
            DROP_IN_WRITTEN=yes
            say 'create_main_cluster = false' | as_root tee "$NO_MAIN_CLUSTER" >/dev/null
            ;;
    esac
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        satisfy -y -q --no-install-recommends "$1" >"$RUN_DIR/apt.log" 2>&1
    apt_status=$?
    remove_drop_in
    if [ "$apt_status" -ne 0 ]; then
        tail -n 25 "$RUN_DIR/apt.log" >&2
        die "apt-get could not install: $1"
    fi
}

apt_update() {
    say "reading the package lists (apt-get update)"
    as_root apt-get -o DPkg::Lock::Timeout=300 update -q >"$RUN_DIR/apt.log" 2>&1 ||
        { tail -n 25 "$RUN_DIR/apt.log" >&2; die "apt-get update failed"; }
}

# Installs what the purpose needs and is not there. Sets PG_CONFIG and friends.
need_packages() { # build|test|shell|gdb|fuzz
    choose_postgres
    if ! have apt-get; then
        need_tools "$1"
        [ "$1" = fuzz ] || find_pg_config
        return
    fi
    if ! satisfied "$(dependencies "$1")"; then
        if ! is_root && ! have sudo; then
            warn "missing packages, of: $(dependencies "$1" | sed "s/-NN/-<major version>/g")"
            warn "install them as root with 'apt-get satisfy', then run this again"
            exit 3
        fi
        apt_update
        [ -n "$PG_MAJOR" ] || choose_postgres
        [ -n "$PG_MAJOR" ] || PG_MAJOR=$(distribution_major)
        [ -n "$PG_MAJOR" ] || die "apt knows no package 'postgresql'"
        say "installing what is missing of: $(dependencies "$1")"
        apt_install "$(dependencies "$1")"
    fi
    [ "$1" = fuzz ] || find_pg_config
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
    if [ -n "$UNPRIVILEGED" ]; then run_dir_give_away; fi
    lane_enter 0
}

run_dir_give_away() {
    if ! as_unprivileged test -x "${RUN_DIR%/*}"; then
        new_dir=$(mktemp -d /tmp/pipedrive_fdw.XXXXXX) || exit 1
        rm -rf "$new_dir" && mv "$RUN_DIR" "$new_dir" && RUN_DIR=$new_dir
    fi
    chown -R "$UNPRIVILEGED" "$RUN_DIR"
}

# Where cluster and simulator of this shell live: in RUN_DIR, or for a job (jobs.sh) below it.
lane_enter() { # NUMBER
    LANE=$1
    LANE_DIR=$RUN_DIR
    [ "$LANE" -ne 0 ] || return 0
    LANE_DIR=$RUN_DIR/lane$LANE
    as_unprivileged mkdir -p "$LANE_DIR/tmp" "$LANE_DIR/log"
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
    if [ -n "${RUNNING:-}" ]; then jobs_stop; fi
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

# shellcheck source=script/server.sh
. "$PROJECT_DIR/script/server.sh"
