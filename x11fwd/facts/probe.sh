#!/bin/sh
# Asks a machine everything that x11fwd wants to know, in one run, and changes nothing there except for one file in
# the home directory that is written and removed at once. Sent by facts/remote.py, read by facts/answers.py.
#
# It arrives as the text of $X11FWD_PROBE, beside $X11FWD_PYTHON (probe_python.py), and is run by eval:
#   eval "$X11FWD_PROBE"          with the arguments NONCE [PYTHON]
#   sh -s NONCE sshd …            again as root, for what only root may read
#
# Answers, one per line; values may hold anything but a newline:
#   =KEY<tab>VALUE                a value
#   +KEY<tab>LABEL                a text; its lines follow, each after a `|`
#   ?KEY<tab>REASON               could not be asked
#   .NONCE                        the end: nothing was lost
#
# Slow questions run beside one another without a file on disk: in `A | { B; cat; }` both run, and what A found waits
# in the pipe. All of it must run under dash, bash, busybox ash, ksh, mksh and zsh. Names begin with x_, because
# the login environment is brought into one of the subshells.

x_nl='
'
x_tab=$(printf '\t')

x_say() {
    case $2 in
    *"$x_nl"*) x_text "$1" "$2" ;;
    *) printf '=%s\t%s\n' "$1" "$2" ;;
    esac
}

x_text() {
    printf '+%s\t\n' "$1"
    printf '%s\n' "$2" | LC_ALL=C sed 's/^/|/'
}

x_unknown() {
    printf '?%s\t%s\n' "$1" "$2"
}

# The newline that echo adds after the file is taken off by the reader; a file without one at its end stays so.
x_file() {
    printf '+%s\t%s\n' "$1" "$2"
    { cat "$2" 2>/dev/null; echo; } | LC_ALL=C sed 's/^/|/'
}

# x_limit SECONDS COMMAND…: standard input is that of the caller; 124 or more where time ran out.
x_limit() {
    if [ -n "$x_timeout" ]; then
        timeout -k 1 "$@"
        return
    fi
    x_seconds=$1
    shift
    # A background command gets /dev/null as its standard input, so the real one goes by another number.
    exec 8<&0
    "$@" <&8 8<&- &
    x_child=$!
    exec 8<&-
    (
        trap 'kill "$x_sleep" 2>/dev/null; exit' TERM
        sleep "$x_seconds" >/dev/null 2>&1 &
        x_sleep=$!
        wait "$x_sleep" && kill -9 "$x_child"
    ) >/dev/null 2>&1 &
    x_watch=$!
    wait "$x_child"
    x_status=$?
    kill "$x_watch" 2>/dev/null
    wait "$x_watch" 2>/dev/null
    return "$x_status"
}

# The first one that is a program, among command names (looked up in PATH) and paths.
x_program() {
    for x_word in "$@"; do
        x_found=$(command -v "$x_word" 2>/dev/null) || continue
        case $x_found in /*) printf '%s\n' "$x_found" && return 0 ;; esac
    done
    return 1
}

# --- the account ------------------------------------------------------------------------------------------------------

x_account() {
    x_id=$(id 2>/dev/null)
    x_uid=${x_id#uid=}
    x_uid=${x_uid%%[!0-9]*}
    x_user=${x_id#*\(}
    x_user=${x_user%%\)*}
    [ -n "$x_user" ] || x_user=${USER:-${LOGNAME:-}}
    x_passwd=$(getent passwd "$x_user" 2>/dev/null || LC_ALL=C grep "^$x_user:" /etc/passwd 2>/dev/null)
    x_passwd=${x_passwd%%"$x_nl"*}
    x_shell=${x_passwd##*:}
    x_home=${x_passwd%:*}
    x_home=${x_home##*:}
    if [ -z "$x_passwd" ]; then
        x_shell=$(dscl . -read "/Users/$x_user" UserShell 2>/dev/null)
        x_shell=${x_shell#*: }
        x_shell=${x_shell:-${SHELL:-}}
        x_home=${HOME:-}
    fi
    # sshd logs a user in with the home of passwd(5); a sandbox may know better.
    x_home=${HOME:-$x_home}
    x_say user.id "$x_id"
    x_say user.shell "$x_shell"
    x_say home.path "$x_home"
}

x_home_facts() {
    if [ ! -d "$x_home" ]; then
        x_say home.exists no
        return
    fi
    x_say home.exists yes
    x_say home.ls "$(ls -ld "$x_home" 2>/dev/null)"
    x_file_name=$x_home/.x11fwd-probe-$x_nonce
    if x_err=$(umask 077 && dd if=/dev/zero of="$x_file_name" bs=4096 count=1 2>&1); then
        x_say home.write ok
    else
        x_say home.write "${x_err%%"$x_nl"*}"
    fi
    rm -f "$x_file_name" 2>/dev/null
    if x_df=$(x_limit 3 df -Pk "$x_home" 2>/dev/null); then
        x_say home.df "${x_df##*"$x_nl"}"
    else
        x_unknown home.df 'df gave no answer'
    fi
}

# x_authority PREFIX FILE: stat, locks and the names of the entries; the cookies never leave the pipe.
x_authority() {
    x_say "$1.path" "$2"
    for x_lock in "$2-c" "$2-l"; do
        if [ -e "$x_lock" ] || [ -h "$x_lock" ]; then x_say "$1.lock" "$x_lock"; fi
    done
    x_ls=$(ls -ldL "$2" 2>/dev/null) || return 0
    x_say "$1.ls" "$x_ls"
    if [ -w "$2" ]; then x_say "$1.writable" yes; else x_say "$1.writable" no; fi
    if [ ! -f "$2" ]; then return 0; fi
    if [ ! -r "$2" ]; then x_unknown "$1.entries" "$2 is not readable"; return 0; fi
    if [ -z "$x_xauth" ]; then x_unknown "$1.entries" 'there is no xauth to read it with'; return 0; fi
    if x_list=$(x_limit 5 "$x_xauth" -i -n -f "$2" list 2>/dev/null </dev/null | LC_ALL=C sed 's/[[:space:]].*//'); then
        x_text "$1.entries" "$x_list"
    else
        x_unknown "$1.entries" 'xauth could not read it'
    fi
}

# --- the system -------------------------------------------------------------------------------------------------------

x_system() {
    x_say system.uname "$(uname -snrm 2>/dev/null)"
    for x_word in /etc/os-release /usr/lib/os-release; do
        if [ -r "$x_word" ]; then x_file system.os_release "$x_word"; break; fi
    done
    if x_word=$(sw_vers -productVersion 2>/dev/null); then x_say system.macos "$x_word"; fi
    x_comm=
    read -r x_comm 2>/dev/null </proc/1/comm
    x_say init.comm "$x_comm"
    if [ -d /run/systemd/system ]; then x_say init.systemd yes; fi
    if [ -e /run/openrc/softlevel ]; then x_say init.openrc yes; fi
    if [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then x_say init.container yes; fi
    for x_word in apt-get dnf yum microdnf tdnf zypper pacman apk xbps-install emerge eopkg swupd rpm-ostree nix-env \
        pkg brew port; do
        if x_found=$(x_program "$x_word"); then x_say packages "$x_word$x_tab$x_found"; fi
    done
}

x_xauth_facts() {
    if [ -z "$x_xauth" ]; then
        x_say xauth.path ''
        return
    fi
    x_say xauth.path "$x_xauth"
    if x_word=$(x_limit 5 "$x_xauth" -i -n -f /dev/null version 2>/dev/null </dev/null) && [ -n "$x_word" ]; then
        x_say xauth.version "$x_word"
    else
        x_unknown xauth.version "$x_xauth does not say its version"
    fi
}

x_rc_facts() {
    for x_word in "$x_home/.ssh/rc" /etc/ssh/sshrc; do
        if [ -f "$x_word" ] && ! LC_ALL=C grep -q xauth "$x_word" 2>/dev/null; then x_say ssh_rc "$x_word"; fi
    done
    # steps/engine/20-journal.sh: root's journal is readable for root only, but its folder is there to be seen
    if [ -d /var/lib/x11fwd ]; then x_say journal.entry /var/lib/x11fwd; fi
    for x_word in "${XDG_STATE_HOME:-$x_home/.local/state}"/x11fwd/journal/[0-9]*; do
        if [ -d "$x_word" ]; then x_say journal.entry "$x_word"; fi
    done
}

# --- the session ------------------------------------------------------------------------------------------------------

x_names='DISPLAY|XAUTHORITY|SSH_CONNECTION|SSH_CLIENT|SSH_TTY|SSH_USER_AUTH|WAYLAND_DISPLAY|XDG_RUNTIME_DIR'
x_names="$x_names|XDG_SESSION_TYPE|XDG_CONFIG_HOME|XDG_STATE_HOME|HOME|USER|LOGNAME|SHELL|PATH|LANG|TERM|TMUX|STY"
x_names="$x_names|MPLBACKEND|MATPLOTLIBRC|MPLCONFIGDIR|QT_QPA_PLATFORM|QT_QPA_PLATFORM_PLUGIN_PATH|QT_PLUGIN_PATH|QT_API"
x_names="$x_names|PYTHONPATH|PYTHONHOME|PYTHONNOUSERSITE|TCL_LIBRARY|TK_LIBRARY|LD_LIBRARY_PATH|LD_PRELOAD"
x_names="$x_names|VIRTUAL_ENV|CONDA_PREFIX|CONDA_DEFAULT_ENV|CONDA_EXE|MAMBA_EXE|MAMBA_ROOT_PREFIX|PYENV_ROOT"
x_names="$x_names|PYENV_VERSION|UV_PYTHON_INSTALL_DIR|SLURM_JOB_ID|PBS_JOBID|LSB_JOBID|SUDO_USER|container"

# Reads the name and the parent of process $1 into x_comm and x_parent.
x_process() {
    x_comm='' x_parent=''
    while read -r x_key x_word; do
        case $x_key in
        Name:) x_comm=$x_word ;;
        PPid:) x_parent=$x_word && return 0 ;;
        esac
    done <"/proc/$1/status"
    return 1
} 2>/dev/null

# Sets x_first, the process that sshd started for this session, and x_listener, the topmost sshd above it.
x_ancestors() {
    x_first=$$ x_listener='' x_pid=$$
    while x_process "$x_pid"; do
        case $x_comm in
        sshd | sshd-* | dropbear*) x_listener=$x_pid ;;
        *) if [ -n "$x_listener" ]; then return; else x_first=$x_pid; fi ;;
        esac
        x_pid=$x_parent
        case $x_pid in '' | 0) break ;; esac
    done
    # Without an sshd above us the walk ended at process 1, which tells nothing about a session.
    if [ -z "$x_listener" ]; then x_first=$$; fi
}

# What sshd set is in the first environment of the process it started; a shell's own exports do not reach it there.
x_start() {
    if [ -r "/proc/$x_first/environ" ]; then
        x_word=$(LC_ALL=C tr '\000' '\n' <"/proc/$x_first/environ" 2>/dev/null | LC_ALL=C grep -E "^($x_names)=")
        x_text start.environment "$x_word"
    else
        x_text start.environment "$(env | LC_ALL=C grep -E "^($x_names)=")"
    fi
}

# --- sshd: as root where that can be had -------------------------------------------------------------------------------

# x_read_config FILE DEPTH: the file and those it includes, in the order in which sshd reads them.
x_read_config() {
    if [ ! -e "$1" ]; then
        x_say sshd.absent "$1"
        return
    fi
    if [ ! -r "$1" ]; then
        x_unknown sshd.file "reading $1 needs root"
        return
    fi
    x_file sshd.file "$1"
    if [ "$2" -gt 16 ]; then return; fi # servconf.c, SERVCONF_MAX_DEPTH
    x_lines=$(LC_ALL=C sed -n 's/^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]=]\{1,\}//p' "$1" |
        LC_ALL=C sed 's/[[:space:]]#.*//; s/"//g')
    set -f
    # shellcheck disable=SC2086  # a list of words
    x_read_includes "$1" "$2" $x_lines
}

# x_read_includes FILE DEPTH PATTERN…
x_read_includes() {
    set +f
    x_includer=$1
    x_depth=$(($2 + 1))
    shift 2
    for x_pattern in "$@"; do
        case $x_pattern in /*) ;; *) x_pattern=/etc/ssh/$x_pattern ;; esac
        x_say sshd.include "$x_includer$x_tab$x_pattern"
        if [ -d "${x_pattern%/*}" ] && [ ! -r "${x_pattern%/*}" ]; then
            x_unknown sshd.file "reading ${x_pattern%/*} needs root"
            continue
        fi
        for x_word in $x_pattern; do
            if [ -e "$x_word" ]; then
                x_say sshd.glob "$x_pattern$x_tab$x_word"
                (x_read_config "$x_word" "$x_depth")
            fi
        done
    done
}

# x_sshd USER ADDRESS LOCAL_ADDRESS LOCAL_PORT LISTENER: everything about the daemon that let us in.
x_sshd() {
    x_config='' x_options='' x_binary='' x_cmdline=''
    if [ -n "$5" ]; then
        x_cmdline=$(LC_ALL=C tr '\000' ' ' <"/proc/$5/cmdline" 2>/dev/null)
        x_say sshd.pid "$5"
        x_say sshd.cmdline "$x_cmdline"
        x_text sshd.cgroup "$(cat "/proc/$5/cgroup" 2>/dev/null)"
        x_binary=$(readlink "/proc/$5/exe" 2>/dev/null)
        x_binary=${x_binary% (deleted)}
    fi
    # `sshd: /usr/sbin/sshd -D -f FILE [listener] 0 of 10-100 startups`, or the plain arguments of older ones
    x_before=
    set -f
    for x_word in $x_cmdline; do
        case $x_before in
        -f) x_config=$x_word ;;
        -o) x_options="$x_options -o $x_word" ;;
        esac
        case $x_word in
        '[listener]'*) break ;;
        /*sshd) if [ -z "$x_binary" ]; then x_binary=$x_word; fi ;;
        -f?*) x_config=${x_word#-f} ;;
        -o?*) x_options="$x_options -o ${x_word#-o}" ;;
        esac
        x_before=$x_word
    done
    set +f
    case $x_binary in */sshd) ;; *) x_binary= ;; esac # sshd-session is not the program to ask
    x_binary=${x_binary:-$(x_program /usr/sbin/sshd /usr/local/sbin/sshd /opt/homebrew/sbin/sshd sshd)}
    x_say sshd.binary "$x_binary"
    for x_word in /run/sshd.pid /var/run/sshd.pid; do
        if [ -r "$x_word" ]; then x_say sshd.pidfile "$x_word$x_tab$(cat "$x_word" 2>/dev/null)" && break; fi
    done
    for x_word in sshd ssh; do
        if [ -x "/etc/init.d/$x_word" ]; then x_say sshd.initd "/etc/init.d/$x_word"; fi
    done
    if x_word=$(x_program rc-service); then x_say sshd.rc_service "$x_word"; fi
    if [ -d /run/systemd/system ]; then
        x_word=$(x_limit 5 systemctl show -p Id -p LoadState -p ActiveState -p MainPID -p Listen ssh.service sshd.service \
            ssh.socket sshd.socket 2>/dev/null)
        if [ -n "$x_word" ]; then x_text sshd.units "$x_word"; else x_unknown sshd.units 'systemctl gave no answer'; fi
    fi
    for x_word in /var/lib/x11fwd/pending/*; do
        if [ -d "$x_word" ]; then x_say sshd.pending "$x_word"; fi
    done
    x_main=${x_config:-/etc/ssh/sshd_config}
    if [ -z "$x_config" ] && [ ! -e "$x_main" ]; then
        for x_word in /usr/local/etc/ssh/sshd_config /opt/homebrew/etc/ssh/sshd_config /usr/etc/ssh/sshd_config; do
            if [ -e "$x_word" ]; then x_main=$x_word; fi
        done
    fi
    x_say sshd.config "$x_main"
    x_read_config "$x_main" 0
    if [ -z "$x_binary" ]; then return; fi
    x_word=$(x_limit 5 "$x_binary" -V 2>&1 </dev/null | LC_ALL=C sed -n '/OpenSSH_/{p;q;}')
    x_say sshd.version "$x_word"
    x_effective "$@"
}

# sshd -T for this user and this connection. A normal user cannot read the host keys, so sshd gets one to throw away.
x_effective() {
    if [ -z "$2" ]; then
        x_connection=
    else
        x_connection="user=$1,host=$2,addr=$2,laddr=$3,lport=$4"
    fi
    x_say sshd.connection "$x_connection"
    set -- "$x_binary" -T -f "$x_main"
    if [ -n "$x_connection" ]; then set -- "$@" -C "$x_connection"; fi
    set -f
    # shellcheck disable=SC2086  # a list of words
    set -- "$@" $x_options
    set +f
    x_keys=
    if [ "$x_uid" != 0 ]; then
        for x_word in "${XDG_RUNTIME_DIR:-}" /dev/shm "${TMPDIR:-}" /tmp /var/tmp; do
            if [ -d "$x_word" ] && [ -w "$x_word" ]; then
                x_keys=$(mktemp -d "$x_word/x11fwd.XXXXXXXXXX" 2>/dev/null) && break
            fi
        done
        if [ -z "$x_keys" ]; then x_unknown sshd.effective 'no directory takes a throw-away key' && return; fi
        trap 'rm -rf "$x_keys"' EXIT
        trap 'rm -rf "$x_keys"; exit 1' HUP INT TERM
        if ! x_limit 5 ssh-keygen -q -t ed25519 -N '' -C '' -f "$x_keys/key" </dev/null >/dev/null 2>&1; then
            x_unknown sshd.effective 'ssh-keygen made no throw-away key'
            return
        fi
        set -- "$@" -h "$x_keys/key"
    fi
    if x_word=$(x_limit 5 "$@" 2>/dev/null </dev/null); then
        x_text sshd.effective "$x_word"
        x_found=$(printf '%s\n' "$x_word" | LC_ALL=C sed -n 's/^xauthlocation //p')
        if [ -x "$x_found" ]; then x_say sshd.xauth_exists yes; else x_say sshd.xauth_exists no; fi
    else
        x_text sshd.problem "$(x_limit 5 "$@" 2>&1 >/dev/null </dev/null)"
    fi
}

x_privileged() {
    set -- "$x_user" "$x_client" "$x_laddr" "$x_lport" "$x_listener"
    if [ "$x_uid" = 0 ]; then
        x_say rights root
        x_sshd "$@"
        return
    fi
    for x_tool in sudo doas; do
        x_path=$(x_program "$x_tool") || continue
        # One call answers both: may we, and what does root see.
        x_out=$(printf '%s\n' "$X11FWD_PROBE" | x_limit 20 "$x_path" -n /bin/sh -s "$x_nonce" sshd "$@" 2>&1)
        case $x_out in
        *"=rights.ok$x_tab$x_nonce$x_nl"*)
            x_say rights "$x_tool"
            printf '%s\n' "$x_out"
            return
            ;;
        esac
        x_say rights.refused "$x_tool: $x_out"
    done
    x_sshd "$@"
}

# --- Python, as the login shell has it ---------------------------------------------------------------------------------

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
    # sed ends at the mark, so a daemon that a start file left behind cannot keep us waiting.
    x_out=$(unset LC_ALL && x_limit "$x_login_limit" env PATH="$x_old_path" "$@" 2>/dev/null </dev/null |
        LC_ALL=C sed "/^$x_end/q")
    case $x_out in
    *"$x_begin$x_nl"*"$x_end") ;;
    *) x_unknown login "${x_shell##*/} ran no command within $x_login_limit s of login" && return ;;
    esac
    x_noise=${x_out%%"$x_nl$x_begin$x_nl"*}
    if [ -n "$x_noise" ]; then x_text login.noise "$x_noise"; fi
    x_exports=${x_out#*"$x_begin$x_nl"}
    x_exports=${x_exports%"$x_end"}
}

x_login() {
    x_login_shell
    if [ -n "$x_exports" ]; then
        unset LC_ALL
        # bash marks these read-only, and a POSIX shell ends at an assignment to such a one.
        x_exports=$(printf '%s\n' "$x_exports" | LC_ALL=C sed '/^export SHELLOPTS=/d; /^export BASHOPTS=/d; /^export PPID=/d')
        eval "$x_exports"
        IFS=" $x_tab$x_nl"
        x_text login.environment "$(env | LC_ALL=C grep -E "^($x_names)=")"
        if [ -n "${XAUTHORITY:-}" ]; then x_authority login.authority "$XAUTHORITY"; fi
    fi
    x_pythons
}

# x_offer FOUND_BY PATH: one more interpreter for the list, unless it is there already under another name.
x_offer() {
    if [ ! -x "$2" ] || [ -d "$2" ]; then return 0; fi
    x_key=$(readlink -f "$2" 2>/dev/null) || x_key=$2
    # A venv's python is a link to another one, and yet is not the same.
    if [ -e "${2%/*}/../pyvenv.cfg" ]; then x_key="$x_key in $(cd "${2%/*}/.." && pwd -P)"; fi
    case "$x_nl$x_seen" in *"$x_nl$x_key$x_nl"*) return 0 ;; esac
    x_seen=$x_seen$x_key$x_nl
    x_count=$((x_count + 1))
    if [ "$x_count" -gt 8 ]; then return 0; fi # enough to choose from, and each costs 30 ms
    x_list="$x_list$1$x_tab$2$x_nl"
}

x_list_pythons() {
    x_seen='' x_list='' x_count=0
    if [ -n "$x_python" ]; then
        x_found=$(command -v "$x_python" 2>/dev/null)
        case $x_found in
        /*) x_offer --python "$x_found" ;;
        *) x_say python.named "--python$x_tab$x_python$x_tab!there is no program $x_python" ;;
        esac
    fi
    for x_word in python3 python; do
        if x_found=$(x_program "$x_word"); then x_offer 'login shell' "$x_found"; fi
    done
    if [ -n "${VIRTUAL_ENV:-}" ]; then x_offer venv "$VIRTUAL_ENV/bin/python"; fi
    if [ -n "${CONDA_PREFIX:-}" ]; then x_offer conda "$CONDA_PREFIX/bin/python"; fi
    if [ -n "${CONDA_EXE:-}" ]; then x_offer conda "${CONDA_EXE%/bin/conda}/bin/python"; fi
    for x_word in miniconda3 anaconda3 miniforge3 mambaforge micromamba; do x_offer conda "$x_home/$x_word/bin/python"; done
    x_offer conda /opt/conda/bin/python
    x_pyenv=${PYENV_ROOT:-$x_home/.pyenv}
    if [ -r "$x_pyenv/version" ]; then
        while read -r x_word; do x_offer pyenv "$x_pyenv/versions/$x_word/bin/python"; done <"$x_pyenv/version"
    fi
    for x_word in "$x_home"/.venv "$x_home"/venv "$x_home"/env "$x_home"/.virtualenvs/*; do
        if [ -e "$x_word/pyvenv.cfg" ]; then x_offer venv "$x_word/bin/python"; fi
    done
    for x_word in "${UV_PYTHON_INSTALL_DIR:-$x_home/.local/share/uv/python}"/cpython-*; do
        x_offer uv "$x_word/bin/python3"
    done
    IFS=:
    for x_word in $PATH /usr/local/bin /usr/bin; do
        case $x_word in /*) x_offer PATH "$x_word/python3" && x_offer PATH "$x_word/python" ;; esac
    done
    IFS=" $x_tab$x_nl"
    if x_word=$(x_program "${MAMBA_EXE:-mamba}" mamba "${CONDA_EXE:-conda}" conda micromamba); then
        x_say conda.tool "$x_word"
    fi
}

# x_ask_python MODE FOUND_BY PATH
x_ask_python() {
    x_out=$(cd "$x_home" 2>/dev/null || cd /
        x_limit 30 "$3" -c "$X11FWD_PYTHON" "$1" "$x_nonce" 2>&1 </dev/null)
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

# --- main -------------------------------------------------------------------------------------------------------------

x_main() {
    LC_ALL=C
    export LC_ALL
    x_nonce=$1
    x_login_limit=8
    x_old_path=$PATH
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:/usr/X11R6/bin:/opt/X11/bin
    x_timeout=
    if timeout -k 1 1 true 2>/dev/null; then x_timeout=yes; fi
    if [ "${2:-}" = sshd ]; then
        x_say rights.ok "$x_nonce"
        x_uid=0
        shift 2
        x_sshd "$@"
        return
    fi
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
                x_rc_facts
            } </dev/null
            cat
        }
        cat
    }
    printf '.%s\n' "$x_nonce"
}

x_main "$@" </dev/null
