# shellcheck shell=sh
# Asks a machine everything that x11fwd wants to know, in one run, and changes nothing there except for one file in
# the home directory that is written and removed at once. The files of this folder, in their order, are one script:
# facts/remote.py sends it, facts/answers.py reads what it prints.
#
# It arrives as the text of $X11FWD_PROBE, beside $X11FWD_PYTHON (probe_python.py), and is run by eval:
#   eval "$X11FWD_PROBE"          with the arguments NONCE [PYTHON]
#   sh -s NONCE sshd …            again as root, for what only root may read
# With $X11FWD_STAMP (probe_stamp.py) it asks only for what a plan is made from: of thirty hosts that have nothing to be
# changed the questions of doctor's would take the longer half of the time. x_brief says so below.
#
# Answers, one per line; values may hold anything but a newline:
#   =KEY<tab>VALUE                a value
#   +KEY<tab>LABEL                a text; its lines follow, each after a `|`
#   ?KEY<tab>REASON               could not be asked
#   .NONCE                        the end: nothing was lost
#
# Slow questions run beside one another without a file on disk: in `A | { B; cat; }` both run, and what A found waits
# in the pipe. All of it must run under dash, bash, busybox ash, ksh, mksh and zsh. Names begin with x_, because
# the login environment is brought into one of the subshells.
x_nl='
'
x_tab=$(printf '\t')

x_say() {
    case $2 in
    *"$x_nl"*) x_text "$1" "$2" ;;
    *) printf '=%s\t%s\n' "$1" "$2" ;;
    esac
}

x_text() {
    printf '+%s\t\n' "$1"
    x_marked "$2"
}

# Every line after a `|`. A short text needs no process; for a long one the shells' own cutting takes longer than that.
x_marked() {
    if [ "${#1}" -gt 1000 ]; then
        printf '%s\n' "$1" | LC_ALL=C sed 's/^/|/'
        return
    fi
    x_left=$1$x_nl
    while [ -n "$x_left" ]; do
        printf '|%s\n' "${x_left%%"$x_nl"*}"
        x_left=${x_left#*"$x_nl"}
    done
}

x_unknown() {
    printf '?%s\t%s\n' "$1" "$2"
}

# The newline after the file is taken off by the reader; a file without one at its end stays so. Leaves it in x_body.
x_file() {
    printf '+%s\t%s\n' "$1" "$2"
    x_body=$(cat "$2" 2>/dev/null; echo .)
    x_body=${x_body%.}
    x_marked "$x_body"
}

# x_limit SECONDS COMMAND…: standard input is that of the caller; 124 or more where time ran out.
x_limit() {
    if [ -n "$x_timeout" ]; then
        timeout -k 1 "$@"
        return
    fi
    x_seconds=$1
    shift
    # A background command gets /dev/null as its standard input, so the real one goes by another number.
    exec 8<&0
    "$@" <&8 8<&- &
    x_child=$!
    exec 8<&-
    (
        trap 'kill "$x_sleep" 2>/dev/null; exit' TERM
        sleep "$x_seconds" >/dev/null 2>&1 &
        x_sleep=$!
        wait "$x_sleep" && kill -9 "$x_child"
    ) >/dev/null 2>&1 &
    x_watch=$!
    wait "$x_child"
    x_status=$?
    kill "$x_watch" 2>/dev/null
    wait "$x_watch" 2>/dev/null
    return "$x_status"
}

# x_in_path NAME: sets x_found to the program of that name, without a process of its own as `command -v` would need.
x_in_path() {
    x_left=$PATH:
    while [ -n "$x_left" ]; do
        x_found=${x_left%%:*}/$1
        x_left=${x_left#*:}
        case $x_found in /*) if [ -f "$x_found" ] && [ -x "$x_found" ]; then return 0; fi ;; esac
    done
    x_found=
    return 1
}

# The first one that is a program, among command names (looked up in PATH) and paths.
x_program() {
    for x_word in "$@"; do
        x_found=$(command -v "$x_word" 2>/dev/null) || continue
        case $x_found in /*) printf '%s\n' "$x_found" && return 0 ;; esac
    done
    return 1
}
