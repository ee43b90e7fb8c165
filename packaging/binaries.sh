#!/usr/bin/env bash
# The adapters as programs that need no compiler, for x86-64 Linux with glibc 2.28 (2018) and later:
#   bash packaging/binaries.sh OUT ROOT     ROOT: a Debian unstable with libggml-dev, llama.cpp, libtorch-dev, python3-torch,
#                                           nlohmann-json3-dev, libxsimd-dev (examples/*/check.sh make such roots)
# OUT gets libtamis with tamis.h, libggml-tamis.so (each in an archive, with LICENSE), the wheel of tamis_torch. They are compiled by
# PyPI's ziglang, which brings clang, libc++ and the symbols of old glibcs; ROOT gives headers, and llama.cpp and torch to try them in.
# FORMATS=f32,q8_0 compiles these of libtamis alone, LEVELS=x86_64_v3 kernels for that one (both to try the script). packaging/release.py make FOLDER --binaries OUT takes what is made.
set -euo pipefail
checkout=$(realpath "$(dirname "$(realpath "$0")")/..")
out=$(realpath -m "${1:?the folder for what is made}")
root=$(realpath "${2:?the folder of a Debian unstable}")
glibc=2.28
work=$(mktemp -d)
mounted=
trap '[ -z "$mounted" ] || umount "$root/proc"; rm -rf "$work" "$root/tmp/tamis_binaries"' EXIT
[ "$(uname -m)" = x86_64 ] || { echo "skipped: not an x86-64 machine"; exit 77; }
for header in xsimd/xsimd.hpp nlohmann/json.hpp ggml-backend.h torch/csrc/stable/library.h; do
    [ -e "$root/usr/include/$header" ] || { echo "skipped: $root has no $header"; exit 77; }
done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install --disable-pip-version-check ziglang 'setuptools>=70.1' || { echo "skipped: pip cannot install ziglang"; exit 77; }

# zig's names of processors have underscores; libc++ is in what it links, and must not be found from outside.
cat >"$work/c++" <<WRAPPER
#!/usr/bin/env bash
given=()
for one; do
    case \$one in
        -march=x86-64*) level=\${one#-march=}; given+=("-march=\${level//-/_}") ;;
        -static-lib*) ;;
        *) given+=("\$one") ;;
    esac
done
exec "$work/venv/bin/python" -m ziglang c++ -target x86_64-linux-gnu.$glibc "\${given[@]}"
WRAPPER
chmod +x "$work/c++"
# Headers of the root that are not its C library's.
mkdir "$work/include"
for one in xsimd nlohmann torch; do ln -s "$root/usr/include/$one" "$work/include/"; done
ln -s "$root"/usr/include/{ggml*,gguf}.h "$work/include/"
for one in xsimd nlohmann_json; do # the root's own look for more than headers
    mkdir "$work/$one"
    target=${one/nlohmann_json/nlohmann_json::nlohmann_json}
    printf 'if(NOT TARGET %s)\n    add_library(%s INTERFACE IMPORTED)\nendif()\n' "$target" "$target" >"$work/$one/${one}Config.cmake"
    printf 'set(PACKAGE_VERSION 8.1.0)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n' >"$work/$one/${one}ConfigVersion.cmake"
done
echo '{ global: tamis_*; ggml_backend_*; local: *; };' >"$work/ours.map" # of modules: what their hosts look up

version=$(sed -n 's/^#define TAMIS_VERSION_[A-Z]* //p' "$checkout/include/tamis/version.hpp" | paste -sd.)
# What asks the processor for its instructions (__builtin_cpu_supports) is GCC's: ziglang 0.17's own finds none.
options=(-D CMAKE_BUILD_TYPE=Release -D CMAKE_CXX_STANDARD_LIBRARIES="$(cc -print-libgcc-file-name)" -D CMAKE_CXX_COMPILER="$work/c++" -D CMAKE_SYSTEM_NAME=Linux -D CMAKE_SYSTEM_PROCESSOR=x86_64
    -D TAMIS_INSTALL_DEPENDENCIES=OFF -D TAMIS_BUILD_TESTS=OFF -D TAMIS_BUILD_BENCH=OFF -D TAMIS_BUILD_EXAMPLES=ON
    -D CMAKE_CXX_FLAGS="-isystem $work/include" -D CMAKE_MODULE_LINKER_FLAGS="-Wl,--version-script=$work/ours.map"
    -D xsimd_DIR="$work/xsimd" -D nlohmann_json_DIR="$work/nlohmann_json"
    -D TAMIS_C_API=ON -D TAMIS_C_FORMATS="${FORMATS:-}" -D TAMIS_LEVELS="${LEVELS:-}" -D TAMIS_PYTORCH=ON -D TAMIS_TORCH_INCLUDE="$work/include"
    -D TAMIS_GGML_BACKEND=ON -D ggml_include="$work/include"
    -D ggml_library="$root/usr/lib/x86_64-linux-gnu/libggml.so" -D ggml_base_library="$root/usr/lib/x86_64-linux-gnu/libggml-base.so")
cmake -S "$checkout" -B "$work/build" "${options[@]}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/build" -j "$(nproc)" --target tamis_c tamis_torch ggml-tamis >"$work/log" 2>&1 || { tail -40 "$work/log"; exit 1; }
built=$work/build/examples

# new_enough <library>: needs no glibc younger than promised, and nothing of its C++ library is seen.
new_enough() {
    local newest
    newest=$(objdump -T "$1" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -1)
    [ "$(printf '%s\n' "${newest#GLIBC_}" $glibc | sort -V | tail -1)" = $glibc ] || { echo "$1 needs $newest"; exit 1; }
    ! nm -D --defined-only "$1" | grep -E ' _ZN?St| _Zn[aw]' || { echo "$1 gives away its C++ library"; exit 1; }
}
# packed <name> <file>...: an archive of a folder with these and the licence.
packed() {
    local name=$1
    shift
    mkdir -p "$work/$name"
    cp -P "$@" "$checkout/LICENSE" "$work/$name"
    strip --strip-unneeded "$work/$name"/*.so*[0-9o] 2>/dev/null || true
    tar czf "$out/$name.tar.gz" -C "$work" "$name"
}
rm -rf "$out"
mkdir -p "$out"
new_enough "$built/c_api/libtamis.so"
new_enough "$built/ggml_backend/libggml-tamis.so"
new_enough "$built/pytorch/tamis_torch.so"
packed "libtamis-$version-linux-x86_64" "$built"/c_api/libtamis.so* "$checkout/examples/c_api/tamis.h"
packed "libggml-tamis-$version-linux-x86_64" "$built/ggml_backend/libggml-tamis.so" "$checkout/examples/ggml_backend/README.md"
mkdir "$work/wheel"
cp -r "$checkout"/examples/pytorch/{pyproject.toml,setup.py,README.md,tamis_torch} "$work/wheel/"
strip --strip-unneeded "$built/pytorch/tamis_torch.so"
(cd "$work/wheel" && TAMIS_TORCH_LIBRARY="$built/pytorch/tamis_torch.so" "$work/venv/bin/python" setup.py -q bdist_wheel --plat-name manylinux_${glibc//./_}_x86_64 --dist-dir "$out" \
    >"$work/log" 2>&1) || { cat "$work/log"; exit 1; }

# Tried from what was made, where no headers of tamis are: a C program here; llama.cpp and torch in the root.
mkdir "$work/tried"
tar xzf "$out/libtamis-$version-linux-x86_64.tar.gz" -C "$work/tried" --strip-components=1
cat >"$work/tried/main.c" <<'C'
#include "tamis.h"
#include <stdio.h>
int main(void) { return printf("libtamis %s\n", tamis_version()) < 0; }
C
cc -std=c99 -pedantic "$work/tried/main.c" -I"$work/tried" -L"$work/tried" -ltamis -Wl,-rpath,"$work/tried" -o "$work/tried/main"
"$work/tried/main"
if [ "$(id -u)" = 0 ]; then
    [ -e "$root/proc/self" ] || { mount -t proc proc "$root/proc" && mounted=1; }
    mkdir -p "$root/tmp/tamis_binaries"
    cp "$out"/* "$root/tmp/tamis_binaries"
    chroot "$root" sh -ec 'cd /tmp/tamis_binaries
        tar xzf libggml-tamis-*.tar.gz --strip-components=1
        GGML_BACKEND_PATH=$PWD/libggml-tamis.so llama-bench --list-devices 2>&1 | grep -m1 -i tamis || { echo "llama.cpp does not find libggml-tamis.so"; exit 1; }
        if [ -e /usr/lib/python3/dist-packages/torch/__init__.py ] && command -v pip >/dev/null; then
            pip install -q --no-deps --no-index --break-system-packages --target site *.whl 2>/dev/null
            PYTHONPATH=site python3 -c "import torch, tamis_torch; print(\"tamis_torch\", tamis_torch.__version__, torch.ops.tamis.mask(torch.tensor([3.0, 4.0, 0.1]), \"top_p=0.9\"))"
        else
            echo "skipped, the wheel: the root has no python3-torch"
        fi'
else
    echo "skipped, llama.cpp and torch: entering the root takes root's rights"
fi
ls -sh "$out"
