# Starts the test plot as a script of the user's would start: same interpreter, same directory, and the environment
# that the login shell makes. Sent as the text of `sh -c` by plot_session.py with the arguments
# MARK SHELL PYTHON SIZE [DISPLAY XAUTHORITY]; the program itself is the first SIZE bytes of standard input.
#
# The login shell gets no standard input, so that a start file cannot eat the program, and is left again at once, so
# that its job control and its exit files stay out. facts/probe.sh asks for the environment in the same way.
x_mark=$1 x_shell=$2 x_python=$3 x_size=$4
if [ -n "${5:-}" ]; then
    DISPLAY=$5 XAUTHORITY=$6
    export DISPLAY XAUTHORITY
fi
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
cd "${HOME:-/}" 2>/dev/null || cd /
exec "$x_python" -c '
import os, sys
text, size = b"", int(sys.argv[1])
while len(text) < size:
    more = os.read(0, size - len(text))
    if not more:
        sys.exit(4)
    text += more
sys.argv = [""]
exec(compile(text, "x11fwd-plot", "exec"), {"__name__": "x11fwd_plot"})
' "$x_size"
