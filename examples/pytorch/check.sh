#!/bin/sh
# check.sh [ROOT]: builds the wheel of tamis_torch in a root of Debian unstable with torch and transformers in it, installs it and runs
# tests/ there, where nothing of a compiler is found. ROOT is made by mmdebstrap where it is not there (3 minutes, 2.3 GB; as root, or
# with user namespaces); without a name it goes to a temporary folder. Says minutes and size, and SKIPPED where it can not be had.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:-$(mktemp -d)/root}
start=$(date +%s)
if ! ls "$root"/usr/lib/python3/dist-packages/torch/__init__.py > /dev/null 2>&1; then
    command -v mmdebstrap > /dev/null || { echo "SKIPPED: mmdebstrap is not here"; exit 0; }
    mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        --include=g++,cmake,make,libxsimd-dev,libtorch-dev,python3-torch,python3-transformers,python3-pip,python3-setuptools \
        sid "$root" > "$root.log" 2>&1 || { tail -3 "$root.log"; echo "SKIPPED: no root could be made ($root.log)"; exit 0; }
fi
[ "$(id -u)" = 0 ] || { echo "SKIPPED: entering the root takes root's rights"; exit 0; }
made=$(date +%s)
work=$root/tmp/tamis_torch
rm -rf "$work"
mkdir -p "$work/source"
(cd "$source" && tar cf - --exclude=build CMakeLists.txt CMakePresets.json LICENSE cmake include examples/CMakeLists.txt examples/pytorch) |
    tar xf - -C "$work/source"
mounted=
[ -e "$root/proc/self" ] || { mount -t proc proc "$root/proc" && mounted=1; }
status=0
chroot "$root" sh -ec 'cd /tmp/tamis_torch
    pip wheel --no-build-isolation --no-deps --no-index -w dist source/examples/pytorch > build.log 2>&1 || { tail -30 build.log; exit 1; }
    ls -sh dist
    pip install --no-deps --no-index --break-system-packages --target site dist/*.whl > install.log 2>&1 || { cat install.log; exit 1; }
    PYTHONPATH=/tmp/tamis_torch/site
    export PYTHONPATH
    env PATH=/nowhere /usr/bin/python3 -m unittest discover -s source/examples/pytorch/tests' || status=$?
[ -z "$mounted" ] || umount "$root/proc"
end=$(date +%s)
echo "root: $(((made - start) / 60)) min $(((made - start) % 60)) s, $(du -shx "$root" 2> /dev/null | cut -f1); build and tests: $((end - made)) s"
exit $status
