# shellcheck shell=sh
# Makes the environment ours that the login shell x_shell makes, for a program of ours that is to run as one of the
# user's would. pipeline/run_start.py and serialised/following.py send it ahead of what they start. x_mark is what
# nothing else prints. Where the shell comes to no answer everything stays as it is.
#
# The login shell gets no standard input, so that a start file cannot eat what comes there, and is left again at once, so
# that its job control and its exit files stay out. The probe (probe/40-pythons.sh) asks in the same way, with limits.
x_login_environment() {
    x_nl='
'
    x_ask="exec /bin/sh -c 'echo; echo begin-$x_mark; export -p; echo end-$x_mark'"
    case ${x_shell##*/} in
    '') set -- true ;;
    csh | tcsh) set -- "$x_shell" -c "if ( -r ~/.login ) source ~/.login; $x_ask" ;;
    *) set -- "$x_shell" -lic "$x_ask" ;;
    esac
    unset LC_ALL
    x_out=$("$@" 2>/dev/null </dev/null | LC_ALL=C sed "/^end-$x_mark/q")
    case $x_out in
    *"begin-$x_mark$x_nl"*"end-$x_mark")
        x_exports=${x_out#*"begin-$x_mark$x_nl"}
        x_exports=${x_exports%"end-$x_mark"}
        # bash marks these read-only, and a POSIX shell ends at an assignment to such a one
        x_exports=$(printf '%s\n' "$x_exports" | LC_ALL=C sed '/^export SHELLOPTS=/d; /^export BASHOPTS=/d; /^export PPID=/d')
        eval "$x_exports"
        ;;
    esac
}
