# shellcheck shell=sh
# sshd: the daemon that let us in, its files and what it would answer; run as root where that can be had.

# x_read_config FILE DEPTH: the file and those it includes, in the order in which sshd reads them.
x_read_config() {
    if [ ! -e "$1" ]; then
        x_say sshd.absent "$1"
        return
    fi
    if [ ! -r "$1" ]; then
        x_unknown sshd.file "reading $1 needs root"
        return
    fi
    x_file sshd.file "$1"
    if [ "$2" -gt 16 ]; then return; fi # servconf.c, SERVCONF_MAX_DEPTH
    case $x_body in *[Ii][Nn][Cc][Ll][Uu][Dd][Ee]*) ;; *) return ;; esac
    x_lines=$(LC_ALL=C sed -e '/^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]=]\{1,\}/!d' \
        -e 's///; s/[[:space:]]#.*//; s/"//g' "$1")
    set -f
    # shellcheck disable=SC2086  # a list of words
    x_read_includes "$1" "$2" $x_lines
}

# x_read_includes FILE DEPTH PATTERN…
x_read_includes() {
    set +f
    x_includer=$1
    x_depth=$(($2 + 1))
    shift 2
    for x_pattern in "$@"; do
        case $x_pattern in /*) ;; *) x_pattern=/etc/ssh/$x_pattern ;; esac
        x_say sshd.include "$x_includer$x_tab$x_pattern"
        if [ -d "${x_pattern%/*}" ] && [ ! -r "${x_pattern%/*}" ]; then
            x_unknown sshd.file "reading ${x_pattern%/*} needs root"
            continue
        fi
        for x_word in $x_pattern; do
            if [ -e "$x_word" ]; then
                x_say sshd.glob "$x_pattern$x_tab$x_word"
                (x_read_config "$x_word" "$x_depth")
            fi
        done
    done
}

# x_sshd USER ADDRESS LOCAL_ADDRESS LOCAL_PORT LISTENER: everything about the daemon that let us in.
x_sshd() {
    x_config='' x_options='' x_binary='' x_cmdline=''
    if [ -n "$5" ]; then
        x_cmdline=$(LC_ALL=C tr '\000' ' ' <"/proc/$5/cmdline" 2>/dev/null)
        x_say sshd.pid "$5"
        x_say sshd.cmdline "$x_cmdline"
        x_text sshd.cgroup "$(cat "/proc/$5/cgroup" 2>/dev/null)"
        x_binary=$(readlink "/proc/$5/exe" 2>/dev/null)
        x_binary=${x_binary% (deleted)}
    fi
    # `sshd: /usr/sbin/sshd -D -f FILE [listener] 0 of 10-100 startups`, or the plain arguments of older ones
    x_before=
    set -f
    for x_word in $x_cmdline; do
        case $x_before in
        -f) x_config=$x_word ;;
        -o) x_options="$x_options -o $x_word" ;;
        esac
        case $x_word in
        '[listener]'*) break ;;
        /*sshd) if [ -z "$x_binary" ]; then x_binary=$x_word; fi ;;
        -f?*) x_config=${x_word#-f} ;;
        -o?*) x_options="$x_options -o ${x_word#-o}" ;;
        esac
        x_before=$x_word
    done
    set +f
    case $x_binary in */sshd) ;; *) x_binary= ;; esac # sshd-session is not the program to ask
    x_binary=${x_binary:-$(x_program /usr/sbin/sshd /usr/local/sbin/sshd /opt/homebrew/sbin/sshd sshd)}
    x_say sshd.binary "$x_binary"
    for x_word in /run/sshd.pid /var/run/sshd.pid; do
        if [ -r "$x_word" ]; then
            x_rest=
            { read -r x_rest <"$x_word"; } 2>/dev/null
            x_say sshd.pidfile "$x_word$x_tab$x_rest"
            break
        fi
    done
    for x_word in sshd ssh; do
        if [ -x "/etc/init.d/$x_word" ]; then x_say sshd.initd "/etc/init.d/$x_word"; fi
        if [ -e "/var/service/$x_word/run" ]; then x_say sshd.runit "/var/service/$x_word"; fi
    done
    if x_word=$(x_program rc-service); then x_say sshd.rc_service "$x_word"; fi
    if [ -d /run/systemd/system ]; then
        x_word=$(x_limit 10 systemctl show -p Id -p LoadState -p ActiveState -p MainPID -p Listen ssh.service sshd.service \
            ssh.socket sshd.socket 2>/dev/null)
        if [ -n "$x_word" ]; then x_text sshd.units "$x_word"; else x_unknown sshd.units 'systemctl gave no answer'; fi
    fi
    for x_word in /var/lib/x11fwd/pending/*; do
        if [ -d "$x_word" ]; then x_say sshd.pending "$x_word"; fi
    done
    x_main=${x_config:-/etc/ssh/sshd_config}
    if [ -z "$x_config" ] && [ ! -e "$x_main" ]; then
        for x_word in /usr/local/etc/ssh/sshd_config /opt/homebrew/etc/ssh/sshd_config /usr/etc/ssh/sshd_config; do
            if [ -e "$x_word" ]; then x_main=$x_word; fi
        done
    fi
    x_say sshd.config "$x_main"
    x_read_config "$x_main" 0
    if [ -z "$x_binary" ]; then return; fi
    if [ -z "$x_brief" ]; then
        x_word=$(x_limit 10 "$x_binary" -V 2>&1 </dev/null | LC_ALL=C sed -n '/OpenSSH_/{p;q;}')
        x_say sshd.version "$x_word"
    fi
    x_effective "$@"
}

# sshd -T for this user and this connection. A normal user cannot read the host keys, so sshd gets one to throw away.
x_effective() {
    if [ -z "$2" ]; then
        x_connection=
    else
        x_connection="user=$1,host=$2,addr=$2,laddr=$3,lport=$4"
    fi
    x_say sshd.connection "$x_connection"
    set -- "$x_binary" -T -f "$x_main"
    if [ -n "$x_connection" ]; then set -- "$@" -C "$x_connection"; fi
    set -f
    # shellcheck disable=SC2086  # a list of words
    set -- "$@" $x_options
    set +f
    x_keys=
    if [ "$x_uid" != 0 ]; then
        for x_word in "${XDG_RUNTIME_DIR:-}" /dev/shm "${TMPDIR:-}" /tmp /var/tmp; do
            if [ -d "$x_word" ] && [ -w "$x_word" ]; then
                x_keys=$(mktemp -d "$x_word/x11fwd.XXXXXXXXXX" 2>/dev/null) && break
            fi
        done
        if [ -z "$x_keys" ]; then x_unknown sshd.effective 'no directory takes a throw-away key' && return; fi
        trap 'rm -rf "$x_keys"' EXIT
        trap 'rm -rf "$x_keys"; exit 1' HUP INT TERM
        if ! x_limit 10 ssh-keygen -q -t ed25519 -N '' -C '' -f "$x_keys/key" </dev/null >/dev/null 2>&1; then
            x_unknown sshd.effective 'ssh-keygen made no throw-away key'
            return
        fi
        set -- "$@" -h "$x_keys/key"
    fi
    if x_word=$(x_limit 10 "$@" 2>/dev/null </dev/null); then
        x_text sshd.effective "$x_word"
        x_found=${x_nl}$x_word$x_nl
        case $x_found in
        *"${x_nl}xauthlocation "*)
            x_found=${x_found#*"${x_nl}xauthlocation "}
            x_found=${x_found%%"$x_nl"*}
            ;;
        *) x_found= ;;
        esac
        if [ -x "$x_found" ]; then x_say sshd.xauth_exists yes; else x_say sshd.xauth_exists no; fi
    else
        x_text sshd.problem "$(x_limit 10 "$@" 2>&1 >/dev/null </dev/null)"
    fi
}

x_privileged() {
    set -- "$x_user" "$x_client" "$x_laddr" "$x_lport" "$x_listener"
    if [ "$x_uid" = 0 ]; then
        x_say rights root
        x_sshd "$@"
        return
    fi
    for x_tool in sudo doas; do
        x_path=$(x_program "$x_tool") || continue
        # One call answers both: may we, and what does root see.
        x_out=$(printf '%s\n' "x_brief=$x_brief x_timeout=$x_timeout" "$X11FWD_PROBE" |
            x_limit 40 "$x_path" -n /bin/sh -s "$x_nonce" sshd "$@" 2>&1)
        case $x_out in
        *"=rights.ok$x_tab$x_nonce$x_nl"*)
            x_say rights "$x_tool"
            printf '%s\n' "$x_out"
            return
            ;;
        esac
        x_say rights.refused "$x_tool: $x_out"
    done
    x_sshd "$@"
}
