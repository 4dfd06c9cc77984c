# Starts what opens a pickled figure as a program of the user's would start: with the environment that the login shell
# makes, and its Python. Run by follow_remote.py as the text of `sh -c` with the arguments MARK PYTHON PROGRAM; an empty
# PYTHON stands for the one that the login shell finds. The environment is asked for as pipeline/run_start.sh does it.
x_mark=$1 x_python=$2 x_program=$3 x_shell=${SHELL:-}
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
# nobody looks over there: no window, and no toolkit that would want a display
unset DISPLAY WAYLAND_DISPLAY
MPLBACKEND=Agg PYTHONIOENCODING=utf-8 PYTHONDONTWRITEBYTECODE=1
export MPLBACKEND PYTHONIOENCODING PYTHONDONTWRITEBYTECODE
if [ -z "$x_python" ]; then
    x_python=$(command -v python3 || command -v python) || exit 127
fi
case $x_python in
"~/"*) x_python=$HOME/${x_python#"~/"} ;;
esac
command -v "$x_python" >/dev/null 2>&1 || exit 127
exec "$x_python" -c "$x_program"
