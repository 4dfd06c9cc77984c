# Starts what opens a pickled figure as a program of the user's would start: with the environment that the login shell
# makes, and its Python. Run by follow_remote.py as the text of `sh -c`, behind facts/login_environment.sh, with the
# arguments MARK PYTHON PROGRAM; an empty PYTHON stands for the one that the login shell finds.
x_mark=$1 x_python=$2 x_program=$3 x_shell=${SHELL:-}
x_login_environment
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
