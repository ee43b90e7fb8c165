#!/usr/bin/env bash
# The site, as static files: bash docs/site/build.sh [OUTPUT, by default build/site]
# It needs doxygen and Python 3; Sphinx and its parts go to a virtual environment beside the output.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
out=$(realpath -m "${1:-$root/build/site}")
work=$out.work
command -v doxygen >/dev/null || { echo "doxygen is not here: apt-get install doxygen"; exit 77; }
mkdir -p "$work"
venv=${TAMIS_SITE_VENV:-$work/venv}
[ -x "$venv/bin/sphinx-build" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q -r "$here/requirements.txt"; }

rm -rf "$work/xml" "$work/pages" "$out"
(cd "$root" && { cat "$here/Doxyfile"; printf 'INPUT = include/tamis\nOUTPUT_DIRECTORY = %s\nWARN_LOGFILE = %s\n' "$work" "$work/doxygen.log"; } | doxygen -)
python3 "$here/undocumented.py" --most 0 # what is public has a comment
cp -r "$root/docs" "$work/pages"
python3 "$here/reference.py" "$work/xml" "$work/pages/reference"
"$venv/bin/sphinx-build" -q -b html -c "$here" -D breathe_projects.tamis="$work/xml" -D html_static_path="$here/static" \
    "$work/pages" "$out" 2>"$work/sphinx.log" || { tail -20 "$work/sphinx.log"; exit 1; }
[ ! -s "$work/sphinx.log" ] || { head -20 "$work/sphinx.log"; echo "Sphinx warns"; exit 1; }
rm -rf "$out/.doctrees" "$out/.buildinfo"
python3 "$here/check_links.py" "$out"
echo "$(find "$out" -name '*.html' | wc -l) pages, $(du -sh "$out" | cut -f1): $out/index.html"
