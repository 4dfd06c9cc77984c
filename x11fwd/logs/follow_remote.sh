# Sends growing files to standard output where there is no Python: POSIX sh with ls, dd, od, tr, sort, sleep.
# Speaks as follow_remote.py does; at most six files, because a shell may have no file numbers above 9.
# Words of ls are split on purpose, and globbing is off:
# shellcheck disable=SC2046,SC2086,SC2015,SC2088
LC_ALL=C
export LC_ALL
unset TIME_STYLE BLOCK_SIZE LS_BLOCK_SIZE BLOCKSIZE QUOTING_STYLE POSIXLY_CORRECT LS_COLORS IFS
nl='
'
set -f
# Seconds between two turns, and turns between two signs of life; on a busy machine a turn alone takes seconds.
pause=0.2 each=4
sleep 0.01 2>/dev/null || pause=1 each=1
# Opened anew through /proc, a file is read without moving the place where we stand in it.
again=
[ -r /proc/self/fd/0 ] && again=/proc/self/fd/0

load() {
    eval "path=\$path_$n ident=\$ident_$n offset=\$offset_$n check=\$check_$n told=\$told_$n"
    eval "held=\$held_$n quiet=\$quiet_$n ended=\$ended_$n idle=\$idle_$n"
    fd=$((n + 3))
}

save() {
    eval "path_$n=\$path ident_$n=\$ident offset_$n=\$offset check_$n=\$check told_$n=\$told"
    eval "held_$n=\$held quiet_$n=\$quiet ended_$n=\$ended idle_$n=\$idle"
}

hex() { # $1 bytes of standard input before byte $2 of what is left of it
    dd bs=1 skip=$(($2 - $1)) count="$1" 2>/dev/null | od -An -v -tx1 | tr -d ' \t\n'
}

before() { # the bytes before the offset as they are in the file now; empty where that cannot be asked
    if [ -n "$again" ]; then
        dd if=$again bs=1 skip=$((offset - $1)) count="$1" <&$fd 2>/dev/null | od -An -v -tx1 | tr -d ' \t\n'
    elif [ "$here" = "$ident" ]; then
        hex "$1" "$offset" <"$path"
    fi
}

tell() {
    [ "$told" = "$1" ] || printf '%s %s\n' "$1" "$n"
    told=$1
}

hold() { # take up the file $1 (with the inode $2, where that is given) at its start; its inode is in $got
    [ -f "$1" ] && [ -r "$1" ] || return 1
    held=
    eval "command exec $fd<\"\$1\"" || return 1
    set -- "$2" $(ls -dinL -- /dev/fd/0 <&$fd)
    case ${3-} in -*) ;; *) return 1 ;; esac
    got=$2
    [ -z "$1" ] || [ "$1" = "$got" ]
}

fits() { # go to the offset; false where not what we have read stands before it
    [ -n "$check" ] || return 0
    [ "$(hex $((${#check} / 2)) "$offset" <&$fd)" = "$check" ]
}

begin() {
    ident=$got offset=0 check='' told='' held=1 quiet=0 ended='' idle=0
    printf 'N %s %s %s\n' "$n" "$ident" "$1"
}

look() { # the inode and size of what is at the path ($here, $there), the size of what is held ($size)
    here='' there=0
    set -- $(ls -dinL -- "$path" /dev/fd/0 <&$fd 2>/dev/null)
    if [ "${10-}" = /dev/fd/0 ]; then
        size=$6
        shift 10
        case ${2-} in -*) here=$1 there=$6 ;; esac
    else
        case ${2-} in -*) here=$1 there=$6 ;; esac
        shift $(($# - 10))
        size=$6
    fi
}

deliver() { # up to $1 bytes from where we stand
    amount=$1
    [ "$amount" -le 524288 ] || amount=524288
    printf 'D %s %s %s %s\n' "$n" "$ident" "$offset" "$amount"
    # Fewer bytes than were promised: the file was cut just now. Only a new beginning keeps the order then.
    case $(dd bs="$amount" count=1 <&$fd 2>&1 >&9) in 1+0*) ;; *) exit 1 ;; esac
    offset=$((offset + amount))
    amount=$offset
    [ "$amount" -le 64 ] || amount=64
    check=$(before "$amount")
    told='' quiet=0 idle=0
}

listed() { # the file and what rotation made of it, the oldest first: "class number text inode size path"
    set +f
    set -- "$path"[._-][0-9]*
    [ -z "$stem" ] || set -- "$@" "$stem"[._-][0-9]*"$ending"
    set -f
    list=$(ls -dinL -- "$path" "$@" 2>/dev/null)
    IFS=$nl
    set -- $list
    unset IFS
    for line do
        file=$root${line#*/}
        set -- $line
        case $2 in -*) ;; *) continue ;; esac
        if [ "$file" = "$path" ]; then
            echo "1 0 - $1 $6 $file"
            continue
        fi
        case $file in
        "$path"*) middle=${file#"$path"} ;;
        *) middle=${file#"$stem"} middle=${middle%"$ending"} ;;
        esac
        middle=${middle#?}
        case $middle in
        *[!0-9._:T-]* | "") ;;
        *[!0-9]* | ???????*) echo "0 0 $middle $1 $6 $file" ;;
        *) echo "0 -$middle - $1 $6 $file" ;;
        esac
    done | sort -k1,1n -k2,2n -k3,3
}

siblings() {
    row=$(listed)
    for _ in 1 2 3 4 5 6 7 8; do
        last=$row
        row=$(listed)
        [ "$row" != "$last" ] || break
    done
}

copied() { # after copytruncate: the rest from the copy, then the file from its start
    [ -n "$check" ] || return 1
    siblings
    IFS=$nl
    set -- $row
    unset IFS
    for line do
        set -- $line
        [ "$4" != "$ident" ] && [ "$5" -ge "$offset" ] || continue
        hold "$root${line#*/}" "$4" && fits || continue
        look
        while [ "$size" -gt "$offset" ]; do
            deliver $((size - offset))
            look
        done
        hold "$path" "" || return 1
        begin truncated
        return 0
    done
    return 1
}

found() { # take up the file that we were reading, wherever it is now
    siblings
    IFS=$nl
    set -- $row
    unset IFS
    for line do
        set -- $line
        [ "$4" = "$ident" ] || continue
        [ "$5" -ge "$offset" ] || return 1
        if hold "$root${line#*/}" "$4"; then
            fits || return 1
            held=1
            return 0
        fi
        return 2
    done
    return 1
}

first() {
    if [ "$ident" != - ]; then
        # it may be renamed just before it is opened
        for _ in 1 2 3 4 5 6 7 8 9; do
            found
            case $? in 0) return 0 ;; 1) break ;; esac
        done
        copied && return 0
    fi
    if hold "$path" ""; then
        if [ "$ident" = - ]; then begin start; else begin lost; fi
        return 0
    fi
    tell M
    return 1
}

behind() { # the file after this one is rotated away too: nobody writes here any more
    siblings
    case $row in *" $ident "*"$nl"*"$nl"*) return 0 ;; esac
    return 1
}

go_on() {
    siblings
    IFS=$nl
    set -- $row
    unset IFS
    reason=replaced
    found=
    for line do
        case $line in *" $ident "*) set -- $line && [ "$4" = "$ident" ] && found=1 reason=rotated ;; esac
    done
    IFS=$nl
    set -- $row
    unset IFS
    for line do
        set -- $line
        if [ "$found" = 1 ]; then
            [ "$4" != "$ident" ] || found=2
            continue
        fi
        # What is older than the file that is gone was read before it. (-nt: POSIX since 2024, everywhere before)
        # shellcheck disable=SC3013
        if [ -z "$found" ] && [ /dev/fd/0 -nt "$root${line#*/}" ] <&$fd; then continue; fi
        hold "$root${line#*/}" "$4" || return 1
        begin $reason
        return 0
    done
    return 1
}

poll() { # false where there was nothing to do
    [ -n "$held" ] || first || return 1
    look
    stale=
    if [ "$size" -lt "$offset" ]; then
        stale=1
    elif [ -n "$check" ] && { [ "$size" -gt "$offset" ] || [ $((idle % 5)) = 4 ]; }; then
        now=$(before $((${#check} / 2)))
        [ -z "$now" ] || [ "$now" = "$check" ] || stale=1
    fi
    idle=$((idle + 1))
    if [ -n "$stale" ]; then
        copied && return 0
        hold "$path" "" && begin truncated
        return 0
    fi
    if [ "$size" -gt "$offset" ]; then
        deliver $((size - offset))
        return 0
    fi
    if [ -z "$here" ]; then
        tell M
        return 1
    fi
    if [ "$here" = "$ident" ]; then
        tell I
        return 1
    fi
    if { [ "$there" = 0 ] || [ "$quiet" -lt 2 ]; } && ! behind; then
        quiet=$((quiet + 1))
        return 1
    fi
    if [ -z "$ended" ]; then
        ended=1
        return 0
    fi
    go_on
}

count=0
while read -r ident offset check code && [ -n "$ident" ]; do
    path=$(printf '%b.' "$code")
    path=${path%.}
    case $path in
    "~/"*) path=$HOME/${path#??} ;;
    /*) ;;
    *) path=./$path ;;
    esac
    [ "$check" != - ] || check=
    n=$count told='' held='' quiet=0 ended='' idle=0
    save
    count=$((count + 1))
done
if ! ls -dinL -- /dev/fd/0 >/dev/null 2>&1 || ! printf a | od -An -v -tx1 >/dev/null 2>&1; then
    echo "U neither Python 3.6 nor /dev/fd"
    exit 0
fi
if [ "$count" -gt 6 ]; then
    echo "U without Python at most 6 logs at once"
    exit 0
fi
exec 9>&1
# The end of standard input ends us.
exec 3<&0
# shellcheck disable=SC2034
(while read -r line; do :; done <&3 && kill $$) >/dev/null 2>&1 9>&- &
exec 3<&- </dev/null
trap 'kill $! 2>/dev/null' EXIT
trap 'exit 0' TERM
echo P
turn=0
while :; do
    busy=
    n=0
    while [ $n -lt $count ]; do
        load
        root=${path%%/*}/
        stem='' ending=''
        case ${path##*/} in ?*.*) stem=${path%.*} ending=.${path##*.} ;; esac
        poll && busy=1
        save
        n=$((n + 1))
    done
    turn=$((turn + 1))
    if [ $turn -ge $each ]; then
        turn=0
        echo P
    fi
    [ -n "$busy" ] || sleep $pause
done
