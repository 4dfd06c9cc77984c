# Starts the remote half; starter.py puts rendezvous.sh and the variables in front, all for /bin/sh.
#
#   x_digest, x_mode, x_nonce, x_preferred, x_token   for loader.py; x_token is - where nobody waits
#   x_stub, x_loader   Python text: x_stub runs in any Python, and x_loader in 3.6 and later

say() { printf '\nX11FWD-BRIDGE-%s\n' "$*"; }

none() {
    say NONE "$1"
    if [ "$x_token" != - ] && [ -n "$x_folder" ] && x_meet "$x_token"; then x_tell 60 none "$1"; fi
    exit 0
}

# Runs it to its end, unless that Python is none for us. The program and its version are looked at by starting it.
try() {
    x_python=$(command -v "$1" 2>/dev/null) || return 0
    case "$x_tried" in *":$x_python:"*) return 0 ;; esac
    x_tried="$x_tried$x_python:"
    # this one asks a person to install something
    if [ "$x_python" = /usr/bin/python3 ] && [ -x /usr/bin/xcode-select ]; then
        if ! /usr/bin/xcode-select -p >/dev/null 2>&1; then return 0; fi
    fi
    # -E -s -S: nobody's settings, and 3 ms less; -I says more, but 2.7 does not know it
    "$x_python" -E -s -S -c "$x_stub" "$x_loader" "$x_digest" "$x_mode" "$x_nonce" "$x_cache" "$x_folder" \
        "$x_preferred" "$x_token"
    # 93 is x_stub's, 70 loader.py's; with the others Python could not begin, loader.py never ends with them
    case $? in
    93) x_why=old-python ;;
    1 | 126 | 127 | 134) ;;
    70) x_why=failed && finish ;;
    *) x_why=ended && finish ;;
    esac
}

# Whoever still waits must not wait for ever.
finish() {
    if [ "$x_token" != - ]; then
        x_fifo=$x_folder/$x_token
        x_tell 60 none "$x_why"
    fi
    exit 0
}

LC_ALL=C
export LC_ALL
cd / || :
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
x_why=no-python x_tried=: x_folder=
x_runtime_folder || none no-folder
x_cache=${XDG_CACHE_HOME:-${HOME:-}/.cache}/x11fwd
for x_one in /usr/bin/python3 python3 /usr/local/bin/python3 /usr/libexec/platform-python \
    python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python3.7 python3.6 python \
    "${CONDA_PREFIX:-/opt/conda}/bin/python" /opt/conda/bin/python "${HOME:-}"/miniconda3/bin/python \
    "${HOME:-}"/anaconda3/bin/python "${HOME:-}"/miniforge3/bin/python "${HOME:-}"/mambaforge/bin/python \
    "${HOME:-}"/.pyenv/versions/3*/bin/python3 "${HOME:-}"/.local/share/uv/python/*/bin/python3 \
    /opt/rh/rh-python3*/root/usr/bin/python3; do
    try "$x_one"
done
none "$x_why"
