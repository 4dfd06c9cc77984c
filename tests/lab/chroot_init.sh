# First process of a host without init (hosts.py starts it with bash): makes /proc and /dev, starts sshd, reaps what loses its
# parent. When it is killed the kernel ends everything in its PID namespace (pid_namespaces(7)), and its mounts go with
# the mount namespace.
root=$1
hostname "$2"
if [ -n "$3" ]; then # a network of its own: link, this machine's address, the host's, this machine's namespace
    ip link set lo up
    ip link add "$3" type veth peer name eth0
    ip link set "$3" netns "$6"
    nsenter --net="$6" sh -ec 'ip addr add "$2/30" dev "$1"; ip link set "$1" up' sh "$3" "$4"
    ip addr add "$5/30" dev eth0
    ip link set eth0 up
fi
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=64k dev "$root/dev"
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r name major minor <<< "$node"
    mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,size=16m shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
mkdir -p "$root/run/sshd"
# pivot_root(2), its last paragraphs: not a chroot, in which the kernel makes no user namespaces
cd "$root"
pivot_root . .
umount -l .
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/sshd -D -E /var/log/sshd-lab.log &
while :; do sleep 3600 & wait $!; done
