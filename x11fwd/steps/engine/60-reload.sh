# shellcheck shell=sh
# Telling the listening sshd to read its configuration again: reload, never restart; and never into a broken one.

is_listener() { # PID: the daemon itself, not the half that serves one login (sshd.c, setproctitle)
    il_line=$(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null) || return 1
    case $il_line in
        "sshd: "*"[listener]"*) return 0 ;;
        "sshd: "* | "sshd-session: "*) return 1 ;;
    esac
    case ${il_line%% *} in */sshd | sshd) return 0 ;; esac
    return 1
}

find_listener() { # -> `PID STARTED BOOT` of the daemon that let this session in, looked for among our ancestors
    fl_pid=$$
    while [ "${fl_pid:-0}" -gt 1 ]; do
        fl_stat=$(cat "/proc/$fl_pid/stat" 2>/dev/null) || return 1
        # shellcheck disable=SC2086  # split on purpose: state, parent
        set -- ${fl_stat##*)}
        fl_pid=$2
        [ "${fl_pid:-0}" -gt 0 ] && is_listener "$fl_pid" && { identity "$fl_pid"; return 0; }
    done
    return 1
}

sshd_pid_file() {
    sshd_on "" -T -C "$x_connection" 2>/dev/null | sed -n 's/^pidfile //p'
}

listener() { # ENTRY -> its process id, empty where every connection starts its own sshd
    li_saved=$(field "$1" listener)
    if [ -n "$li_saved" ] && is_alive "$li_saved"; then
        echo "${li_saved%% *}"
        return
    fi
    li_pid=$(cat "$pid_file" 2>/dev/null)
    case $li_pid in '' | *[!0-9]*) return ;; esac
    is_listener "$li_pid" && echo "$li_pid"
}

pid_file_mark() { # what changes when the daemon has read everything again: it removes and writes its pid file
    # shellcheck disable=SC2012
    stat -c '%i %y' "$pid_file" 2>/dev/null || ls -i "$pid_file" 2>/dev/null
}

reread_or_gone() {
    { [ -s "$pid_file" ] && [ "$(pid_file_mark)" != "$rr_mark" ]; } || [ -z "$(started_at "$pid")" ]
}

sshd_reload() { # ENTRY; needs no room on the disk
    # SIGHUP makes sshd execute itself again; with a broken configuration it would be gone (sshd.c, sighup_restart)
    hear sshd_on "" -t || return 1
    pid_file=$(sshd_pid_file)
    pid_file=${pid_file:-/run/sshd.pid}
    pid=$(listener "$1")
    unit=$(sed -n 's|.*/\([^/]*\.service\)$|\1|p' "/proc/${pid:-none}/cgroup" 2>/dev/null | head -n 1)
    rr_mark=$(pid_file_mark)
    if [ -n "$unit" ] && socket_starts "$unit"; then
        hear systemctl stop "$unit"
        wait_until 5 reread_or_gone
        socket_opens && return 0
        hear systemctl start "$unit" && return 0
    fi
    sr_number=0
    sr_words=
    while [ "$sr_number" -lt "$x_reloads" ]; do
        sr_number=$((sr_number + 1))
        if [ -z "$pid" ] && "reload_${sr_number}_needs_pid"; then continue; fi
        if hear "reload_$sr_number" </dev/null; then
            sshd_came_back
            return
        fi
        sr_words=$sr_words${sr_words:+$newline}$words
    done
    words=$sr_words
    # nobody holds an old configuration: the next login's sshd reads the new one
    [ -z "$pid" ] || { [ -z "$(started_at "$pid")" ] && socket_opens; }
}

door_listens() { # somebody listens where this login came in (proc(5), state 0A)
    dl_port=${x_connection##*lport=}
    dl_port=$(printf '%04X' "${dl_port%%[!0-9]*}" 2>/dev/null) || return 1
    awk -v port=":$dl_port" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Behind a socket of systemd's there is nothing to reload: the socket stays open when its sshd ends and starts a fresh
# one for the next login, and logged in sessions are processes of their own (KillMode=process). A reload would be
# worse: Debian 13's sshd loses the socket it was given ("Cannot bind any address"), and systemd may then wait 90
# seconds for its READY=1 while nobody answers at the door.
socket_starts() { # UNIT
    [ "$(systemctl show --property=KillMode "$1" 2>/dev/null)" = KillMode=process ] || return 1
    ss_units=$(systemctl show --property=TriggeredBy "$1" 2>/dev/null)
    for ss_unit in ${ss_units#TriggeredBy=}; do
        case $ss_unit in *.socket) systemctl --quiet is-active "$ss_unit" && return 0 ;; esac
    done
    return 1
}

socket_opens() {
    door_listens || return 1
    # every such start counts against systemd's limit, beyond which the socket itself would be closed
    [ -z "$unit" ] || systemctl reset-failed "$unit" >/dev/null 2>&1
    :
}

sshd_came_back() {
    [ -n "$pid" ] || return 0
    # it listens before it writes that file anew (sshd.c, main); where there was none there is nothing to see, and the
    # client tries its login more than once
    [ -z "$rr_mark" ] || wait_until 5 reread_or_gone
    [ -z "$(started_at "$pid")" ] || return 0
    sc_now=$(cat "$pid_file" 2>/dev/null)
    case $sc_now in '' | *[!0-9]*) ;; *) is_listener "$sc_now" && return 0 ;; esac
    socket_opens && return 0
    hear sshd_on "" # the only door: better a fresh daemon than none
    words="the listening sshd (process $pid) has ended at the reload${words:+$newline}$words"
    return 1
}
