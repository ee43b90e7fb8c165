# Read by the scripts of packaging/<way>/try.sh: each goes a user's way from nothing and runs packaging/program at its end.
# A script ends with 0, or with 77 and a last line that says what cannot be had here. Work is below build/packaging
# (TAMIS_TRY_DIR names another place). Not in the checkout: CMake installs nothing below the sources.
set -euo pipefail
way=$(basename "$(dirname "$(realpath "$0")")")
checkout=$(realpath "$(dirname "$(realpath "$0")")/../..")
work=${TAMIS_TRY_DIR:-${TMPDIR:-/tmp}/tamis_packaging}/$way
rm -rf "$work"
mkdir -p "$work"
program=$checkout/packaging/program/main.cpp
cxx=${CXX:-c++}

say() { printf -- '-- %s: %s\n' "$way" "$*"; }
skip() { printf 'skipped, %s: %s\n' "$way" "$*"; exit 77; }
need() { command -v "$1" >/dev/null || skip "$1 is not here ($2)"; }

# refuses <text> <command>...: the command fails, and says it.
refuses() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then echo "this has to be refused: $*"; exit 1; fi
    # A message of CMake is broken into lines.
    tr -s ' \n' ' ' <<<"$output" | grep -qF -- "$text" || { echo "$output"; echo "refused, but not with: $text"; exit 1; }
}

# python_tool <package>...: a virtual environment of its own; `$venv/bin` has the programs.
python_tool() {
    need python3 "Python 3"
    venv=${TAMIS_TRY_VENV:-$work/venv}
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv" || skip "python3 has no venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "$@" || skip "pip cannot install $*"
    PATH=$venv/bin:$PATH
}

# from_suite <suite> <folder> <package>...: packages of another suite of Debian, unpacked in the folder, by apt with lists of its
# own: nothing is installed, root is not needed. Fails where that cannot be done.
from_suite() {
    local suite=$1 folder=$2 site key=/usr/share/keyrings/debian-archive-keyring.gpg
    shift 2
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && [ -e $key ] || return 1
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep '/debian/*$' | head -1)
    [ -n "$site" ] || return 1
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
    echo "deb [signed-by=$key] $site $suite main" >"$folder/apt/sources.list"
    local own=(-o Dir::Etc::SourceList="$folder/apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$folder/apt/lists"
        -o Dir::Cache="$folder/apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=)
    apt-get "${own[@]}" -qq update >/dev/null 2>&1 || return 1
    (cd "$folder/apt" && apt-get "${own[@]}" -qq download "$@" >/dev/null 2>&1) || return 1
    local deb
    for deb in "$folder"/apt/*.deb; do dpkg-deb -x "$deb" "$folder"; done
}
