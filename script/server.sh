# What the scripts run: the extension built and installed, a throw-away cluster, the simulator. POSIX sh; sourced by lib.sh.

# shellcheck shell=sh

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

module_flags() { say "$("$PG_CONFIG" --version) $* ${COPT:-}"; }

# Objects of another PostgreSQL, or made with other flags, look up to date to make. Remember what they are for.
build_module() { # LOG [MAKE-ARGUMENT...]
    build_log=$1
    shift
    module_stamp=$PROJECT_DIR/build/module-flags
    if [ -e "$module_stamp" ] && [ "$(cat "$module_stamp")" = "$(module_flags "$@")" ]; then :; else
        make -C "$PROJECT_DIR" PG_CONFIG="$PG_CONFIG" clean >"$build_log" 2>&1
        mkdir -p "${build_log%/*}" # where clean takes build/ along
    fi
    run_step make -C "$PROJECT_DIR" -j"$(jobs)" PG_CONFIG="$PG_CONFIG" "$@" all >>"$build_log" 2>&1 || return 1
    mkdir -p "${module_stamp%/*}" && module_flags "$@" >"$module_stamp"
}

# For a look at the extension what script/test has built is as good.
build_and_install() { # LOG
    set -- "$1" COPT=-Werror
    [ "$(cat "$PROJECT_DIR/build/module-flags" 2>/dev/null)" = "$(module_flags COPT=-Werror)" ] || set -- "$1"
    build_module "$@" || failed 'the build failed' "$1"
    install_module "$@" || failed 'make install failed' "$1"
}

failed() { # TEXT LOG
    tail -n 30 "$2" >&2
    die "$1"
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

# One data directory a run; every cluster begins as a copy of it. Reachable only through a socket in RUN_DIR, which
# only its owner and root may enter: hence trust.
cluster_template() {
    [ ! -e "$RUN_DIR/template/postgresql.conf" ] || return 0
    as_unprivileged initdb -D "$RUN_DIR/template" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N \
        >"$RUN_DIR/log/initdb.log" 2>&1 || { cat "$RUN_DIR/log/initdb.log" >&2; return 1; }
    cat >>"$RUN_DIR/template/postgresql.conf" <<END
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
}

# Jobs that run beside each other have a LANE each: a directory and a port of the one socket directory.
cluster_start() {
    CLUSTER_LOG=$LANE_DIR/log/postgresql.log
    cluster_template && as_unprivileged cp -R "$RUN_DIR/template" "$LANE_DIR/data" || return 1
    as_unprivileged chmod 700 "$LANE_DIR/data"
    CLUSTER_DATA=$LANE_DIR/data
    PGHOST=$RUN_DIR/socket PGPORT=$((5432 + LANE)) PGUSER=postgres PGDATABASE=postgres
    as_unprivileged pg_ctl -D "$CLUSTER_DATA" -l "$CLUSTER_LOG" -o "-p $PGPORT" -w -t 60 -s start \
        </dev/null >"$LANE_DIR/log/pg_ctl.log" 2>&1 9>&- ||
        { cat "$LANE_DIR/log/pg_ctl.log" "$CLUSTER_LOG" >&2; return 1; }
    export PGHOST PGPORT PGUSER PGDATABASE
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
    [ -n "$KEEP_RUN_DIR" ] || rm -rf "$CLUSTER_DATA"
    CLUSTER_DATA=
}

# Exports PIPEDRIVE_SIMULATOR_URL (no slash at the end). Runs from STAGE.
simulator_start() { # ARGUMENT...
    simulator_stop
    port_file=$LANE_DIR/tmp/simulator.url
    rm -f "$port_file"
    (
        exec 9>&-
        cd "$STAGE" || exit 1
        exec_unprivileged setsid python3 "$STAGE/test/simulator" --port 0 --port-file "$port_file" "$@"
    ) >>"$LANE_DIR/log/simulator.log" 2>&1 </dev/null &
    SIMULATOR_PID=$!
    simulator_tries=0
    until [ -s "$port_file" ]; do
        simulator_tries=$((simulator_tries + 1))
        if [ "$simulator_tries" -gt 600 ] || ! kill -s 0 "$SIMULATOR_PID" 2>/dev/null; then
            tail -n 20 "$LANE_DIR/log/simulator.log" >&2
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
