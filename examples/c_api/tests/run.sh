#!/bin/sh
# run.sh FOLDER: tests of the libtamis.so and libtamis.a in FOLDER. Says what it skips.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
built=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH="$built"

# What is exported is what the header says, and nothing else.
nm -D --defined-only "$built/libtamis.so" | awk '{print $3}' | sort > "$work/exported"
sed -n 's/^TAMIS_API .*\(tamis_[a-z_]*\)(.*/\1/p' "$here/../tamis.h" | sort > "$work/declared"
[ -s "$work/declared" ] && diff "$work/declared" "$work/exported"
echo "$(wc -l < "$work/exported") functions exported, as declared; $(du -kL "$built/libtamis.so" | cut -f1) KiB"

# C99, shared and static, by the kernels of each level that this machine runs.
${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -I"$here/.." "$here/c99.c" -o "$work/shared" -L"$built" -ltamis -lm
${CC:-cc} -std=c99 -pedantic -DTAMIS_STATIC -I"$here/.." -c "$here/c99.c" -o "$work/static.o"
${CXX:-c++} "$work/static.o" "$built/libtamis.a" -o "$work/static"
"$work/static"
for level in x86_64_v2 x86_64_v3 x86_64_v4; do
    TAMIS_MOST_LEVEL=$level "$work/shared"
done

if rustc --version > /dev/null 2>&1; then
    rustc --edition 2021 -O "$here/masks.rs" -o "$work/rust" -L "$built" -l tamis
    "$work/rust"
else
    echo "SKIPPED: no rustc here"
fi
if go version > /dev/null 2>&1 && [ "$(go env CGO_ENABLED)" = 1 ]; then
    CGO_CFLAGS="-I$here/.." CGO_LDFLAGS="-L$built -ltamis" GOCACHE="$work/go" GOFLAGS=-mod=mod go build -o "$work/masks" "$here/masks.go"
    GODEBUG=cgocheck=1 "$work/masks"
else
    echo "SKIPPED: no go here"
fi
if python3 -c "import ctypes" 2> /dev/null; then # README's ten lines
    sed -n '/^```python/,/^```/p' "$here/../README.md" | grep -v '^```' > "$work/readme.py"
    (cd "$built" && python3 "$work/readme.py")
else
    echo "SKIPPED: no python3 with ctypes here"
fi
