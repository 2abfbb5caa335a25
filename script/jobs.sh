# Jobs that run beside each other, for script/test. POSIX sh; sourced after lib.sh, never run.
#
# A job is a function and its words, run in a shell of its own: with a lane (lib.sh) for its cluster and simulator, and a
# report that is printed in one piece when the job is done. It counts in PASSED and FAILED. What ends without a count,
# however it ended, is a failure, and so is what was planned and could not be started.
#
#   job NAME MODE NEEDS FUNCTION [WORD...]
#
# MODE   shared: takes one of SLOTS;  light: mostly sleeps, takes none;  alone: runs when nothing else does, at the end
# NEEDS  a job that must have succeeded before, or -

# shellcheck shell=sh

SLOTS=1
WAITING=            # lines as above, in the order in which they are wanted
RUNNING=            # NAME:PID words
TAKEN=0             # slots
ALONE=              # the job that runs alone, if one does
JOBS_STARTED=0
JOBS_DIR=           # NAME.report, NAME.result: 'passed failed', NAME.pid
NEWLINE='
'

jobs_create() {
    JOBS_DIR=$RUN_DIR/jobs
    mkdir "$JOBS_DIR"
}

job() { WAITING="$WAITING$*$NEWLINE"; }

# A report in which nothing failed.
job_succeeded() { # NAME
    job_counts=
    { read -r job_counts <"$JOBS_DIR/$1.result"; } 2>/dev/null
    case $job_counts in *' 0') return 0 ;; esac
    return 1
}

job_is_over() { [ -e "$JOBS_DIR/$1.over" ]; }

# In the job's shell, whatever ends it.
job_end() {
    trap '' INT TERM HUP
    trap - EXIT
    if [ -n "$STEP_PID" ]; then end_group "$STEP_PID"; fi
    simulator_stop
    cluster_stop
}

job_start() { # NAME MODE NEEDS FUNCTION [WORD...]
    job_name=$1
    job_mode=$2
    shift 3
    JOBS_STARTED=$((JOBS_STARTED + 1))
    case $job_mode in
        shared) TAKEN=$((TAKEN + 1)) ;;
        alone) ALONE=$job_name ;;
    esac
    (
        exec >"$JOBS_DIR/$job_name.report" 2>&1 </dev/null 9>&-
        trap job_end EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        trap 'exit 129' HUP
        PASSED=0
        FAILED=0
        set +f
        lane_enter "$JOBS_STARTED"
        begin
        "$@"
        printf '%d %d\n' "$PASSED" "$FAILED" >"$JOBS_DIR/$job_name.result"
    ) &
    RUNNING="$RUNNING $job_name:$job_mode:$!"
}

# Starts what may start; what cannot start any more is reported.
jobs_start() {
    still_waiting=
    while read -r name mode needs command; do
        [ -n "$name" ] || continue
        if [ "$needs" != - ] && job_is_over "$needs" && ! job_succeeded "$needs"; then
            begin
            tally "$name: not run, $needs failed" 0 1
            : >"$JOBS_DIR/$name.over"
        elif may_start "$mode" "$needs"; then
            set -f # a word may be a pattern of unit tests
            # shellcheck disable=SC2086  # words
            job_start "$name" "$mode" "$needs" $command
            set +f
        else
            still_waiting="$still_waiting$name $mode $needs $command$NEWLINE"
        fi
    done <<END
$WAITING
END
    WAITING=$still_waiting
}

may_start() { # MODE NEEDS
    [ -z "$ALONE" ] || return 1
    [ "$2" = - ] || job_is_over "$2" || return 1
    case $1 in
        shared) [ "$TAKEN" -lt "$SLOTS" ] ;;
        light) return 0 ;;
        # whoever waits for a slot goes first
        alone) [ -z "$RUNNING" ] && [ -z "$still_waiting" ] ;;
    esac
}

# A shell that was killed stays a zombie until it is waited for.
process_is_gone() { # PID
    process_state=
    { read -r process_state <"/proc/$1/stat"; } 2>/dev/null
    case ${process_state##*) } in '' | Z*) return 0 ;; esac
    return 1
}

jobs_collect() {
    still_running=
    for word in $RUNNING; do
        name=${word%%:*}
        pid=${word##*:}
        if process_is_gone "$pid"; then
            wait "$pid"
            job_collect "$name" $?
            case $word in
                *:shared:*) TAKEN=$((TAKEN - 1)) ;;
                *:alone:*) ALONE= ;;
            esac
        else
            still_running="$still_running $word"
        fi
    done
    RUNNING=$still_running
}

job_collect() { # NAME STATUS
    cat "$JOBS_DIR/$1.report"
    job_passed=
    job_failed=
    { read -r job_passed job_failed <"$JOBS_DIR/$1.result"; } 2>/dev/null
    if [ -z "$job_failed" ]; then
        begin
        tally "$1: ended without a result, $2" 0 1
    else
        PASSED=$((PASSED + job_passed))
        FAILED=$((FAILED + job_failed))
    fi
    : >"$JOBS_DIR/$1.over"
}

# All of them, to their end.
jobs_run() {
    while :; do
        jobs_collect
        jobs_start
        [ -n "$RUNNING" ] || break
        sleep 0.2
    done
    while read -r name _; do
        [ -n "$name" ] || continue
        begin
        tally "$name: could not be started" 0 1
    done <<END
$WAITING
END
}

# When the script is interrupted: each job stops what it has started.
jobs_stop() {
    for word in $RUNNING; do kill -s TERM "${word##*:}" 2>/dev/null; done
    for word in $RUNNING; do wait "${word##*:}" 2>/dev/null; done
    RUNNING=
}
