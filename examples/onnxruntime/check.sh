#!/bin/sh
# check.sh [ROOT]: builds the operator in a root of Debian unstable with ONNX Runtime in it, and runs tests/run.py there. ROOT is made by
# mmdebstrap where it is not there (as root, or with user namespaces); without a name it goes to a temporary folder. Says SKIPPED where
# it can not be had. TAMIS_LEVELS=native in the environment compiles kernels for this machine alone, in a third of the time.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:-$(mktemp -d)/root}
if [ ! -e "$root/usr/include/onnxruntime/onnxruntime_cxx_api.h" ]; then
    command -v mmdebstrap > /dev/null || { echo "SKIPPED: mmdebstrap is not here"; exit 0; }
    mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        --include=g++,cmake,make,libxsimd-dev,libonnxruntime-dev,python3-onnxruntime,python3-onnx \
        sid "$root" > "$root.log" 2>&1 || { tail -3 "$root.log"; echo "SKIPPED: no root could be made ($root.log)"; exit 0; }
fi
[ "$(id -u)" = 0 ] || { echo "SKIPPED: entering the root takes root's rights"; exit 0; }
work=$root/tmp/tamis_onnxruntime
rm -rf "$work"
mkdir -p "$work/source"
(cd "$source" && tar cf - CMakeLists.txt CMakePresets.json LICENSE cmake include examples/CMakeLists.txt examples/onnxruntime) |
    tar xf - -C "$work/source"
mounted=
[ -e "$root/proc/self" ] || { mount -t proc proc "$root/proc" && mounted=1; } # ONNX Runtime ends without it
status=0
chroot "$root" sh -ec "cd /tmp/tamis_onnxruntime
    cmake -S source -B build -DTAMIS_BUILD_TESTS=OFF -DTAMIS_BUILD_BENCH=OFF -DTAMIS_BUILD_EXAMPLES=OFF -DTAMIS_ONNXRUNTIME=ON -DCMAKE_BUILD_TYPE=Release \
        -DTAMIS_LEVELS=${TAMIS_LEVELS:-} > cmake.log || { cat cmake.log; exit 1; }
    cmake --build build --target tamis_onnxruntime -j ${JOBS:-\$(nproc)} > build.log 2>&1 || { tail -30 build.log; exit 1; }
    ! grep -n 'warning:' build.log
    PYTHONDONTWRITEBYTECODE=1 python3 source/examples/onnxruntime/tests/run.py build/examples/onnxruntime/libtamis_onnxruntime.so" ||
    status=$?
[ -z "$mounted" ] || umount "$root/proc"
exit $status
