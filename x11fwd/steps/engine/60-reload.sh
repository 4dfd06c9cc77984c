# shellcheck shell=sh
# Telling the listening sshd to read its configuration again: reload, never restart; and never into a broken one.

is_listener() { # PID: the daemon itself, not the half that serves one login (sshd.c, setproctitle)
    il_line=$(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null) || return 1
    case $il_line in
        "sshd: "*"[listener]"*) return 0 ;;
        "sshd: "* | "sshd-session: "*) return 1 ;;
        */sshd\ * | sshd\ *) return 0 ;;
    esac
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

pid_file_mark() { # what changes when the daemon has read everything again: it writes its pid file anew
    # shellcheck disable=SC2012
    ls -i "$pid_file" 2>/dev/null | awk '{ print $1 }'
}

reread() { [ -s "$pid_file" ] && { [ "$(pid_file_mark)" != "$rr_mark" ] || [ -n "$(find "$pid_file" -newer "$run/reload-mark" 2>/dev/null)" ]; }; }

sshd_reload() { # ENTRY; the words of a failure are in $run/words
    # SIGHUP makes sshd execute itself again; with a broken configuration it would be gone (sshd.c, sighup_restart)
    sshd_on "" -t >"$run/words" 2>&1 || return 1
    pid_file=$(sshd_pid_file)
    pid_file=${pid_file:-/run/sshd.pid}
    pid=$(listener "$1")
    rr_mark=$(pid_file_mark)
    : >"$run/reload-mark"
    sr_number=0
    : >"$run/words"
    while [ "$sr_number" -lt "$x_reloads" ]; do
        sr_number=$((sr_number + 1))
        if [ -z "$pid" ] && "reload_${sr_number}_needs_pid"; then continue; fi
        if "reload_$sr_number" </dev/null >"$run/reload-words" 2>&1; then
            sshd_came_back
            return
        fi
        cat "$run/reload-words" >>"$run/words" 2>/dev/null
    done
    # nobody holds an old configuration: the next login's sshd reads the new one
    [ -z "$pid" ]
}

sshd_came_back() {
    [ -n "$pid" ] || return 0
    # without a pid file there is nothing to see; the client tries its login more than once
    [ ! -s "$pid_file" ] || wait_until 5 reread
    [ -z "$(started_at "$pid")" ] || return 0
    sc_now=$(cat "$pid_file" 2>/dev/null)
    case $sc_now in '' | *[!0-9]*) ;; *) is_listener "$sc_now" && return 0 ;; esac
    echo "the listening sshd (process $pid) has ended at the reload" >>"$run/words"
    sshd_on "" >>"$run/words" 2>&1 # the only door: better a fresh daemon than none
    return 1
}
