# shellcheck shell=sh
# InstallPackages and InstallInEnvironment: install, record the difference, never touch what was there.
# The action brings list_all, list_some, install_names, remove_names, refresh_lists, and where they can be had
# simulate_install, simulate_remove and, for Python's packages, run_proof.

list_installed() { # -> every installed package, sorted
    list_all </dev/null >"$run/all" 2>"$run/list-words" && sort -u "$run/all"
}

bare_names() { # FILE...: without the versions that pip and conda list
    sed 's/[ =].*//' "$@"
}

run_logged() { # COMMAND...: its output goes to the client as it comes; last_output has it again
    rl_from=$(wc -c <"$run/log")
    (umask "$umask_outside" && "$@" </dev/null)
}

last_output() {
    tail -c "+$((rl_from + 1))" "$run/log" 2>/dev/null | grep -v "^@$x_nonce "
}

last_words() { # the end of what the package manager said
    words=$(last_output | grep -v '^$' | tail -n 12)
}

packages_apply() {
    set -f
    # shellcheck disable=SC2086  # package names hold no blanks; split on purpose
    set -- $x_names
    set +f
    list_some "$@" </dev/null 2>/dev/null | sed 's/:.*//' >"$run/present"
    missing=
    for pa_name in "$@"; do
        grep -q -x -F -e "$pa_name" "$run/present" || missing="$missing $pa_name"
    done
    [ -n "$missing" ] || finish unchanged
    set -f
    # shellcheck disable=SC2086
    set -- $missing
    set +f
    wait_for_manager
    list_installed >"$run/before" || die list "the installed packages could not be listed"
    simulate "$@" || { refresh && simulate "$@"; } || die simulate "the package manager would not install $*"
    install_recorded packages "$@"
}

environment_apply() {
    set -f
    # shellcheck disable=SC2086
    set -- $x_names
    set +f
    list_installed >"$run/before" || die list "the packages of $x_prefix could not be listed"
    install_recorded environment "$@"
}

install_recorded() { # KIND NAME...
    ir_kind=$1
    shift
    journal_begin "$ir_kind"
    keep installed "$run/before"
    true >"$draft/added" || no_journal
    journal_commit
    say "progress installing $*"
    ir_code=install
    ir_sentence="the package manager could not install $*"
    install_again "$@"
    ir_status=$?
    if [ "$ir_status" -ne 0 ]; then
        last_words
    elif ! proven; then
        ir_status=1
    fi
    list_installed >"$run/after" 2>/dev/null || cp "$run/before" "$run/after"
    comm -13 "$run/before" "$run/after" >"$entry/added"
    comm -23 "$run/before" "$run/after" >"$run/lost"
    if [ "$ir_status" -eq 0 ]; then
        [ ! -s "$run/lost" ] || say_file lost "$run/lost"
        journal_state "$entry" "done"
        finish "done" "$made"
    fi
    ir_words=$words
    take_packages_back
    words=$ir_words
    die "$ir_code" "$ir_sentence"
}

proven() { # what was installed does what it is there for; a wheel may lack a library of the system's
    command -v run_proof >/dev/null 2>&1 || return 0
    hear run_proof </dev/null && return 0
    words=$(printf '%s\n' "$words" | tail -n 1) # what a traceback ends with
    ir_code=proof
    ir_sentence="$x_names came into $x_prefix and does not work there"
    return 1
}

take_packages_back() { # after a failed install: what it had got so far goes again
    if [ -s "$entry/added" ]; then
        say "progress removing what had been installed so far"
        set -f
        # shellcheck disable=SC2046
        set -- $(bare_names "$entry/added")
        set +f
        run_logged remove_names "$@"
    fi
    if list_installed >"$run/after" && comm -13 "$run/before" "$run/after" >"$entry/added" && [ ! -s "$entry/added" ]; then
        journal_drop "$entry"
    else
        say "left $(tr '\n' ' ' <"$entry/added")"
        journal_state "$entry" "done"
    fi
}

install_again() { # once more where the lists were old or somebody held the manager's lock
    ia_left=$x_package_seconds
    ia_refreshed=
    while :; do
        run_logged install_names "$@" && return 0
        if [ -n "${x_lock_words-}" ] && last_output | grep -q -i -F -e "$x_lock_words"; then
            if [ "$ia_left" -le 0 ]; then
                ir_code=manager-locked
                ir_sentence="the package manager's lock is held by somebody else"
                return 1
            fi
            [ -n "${ia_said:-}" ] || say "progress waiting for the package manager's lock"
            ia_said=yes
            ia_left=$((ia_left - 2))
            sleep 2
            # what whoever has the lock installs meanwhile is theirs, and undo leaves it alone
            list_installed >"$run/theirs" && mv "$run/theirs" "$run/before" &&
                copy "$run/before" "$run/installed" 2>/dev/null && mv "$run/installed" "$entry/installed"
        elif [ -z "$ia_refreshed" ] && last_output | grep -q -i -e 'unable to fetch' -e '404' -e 'not found'; then
            ia_refreshed=yes
            refresh && simulate "$@" || return 1
        else
            return 1
        fi
    done
}

refresh() {
    say "progress bringing the package lists up to date"
    run_logged refresh_lists || { last_words; return 1; }
}

# apt: nothing that is there may be upgraded or removed for our sake.
simulate() {
    command -v simulate_install >/dev/null 2>&1 || return 0
    simulate_install "$@" </dev/null >"$run/simulation" 2>&1 || {
        words=$(grep -v '^NOTE' "$run/simulation" | tail -n 8)
        return 1
    }
    # `Inst name [old] (new ...)` is an upgrade, without the brackets an install
    words=$(sed -n -e 's/^Inst \([^ ]*\) \[.*/upgrade \1/p' -e 's/^\(Remv\|Purg\) \([^ ]*\).*/remove \2/p' \
        "$run/simulation")
    [ -z "$words" ] || die would-change "installing $* would also change other packages"
}

held_by() { # FILE -> process that holds a lock on it, from the kernel's list (proc_locks(5))
    [ -e "$1" ] && [ -r /proc/locks ] || return 1
    # shellcheck disable=SC2012  # an inode number, not names
    hb_inode=$(ls -i "$1" 2>/dev/null | awk '{ print $1 }')
    hb_pid=$(awk -v inode="$hb_inode" '$2 != "->" { n = split($6, at, ":"); if (at[n] == inode) { print $5; exit } }' /proc/locks)
    if [ -n "$hb_pid" ]; then echo "$hb_pid" && return; fi
    # on overlayfs, and so in most containers, the list may have another number for a file than ls
    for hb_pid in $(awk '$2 != "->" && $5 > 0 { print $5 }' /proc/locks | sort -u); do
        for hb_open in "/proc/$hb_pid/fd"/*; do
            # shellcheck disable=SC3013  # dash, bash, ksh, zsh and busybox have it
            if [ "$hb_open" -ef "$1" ]; then echo "$hb_pid" && return; fi
        done
    done
}

wait_for_manager() {
    wm_left=$x_package_seconds
    wm_said=
    while :; do
        wm_pid=
        for wm_file in $x_lock_files; do
            wm_pid=$(held_by "$wm_file") && [ -n "$wm_pid" ] && break
        done
        if [ -z "$wm_pid" ]; then
            # a journal of an earlier release's does not name it
            [ -n "${x_lock_path-}" ] && [ -e "$x_lock_path" ] || return 0
            # a lock that is a mere file: nobody can say whose it is, and a dead run's stays for ever
            [ "$wm_left" -gt 0 ] || die manager-locked \
                "the package manager's lock $x_lock_path is there; if no package manager runs, remove that file"
            [ -n "$wm_said" ] || say "progress waiting for the package manager's lock $x_lock_path"
            wm_said=yes
            wm_left=$((wm_left - 1))
            sleep 1
            continue
        fi
        wm_name=$(cat "/proc/$wm_pid/comm" 2>/dev/null)
        [ "$wm_left" -gt 0 ] ||
            die manager-locked "the package manager's lock $wm_file is held by process $wm_pid${wm_name:+ ($wm_name)}"
        [ -n "$wm_said" ] || say "progress waiting for the package manager, in use by process $wm_pid${wm_name:+ ($wm_name)}"
        wm_said=yes
        wm_left=$((wm_left - 1))
        sleep 1
    done
}

packages_undo() { # ENTRY
    if [ "$x_remove_packages" = no ]; then
        journal_drop "$1"
        finish kept "${1##*/}"
    fi
    action_source=$1/action.sh
    # shellcheck source=/dev/null
    . "$1/action.sh"
    wait_for_manager
    list_installed >"$run/now" || die list "the installed packages could not be listed"
    comm -12 "$1/added" "$run/now" | bare_names | sort -u >"$run/removable"
    true >"$run/kept"
    if command -v simulate_remove >/dev/null 2>&1; then keep_needed; fi
    say_file kept "$run/kept"
    if [ -s "$run/removable" ]; then
        set -f
        # shellcheck disable=SC2046
        set -- "$1" $(cat "$run/removable")
        set +f
        pu_entry=$1
        shift
        run_logged remove_names "$@" || {
            last_words
            die remove "the package manager could not remove $*"
        }
        set -- "$pu_entry"
    fi
    journal_drop "$1"
    finish undone "${1##*/}"
}

keep_needed() { # out of $run/removable what somebody else's package needs by now; asked of dpkg, which then says so
    while [ -s "$run/removable" ]; do
        set -f
        # shellcheck disable=SC2046  # split on purpose
        simulate_remove $(cat "$run/removable") </dev/null >"$run/simulation" 2>&1 && { set +f; return 0; }
        set +f
        sed -n 's/^dpkg: error processing package \([^ ]*\) .*/\1/p' "$run/simulation" | sort -u |
            comm -12 - "$run/removable" >"$run/needed"
        [ -s "$run/needed" ] || cp "$run/removable" "$run/needed"
        cat "$run/needed" >>"$run/kept"
        comm -23 "$run/removable" "$run/needed" >"$run/rest"
        mv "$run/rest" "$run/removable"
    done
}
