# shellcheck shell=sh
# ChangeSshd: candidate, whole, asked, watched, reloaded, pending. Every way out leaves a configuration that sshd
# accepts; until the client has logged in again and confirmed, the watcher holds the way back.

sshd_key=

sshd_on() { # FILE OPTION...: the daemon's program on FILE, or on the real configuration where FILE is empty
    so_file=$1
    shift
    [ -n "$so_file" ] || [ "$x_custom" = no ] || so_file=$x_config_file
    [ -z "$so_file" ] || set -- "$@" -f "$so_file"
    [ -z "$sshd_key" ] || set -- "$@" -h "$sshd_key"
    "$x_binary" "$@" </dev/null
}

# The real configuration is valid and sshd -t can say so: it wants its privilege separation folder and a host key,
# which a socket-activated or containerised daemon may not have at this moment.
sshd_ready() {
    sshd_key=
    sr_left=3
    while [ "$sr_left" -gt 0 ]; do
        sr_left=$((sr_left - 1))
        hear sshd_on "" -t && { words= && return 0; }
        case $words in
            *"Missing privilege separation directory: /"*)
                sr_folder=${words##*"Missing privilege separation directory: "}
                sr_folder=${sr_folder%%[!A-Za-z0-9_./-]*}
                case $sr_folder in /run/* | /var/run/*) ;; *) return 1 ;; esac
                (umask 022 && mkdir "$sr_folder") || return 1
                ;;
            *"no hostkeys available"*)
                [ -z "$sshd_key" ] || return 1
                sshd_key=$run/hostkey
                rm -f "$sshd_key"
                ssh-keygen -q -t ed25519 -N '' -f "$sshd_key" </dev/null >/dev/null 2>&1 || return 1
                ;;
            *) return 1 ;;
        esac
    done
    return 1
}

sshd_expected() { # FILE: does `sshd -T -C` answer what the plan promises? 2: it could not be asked
    [ -n "$x_expect" ] || return 0
    hear sshd_on "$1" -T -C "$x_connection" || return 2
    contradicted=$(printf '%s\n' "$x_expect" | while IFS= read -r se_line; do
        printf '%s\n' "$words" | grep -q -i -x -F -e "$se_line" || printf '%s\n' "$se_line"
    done)
    [ -z "$contradicted" ] && return 0
    hear contradiction "$words"
    return 1
}

# Which lines speak about the contradicted keywords, in the order sshd reads them (the first one wins).
sshd_deciders() {
    printf '%s\n' "$contradicted" | while IFS=' ' read -r sd_keyword _; do sshd_lines "$sd_keyword"; done
}

sshd_lines() { # KEYWORD -> `FILE:LINE: text` of the main file and what it includes
    sshd_scan "$1" "$x_config_file" | while IFS= read -r sl_line; do
        case $sl_line in
            "include "*)
                sl_pattern=${sl_line#include }
                case $sl_pattern in /*) ;; *) sl_pattern=/etc/ssh/$sl_pattern ;; esac
                for sl_file in $sl_pattern; do
                    [ -f "$sl_file" ] && sshd_scan "$1" "$sl_file" | grep -v '^include '
                done
                ;;
            *) printf '%s\n' "$sl_line" ;;
        esac
    done | head -n 8
}

sshd_scan() { # KEYWORD FILE
    awk -v keyword="$1" -v file="$2" '
        /^[ \t]*#/ { next }
        { line = $0; gsub(/^[ \t]+|[ \t\r]+$/, "", line); word = tolower(line); sub(/[ \t=].*/, "", word) }
        word == "match" { match_line = line }
        word == "include" { n = split(line, part, /[ \t="]+/); for (i = 2; i <= n; i++) if (part[i] != "") print "include " part[i] }
        word == keyword { print file ":" NR ": " line (match_line == "" ? "" : "  (under `" match_line "`)") }
    ' "$2" 2>/dev/null
}

contradiction() { # EFFECTIVE
    printf '%s\n' "$contradicted" | while IFS= read -r co_line; do
        co_answer=$(printf '%s\n' "$1" | grep -i "^${co_line%% *} " | head -n 1)
        echo "wanted \`$co_line\`, sshd answers \`$co_answer\`"
    done
    sshd_deciders
}

# The configuration as it would be with the candidate, without installing it: in $whole; fails where an Include
# cannot be bent to a copy. Text that sshd says about the copies is translated back by plain_words.
sshd_whole() { # CANDIDATE (empty: the file is removed)
    whole=$run/tree/main
    rm -rf "$run/tree"
    mkdir -p "$run/tree/d" || return 1
    if [ "$(real "$x_config_file")" = "$target" ]; then
        [ -n "$1" ] && cp "$1" "$whole"
        return
    fi
    sw_folder=${target%/*}
    for sw_file in "$sw_folder"/*; do
        [ -f "$sw_file" ] && { cp "$sw_file" "$run/tree/d/" || return 1; }
    done
    rm -f "$run/tree/d/${target##*/}"
    [ -z "$1" ] || cp "$1" "$run/tree/d/${target##*/}" || return 1
    awk -v folder="$sw_folder" -v copy="$run/tree/d" '
        tolower($0) !~ /^[ \t]*include[ \t=]/ { print; next }
        {
            out = "Include"
            n = split($0, part, /[ \t="]+/)
            for (i = 1; i <= n; i++) {
                if (part[i] == "" || tolower(part[i]) == "include") continue
                path = part[i]
                if (path !~ /^\//) path = "/etc/ssh/" path
                at = match(path, /\/[^\/]*$/)
                if (substr(path, 1, at - 1) == folder) { path = copy substr(path, at); bent++ }
                out = out " \"" path "\""
            }
            print out
        }
        END { exit bent ? 0 : 1 }
    ' "$x_config_file" >"$whole"
}

plain_words() {
    words=$(printf '%s\n' "$words" | sed -e "s|$run/tree/main|$x_config_file|g" \
        -e "s|$run/tree/d/|${target%/*}/|g" -e "s|$run/content|$x_path|g")
}

sshd_apply() {
    spool_content
    target=$(real "$x_path") || die symlinks "$x_path is a loop of symlinks"
    [ -x "$x_binary" ] || die sshd-missing "there is no sshd at $x_binary"
    check_before
    sshd_ready || die sshd-broken "sshd does not accept the configuration as it is, before any change of ours"
    hear sshd_on "$run/content" -t || {
        plain_words
        die sshd-candidate "sshd does not accept the new $x_path"
    }
    sshd_transaction "$run/content" ""
}

sshd_watched() { # CANDIDATE|'' ENTRY-TO-UNDO|'': tried on copies, noted, staged, and the watcher is armed
    if sshd_whole "$1"; then
        hear sshd_on "$whole" -t || {
            plain_words
            die sshd-candidate "sshd would not accept the whole configuration"
        }
        sshd_expected "$whole" || {
            plain_words
            die contradicted "the new $x_path would not change what this login gets"
        }
    fi
    journal_begin sshd
    journal_file
    note undoes "$2"
    cp "$run/listener" "$draft/listener" 2>/dev/null
    journal_commit
    aside=${target%/*}/.x11fwd-old-$x_nonce
    hear make_folders "$(field "$entry" folders)" && sshd_stage "$1" "$2" && sshd_aside || {
        sshd_drop
        die write "$x_path could not be written"
    }
    arm || {
        discard "$pending"
        sshd_drop
        die watcher "the watcher that would take the change back could not be started"
    }
    temporary= # from here on whoever ends the transaction removes it
}

sshd_transaction() { # CANDIDATE|'' ENTRY-TO-UNDO|''
    sshd_watched "$1" "$2"
    hear sshd_install || sshd_abandon write "$x_path could not be written"
    hear sshd_on "" -t || sshd_abandon sshd-candidate "sshd does not accept the whole configuration"
    sshd_expected "" || sshd_abandon contradicted "the new $x_path does not change what this login gets"
    mv "$pending/not-yet" "$pending/reloading" 2>/dev/null
    say "progress reloading sshd; it goes back by itself in $x_confirm_seconds s unless a new login confirms"
    sshd_reload "$entry" || sshd_abandon reload "sshd could not be told to read its configuration again"
    journal_state "$entry" pending
    [ -e "$pending/undecided" ] || sshd_abandon watcher "the change took too long and was taken back by its watcher"
    finish pending "$made"
}

sshd_stage() { # CANDIDATE|'' ENTRY|''
    staged=
    [ -n "$1" ] || return 0
    if [ -n "$2" ]; then stage_backup "$target" "$1"; else stage "$target" "$1" "$x_mode"; fi
}

sshd_aside() { # the old file under a second name: it comes back by a rename, with all it had, on a full disk too
    [ -e "$target" ] || return 0
    ln "$target" "$aside" 2>/dev/null || hear copy "$target" "$aside"
}

sshd_install() {
    if [ -n "$staged" ]; then mv -f "$staged" "$target" && label_all "$target"; else rm -f "$target"; fi
}

sshd_drop() { # before anything was installed
    rm -f "$aside" "${target%/*}/.x11fwd-new-$x_nonce"
    temporary=
    remove_folders "$(field "$entry" folders)"
    journal_drop "$entry"
}

sshd_abandon() { # CODE SENTENCE
    sa_words=$words
    if mv "$pending/undecided" "$pending/restored" 2>/dev/null; then
        restore_pending "$pending"
    else
        wait_until 30 is_absent "$pending" || restore_pending "$pending"
    fi
    words=$sa_words
    die "$@"
}

# --- the watcher

arm() {
    pending=$state/pending/$x_nonce
    hear arm_folder || {
        [ -n "$words" ] || hear fill_a_page
        return 1
    }
    engine=$pending/engine.sh detach_watcher && is_alive "$(field "$pending" armed)"
}

# Everything the watcher needs, so that it can go to the end without another byte of room.
arm_folder() {
    mkdir -p "$pending" && printf '%s\n' "${entry##*/}" >"$pending/entry" &&
        printf '%s\n' "$x_confirm_seconds" >"$pending/seconds" && cp "$engine" "$pending/engine.sh" &&
        reserve "$pending/armed" && true >"$pending/undecided" && true >"$pending/not-yet" && true >"$pending/not-now"
}

detach_watcher() {
    dw_engine=$engine
    engine=$pending/engine.sh
    detach "$pending/armed" watch "$state" "$pending"
    dw_status=$?
    engine=$dw_engine
    return "$dw_status"
}

watch() { # PENDING: seconds are counted, not read from a clock that somebody may set
    run=$1
    claim "$run" || exit 0
    exec >"$run/log" 2>&1
    trap '' HUP INT PIPE
    show_identity "$run/armed"
    wa_left=$(field "$run" seconds)
    wa_extended=
    while [ -e "$run/undecided" ] && [ ! -e "$run/now" ]; do
        if [ -z "$wa_extended" ] && [ -e "$run/reloading" ]; then
            wa_extended=yes
            wa_left=$(field "$run" seconds)
        fi
        [ "$wa_left" -gt 0 ] || break # judged behind the mark, which may have come in the last of the seconds
        sleep 1
        wa_left=$((wa_left - 1))
    done
    # exactly one of confirm, abandon and watcher gets to rename this file
    if mv "$run/undecided" "$run/restored" 2>/dev/null; then
        restore_pending "$run"
    elif [ -e "$run/restored" ]; then
        wait_until 30 is_absent "$run" || restore_pending "$run" # whoever began it has died
    fi
    leave_no_empty_state
}

restore_pending() { # PENDING; may be done twice
    rp_entry=$(field "$1" entry)
    if [ -n "$rp_entry" ] && [ -d "$state/journal/$rp_entry" ]; then (take_back "$state/journal/$rp_entry"); fi
    discard "$1"
    rmdir "$state/pending" 2>/dev/null
    :
}

take_back() { # ENTRY of an unconfirmed change; in a subshell of its own, because the entry brings its action along
    # shellcheck source=/dev/null
    . "$1/action.sh"
    target=$(field "$1" path)
    tb_nonce=$(field "$1" nonce)
    tb_before=$(field "$1" before-digest)
    tb_now=$(digest "$target")
    tb_aside=${target%/*}/.x11fwd-old-$tb_nonce
    tb_theirs=
    if [ "$tb_now" = "$(field "$1" after-digest)" ]; then
        if [ "$tb_before" = absent ]; then
            rm -f "$target"
        elif [ "$(digest "$tb_aside")" = "$tb_before" ]; then
            mv -f "$tb_aside" "$target" # the very same file, with the label that it had
        else
            stage_backup "$target" "$1/before" && mv -f "$staged" "$target" && label "$target"
        fi
    elif [ "$tb_now" != "$tb_before" ]; then
        tb_theirs=yes # somebody else has written the file since: it is theirs
    fi
    rm -f "$tb_aside" "${target%/*}/.x11fwd-new-$tb_nonce"
    remove_folders "$(field "$1" folders)"
    sshd_ready && sshd_reload "$1"
    if [ -n "$tb_theirs" ]; then
        rm -f "$1/nonce" # nobody's confirmation has kept it
        journal_state "$1" "done"
    else
        journal_drop "$1"
    fi
}

# --- confirm and roll back, called by the client through a connection that it could still open

sshd_pending() { # -> the one that waits
    for sp_pending in "$state"/pending/*; do
        [ -d "$sp_pending" ] && { printf '%s\n' "$sp_pending"; return 0; }
    done
    return 1
}

sshd_confirm() {
    pending=$state/pending/$x_pending
    if ! mv "$pending/undecided" "$pending/confirmed" 2>/dev/null && [ ! -e "$pending/confirmed" ]; then
        wait_until 30 is_absent "$pending"
        ! is_kept || finish confirmed
        die too-late "the confirmation came too late: the watcher has taken the change back"
    fi
    finish_confirmation "$pending"
    finish confirmed
}

is_kept() { # $x_pending is not open any more because it was confirmed: the answer had been lost on its way
    [ ! -d "$state/pending/$x_pending" ] || return 1
    if [ -n "$x_entry" ]; then
        [ ! -d "$state/journal/$x_entry" ]
        return
    fi
    for ik_entry in "$state"/journal/[0-9]*; do
        [ "$(field "$ik_entry" nonce)" != "$x_pending" ] || [ ! -e "$ik_entry/state-done" ] || return 0
    done
    return 1
}

finish_confirmation() { # PENDING; may be done twice
    fc_entry=$(field "$1" entry)
    if [ -n "$fc_entry" ] && fc_entry=$state/journal/$fc_entry && [ -d "$fc_entry" ]; then
        fc_target=$(field "$fc_entry" path)
        rm -f "${fc_target%/*}/.x11fwd-old-$(field "$fc_entry" nonce)"
        fc_undoes=$(field "$fc_entry" undoes)
        if [ -n "$fc_undoes" ]; then
            remove_folders "$(field "$state/journal/$fc_undoes" folders)"
            discard "$state/journal/$fc_undoes"
            journal_drop "$fc_entry"
        else
            journal_state "$fc_entry" "done"
        fi
    fi
    discard "$1"
    rmdir "$state/pending" 2>/dev/null
    :
}

sshd_rollback() {
    pending=$state/pending/$x_pending
    if is_kept; then finish confirmed; fi
    [ -d "$pending" ] || finish undone
    if is_alive "$(field "$pending" armed)"; then
        mv "$pending/not-now" "$pending/now" 2>/dev/null
        wait_until 30 is_absent "$pending" || die watcher "the watcher has not taken the change back"
    else
        mv "$pending/undecided" "$pending/restored" 2>/dev/null
        [ ! -e "$pending/restored" ] || restore_pending "$pending"
    fi
    finish undone
}

sshd_undo() { # ENTRY: the way back is watched like the way there
    # shellcheck source=/dev/null
    . "$1/action.sh"
    action_source=$1/action.sh
    x_expect=
    x_confirm_seconds=$x_undo_seconds
    x_change=$(field "$1" change)
    x_title="undo: $(field "$1" title)"
    target=$(field "$1" path)
    before=$(digest "$target")
    x_after=$(field "$1" before-digest)
    if [ "$before" != "$(field "$1" after-digest)" ]; then
        [ "$before" = "$x_after" ] || {
            foreign_difference "$1" >"$run/difference"
            say_file difference "$run/difference"
            finish foreign "${1##*/}"
        }
        journal_drop "$1"
        finish undone "${1##*/}"
    fi
    sshd_ready || die sshd-broken "sshd does not accept the configuration as it is, before any change of ours"
    if [ "$x_after" = absent ]; then
        sshd_transaction "" "${1##*/}"
    else
        sshd_transaction "$1/before" "${1##*/}"
    fi
}
