# shellcheck shell=sh
# Every Python that a user of a login shell would meet, in the order in which they would be met: the first is the one
# that doctor, setup and verify speak of. pipeline/run_start.sh takes this file along, for the same choice.

# x_offer FOUND_BY PATH: one more interpreter for the list, unless it is there already under another name.
x_offer() {
    if [ ! -x "$2" ] || [ -d "$2" ]; then return 0; fi
    x_key=$(readlink -f "$2" 2>/dev/null) || x_key=$2
    # A venv's python is a link to another one, and yet is not the same.
    if [ -e "${2%/*}/../pyvenv.cfg" ]; then x_key="$x_key in $(cd "${2%/*}/.." && pwd -P)"; fi
    case "$x_nl$x_seen" in *"$x_nl$x_key$x_nl"*) return 0 ;; esac
    x_seen=$x_seen$x_key$x_nl
    x_count=$((x_count + 1))
    if [ "$x_count" -gt 8 ]; then return 0; fi # enough to choose from, and each costs 30 ms
    x_list="$x_list$1$x_tab$2$x_nl"
}

x_list_pythons() {
    x_seen='' x_list='' x_count=0
    if [ -n "$x_python" ]; then
        x_found=$(command -v "$x_python" 2>/dev/null)
        case $x_found in
        /*) x_offer --python "$x_found" ;;
        *) x_say python.named "--python$x_tab$x_python$x_tab!there is no program $x_python" ;;
        esac
    fi
    for x_word in python3 python; do
        if x_found=$(x_program "$x_word"); then x_offer 'login shell' "$x_found"; fi
    done
    if [ -n "${VIRTUAL_ENV:-}" ]; then x_offer venv "$VIRTUAL_ENV/bin/python"; fi
    if [ -n "${CONDA_PREFIX:-}" ]; then x_offer conda "$CONDA_PREFIX/bin/python"; fi
    if [ -n "${CONDA_EXE:-}" ]; then x_offer conda "${CONDA_EXE%/bin/conda}/bin/python"; fi
    for x_word in miniconda3 anaconda3 miniforge3 mambaforge micromamba; do x_offer conda "$x_home/$x_word/bin/python"; done
    x_offer conda /opt/conda/bin/python
    x_pyenv=${PYENV_ROOT:-$x_home/.pyenv}
    if [ -r "$x_pyenv/version" ]; then
        while read -r x_word; do x_offer pyenv "$x_pyenv/versions/$x_word/bin/python"; done <"$x_pyenv/version"
    fi
    for x_word in "$x_home"/.venv "$x_home"/venv "$x_home"/env "$x_home"/.virtualenvs/*; do
        if [ -e "$x_word/pyvenv.cfg" ]; then x_offer venv "$x_word/bin/python"; fi
    done
    for x_word in "${UV_PYTHON_INSTALL_DIR:-$x_home/.local/share/uv/python}"/cpython-*; do
        x_offer uv "$x_word/bin/python3"
    done
    IFS=:
    # shellcheck disable=SC2031  # the one subshell that changes it means to
    for x_word in $PATH /usr/local/bin /usr/bin; do
        case $x_word in /*) x_offer PATH "$x_word/python3" && x_offer PATH "$x_word/python" ;; esac
    done
    IFS=" $x_tab$x_nl"
    if x_word=$(x_program "${MAMBA_EXE:-mamba}" mamba "${CONDA_EXE:-conda}" conda micromamba); then
        x_say conda.tool "$x_word"
    fi
}
