#!/bin/sh
# check_here.sh: what check.sh does, without a root: the compiler that is here, PyPI's onnxruntime in a virtual environment, and the headers,
# which that has not, by the package libonnxruntime-dev of Debian unstable, unpacked. Kernels for this machine alone, little optimised: 40 MB
# and some 60 s of one core. Says SKIPPED where it can not be had. $PYTHON, $CXX name others; $KEEP is a folder that is kept,
# $SKIPPED the status with which it then ends.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
skip() { echo "SKIPPED: $1"; exit "${SKIPPED:-0}"; }
if [ ! -d "$work/wheels" ]; then
    ${PYTHON:-python3} -m pip install --quiet --disable-pip-version-check --only-binary :all: --target "$work/wheels" \
        onnx onnxruntime > "$work/pip.log" 2>&1 || { rm -rf "$work/wheels"; tail -1 "$work/pip.log"; skip "PyPI's onnx and onnxruntime are not to be had"; }
fi
if [ ! -d "$work/headers" ]; then
    command -v apt-get > /dev/null || skip "no apt-get, for ONNX Runtime's headers"
    mkdir -p "$work/lists/partial"
    mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)*\([^ ]*\) .*/\2/p' /etc/apt/sources.list.d/* /etc/apt/sources.list 2> /dev/null | head -1)
    echo "deb $mirror sid main" > "$work/sid.list"
    (cd "$work" && for get in update "download libonnxruntime-dev"; do
        apt-get -qq -o Dir::Etc::SourceList="$work/sid.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" \
            -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none $get || exit 1
    done) > "$work/apt.log" 2>&1 || skip "the package libonnxruntime-dev is not to be had"
    dpkg -x "$work"/libonnxruntime-dev_*.deb "$work/headers"
fi
sed 's/@list@/ X(native, (true) __VA_OPT__(, ) __VA_ARGS__)/' "$here/../../cmake/tamis_levels.hpp.in" > "$work/tamis_levels.hpp"
flags="-std=c++20 -O1 -march=native -fPIC -fvisibility=hidden -DTAMIS_LEVEL=native -I$here/../../include -I$work"
echo "#include <xsimd/xsimd.hpp>" | ${CXX:-c++} -std=c++20 -fsyntax-only -x c++ - 2> /dev/null || skip "xsimd is not here"
for unit in operator library; do
    ${CXX:-c++} $flags -isystem "$work/headers/usr/include/onnxruntime" -c "$here/$unit.cpp" -o "$work/$unit.o"
done
${CXX:-c++} -shared "$work/operator.o" "$work/library.o" -o "$work/libtamis_onnxruntime.so"
PYTHONPATH="$work/wheels" PYTHONDONTWRITEBYTECODE=1 ${PYTHON:-python3} "$here/tests/run.py" "$work/libtamis_onnxruntime.so"
