# shellcheck shell=sh
# The engine's ground: words to the client, files, identities of processes, detaching. Runs on the remote under
# dash, bash or busybox; script.py puts the action's own variables (x_...) and functions in front of it.
# `true >FILE` makes an empty file: with `:`, a special builtin, a full disk would end the shell (POSIX 2.8.1).
set -u
set +e
LC_ALL=C
export LC_ALL
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export PATH
unset CDPATH ENV BASH_ENV
umask 077

newline='
'
temporary=   # the one file that must not stay behind if this process ends
locked=      # this process holds the lock
words=       # what the remote's own programs said last; in no file, because the disk may be full
outcome=     # what it came to, for the file that outlives a full disk
foreground=  # a short run inside the connection; it clears away its own folder
made=        # name of the journal entry that this run has written
action_source= # where the action's own text is, if not in this run's script

# --- talking to the client: framed lines, so that no package manager's output can be taken for ours

say() {
    printf '@%s %s\n' "$x_nonce" "$*"
}

say_file() { # KIND FILE: each line of it
    [ -s "$2" ] || return 0
    while IFS= read -r sf_line || [ -n "$sf_line" ]; do say "$1 $sf_line"; done <"$2"
}

hear() { # COMMAND...: what it says goes into $words
    words=$("$@" 2>&1)
}

say_words() {
    [ -z "$words" ] || printf '%s\n' "$words" | while IFS= read -r sw_line; do say "words $sw_line"; done
}

die() { # CODE SENTENCE: refuse or fail, with $words
    [ -n "$words" ] || [ "$1" != no-space ] || hear fill_a_page
    say_words
    say "fail $*"
    outcome=failed
    exit 1
}

finish() { # OUTCOME [ENTRY]
    outcome=$1
    say "outcome $*"
    exit 0
}

fill_a_page() { # to hear from the system why a shell's own write came to nothing
    dd if=/dev/zero bs=4096 count=2 2>/dev/null | cat >"$run/page"
}

# Ends every run: nothing temporary stays, the lock is given back, and the last line says so.
end_run() {
    er_status=$?
    trap - EXIT
    [ -z "$temporary" ] || rm -f "$temporary"
    [ -z "$locked" ] || unlock
    if [ -z "$outcome" ]; then
        say "fail died the work stopped in the middle"
    fi
    # said before our folder may go: what is in the log the client reads through its open descriptor, but a log on
    # a full disk has nothing in it, and then the folder has to stay for the outcome's file name
    if say "closing" 2>/dev/null; then leave_no_empty_state; fi
    # a rename needs no room on the disk: with it the client learns the outcome where the log cannot grow
    mv "$run/outcome" "$run/outcome-${outcome:-died}" 2>/dev/null
    say "end $er_status"
    exit "$er_status"
}

# --- files

digest() { # FILE -> sha256 in hex; `absent`, `folder` or `unreadable` otherwise
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then
        echo absent
        return
    fi
    [ ! -d "$1" ] || { echo folder; return; }
    if command -v sha256sum >/dev/null 2>&1; then
        di_sum=$(sha256sum <"$1" 2>/dev/null)
    elif command -v shasum >/dev/null 2>&1; then
        di_sum=$(shasum -a 256 <"$1" 2>/dev/null)
    elif command -v sha256 >/dev/null 2>&1; then
        di_sum=$(sha256 -q <"$1" 2>/dev/null)
    else
        di_sum=$(openssl dgst -sha256 -r <"$1" 2>/dev/null)
    fi
    di_sum=${di_sum%% *}
    echo "${di_sum:-unreadable}"
}

real() { # PATH -> the same with the symlinks of its last part followed; the file may be missing
    re_path=$1
    re_left=40
    while [ -L "$re_path" ]; do
        re_left=$((re_left - 1))
        [ "$re_left" -gt 0 ] || return 1
        re_to=$(readlink "$re_path") || return 1
        case $re_to in
            /*) re_path=$re_to ;;
            *) re_path=${re_path%/*}/$re_to ;;
        esac
    done
    printf '%s\n' "$re_path"
}

flush() { # FILE: onto the disk, where the remote's sync can say so; also finds a disk that is full after all
    if sync --help 2>&1 | grep -q -e --data -e '-d'; then sync -d "$1"; else sync; fi
}

missing_folders() { # FOLDER -> the ones to be made, outermost first
    mf_path=$1
    mf_list=
    while [ -n "$mf_path" ] && [ ! -d "$mf_path" ]; do
        mf_list="$mf_path${mf_list:+$newline}$mf_list"
        mf_path=${mf_path%/*}
    done
    printf '%s' "$mf_list"
}

make_folders() { # LIST: one per line, with the user's own umask
    [ -n "$1" ] || return 0
    printf '%s\n' "$1" | while IFS= read -r mk_path; do
        (umask "$umask_outside" && mkdir "$mk_path") || exit 1
    done
}

remove_folders() { # LIST of make_folders: innermost first, and only what is empty
    [ -n "$1" ] || return 0
    printf '%s\n' "$1" | sed -n '1!G;h;$p' | while IFS= read -r rf_path; do rmdir "$rf_path" 2>/dev/null; done
    :
}

# The new file beside the old one, complete, with the old one's mode and owner: $staged.
stage() { # TARGET SOURCE MODE
    staged=${1%/*}/.x11fwd-new-$x_nonce
    temporary=$staged
    hear stage_bytes "$@" || return 1
    [ "$(digest "$staged")" = "$(digest "$2")" ] && return 0
    words="$staged holds other bytes than were written"
    return 1
}

stage_bytes() { # TARGET SOURCE MODE
    if [ -e "$1" ]; then
        # the copy brings mode, owner and what else the system keeps; only its bytes are replaced
        copy "$1" "$staged"
    else
        true >"$staged" && chmod "$3" "$staged"
    fi && cat "$2" >"$staged" && flush "$staged"
}

copy() { # FILE TO: with mode, owner, time, and attributes where cp can
    cp -a "$1" "$2" 2>/dev/null || cp -p "$1" "$2"
}

label() { # FILE...: the SELinux label that the policy has for a place, not that of where the file was made
    if command -v restorecon >/dev/null 2>&1 && selinuxenabled 2>/dev/null; then restorecon "$@" >/dev/null 2>&1; fi
    :
}

# An old file as it was, from its backup: bytes, mode, owner, time.
stage_backup() { # TARGET BACKUP
    staged=${1%/*}/.x11fwd-new-$x_nonce
    temporary=$staged
    hear copy "$2" "$staged" && hear flush "$staged" || return 1
    [ "$(digest "$staged")" = "$(digest "$2")" ] && return 0
    words="$staged holds other bytes than its backup"
    return 1
}

spool_content() { # the action's bytes into $run/content
    { put_content >"$run/content"; } 2>/dev/null || die no-space "the new content could not be written to $state"
    [ "$(digest "$run/content")" = "$x_after" ] || die no-space "the new content could not be written to $state"
}

# --- processes

boot_id() {
    cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo no-boot-id
}

started_at() { # PID -> start time as the kernel counts it, empty for a dead one: a reused pid has another one
    if [ -r /proc/self/stat ]; then
        sa_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
        # proc(5): the command's name may hold anything, so count from its closing parenthesis
        # shellcheck disable=SC2086  # split on purpose
        set -- ${sa_stat##*)}
        case $1 in Z | X) return 0 ;; esac
        echo "${20}"
    else
        ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' '_'
    fi
}

identity() { # PID -> `PID STARTED BOOT`
    echo "$1 $(started_at "$1") $(boot_id)"
}

is_alive() { # `PID STARTED BOOT ...`
    # shellcheck disable=SC2086  # split on purpose
    set -- $1
    [ $# -ge 3 ] && [ "$3" = "$(boot_id)" ] && [ "$2" = "$(started_at "$1")" ]
}

nap() { # a twentieth of a second where sleep can do that
    sleep 0.05 2>/dev/null || sleep 1
}

wait_until() { # SECONDS CONDITION...
    wu_left=$(($1 * 20))
    shift
    until "$@"; do
        wu_left=$((wu_left - 1))
        [ "$wu_left" -gt 0 ] || return 1
        [ $((wu_left % 20)) -ne 0 ] || say alive
        nap
    done
}

is_absent() { [ ! -e "$1" ]; }

# A part shows that it runs by writing its identity over a line of blanks that was there before: that needs no room.
reserve() { # FILE
    printf '%100s\n' '' >"$1" && true >"${1%/*}/unclaimed"
}

show_identity() { # FILE
    identity $$ 1<>"$1"
}

# a part that has already ended may have taken its whole folder along
has_begun() { grep -q '[0-9]' "$1" 2>/dev/null || [ ! -d "${1%/*}" ]; }

# Start one of our own parts so that it outlives this connection, this session and its user's logout.
detach() { # PROOF PART ARGUMENT...: the part writes its identity into the file PROOF
    dt_proof=$1
    shift
    # `claim` lets only the first one work, should a slow systemd start its own after we gave up on it
    # a unit of its own: logind may end what is left of a session (logind.conf(5), KillUserProcesses)
    if [ "$(id -u)" -eq 0 ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
        systemd-run --quiet --collect --property=KillMode=process --unit="x11fwd-$1-$x_nonce" \
            sh "$engine" "$@" </dev/null >/dev/null 2>&1 && wait_until 5 has_begun "$dt_proof" && return 0
        has_begun "$dt_proof" && return 0
    fi
    if command -v setsid >/dev/null 2>&1; then
        setsid sh "$engine" "$@" </dev/null >/dev/null 2>&1 3<&- &
    else
        (trap '' HUP && exec sh "$engine" "$@") </dev/null >/dev/null 2>&1 3<&- &
    fi
    wait_until 20 has_begun "$dt_proof" && return 0
    # whoever claims first decides: what has not begun by now never will, and what has is only slow to show it
    ! claim "${dt_proof%/*}" && wait_until 60 has_begun "$dt_proof"
}

claim() { # FOLDER
    mv "$1/unclaimed" "$1/claimed" 2>/dev/null
}

# --- the lock: one change at a time on this host and journal

lock() {
    printf '%s %s %s\n' "$(identity $$)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$who" 2>/dev/null >"$run/lock" ||
        die no-space "$state cannot be written"
    lk_left=$x_lock_seconds
    lk_said=
    lk_missing=0
    until take_lock; do
        lk_holder=$(cat "$state/lock" 2>/dev/null)
        if [ -n "$lk_holder" ] && ! is_alive "$lk_holder"; then
            break_lock "$lk_holder"
            continue
        fi
        if [ -n "$lk_holder" ]; then
            lk_missing=0
        elif [ ! -e "$state/lock" ]; then # given back just now, or there is no room for it
            lk_missing=$((lk_missing + 1))
            [ "$lk_missing" -lt 20 ] || die no-space "the lock in $state cannot be written"
            nap
            continue
        elif [ -n "$(find "$state/lock" -prune -mmin +1 2>/dev/null)" ]; then
            break_lock "" # who made it without link(2), in two moves, died between them
            continue
        fi
        # shellcheck disable=SC2086  # split on purpose
        set -- $lk_holder
        lk_text="process ${1:-?} of ${5:-?} since ${4:-?}"
        [ "$lk_left" -gt 0 ] || die locked "another x11fwd is changing this host ($lk_text)"
        [ -n "$lk_said" ] || say "progress waiting for another x11fwd on this host ($lk_text)"
        lk_said=yes
        lk_left=$((lk_left - 1))
        sleep 1
    done
    locked=yes
}

take_lock() {
    # link(2) fails where the name exists and brings the content along, so a lock is never seen empty
    ln "$run/lock" "$state/lock" 2>/dev/null && return 0
    [ ! -e "$state/lock" ] && (set -C && true >"$state/lock") 2>/dev/null || return 1
    cat "$run/lock" 2>/dev/null >"$state/lock" && return 0
    rm -f "$state/lock"
    return 1
}

break_lock() { # CONTENT of a dead holder; a folder keeps two from breaking at once
    if mkdir "$state/lock.break" 2>/dev/null; then
        [ "$(cat "$state/lock" 2>/dev/null)" != "$1" ] || rm -f "$state/lock"
        rmdir "$state/lock.break"
    elif [ -n "$(find "$state/lock.break" -prune -mmin +1 2>/dev/null)" ]; then
        rmdir "$state/lock.break" 2>/dev/null # its maker died between two lines
    else
        nap
    fi
}

unlock() {
    locked=
    [ "$(cat "$state/lock" 2>/dev/null)" != "$(cat "$run/lock" 2>/dev/null)" ] || rm -f "$state/lock"
}
