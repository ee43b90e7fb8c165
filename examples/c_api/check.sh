#!/bin/sh
# check.sh [ROOT]: builds libtamis and runs its tests, here or in a root of Debian unstable, which mmdebstrap makes where it is not there
# (as root; a minute, 1 GB). FORMATS=f32,bf16 builds these alone, RELEASE=-O1 with that in place of -O3. Says what it skips, and what it took.
set -eu
release=${RELEASE:--O3 -DNDEBUG}
source=$(cd "$(dirname "$0")/../.." && pwd)
began=$(date +%s)
if [ $# != 0 ]; then
    root=$1
    if [ ! -x "$root/usr/bin/c++" ]; then
        command -v mmdebstrap > /dev/null || { echo "SKIPPED: mmdebstrap is not here"; exit 0; }
        mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
            --include=g++,cmake,make,libxsimd-dev,nlohmann-json3-dev,python3,rustc,golang-go sid "$root" > "$root.log" 2>&1 ||
            { tail -3 "$root.log"; echo "SKIPPED: no root could be made ($root.log)"; exit 0; }
    fi
    rm -rf "$root/tmp/tamis_c"
    mkdir -p "$root/tmp/tamis_c"
    (cd "$source" && tar cf - CMakeLists.txt LICENSE cmake include examples/CMakeLists.txt examples/c_api) |
        tar xf - -C "$root/tmp/tamis_c"
    mounted=
    [ -e "$root/proc/self" ] || { mount -t proc proc "$root/proc" && mounted=1; } # by which go finds itself
    status=0
    chroot "$root" env FORMATS="${FORMATS:-}" RELEASE="$release" sh /tmp/tamis_c/examples/c_api/check.sh || status=$?
    [ -z "$mounted" ] || umount "$root/proc"
    du -smx "$root" | awk '{print "the root: " $1 " MB"}'
    exit $status
fi
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cmake -S "$source" -B "$build" -DTAMIS_BUILD_TESTS=OFF -DTAMIS_BUILD_BENCH=OFF -DTAMIS_BUILD_EXAMPLES=OFF -DTAMIS_C_API=ON -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_FLAGS_RELEASE="$release" -DTAMIS_C_FORMATS="${FORMATS:-}" > "$build/log" 2>&1 || { cat "$build/log"; exit 1; }
cmake --build "$build" --target tamis_c tamis_c_static -j "$(nproc)" > "$build/log" 2>&1 || { tail -30 "$build/log"; exit 1; }
sh "$source/examples/c_api/tests/run.sh" "$build/examples/c_api"
echo "$(($(date +%s) - began)) s"
