# shellcheck shell=sh
# The account, its home, the machine's programs, and the session that sshd opened.

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
    trap 'rm -f "$x_file_name"; exit 1' HUP INT TERM
    if x_err=$(umask 077 && dd if=/dev/zero of="$x_file_name" bs=4096 count=1 2>&1); then
        x_say home.write ok
    else
        x_say home.write "${x_err%%"$x_nl"*}"
    fi
    rm -f "$x_file_name" 2>/dev/null
    if [ -n "$x_brief" ]; then return; fi
    if x_df=$(x_limit 3 df -Pk "$x_home" 2>/dev/null); then
        x_say home.df "${x_df##*"$x_nl"}"
    else
        x_unknown home.df 'df gave no answer'
    fi
}

# x_authority PREFIX FILE: stat, locks, names of the entries, and protocols other than the one that sshd uses; the
# cookies never leave the pipe.
x_authority() {
    x_say "$1.path" "$2"
    if [ -n "$x_brief" ]; then return; fi
    for x_lock in "$2-c" "$2-l"; do
        if [ -e "$x_lock" ] || [ -h "$x_lock" ]; then
            x_say "$1.lock" "$x_lock"
            x_lock_holders "$1"
        fi
    done
    if [ -e "$2-n" ]; then x_say "$1.left" "$2-n"; fi
    x_ls=$(ls -ldL "$2" 2>/dev/null) || return 0
    x_say "$1.ls" "$x_ls"
    if [ -w "$2" ]; then x_say "$1.writable" yes; else x_say "$1.writable" no; fi
    if [ ! -f "$2" ]; then return 0; fi
    if [ ! -r "$2" ]; then x_unknown "$1.entries" "$2 is not readable"; return 0; fi
    if [ -z "$x_xauth" ]; then x_unknown "$1.entries" 'there is no xauth to read it with'; return 0; fi
    if x_list=$(x_limit 10 "$x_xauth" -i -n -f "$2" list 2>/dev/null </dev/null | LC_ALL=C sed \
        -e 's/[[:space:]]*MIT-MAGIC-COOKIE-1[[:space:]].*//' -e t \
        -e 's/^\([^[:space:]]*\)[[:space:]]*\([^[:space:]]*\).*/\1 \2/'); then
        x_text "$1.entries" "$x_list"
    else
        x_unknown "$1.entries" 'xauth could not read it'
    fi
}

# Programs of the user's that hold a lock at this very moment; ours look without one (-i).
x_lock_holders() {
    # shellcheck disable=SC2013  # words of a kind that holds no blank
    for x_word in $(LC_ALL=C grep -lsx xauth /proc/[0-9]*/comm); do
        # shellcheck disable=SC3067  # all of our shells have it
        if [ ! -O "$x_word" ]; then continue; fi
        case $(LC_ALL=C tr '\000' ' ' <"${x_word%comm}cmdline" 2>/dev/null) in
        '' | *' -i -n -f '*) ;;
        *) x_say "$1.holder" "${x_word%/comm}" ;;
        esac
    done
}

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
    for x_word in apt-get dnf yum microdnf tdnf zypper pacman apk xbps-install emerge eopkg swupd rpm-ostree \
        transactional-update nix-env guix pkg brew port; do
        x_in_path "$x_word" || x_found=/opt/homebrew/bin/$x_word
        if [ -x "$x_found" ]; then x_say packages "$x_word$x_tab$x_found"; fi
    done
    x_image
}

# Why programs cannot be added while the system runs; ostree, snapshots of SUSE's, Flatcar and the like mount /usr so.
x_image() {
    if [ -e /run/ostree-booted ]; then x_say system.image ostree && return; fi
    x_word=$(LC_ALL=C awk '$2 == "/" { whole = $4 } $2 == "/usr" { part = $4 }
        END { print (part != "" ? part : whole) }' /proc/mounts 2>/dev/null)
    case ,$x_word, in *,ro,*) x_say system.image '/usr is read-only' ;; esac
}

x_xauth_facts() {
    if [ -z "$x_xauth" ]; then
        x_say xauth.path ''
        return
    fi
    x_say xauth.path "$x_xauth"
    if [ -n "$x_brief" ]; then return; fi
    if x_word=$(x_limit 10 "$x_xauth" -i -n -f /dev/null version 2>/dev/null </dev/null) && [ -n "$x_word" ]; then
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

x_names='DISPLAY|XAUTHORITY|SSH_CONNECTION|SSH_CLIENT|SSH_TTY|SSH_USER_AUTH|WAYLAND_DISPLAY|XDG_RUNTIME_DIR'
x_names="$x_names|XDG_SESSION_TYPE|XDG_CONFIG_HOME|XDG_STATE_HOME|HOME|USER|LOGNAME|SHELL|PATH|LANG|TERM|TMUX|STY"
x_names="$x_names|MPLBACKEND|MATPLOTLIBRC|MPLCONFIGDIR|QT_QPA_PLATFORM|QT_QPA_PLATFORM_PLUGIN_PATH|QT_PLUGIN_PATH|QT_API"
x_names="$x_names|PYTHONPATH|PYTHONHOME|PYTHONNOUSERSITE|TCL_LIBRARY|TK_LIBRARY|LD_LIBRARY_PATH|LD_PRELOAD"
x_names="$x_names|VIRTUAL_ENV|CONDA_PREFIX|CONDA_DEFAULT_ENV|CONDA_EXE|MAMBA_EXE|MAMBA_ROOT_PREFIX|PYENV_ROOT"
x_names="$x_names|LMOD_CMD|MODULES_CMD|MODULEPATH|PYENV_VERSION|UV_PYTHON_INSTALL_DIR|SLURM_JOB_ID|PBS_JOBID|LSB_JOBID|SUDO_USER|container"

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
    x_word=
    if [ -r "/proc/$x_first/environ" ]; then
        x_word=$(LC_ALL=C tr '\000' '\n' 2>/dev/null <"/proc/$x_first/environ" | LC_ALL=C grep -E "^($x_names)=")
    fi
    # Another user's, or one outside of our user namespace, cannot be read.
    x_word=${x_word:-$(env | LC_ALL=C grep -E "^($x_names)=")}
    x_text start.environment "$x_word"
    # Where the login shell became us (exec), its exports are all that is left, and a start file may have changed
    # DISPLAY among them. sshd's listener for this session belongs to our user (channels.c, x11_create_display_inet).
    case $x_word in *DISPLAY=localhost:[0-9]*) return ;; esac
    LC_ALL=C grep -E ': 0100007F:1[7-9AB][0-9A-F][0-9A-F] 00000000:0000 0A ' /proc/net/tcp 2>/dev/null |
        while read -r x_key x_word x_rest x_rest x_rest x_rest x_rest x_key x_rest; do
            x_port=$((0x${x_word#*:} - 6000))
            if [ "$x_key" = "$x_uid" ] && [ "$x_port" -ge 10 ] && [ "$x_port" -lt 1010 ]; then
                x_say start.listener "$x_port"
            fi
        done
}
