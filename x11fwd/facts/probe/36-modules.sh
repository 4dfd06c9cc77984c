# shellcheck shell=sh
# Environment modules of clusters (Lmod, Environment Modules): names that may bring a Python, Tk or matplotlib.

# Runs in the login environment, which alone knows the command and where the modules are. Both print the terse list
# to standard error: folders end in a colon, `(default)` and `(D)` stand behind a name.
x_modules() {
    x_word=${LMOD_CMD:-${MODULES_CMD:-}}
    if [ -z "$x_word" ] || [ ! -x "$x_word" ]; then return 0; fi
    if x_found=$(x_limit 5 "$x_word" sh -t avail 2>&1 </dev/null); then
        x_text modules "$(printf '%s\n' "$x_found" | LC_ALL=C sed -e 's/(.*//' -e '/[:/]$/d' | LC_ALL=C grep -iE \
            '^([^ ]*/)?(py-)?(tkinter|matplotlib|python|cray-python|anaconda|miniconda|miniforge|mambaforge)[^/ ]*(/[^ ]*)?$' |
            LC_ALL=C sed 60q)"
    else
        x_unknown modules "$x_word gave no answer"
    fi
}
