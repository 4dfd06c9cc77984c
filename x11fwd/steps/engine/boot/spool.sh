# shellcheck shell=sh
# Runs with the final rights: makes the state folder and this run's own, takes the script from standard input,
# and starts it once it is complete. $1 nonce, $2 who, $3 umask of the login.
n=$1
umask 077
LC_ALL=C
export LC_ALL
run=
state=
mark=
made=
words=

say() {
    printf '@%s %s\n' "$n" "$*"
}

stop() { # CODE SENTENCE: nothing stays
    rm -rf "$run"
    rmdir "$state/run" 2>/dev/null
    [ -z "$mark" ] || rm -f "$mark"
    printf '%s\n' "$made" | sort -ru | while IFS= read -r folder; do
        [ -z "$folder" ] || rmdir "$folder" 2>/dev/null
    done
    [ -z "$words" ] || printf '%s\n' "$words" | while IFS= read -r line; do say "words $line"; done
    say "fail $*"
    say "end 1"
    exit 1
}

own_folder() { # $run, and in $made what there is because of it, outermost first: only that goes again in the end
    missing=
    folder=$state
    while [ -n "$folder" ] && [ ! -d "$folder" ]; do
        missing="$folder
$missing"
        folder=${folder%/*}
    done
    while [ -n "$missing" ]; do
        folder=${missing%%"
"*}
        missing=${missing#*"
"}
        if words=$(mkdir "$folder" 2>&1); then
            made="$made$folder
"
        elif [ ! -d "$folder" ]; then return 1
        fi
    done
    [ -d "$state/run" ] || words=$(mkdir "$state/run" 2>&1) || [ -d "$state/run" ] || return 1
    words=$(mkdir "$run" 2>&1)
}

# sudo may have left its password line unread: nothing counts before the marked line
while IFS= read -r line; do
    [ "$line" != "@$n begin" ] || break
done

if [ -n "${X11FWD_STATE-}" ]; then
    state=$X11FWD_STATE # a sandbox's own (pipeline/demo_sandbox.py), so that root's real journal stays out of it
elif [ "$(id -u)" -eq 0 ]; then
    state=/var/lib/x11fwd
else
    state=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/x11fwd
fi
run=$state/run/$n
# an earlier run, or one beside this one, may be clearing the empty folders away at this moment: then once more
tries=10
until own_folder; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || stop state "$state cannot be made"
done
# shellcheck disable=SC2012,SC2046  # two numbers of one folder
set -- "$1" "$2" "$3" $(ls -ldn "$state")
if [ -L "$state" ] || [ "$6" != "$(id -u)" ]; then stop state "$state belongs to somebody else"; fi
case $4 in
    drwx------*) ;;
    *) chmod 700 "$state" ;;
esac
if [ -n "$made" ]; then
    mark=$state/made
    words=$(printf '%s' "$made" 2>&1 >>"$mark") || stop no-space "$state cannot be written"
fi
words=$(cat 2>&1 >"$run/engine.sh") || stop no-space "$state cannot be written"
[ "$(tail -n 1 "$run/engine.sh")" = "# @$n complete" ] || stop cut "the script did not arrive whole"
exec sh "$run/engine.sh" start "$state" "$2" "$3"
