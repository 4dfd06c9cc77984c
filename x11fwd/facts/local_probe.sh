#!/bin/sh
# Asks this machine what files and variables do not tell; sent by facts/local.py, read by facts/answers.py.
# The arguments are the end mark, and ssh's own for a target, or `-` where somebody asks ssh already. Keys are
# those of probe.sh.

say() { printf '=%s\t%s\n' "$1" "$2"; }

text() { # KEY LABEL; standard input is the text
    printf '+%s\t%s\n' "$1" "$2"
    { cat; echo; } | LC_ALL=C sed 's/^/|/'
}

first_line() { LC_ALL=C sed -n '1p'; }

has() { command -v "$1" >/dev/null 2>&1; }

yes_if() { # KEY and a command
    key=$1
    shift
    if "$@" >/dev/null 2>&1; then say "$key" yes; else say "$key" no; fi
}

mark=$1
shift
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/X11R6/bin:/opt/X11/bin:/opt/homebrew/bin
# whoever answers to these may hang: a user's `Match exec`, a bus that is stuck
limit=''
if has timeout; then limit='timeout 3'; fi
say system.uname "$(uname -snrm 2>/dev/null)"
for file in /etc/os-release /usr/lib/os-release; do
    if [ -r "$file" ]; then
        sed "" "$file" | text system.os_release "$file"
        break
    fi
done
comm=''
if [ -r /proc/1/comm ]; then read -r comm </proc/1/comm; fi
say init.comm "$comm"
if [ -d /run/systemd/system ]; then say init.systemd yes; fi
if [ -e /run/openrc/softlevel ]; then say init.openrc yes; fi
if path=$(command -v ssh 2>/dev/null); then
    say ssh.path "$path"
    say ssh.version "$("$path" -V 2>&1 </dev/null | first_line)"
    if [ $# = 0 ]; then set -- localhost; fi
    if [ "$1" != - ]; then
        found=$($limit "$path" -G "$@" 2>/dev/null </dev/null | sed -n 's/^xauthlocation //p' | first_line)
        say ssh.xauth_location "$found"
    fi
fi
if path=$(command -v xauth 2>/dev/null); then
    say xauth.path "$path"
    if version=$("$path" -i -n -f /dev/null version 2>/dev/null </dev/null) && [ -n "$version" ]; then
        say xauth.version "$version"
    else
        printf '?xauth.version\t%s\n' "$path does not say its version"
    fi
fi
if path=$(command -v Xwayland 2>/dev/null); then say xwayland.path "$path"; fi
# what the desktop's own session was given: a shell that came by ssh, sudo or cron lacks it
if has systemctl && { [ -z "$DISPLAY" ] || [ -z "$XAUTHORITY" ]; }; then
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
    export XDG_RUNTIME_DIR
    if [ -S "$XDG_RUNTIME_DIR/systemd/private" ]; then
        $limit systemctl --user show-environment 2>/dev/null </dev/null |
            sed -n 's/^\(DISPLAY=\|XAUTHORITY=\|WAYLAND_DISPLAY=\)/=session.environment	\1/p'
    fi
fi
if has launchctl; then
    if has sw_vers; then say system.macos "$(sw_vers -productVersion 2>/dev/null)"; fi
    # launchd hands DISPLAY to what it starts; a shell that was started otherwise, or sets its own, lacks it
    display=$(launchctl getenv DISPLAY 2>/dev/null)
    say launchd.display "$display"
    yes_if launchd.socket test -S "$display"
    case $DISPLAY in
    /*) yes_if display.socket test -S "$DISPLAY" ;;
    esac
    for file in /opt/X11/bin/Xquartz /Applications/Utilities/XQuartz.app; do
        if [ -e "$file" ]; then say xquartz.path "$file"; fi
    done
    user=$(id -u)
    yes_if launchd.agent launchctl print "gui/$user/org.xquartz.startx"
    yes_if launchd.helper launchctl print system/org.xquartz.privileged_startx
    { launchctl print-disabled "gui/$user" && launchctl print-disabled system; } 2>/dev/null |
        sed -n '/xquartz/p' | text launchd.disabled ''
    ps -axo comm= 2>/dev/null | sed -n '/\/Xquartz$/{s/^/=xquartz.process	/p;q;}'
    yes_if socket.folder test -d /tmp/.X11-unix
    if has defaults; then
        defaults read org.xquartz.X11 2>/dev/null | text xquartz.settings org.xquartz.X11
        old=$HOME/Library/Preferences/org.macosforge.xquartz.X11.plist
        if [ -e "$old" ]; then
            defaults read org.macosforge.xquartz.X11 2>/dev/null | text xquartz.old_settings "$old"
            since=/var/db/receipts/org.xquartz.X11.plist
            if [ -e "$since" ]; then yes_if xquartz.old_newer test "$old" -nt "$since"; fi
        fi
    fi
    log=$HOME/Library/Logs/X11/org.xquartz.log
    if [ -r "$log" ]; then tail -n 40 "$log" | text xquartz.log "$log"; fi
fi
printf '.%s\n' "$mark"
