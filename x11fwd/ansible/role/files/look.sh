# Says what the role wants to know of a host, one KEY=VALUE a line; changes nothing.
# Fields of os-release(5) may stand between quotes.
for file in /etc/os-release /usr/lib/os-release; do
    [ -r "$file" ] || continue
    sed -n -e 's/^\(ID\|ID_LIKE\|VERSION_ID\|PRETTY_NAME\)=/os_\1=/p' "$file" | sed -e 's/="\(.*\)"$/=\1/' -e "s/='\(.*\)'$/=\1/"
    break
done
echo "kernel=$(uname -s)"
if word=$(sw_vers -productVersion 2>/dev/null); then printf 'os_ID=macos\nos_VERSION_ID=%s\n' "$word"; fi
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
echo "xauth=$(command -v xauth)"
echo "sshd=$(command -v sshd)"
echo "sshd_version=$(sshd -V 2>&1 </dev/null | sed -n '/OpenSSH_/{s/.*OpenSSH_\([^ ,]*\).*/\1/p;q;}')"
echo "connection=${SSH_CONNECTION-}"
echo "matplotlibrc=${MATPLOTLIBRC-}"
echo "mplconfigdir=${MPLCONFIGDIR-}"
echo "mplbackend=${MPLBACKEND-}"
echo "xdg_config_home=${XDG_CONFIG_HOME-}"
comm=$(cat /proc/1/comm 2>/dev/null)
if [ "$(uname -s)" = Darwin ]; then echo init=launchd
elif [ -d /run/systemd/system ]; then echo init=systemd
elif [ -e /run/openrc/softlevel ]; then echo init=openrc
elif [ "$comm" = init ]; then echo init=sysvinit
else
    case $(uname -s) in
    *BSD | DragonFly) echo init=rc ;;
    *) case $comm in runit | shepherd) echo "init=$comm" ;; *) echo init=none ;; esac ;;
    esac
fi
# ostree, snapshots of SUSE's, Flatcar: no programs can be added while the system runs
image=$(awk '$2 == "/" { whole = $4 } $2 == "/usr" { part = $4 } END { print (part != "" ? part : whole) }' /proc/mounts 2>/dev/null)
case ,$image, in *,ro,*) image='/usr is read-only' ;; *) image= ;; esac
if [ -e /run/ostree-booted ]; then image=ostree; fi
echo "image=$image"
found=
for pair in apt:apt-get dnf:dnf yum:yum microdnf:microdnf tdnf:tdnf zypper:zypper pacman:pacman apk:apk xbps:xbps-install \
    portage:emerge pkg:pkg brew:brew port:port rpm-ostree:rpm-ostree \
    transactional-update:transactional-update; do
    if command -v "${pair#*:}" >/dev/null 2>&1; then found="$found ${pair%%:*}"; fi
done
echo "managers=$found"
if command -v dnf5 >/dev/null 2>&1; then echo dnf=dnf5; else echo dnf=dnf4; fi
for tool in mamba conda micromamba; do
    if command -v "$tool" >/dev/null 2>&1; then echo "conda=$(command -v "$tool")" && break; fi
done
