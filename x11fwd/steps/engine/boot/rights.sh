# shellcheck shell=sh
# Runs as the login user and gets the rights. $1 nonce, $2 kind of rights, $3 the text of spool.sh.
n=$1
m=$(umask)
w=$(id -un)
[ -z "${SSH_CONNECTION-}" ] || w="$w from ${SSH_CONNECTION%% *}"
case $2 in
    sudo) exec sudo -n sh -c "$3" x11fwd "$n" "$w" "$m" ;;
    doas) exec doas -n sh -c "$3" x11fwd "$n" "$w" "$m" ;;
    sudo-password) ;;
    *) exec sh -c "$3" x11fwd "$n" "$w" "$m" ;;
esac
if [ "$(command -v printf)" != printf ]; then
    # a printf that is a program would show the password in its arguments
    echo "@$n fail shell this sh has no printf of its own"
    echo "@$n end 1"
    exit 1
fi
IFS= read -r p
if e=$(printf '%s\n' "$p" | sudo -S -p '' -v 2>&1); then
    {
        printf '%s\n' "$p"
        cat
    } | sudo -S -p '' sh -c "$3" x11fwd "$n" "$w" "$m"
else
    printf '%s\n' "$e" | while IFS= read -r l; do printf '@%s words %s\n' "$n" "$l"; done
    echo "@$n fail sudo sudo refused"
    echo "@$n end 1"
fi
