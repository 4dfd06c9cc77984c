# Starts a program of ours as one of the user's would start: same interpreter, same folder, and the environment that the
# login shell makes. Sent as the text of `sh -c` by run_start.py, behind facts/probe/38-python-list.sh and
# facts/login_environment.sh, with the arguments MARK SIZE PYTHON [OWN SHELL [DISPLAY XAUTHORITY]]; the program,
# compressed, is the first SIZE bytes of standard input. An empty PYTHON stands for the one that doctor
# speaks of. OWN: `yes` for a program that takes nothing of the folder it starts in, and whose display is that of this
# connection whatever a start file says.
x_mark=$1 x_size=$2 x_python=$3 x_own=${4:-yes} x_shell=${5-${SHELL:-}}
x_tab=$(printf '\t')
if [ -n "${6:-}" ]; then
    DISPLAY=$6 XAUTHORITY=$7
    export DISPLAY XAUTHORITY
fi
x_display=${DISPLAY:-} x_authority=${XAUTHORITY:-}
x_login_environment
# a start file that sets DISPLAY by itself knows nothing of this connection's
if [ "$x_own" = yes ] && [ -n "$x_display" ]; then
    DISPLAY=$x_display
    export DISPLAY
    if [ -n "$x_authority" ]; then
        XAUTHORITY=$x_authority
        export XAUTHORITY
    fi
fi
cd "${HOME:-/}" 2>/dev/null || cd /
x_program() { command -v "$1" 2>/dev/null; }
x_say() { :; }
if [ -z "$x_python" ] && ! x_python=$(x_program python3 || x_program python); then
    x_home=${HOME:-/}
    x_list_pythons
    x_python=${x_list#*"$x_tab"}
    x_python=${x_python%%"$x_nl"*}
fi
case $x_python in
"~/"*) x_python=$HOME/${x_python#"~/"} ;;
esac
command -v "$x_python" >/dev/null 2>&1 || exit 127
exec "$x_python" -c '
import os, sys
if sys.version_info < (3, 6):
    sys.stderr.write("%s is Python %d.%d, older than 3.6\n" % ((sys.executable,) + sys.version_info[:2]))
    sys.stderr.flush()
    os._exit(3)
if sys.argv[2] == "yes":
    sys.path[:] = [one for one in sys.path if one]
text, size = b"", int(sys.argv[1])
while len(text) < size:
    more = os.read(0, size - len(text))
    if not more:
        os._exit(4)
    text += more
import zlib
sys.argv = [""]
exec(compile(zlib.decompress(text), "x11fwd", "exec"), {"__name__": "x11fwd_far"})
' "$x_size" "$x_own"
