# shellcheck shell=sh
# Where a run begins: `start` in the connection, `work` detached from it, `watch` for sshd.

work() {
    claim "$run" || exit 0
    who=$(cat "$run/who")
    umask_outside=$(cat "$run/umask")
    # shellcheck source=/dev/null
    . "$run/environment"
    exec >>"$run/log" 2>&1 </dev/null 3<&-
    trap '' HUP INT PIPE
    trap 'exit 143' TERM
    trap end_run EXIT
    show_identity "$run/pid"
    lock
    recover
    case $x_op in
        write) write_apply ;;
        sshd) sshd_apply ;;
        packages) packages_apply ;;
        environment) environment_apply ;;
        service) service_apply ;;
        command) command_apply ;;
        undo) undo_entry ;;
        recover) finish unchanged ;;
        begin) outside_begin ;;
    esac
    die internal "the engine does not know $x_op"
}

service_apply() { # the ways to do it, in order, until one works
    journal_begin service
    journal_commit
    if run_logged try_ways; then
        journal_state "$entry" "done"
        finish "done" "$made"
    fi
    last_words
    journal_drop "$entry"
    die command "the service could not be changed"
}

command_apply() {
    run_check && finish unchanged
    if [ "$x_undoable" = no ]; then # nothing that undo could bring back, so nothing for the journal
        if run_logged run_command && run_check; then finish "done"; fi
        last_words
        die command "the command did not bring about what it is for"
    fi
    journal_begin command
    journal_commit
    if run_logged run_command && run_check; then
        journal_state "$entry" "done"
        finish "done" "$made"
    fi
    last_words
    run_logged run_undo >/dev/null 2>&1
    journal_drop "$entry"
    die command "the command did not bring about what it is for"
}

command_undo() { # ENTRY
    # shellcheck source=/dev/null
    . "$1/action.sh"
    run_logged run_undo || {
        last_words
        die command "the command's undo failed"
    }
    journal_drop "$1"
    finish undone "${1##*/}"
}

undo_entry() {
    ue_entry=$state/journal/$x_entry
    [ -d "$ue_entry" ] || finish undone "$x_entry"
    case $(field "$ue_entry" kind) in
        write) write_undo "$ue_entry" ;;
        sshd) sshd_undo "$ue_entry" ;;
        packages | environment) packages_undo "$ue_entry" ;;
        service | command) command_undo "$ue_entry" ;;
    esac
    die internal "the journal holds an entry of unknown kind: $x_entry"
}

start() {
    case $x_op in
        list | confirm | rollback | reload | reread)
            foreground=yes
            trap '' HUP INT PIPE
            trap end_run EXIT
            case $x_op in
                list) list_journal ;;
                confirm) sshd_confirm ;;
                rollback) sshd_rollback ;;
                reload) outside_reload ;;
                reread) outside_reread ;;
            esac
            finish listed
            ;;
    esac
    hear start_folder || not_started no-space "$state cannot be written"
    case $x_op in sshd | undo | begin) find_listener >"$run/listener" ;; esac
    exec 3<"$run/log"
    detach "$run/pid" work "$state" || not_started detach "the work could not be started on its own"
    follow
}

start_folder() {
    reserve "$run/pid" && true >"$run/log" && true >"$run/outcome" && printf '%s\n' "$who" >"$run/who" &&
        printf '%s\n' "$umask_outside" >"$run/umask" && environment >"$run/environment"
}

environment() { # what package managers want of the login's environment; a unit of systemd's begins with none
    export -p | grep -i -E '^(export|declare -x) (home|user|logname|(https?|ftp|all|no)_proxy)='
    :
}

not_started() { # CODE SENTENCE
    foreground=yes
    trap end_run EXIT
    die "$@"
}

follow() { # what the work says, until it has ended; the work does not need us
    fo_pid=$(cat "$run/pid" 2>/dev/null)
    fo_part=
    fo_quiet=0
    fo_missed=0
    fo_said= # what it came to, and then that it is about to go
    while :; do
        if IFS= read -r fo_line <&3; then
            case $fo_part$fo_line in
                "@$x_nonce end "*) followed "$fo_part$fo_line" ;;
                "@$x_nonce outcome "* | "@$x_nonce fail "*) fo_said=outcome ;;
                "@$x_nonce closing") fo_said=${fo_said:+all} ;;
            esac
            printf '%s\n' "$fo_part$fo_line" || exit 1
            fo_part=
            fo_quiet=0
            fo_missed=0
            continue
        fi
        fo_part=$fo_part$fo_line
        fo_quiet=$((fo_quiet + 1))
        # counted in naps, each of which is a whole second where sleep knows no less, or where the machine is busy
        if [ $((fo_quiet % 10)) -eq 0 ]; then
            if is_alive "$fo_pid"; then fo_missed=0; else fo_missed=$((fo_missed + 1)); fi
            # three looks: it may have just ended, or the host be too full of processes for a look
            [ "$fo_missed" -lt 3 ] || follow_the_dead
        fi
        [ $((fo_quiet % 20)) -ne 0 ] || say alive
        nap
    done
}

followed() { # LAST LINE: said when everything is in order, because the client may leave at once
    exec 3<&-
    foreground=yes
    leave_no_empty_state
    printf '%s\n' "$1"
    exit 0
}

follow_the_dead() {
    # its folder goes before its last line, and its process's number with it
    [ "$fo_said" != all ] || followed "@$x_nonce end 0"
    for fd_outcome in "$run"/outcome-*; do
        case $fd_outcome in
            *-failed | *-died | *'*')
                hear fill_a_page && words=
                say_words
                say "fail died the work ended without a word"
                ;;
            *) say "outcome ${fd_outcome##*/outcome-}" ;;
        esac
    done
    followed "@$x_nonce end 1"
}

engine=$0
state=$2
case $1 in
    start)
        run=$state/run/$x_nonce
        who=$3
        umask_outside=$4
        [ "$(id -u)" -ne 0 ] || umask_outside=022
        start
        ;;
    work)
        run=$state/run/$x_nonce
        work
        ;;
    watch)
        who=watcher
        umask_outside=022
        watch "$3"
        ;;
esac
