# shellcheck shell=sh
# The loopback as sshd finds it when it opens the listener of a forwarded display; read by facts/network.py.

x_network() {
    if [ -r /proc/net/if_inet6 ]; then
        if LC_ALL=C grep -q '^0\{31\}1 ' /proc/net/if_inet6; then x_say net.ipv6_loopback yes; else x_say net.ipv6_loopback no; fi
    elif [ -r /proc/net/tcp ]; then
        x_say net.ipv6_loopback none
    else
        x_unknown net.ipv6_loopback 'this system has no /proc/net'
    fi
    x_word=$(x_limit 8 getent ahosts localhost 2>/dev/null)
    x_status=$?
    if [ "$x_status" = 0 ]; then
        x_text net.localhost "$(printf '%s\n' "$x_word" | LC_ALL=C sed 's/[[:space:]].*//' | sort -u)"
    elif ! x_program getent >/dev/null; then
        x_unknown net.localhost 'there is no getent'
    elif [ "$x_status" -ge 124 ]; then
        x_unknown net.localhost 'getent gave no answer'
    else
        x_say net.localhost none
    fi
    # With X11UseLocalhost no, DISPLAY begins with the host's own name, and xauth and every program look it up.
    case ${DISPLAY:-} in
    '' | :* | /* | localhost:* | 127.0.0.1:*) ;;
    *)
        x_say net.display_host "${DISPLAY%:*}"
        if x_program getent >/dev/null; then
            if x_limit 8 getent ahosts "${DISPLAY%:*}" >/dev/null 2>&1; then
                x_say net.display_host_found yes
            else
                x_say net.display_host_found no
            fi
        fi
        ;;
    esac
    # ADDRESS:PORT in hexadecimal digits and the owner of each listener; state 0A is LISTEN (proc(5)).
    if [ -r /proc/net/tcp ]; then
        x_text net.listeners "$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | LC_ALL=C sed -n \
            's/^ *[0-9]*: \([0-9A-F]*:1[789ABab][0-9A-F]*\) [0-9A-F]*:0000 0A [^ ]* [^ ]* [^ ]* *\([0-9]*\) .*/\1 \2/p')"
    fi
}
