# Sourced by kohl, test and check, which set $self: $python and `ready SET`.

root=${self%/scripts/*}
python=$root/.venv/bin/python
inputs="pyproject.toml constraints.txt scripts/_env.py" # what .venv depends on

# Set up .venv for SET (run, or dev: with the developer's tools) unless the stamp that a set-up leaves as its last act
# holds the inputs word for word. Shell only, since starting a Python takes longer than the rest of this file.
ready() {
    cd "$root"
    [ -x "$python" ] && [ "$(cat $inputs)" = "$(cat ".venv/$1.stamp" 2>/dev/null)" ] && return
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -I scripts/_env.py "$1" $inputs
            return
        fi
    done
    echo "kohl: needs Python 3.11 or newer, found $(python3 --version 2>/dev/null || echo none):" \
        "install one (https://www.python.org/downloads/) and run the same command again" >&2
    return 1
}
