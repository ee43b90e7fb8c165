#!/bin/sh
# check.sh [ROOT] [MODEL.gguf...]: builds libggml-tamis in a root of Debian unstable with llama.cpp in it and runs tests/run.sh there.
# ROOT is made by mmdebstrap where it is not there (a minute, 1 GB; as root, or with user namespaces); without a name it goes to a
# temporary folder. Says SKIPPED where it can not be had. SHORT=1 builds the kernels of AVX2 alone and leaves out llama.cpp's own tests.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
root=${1:-$(mktemp -d)/root}
[ $# = 0 ] || shift
if [ ! -x "$root/usr/bin/llama-bench" ]; then
    command -v mmdebstrap > /dev/null || { echo "SKIPPED: mmdebstrap is not here"; exit 0; }
    mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
        --include=g++,cmake,make,libllama-dev,libggml-dev,llama.cpp,llama.cpp-tests,libxsimd-dev,nlohmann-json3-dev,python3-gguf \
        sid "$root" > "$root.log" 2>&1 || { tail -3 "$root.log"; echo "SKIPPED: no root could be made ($root.log)"; exit 0; }
fi
[ "$(id -u)" = 0 ] || { echo "SKIPPED: entering the root takes root's rights"; exit 0; }
work=$root/tmp/tamis
rm -rf "$work"
mkdir -p "$work/source" "$work/models"
(cd "$source" && tar cf - CMakeLists.txt CMakePresets.json LICENSE cmake include examples/CMakeLists.txt examples/ggml_backend) |
    tar xf - -C "$work/source"
models=
for model; do
    ln "$model" "$work/models/" 2> /dev/null || cp "$model" "$work/models/"
    models="$models /tmp/tamis/models/$(basename "$model")"
done
mounted=
[ -e "$root/proc/self" ] || { mount -t proc proc "$root/proc" && mounted=1; }
status=0
chroot "$root" sh -ec "cd /tmp/tamis
    cmake -S source -B build -DTAMIS_BUILD_TESTS=OFF -DTAMIS_BUILD_BENCH=OFF -DTAMIS_GGML_BACKEND=ON ${SHORT:+-DTAMIS_LEVELS=x86_64_v3} \
        -DCMAKE_BUILD_TYPE=Release > cmake.log ||
        { cat cmake.log; exit 1; }
    cmake --build build --target ggml-tamis -j \$(nproc) > build.log 2>&1 || { tail -30 build.log; exit 1; }
    source/examples/ggml_backend/tests/run.sh /tmp/tamis/build/examples/ggml_backend/libggml-tamis.so $models" || status=$?
[ -z "$mounted" ] || umount "$root/proc"
exit $status
