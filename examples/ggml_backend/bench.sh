#!/bin/sh
# bench.sh LIBRARY RULE THREADS MODEL.gguf...: tokens a second of generation (and of a prompt of 128 tokens) by llama.cpp alone and with
# libggml-tamis, in turns of which each is first every other time; medians of TURNS (5), and their ratio. With RULE=none nothing is asked
# for. TAMIS_PLAN (RULE= then), TAMIS_ALL, TAMIS_MOST_LEVEL and others are passed on. CPU=haswell takes this one of ggml's variants in
# place of the machine's best (as root): an AVX2 machine is CPU=haswell TAMIS_MOST_LEVEL=x86_64_v3.
set -eu
if [ -n "${CPU-}" ] && [ -z "${ALONE-}" ]; then # a folder of backends with that variant alone
    exec env ALONE=1 unshare -m sh -ec 'at=$(dirname $(ls /usr/lib/*/ggml/backends*/libggml-cpu-"$CPU".so)); kept=$(mktemp -d)
        cp "$at/libggml-cpu-$CPU.so" "$kept"; mount --bind "$kept" "$at"; exec "$0" "$@"' "$0" "$@"
fi
turns=${TURNS:-5}
lib=$1 rule=$2 threads=$3
shift 3
one() { # "" or the variables of a run: two numbers
    env $1 llama-bench -m "$2" -t "$threads" -p 128 -n 48 -r 1 -o jsonl 2> /dev/null |
        sed 's/.*"avg_ts": \([0-9.]*\).*/\1/' | tr '\n' ' '
}
median() { sort -n | sed -n $(((turns + 1) / 2))p; }
with="GGML_BACKEND_PATH=$lib"
[ -z "$rule" ] || [ "$rule" = none ] || with="$with TAMIS_RULE=$rule"
echo "| model | threads | prompt: alone | with tamis | generation: alone | with tamis | ratio |"
echo "|---|---|---|---|---|---|---|"
for model; do
    a= b=
    for turn in $(seq "$turns"); do
        [ $((turn % 2)) = 0 ] || a="$a$(one X=1 "$model")
"
        b="$b$(one "$with" "$model")
"
        [ $((turn % 2)) = 1 ] || a="$a$(one X=1 "$model")
"
    done
    col() { printf %s "$1" | cut -d' ' -f"$2" | median; }
    pa=$(col "$a" 1) pb=$(col "$b" 1) ga=$(col "$a" 2) gb=$(col "$b" 2)
    echo "$(basename "$model" .gguf) $threads $pa $pb $ga $gb" |
        awk '{ printf "| %s | %d | %.0f | %.0f | %.1f | %.1f | %.2f |\n", $1, $2, $3, $4, $5, $6, $6 / $5 }'
done
