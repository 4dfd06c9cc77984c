# shellcheck shell=sh
# Changes that somebody else makes under our eyes (the Ansible role, x11fwd/ansible/role): what the journal needs
# before them, the watcher, and the reload. `recover` settles what was begun here, also when nobody comes back.

outside_begin() { # $x_kind
    case $x_kind in
        sshd) outside_arm ;;
        write)
            spool_content
            target=$(real "$x_path") || die symlinks "$x_path is a loop of symlinks"
            check_before
            journal_begin write
            journal_file
            journal_commit
            ;;
        packages | environment)
            list_installed >"$run/before" || die list "the installed packages could not be listed"
            journal_begin "$x_kind"
            keep installed "$run/before"
            true >"$draft/added" || no_journal
            journal_commit
            ;;
        *) # made already, and there is nothing to compare with
            journal_begin "$x_kind"
            journal_commit
            journal_state "$entry" "done"
            ;;
    esac
    finish "done" "$made"
}

outside_arm() { # as sshd_apply, up to the moment before the file is written
    spool_content
    target=$(real "$x_path") || die symlinks "$x_path is a loop of symlinks"
    [ -x "$x_binary" ] || die sshd-missing "there is no sshd at $x_binary"
    check_before
    sshd_ready || die sshd-broken "sshd does not accept the configuration as it is, before any change of ours"
    hear sshd_on "$run/content" -t || {
        plain_words
        die sshd-candidate "sshd does not accept the new $x_path"
    }
    sshd_watched "$run/content" ""
    rm -f "$staged" # they write the file themselves
    pid_file=$(sshd_pid_file)
    pid_file=${pid_file:-/run/sshd.pid}
    printf '%s\n' "$(pid_file_mark)" >"$pending/pid-file-mark"
    finish pending "$made"
}

outside_pending() { # the transaction that waits, with its action
    pending=$state/pending/$x_pending
    entry=$state/journal/$(field "$pending" entry)
    [ -d "$pending" ] && [ -d "$entry" ] || die too-late "the watcher has taken the change back"
    # shellcheck source=/dev/null
    . "$entry/action.sh"
}

outside_reload() {
    outside_pending
    mv "$pending/not-yet" "$pending/reloading" 2>/dev/null
    sshd_reload "$entry" || die reload "sshd could not be told to read its configuration again"
    finish "done"
}

outside_reread() { # after somebody else's reload, which may return before sshd has read anything
    outside_pending
    mv "$pending/not-yet" "$pending/reloading" 2>/dev/null
    pid_file=$(sshd_pid_file)
    pid_file=${pid_file:-/run/sshd.pid}
    pid=$(listener "$entry")
    unit=
    rr_mark=$(field "$pending" pid-file-mark)
    sshd_came_back || die reload "$words"
    finish "done"
}
