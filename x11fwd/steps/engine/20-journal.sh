# shellcheck shell=sh
# The journal: one folder per change, written before the change is made, named 0001-write, 0002-sshd, ....
# Files in it: kind change title time who path link before after folders packages ... and one state-... file whose
# name says how far it came (acting, pending, done); renaming it needs no room on the disk.

journal_begin() { # KIND: the entry under way, in $draft; fill it with note, then journal_commit
    draft=$state/journal/.new-$x_nonce
    words=
    jb_left=10
    # a run that ends just now, or the watcher, takes the empty folder away between the two
    until hear mkdir -p "$state/journal" && hear mkdir "$draft"; do
        jb_left=$((jb_left - 1))
        [ "$jb_left" -gt 0 ] || no_journal
        rm -rf "$draft"
        nap
    done
    note kind "$1"
    note change "$x_change"
    note title "$x_title"
    note plan "$x_plan"
    note time "$(now)"
    note who "$who"
    note absent "$(absent_traces)"
    note nonce "$x_nonce"
    true >"$draft/state-acting"
    # what was asked for, as functions and variables: undo and the watcher need it without the client
    sed -n '/^# action begins$/,/^# action ends$/p' "${action_source:-$engine}" >"$draft/action.sh" || no_journal
    [ "$(tail -n 1 "$draft/action.sh")" = "# action ends" ] || no_journal
}

absent_traces() { # what our own test programs may bring into the home directory and is not there yet
    printf '%s\n' "$x_traces" | while IFS= read -r at_path; do
        [ -z "$at_path" ] || [ -e "$at_path" ] || printf '%s\n' "$at_path"
    done
}

now() { # with the fraction where date can say it: root's and the user's journal are undone as one, newest first
    nw_time=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
    case $nw_time in
        *[!0-9]Z) date -u +%Y-%m-%dT%H:%M:%SZ ;; # not GNU's date
        *) echo "$nw_time" ;;
    esac
}

note() { # FIELD VALUE
    printf '%s\n' "$2" 2>/dev/null >"$draft/$1" || no_journal
}

keep() { # FIELD FILE: a copy with everything the system keeps about it
    hear copy "$2" "$draft/$1" && hear flush "$draft/$1" || no_journal
    [ "$(digest "$draft/$1")" = "$(digest "$2")" ] || no_journal
}

no_journal() {
    [ -n "$words" ] || hear fill_a_page
    rm -rf "$draft"
    drop_empty_journal
    die no-space "the journal in $state cannot be written, so nothing was changed"
}

journal_commit() {
    for jc_last in "$state"/journal/[0-9]*; do :; done
    jc_last=${jc_last##*/}
    case $jc_last in
        [0-9]*) jc_last=${jc_last%%-*} jc_last=${jc_last#"${jc_last%%[!0]*}"} ;;
        *) jc_last=0 ;;
    esac
    entry=$state/journal/$(printf '%04d' $((jc_last + 1)))-$(cat "$draft/kind")
    hear mv "$draft" "$entry" || no_journal
    made=${entry##*/}
}

journal_state() { # ENTRY NEW
    for js_old in "$1"/state-*; do mv "$js_old" "$1/state-$2"; done
}

journal_drop() { # ENTRY: its change is not there any more
    discard "$1"
    drop_empty_journal
}

# A folder goes by its name at once, and its files after that: nobody ever sees a half of it, also where we die.
discard() { # FOLDER of the journal or of what is pending
    dc_gone=${1%/*}/.new-gone-${1##*/}-$x_nonce
    if mv "$1" "$dc_gone" 2>/dev/null; then rm -rf "$dc_gone"; else rm -rf "$1"; fi
}

drop_empty_journal() {
    rmdir "$state/journal" 2>/dev/null
    :
}

field() { # ENTRY FIELD -> its text, empty where there is none
    cat "$1/$2" 2>/dev/null
}

# A transaction or an entry that nobody finished (power cut, killed worker) is settled before anything new begins.
recover() {
    for rc_pending in "$state"/pending/*; do
        [ -d "$rc_pending" ] || continue
        if [ -e "$rc_pending/confirmed" ]; then
            finish_confirmation "$rc_pending"
        elif is_alive "$(field "$rc_pending" armed)"; then
            say "progress waiting for an unconfirmed change of sshd to be confirmed or taken back"
            wait_until "$((x_lock_seconds + $(field "$rc_pending" seconds)))" is_absent "$rc_pending" ||
                die locked "another x11fwd's change of sshd waits for its confirmation"
        else
            say "recovered an unconfirmed change of sshd was taken back"
            restore_pending "$rc_pending"
        fi
    done
    for rc_entry in "$state"/journal/[0-9]*; do
        [ -e "$rc_entry/state-acting" ] || [ -e "$rc_entry/state-pending" ] || continue
        recover_entry "$rc_entry"
    done
    rm -rf "$state"/journal/.new-* "$state"/pending/.new-*
    rmdir "$state/pending" 2>/dev/null
    drop_empty_journal
    for rc_run in "$state"/run/*; do
        [ "$rc_run" != "$run" ] && [ -d "$rc_run" ] || continue
        # a run that has just been sent has no pid yet: leave it its minute
        if has_begun "$rc_run/pid"; then is_alive "$(cat "$rc_run/pid")" || rm -rf "$rc_run"
        elif [ -n "$(find "$rc_run" -prune -mmin +10 2>/dev/null)" ]; then rm -rf "$rc_run"; fi
    done
}

recover_entry() { # ENTRY whose maker died between the journal and the end
    case $(field "$1" kind) in
        sshd)
            (take_back "$1")
            say "recovered an unfinished change of $(field "$1" path) was taken back"
            ;;
        write)
            re_path=$(field "$1" path)
            rm -f "${re_path%/*}/.x11fwd-new-$(field "$1" nonce)"
            re_now=$(digest "$re_path")
            if [ "$re_now" = "$(field "$1" before-digest)" ]; then
                remove_folders "$(field "$1" folders)"
                journal_drop "$1"
            else
                journal_state "$1" "done"
            fi
            ;;
        packages | environment)
            (
                # shellcheck source=/dev/null
                . "$1/action.sh"
                list_installed >"$run/now" && comm -13 "$1/installed" "$run/now" >"$1/added"
            )
            if [ -s "$1/added" ]; then journal_state "$1" "done"; else journal_drop "$1"; fi
            ;;
        *) journal_state "$1" "done" ;;
    esac
}

# Nothing to take back any more: the folder and what was made for it go as well.
leave_no_empty_state() {
    if is_needed; then
        [ -n "$foreground" ] || return 0
        rm -rf "$run"
        # who took away what kept us may have left the rest to us, because our own folder was still there
        ! is_needed || return 0
    fi
    rm -rf "$run"
    rmdir "$state/run" 2>/dev/null || return 0 # somebody else is at work
    clear_state || [ -d "$state/run" ] || clear_state || [ -d "$state/run" ] || clear_state
    :
}

is_needed() { # the state folder: something can be taken back, or waits
    drop_empty_journal
    rmdir "$state/pending" 2>/dev/null
    [ -d "$state/journal" ] || [ -d "$state/pending" ]
}

clear_state() { # false where somebody has begun meanwhile: he keeps the note, and clears away by it in the end
    cs_made=$(cat "$state/made" 2>/dev/null)
    rm -f "$state/made"
    rmdir "$state" 2>/dev/null
    [ ! -d "$state" ] || [ -z "$cs_made" ] || printf '%s\n' "$cs_made" 2>/dev/null >>"$state/made"
    [ ! -d "$state" ] && remove_folders "$(printf '%s\n' "$cs_made" | sort -u)"
}

list_journal() {
    [ ! -d /var/lib/x11fwd ] || say "root-state yes"
    for lj_entry in "$state"/journal/[0-9]*; do
        [ -d "$lj_entry" ] || continue
        say "entry ${lj_entry##*/}"
        for lj_state in "$lj_entry"/state-*; do say "field state ${lj_state##*/state-}"; done
        for lj_field in kind change title time who path added absent; do say_file "field $lj_field" "$lj_entry/$lj_field"; done
        case $(field "$lj_entry" kind) in
            write | sshd)
                lj_now=$(digest "$(field "$lj_entry" path)")
                if [ "$lj_now" = "$(field "$lj_entry" after-digest)" ]; then say "field now ours"
                elif [ "$lj_now" = "$(field "$lj_entry" before-digest)" ]; then say "field now before"
                elif [ "$lj_now" = absent ]; then say "field now gone"
                else
                    say "field now foreign"
                    foreign_difference "$lj_entry" | while IFS= read -r lj_line; do say "field difference $lj_line"; done
                fi
                [ "$(field "$lj_entry" before-digest)" = absent ] && say "field created yes"
                ;;
        esac
    done
    for lj_pending in "$state"/pending/*; do
        [ -d "$lj_pending" ] || continue
        say "pending $(field "$lj_pending" entry)"
    done
}

foreign_difference() { # ENTRY -> what others changed since, as diff -u lines without its heading
    (
        # shellcheck source=/dev/null
        . "$1/action.sh"
        put_content >"$run/ours" 2>/dev/null
        diff -u "$run/ours" "$(field "$1" path)" 2>/dev/null | sed -e 1,2d -e 20q
    )
}
