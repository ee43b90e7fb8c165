#!/bin/sh
# quick_check.sh FOLDER: the essential of check.sh where there is no llama.cpp, in about a minute: Debian unstable's packages of it are
# unpacked into FOLDER/root (200 MB, kept for the next time; nothing is installed), libggml-tamis is built beside it by this machine's
# compiler with the kernels of two formats and one level, and tests/run.sh runs in the root with QUICK=1. Where that can not be it says
# so in one line and ends with 77.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
cd "$1"
root=$PWD/root
not_here() { echo "$*"; exit 77; }
[ "$(uname -m)" = x86_64 ] && grep -qw avx2 /proc/cpuinfo || not_here "no machine with AVX2"
[ "$(id -u)" = 0 ] || not_here "entering a root takes root's rights"
if [ ! -e root.made ]; then
    command -v mmdebstrap > /dev/null || apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends mmdebstrap > apt.log 2>&1 ||
        not_here "mmdebstrap is not here and can not be installed"
    rm -rf "$root"
    timeout 300 mmdebstrap --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
        --include=libllama-dev,libggml-dev,nlohmann-json3-dev,python3-gguf,base-files,coreutils,dash,diffutils,grep \
        sid "$root" > root.log 2>&1 || not_here "no root of Debian unstable could be made: $(tail -1 root.log)"
    touch root.made
fi
mkdir -p stage/include stage/lib stage/share/cmake "$root/tamis"
cp -r "$root"/usr/include/ggml*.h "$root"/usr/include/gguf.h "$root"/usr/include/llama*.h "$root"/usr/include/nlohmann stage/include
cp -P "$root"/usr/lib/x86_64-linux-gnu/libggml*.so* "$root"/usr/lib/x86_64-linux-gnu/libllama.so* stage/lib
cp -r "$root"/usr/share/cmake/nlohmann_json stage/share/cmake
cmake -S "$source" -B library -D CMAKE_PREFIX_PATH="$PWD/stage" -D TAMIS_GGML_BACKEND=ON -D TAMIS_BUILD_TESTS=OFF -D TAMIS_BUILD_BENCH=OFF \
    -D TAMIS_BUILD_EXAMPLES=ON -D TAMIS_LEVELS=x86_64_v3 -D TAMIS_BACKEND_FORMATS=f32,q8_0 -D CMAKE_CXX_FLAGS_RELEASE=-O1 -D CMAKE_BUILD_TYPE=Release
cmake --build library --target ggml-tamis --parallel "$(nproc)"
g++ -O1 -I stage/include -o "$root/tamis/logits" "$source/examples/ggml_backend/tests/logits.cpp" -L stage/lib -lllama -lggml -lggml-base \
    -Wl,--unresolved-symbols=ignore-in-shared-libs
cp library/examples/ggml_backend/libggml-tamis.so "$root/tamis"
cp -r "$source/examples/ggml_backend/tests" "$root/tamis"
libs=/usr/lib/x86_64-linux-gnu # numpy's libraries have no links where nothing is installed
unshare --mount mount -t proc proc "$root/proc" 2> /dev/null || not_here "no /proc can be mounted in a root"
unshare --mount sh -c 'mount -t proc proc "$1/proc" && root=$1 && shift && exec chroot "$root" "$@"' sh "$root" \
    env LD_LIBRARY_PATH="$libs/blas:$libs/lapack" QUICK=/tamis/logits PATH=/usr/bin:/bin sh /tamis/tests/run.sh /tamis/libggml-tamis.so
