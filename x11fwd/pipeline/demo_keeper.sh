# Runs the demo's sshd and, with a third argument, an X server, until standard input ends; then nothing stays.
# Arguments: FOLDER SSHD [XVFB]. demo_sandbox.py holds the other end of standard input, so the end of that process
# for whatever reason, SIGKILL included, is the end of everything here.
x_dir=$1 x_sshd=$2 x_xvfb=${3:-}
x_screen='' x_server='' x_made=''

x_clean() {
    trap '' HUP INT TERM
    # the listener is asked by its own file as well: a reload keeps the number, a restart would not;
    # $! is one whose number we had no time to note
    kill $x_server $x_screen $! $(cat "$x_dir/pid" 2>/dev/null) 2>/dev/null
    wait 2>/dev/null
    rm -rf "$x_dir"
    for x_folder in $x_made; do rmdir "$x_folder" 2>/dev/null; done
    exit
}
trap x_clean HUP INT TERM

# What a running system has and a container may lack (Debian's ssh.service, Xvfb's own notes).
for x_folder in /tmp/.X11-unix /run/sshd; do
    case $x_folder in /run/*) [ "$(id -u)" -eq 0 ] || continue ;; *) [ -n "$x_xvfb" ] || continue ;; esac
    if [ ! -d "$x_folder" ] && mkdir "$x_folder" 2>/dev/null; then
        x_made="$x_made $x_folder"
        case $x_folder in /tmp/*) chmod 1777 "$x_folder" ;; *) chmod 755 "$x_folder" ;; esac
    fi
done

if [ -n "$x_xvfb" ]; then
    # -noreset: an untrusted cookie would be forgotten with the last client
    "$x_xvfb" -displayfd 1 -screen 0 1280x800x24 -auth "$x_dir/screen-authority" -nolisten tcp -noreset \
        >"$x_dir/display" 2>"$x_dir/screen-log" </dev/null &
    x_screen=$!
fi
"$x_sshd" -D -f "$x_dir/sshd_config" -E "$x_dir/log" </dev/null &
x_server=$!
cat >/dev/null
x_clean
