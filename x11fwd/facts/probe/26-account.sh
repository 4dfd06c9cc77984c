# shellcheck shell=sh
# The user's start files, and programs of earlier logins that still run; read by facts/account.py.

# Lines of start files that touch the display, or put another program in the place of the shell.
x_start_files() {
    set --
    for x_word in /etc/environment /etc/profile /etc/bash.bashrc /etc/bashrc /etc/zshenv /etc/zprofile /etc/zshrc \
        /etc/zsh/zshenv /etc/zsh/zprofile /etc/zsh/zshrc /etc/csh.cshrc /etc/csh.login /etc/profile.d/*.sh \
        /etc/profile.d/*.csh /etc/fish/config.fish /etc/fish/conf.d/*.fish /etc/security/pam_env.conf \
        "$x_home"/.ssh/environment "$x_home"/.pam_environment "$x_home"/.profile "$x_home"/.bash_profile \
        "$x_home"/.bash_login "$x_home"/.bashrc "$x_home"/.bash_aliases "$x_home"/.bashrc.d/* "$x_home"/.zshenv \
        "$x_home"/.zprofile "$x_home"/.zshrc "$x_home"/.zlogin "$x_home"/.cshrc "$x_home"/.tcshrc "$x_home"/.login \
        "$x_home"/.config/fish/config.fish "$x_home"/.config/fish/conf.d/*.fish \
        "$x_home"/.config/environment.d/*.conf; do
        if [ -f "$x_word" ] && [ -r "$x_word" ]; then set -- "$@" "$x_word"; fi
    done
    x_word="DISPLAY|XAUTHORITY|MPLBACKEND|MATPLOTLIBRC|MPLCONFIGDIR|QT_QPA_PLATFORM|QT_PLUGIN_PATH"
    x_text start.lines "$(LC_ALL=C grep -nE \
        "(^|[^A-Za-z0-9_])($x_word)([[:space:]]*=|[[:space:]]|\$)|(^|[;&|[:space:]])(exec[[:space:]]|tmux|screen|byobu)" \
        /dev/null "$@" 2>/dev/null | LC_ALL=C grep -vE '^[^:]*:[0-9]*:[[:space:]]*#' | LC_ALL=C sed -e '120q' \
        -e 's/^\(.\{300\}\).*/\1/')"
}

# x_display_of KIND PID PLACE [DISPLAY]: with which a process of an earlier login runs; DISPLAY as our own hook in
# tmux has noted it, else the one that the process was born with.
x_display_of() {
    x_value=${4:-}
    if [ -z "$x_value" ]; then
        x_value=$(x_limit 2 tr '\000' '\n' 2>/dev/null <"/proc/$2/environ" | LC_ALL=C sed -n '/^DISPLAY=/{s///p;q;}')
    fi
    if [ -n "$x_value" ]; then x_say stays "$1$x_tab$2$x_tab$3$x_tab$x_value"; fi
}

x_staying() {
    x_count=0
    for x_socket in "${TMUX_TMPDIR:-/tmp}/tmux-$x_uid"/*; do
        # Whoever serves a socket of tmux may run commands as its client: only the user's own will do.
        # shellcheck disable=SC3067  # all of our shells have it
        if [ ! -S "$x_socket" ] || [ ! -O "$x_socket" ] || [ ! -O "${x_socket%/*}" ]; then continue; fi
        if [ "$x_count" -ge 5 ]; then break; fi
        x_count=$((x_count + 1))
        x_limit 6 tmux -S "$x_socket" list-panes -a \
            -F '#{pane_pid} #{?@x11fwd_display,#{@x11fwd_display},-} #{session_name}:#{window_index}.#{pane_index}' \
            2>/dev/null </dev/null | LC_ALL=C sed 30q | while read -r x_pid x_value x_word; do
            x_display_of tmux "$x_pid" "${x_socket##*/} $x_word" "${x_value#-}"
        done
    done
    if [ ! -r /proc/self/cmdline ]; then return; fi
    # A process that is stuck may keep us waiting. The brackets keep grep from finding itself.
    x_word=$(x_limit 8 grep -lsE \
        '[m]osh-server|[e]tterminal|[S]CREEN|[/][.](vscode|cursor)-server/|[i]pykernel|[j]upyter' \
        /proc/[0-9]*/cmdline)
    x_count=0
    for x_word in $x_word; do
        x_pid=${x_word#/proc/}
        x_pid=${x_pid%/cmdline}
        # shellcheck disable=SC3067  # all of our shells have it
        if [ ! -O "$x_word" ]; then continue; fi
        x_count=$((x_count + 1))
        if [ "$x_count" -gt 20 ]; then break; fi
        x_kind=$(LC_ALL=C tr '\000' ' ' <"$x_word" 2>/dev/null)
        case $x_kind in
        *mosh-server*) x_kind=mosh ;;
        *etterminal*) x_kind=et ;;
        *.vscode-server/* | *.cursor-server/*) x_kind=ide ;;
        *ipykernel* | *jupyter*) x_kind=jupyter ;;
        *) x_kind=screen ;;
        esac
        # A terminal's server often may not be looked into; what runs in it may.
        x_kids=
        case $x_kind in
        mosh | et | screen) { read -r x_kids <"/proc/$x_pid/task/$x_pid/children"; } 2>/dev/null ;;
        esac
        for x_pid in ${x_kids:-$x_pid}; do x_display_of "$x_kind" "$x_pid" ''; done
    done
}

x_account_files() {
    x_start_files
    x_staying
    for x_word in python3 python; do
        # shellcheck disable=SC2030  # meant for this program alone
        if x_found=$(PATH=$x_old_path && x_program "$x_word"); then x_say plain.python "$x_found" && break; fi
    done
    x_word=
    { read -r x_word </sys/fs/selinux/enforce; } 2>/dev/null
    if [ "$x_word" = 1 ]; then
        x_text selinux "$(LC_ALL=C ls -Zd "$x_home" "$x_home/.Xauthority" 2>/dev/null)"
        x_word=
        { read -r x_word </sys/fs/selinux/booleans/use_nfs_home_dirs; } 2>/dev/null
        if [ -n "$x_word" ]; then x_say selinux.nfs_homes "${x_word%% *}"; fi
    fi
    if x_program scontrol >/dev/null; then
        x_word=$(x_limit 8 scontrol show config 2>/dev/null </dev/null | LC_ALL=C sed -n 's/^PrologFlags *= *//p')
        if [ -n "$x_word" ]; then
            x_say slurm.flags "$x_word"
        else
            x_unknown slurm.flags 'Slurm does not answer: scontrol show config'
        fi
    fi
}
