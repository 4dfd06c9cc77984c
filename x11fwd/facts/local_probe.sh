#!/bin/sh
# Asks this machine what files and variables do not tell; sent by facts/local.py, read by facts/answers.py.
# The argument is the end mark. Keys are those of probe.sh.

say() { printf '=%s\t%s\n' "$1" "$2"; }

first_line() { LC_ALL=C sed -n '1p'; }

LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/X11R6/bin:/opt/X11/bin:/opt/homebrew/bin
say system.uname "$(uname -snrm 2>/dev/null)"
for file in /etc/os-release /usr/lib/os-release; do
    if [ -r "$file" ]; then
        printf '+system.os_release\t%s\n' "$file"
        { cat "$file"; echo; } | LC_ALL=C sed 's/^/|/'
        break
    fi
done
comm=''
if [ -r /proc/1/comm ]; then read -r comm </proc/1/comm; fi
say init.comm "$comm"
if [ -d /run/systemd/system ]; then say init.systemd yes; fi
if [ -e /run/openrc/softlevel ]; then say init.openrc yes; fi
if command -v sw_vers >/dev/null 2>&1; then say system.macos "$(sw_vers -productVersion 2>/dev/null)"; fi
# launchd hands DISPLAY to what it starts; a shell that was started otherwise, or that sets its own, lacks it
if command -v launchctl >/dev/null 2>&1; then say launchd.display "$(launchctl getenv DISPLAY 2>/dev/null)"; fi
if [ -x /opt/X11/bin/Xquartz ]; then say xquartz.path /opt/X11/bin/Xquartz; fi
if path=$(command -v ssh 2>/dev/null); then
    say ssh.path "$path"
    say ssh.version "$("$path" -V 2>&1 </dev/null | first_line)"
fi
if path=$(command -v xauth 2>/dev/null); then
    say xauth.path "$path"
    if version=$("$path" -i -n -f /dev/null version 2>/dev/null </dev/null) && [ -n "$version" ]; then
        say xauth.version "$version"
    else
        printf '?xauth.version\t%s\n' "$path does not say its version"
    fi
fi
printf '.%s\n' "$1"
