# shellcheck shell=sh
# The order of the questions, and which of them run side by side.

x_main() {
    LC_ALL=C
    export LC_ALL
    x_nonce=$1
    x_login_limit=8
    x_old_path=$PATH
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:/usr/X11R6/bin:/opt/X11/bin
    if [ "${2:-}" = sshd ]; then
        x_say rights.ok "$x_nonce"
        x_uid=0
        shift 2
        x_sshd "$@"
        return
    fi
    x_brief=${X11FWD_STAMP:+yes}
    x_timeout=
    if timeout -k 1 9 true 2>/dev/null; then x_timeout=yes; fi
    x_python=${2:-}
    x_account
    x_ancestors
    x_rest=${SSH_CONNECTION:-}
    x_client=${x_rest%% *}
    x_lport=${x_rest##* }
    x_laddr=${x_rest% *}
    x_laddr=${x_laddr##* }
    x_xauth=$(x_program xauth /usr/bin/xauth)
    x_login | {
        x_privileged </dev/null | {
            {
                x_system
                x_start
                x_home_facts
                x_xauth_facts
                x_authority authority "${XAUTHORITY:-$x_home/.Xauthority}"
                if [ -z "$x_brief" ]; then
                    x_rc_facts
                    x_network
                    x_account_files
                fi
            } </dev/null
            cat
        }
        cat
    }
    printf '.%s\n' "$x_nonce"
}

x_main "$@" </dev/null
