# Starts the far half of `run` as a program of the user's would start: same interpreter, and the environment that the
# login shell makes. Sent as the text of `sh -c` by run_session.py with the arguments MARK SIZE PYTHON; the program is the
# first SIZE bytes of standard input. An empty PYTHON stands for the one that the login shell finds.
#
# The login shell gets no standard input, so that a start file cannot eat the program, and is left again at once, so
# that its job control and its exit files stay out. facts/probe.sh and plot_start.sh ask for the environment alike.
x_mark=$1 x_size=$2 x_python=$3 x_shell=${SHELL:-}
x_nl='
'
x_display=${DISPLAY:-} x_authority=${XAUTHORITY:-}
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
# a start file that sets DISPLAY by itself knows nothing of this connection's
if [ -n "$x_display" ]; then
    DISPLAY=$x_display
    export DISPLAY
    if [ -n "$x_authority" ]; then
        XAUTHORITY=$x_authority
        export XAUTHORITY
    fi
fi
cd "${HOME:-/}" 2>/dev/null || cd /
if [ -z "$x_python" ]; then
    x_python=$(command -v python3 || command -v python) || exit 127
fi
case $x_python in
"~/"*) x_python=$HOME/${x_python#"~/"} ;;
esac
command -v "$x_python" >/dev/null 2>&1 || exit 127
exec "$x_python" -c '
import os, sys
if sys.version_info < (3, 6):
    os._exit(3)
sys.path[:] = [one for one in sys.path if one]
text, size = b"", int(sys.argv[1])
while len(text) < size:
    more = os.read(0, size - len(text))
    if not more:
        os._exit(4)
    text += more
import zlib
sys.argv = [""]
exec(compile(zlib.decompress(text), "x11fwd-run", "exec"), {"__name__": "x11fwd_run"})
' "$x_size"
