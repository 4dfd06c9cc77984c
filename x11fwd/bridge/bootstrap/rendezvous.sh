# Where the session's script and the bridge meet on the remote; text of both scripts (starter.py, session).
# POSIX sh (dash, bash, ksh, zsh as sh, busybox). Names begin with x_; every path that they hold is absolute.
#
#   x_runtime_folder   sets x_folder to a folder of our own, 0700, in which a file can be made; 1 and '' if none.
#                      Both scripts run in one login and so find the same one.
#   x_meet TOKEN       sets x_fifo and makes that FIFO, 0600; whoever comes first makes it
#   x_wait SECONDS     waits at x_fifo for one line, sets x_word, x_display, x_authority, and removes x_fifo; who
#                      makes x_fifo.late afterwards has a minute to use it
#   x_tell SECONDS WORD REASON   says one line to whoever waits at x_fifo, or gives up
#
# The line, less than PIPE_BUF bytes:
#   ready DISPLAY AUTHORITY   DISPLAY has no blanks, AUTHORITY is the rest of the line as it is
#   none REASON               there will be no display; REASON is one word of starter.py's Reason, `ended` or `late`

x_runtime_folder() {
    x_user=$(id -u 2>/dev/null) || x_user=${LOGNAME:-user}
    for x_base in "${XDG_RUNTIME_DIR:-}" /dev/shm "${TMPDIR:-/tmp}" /tmp /var/tmp "${HOME:-}/.cache" "${HOME:-}"; do
        # `read` and DISPLAY's neighbours hold one line; a relative path means another place to each of us
        case $x_base in
        *'
'*) continue ;;
        /?*) ;;
        *) continue ;;
        esac
        if [ ! -d "$x_base" ]; then continue; fi
        x_folder=$x_base/x11fwd-$x_user
        if [ -h "$x_folder" ]; then continue; fi
        if [ -d "$x_folder" ]; then
            # somebody else may have made it first, where everybody may make files
            if [ ! -O "$x_folder" ] || ! chmod 700 "$x_folder" 2>/dev/null; then continue; fi
        elif ! mkdir -m 700 "$x_folder" 2>/dev/null; then
            # the other script may have made it just now
            if [ -h "$x_folder" ] || [ ! -d "$x_folder" ] || [ ! -O "$x_folder" ]; then continue; fi
        fi
        # a full disk makes files and cannot fill them
        if (umask 077 && printf x >"$x_folder/try.$$") 2>/dev/null; then
            rm -f "$x_folder/try.$$"
            return 0
        fi
        rm -f "$x_folder/try.$$"
    done
    x_folder=
    return 1
}

x_meet() {
    x_fifo=$x_folder/$1
    mkfifo -m 600 "$x_fifo" 2>/dev/null || [ -p "$x_fifo" ]
}

x_wait() {
    # Without a terminal nothing ends a script whose connection is lost, so this wait has an end of its own. No
    # child of this shell, as the shell will be somebody else's program, who may wait for children.
    # In braces: around a function dash keeps what it redirects, and sshd waits until nobody has its pipes.
    # No exec: ksh has it in a subshell for itself, too.
    # A terminal that is closed hangs up all of its programs: this one stays, to take the FIFO away.
    trap '' HUP
    ({ x_last "$1"; } </dev/null >/dev/null 2>&1 &)
    trap - HUP
    x_word='' x_display='' x_authority=''
    read -r x_word x_display x_authority <"$x_fifo"
    rm -f "$x_fifo"
    [ "$x_word" = ready ]
}

x_last() {
    exec 3<>"$x_fifo" || return 0
    # where the session was quicker the FIFO has gone, and opening has made a plain file
    if [ ! -p "$x_fifo" ]; then rm -f "$x_fifo"; fi
    x_first=
    if x_look; then x_first=$x_born; fi
    x_count=0
    while [ -p "$x_fifo" ]; do
        if [ $x_count = "$1" ]; then printf 'none late\n' >&3; fi
        if x_gone; then
            rm -f "$x_fifo"
            return 0
        fi
        # nobody reads
        if [ $x_count -gt "$1" ]; then rm -f "$x_fifo"; fi
        sleep 1
        x_count=$((x_count + 1))
    done
    # a session that has given up says so to the one that comes instead of it (bridge_command.again)
    if [ $x_count -ge "$1" ]; then sleep 60 && rm -f "$x_fifo.late"; fi
}

x_gone() {
    # Linux tells of a process who its parent is and when it was born (proc(5), stat); elsewhere nobody knows
    [ -r /proc/self/stat ] || return 1
    if ! x_look || [ "$x_born" != "$x_first" ]; then return 0; fi
    if [ "$x_parent" = "$PPID" ]; then return 1; fi
    # without a terminal it outlives sshd's process for its session, and would run its command for nobody
    kill $$ 2>/dev/null
}

x_look() {
    read -r x_a x_a x_a x_parent x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_a x_born x_a </proc/$$/stat
}

x_tell() {
    if [ ! -p "$x_fifo" ]; then return 0; fi
    # open for both directions, so that this does not wait, and the line stays until it is read
    exec 3<>"$x_fifo" || return 0
    printf '%s %s\n' "$2" "$3" >&3
    x_count=0
    while [ -p "$x_fifo" ] && [ $x_count -lt "$1" ]; do
        sleep 1
        x_count=$((x_count + 1))
    done
    exec 3>&-
    rm -f "$x_fifo"
}
