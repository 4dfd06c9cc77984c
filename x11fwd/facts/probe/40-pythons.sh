# shellcheck shell=sh
# The login shell's environment, and what each Python that a user of it would meet says.

# Brings the environment of a login shell here: sets x_exports, or says why not. No terminal, no standard input, a limit.
x_login_shell() {
    x_exports=
    x_begin=x11fwd-begin-$x_nonce
    x_end=x11fwd-end-$x_nonce
    x_ask="exec /bin/sh -c 'echo; echo $x_begin; export -p; echo $x_end'"
    case ${x_shell##*/} in
    '' | nologin | false | true) x_unknown login "the login shell is ${x_shell:-not known}" && return ;;
    csh | tcsh) set -- "$x_shell" -c "if ( -r ~/.login ) source ~/.login; $x_ask" ;;
    *) set -- "$x_shell" -lic "$x_ask" ;;
    esac
    if [ ! -x "$x_shell" ]; then x_unknown login "$x_shell cannot be run" && return; fi
    # An interactive shell would take our terminal, where there is one (never over ssh).
    if (: </dev/tty) 2>/dev/null; then
        if x_program setsid >/dev/null; then set -- setsid "$@"; else x_unknown login 'setsid is missing' && return; fi
    fi
    # sed ends at the mark, so that a daemon which a start file left behind cannot keep us waiting; where the shell
    # ended without our command, the mark is ours. Nor does one that never stops talking. What is taken out is read-only
    # in bash or zsh, and a POSIX shell ends at an assignment to such a one; people do export UID.
    x_out=$(
        {
            (unset LC_ALL && x_limit "$x_login_limit" env PATH="$x_old_path" "$@" </dev/null)
            printf '\n%s\n' "$x_end"
        } 2>/dev/null | LC_ALL=C sed -e "/^$x_end/q" -e 5000q -e '/^export SHELLOPTS=/d' -e '/^export BASHOPTS=/d' \
            -e '/^export PPID=/d' -e '/^export E\{0,1\}[UG]ID=/d' -e '/^export GROUPS=/d'
    )
    case $x_out in
    *"$x_begin$x_nl"*"$x_end") ;;
    *) x_unknown login "${x_shell##*/} did not come to run a command: a start file ends it or hangs" && return ;;
    esac
    x_noise=${x_out%%"$x_nl$x_begin$x_nl"*}
    if [ -n "$x_noise" ]; then x_text login.noise "$(printf '%.600s' "$x_noise")"; fi
    x_exports=${x_out#*"$x_begin$x_nl"}
    x_exports=${x_exports%"$x_end"}
}

x_login() {
    if [ -n "${X11FWD_INSIDE:-}" ]; then
        # x11fwd runs in the session itself: what this shell has is what a program of the user's would get.
        unset LC_ALL
        PATH=$x_old_path
        x_environment
        x_pythons
        return
    fi
    x_login_shell
    if [ -n "$x_exports" ]; then
        unset LC_ALL
        # what a start file has taken away must not come from here
        unset DISPLAY XAUTHORITY WAYLAND_DISPLAY MPLBACKEND MATPLOTLIBRC QT_QPA_PLATFORM LD_LIBRARY_PATH PYTHONPATH
        eval "$x_exports"
        IFS=" $x_tab$x_nl"
        x_environment
    fi
    x_pythons
}

x_environment() {
    x_text login.environment "$(env | LC_ALL=C grep -E "^($x_names)=")"
    if [ -n "${XAUTHORITY:-}" ]; then x_authority login.authority "$XAUTHORITY"; fi
    x_modules
}

# x_ask_python MODE FOUND_BY PATH
x_ask_python() {
    # sed leaves the answer, or the beginning of the last line: to find something in 500 kB takes a shell the square of
    # their number in steps, 40 s of work.
    x_out=$(cd "$x_home" 2>/dev/null || cd /
        x_limit 30 "$3" -c "$X11FWD_PYTHON" "$1" "$x_nonce" 2>&1 </dev/null | head -c 500000 |
            LC_ALL=C sed -n -e "s/.*$x_nonce/$x_nonce/" -e "/^$x_nonce/{p;q;}" -e '$s/^\(.\{400\}\).*/\1/' -e '$p')
    x_word=${x_out#*"$x_nonce"}
    if [ "$x_word" != "$x_out" ]; then
        x_word=${x_word%%"$x_nl"*}
    else
        x_word="!${x_out##*"$x_nl"}"
    fi
    x_say "python.$1" "$2$x_tab$3$x_tab$x_word"
}

x_pythons() {
    x_list_pythons
    # the first one in full, the others beside it in short
    printf '%s' "$x_list" | {
        IFS=$x_tab read -r x_by x_path || { x_say pythons none && return; }
        x_ask_python full "$x_by" "$x_path" | {
            while IFS=$x_tab read -r x_by x_path; do x_ask_python short "$x_by" "$x_path"; done <&7
            cat
        }
    } 7<&0
}
