#!/bin/sh
# bench.sh LIBRARY RULE THREADS MODEL.gguf...: tokens a second of generation (and of a prompt of 128 tokens) by llama.cpp alone and with
# libggml-tamis, in turns; medians of five, and their ratio. TAMIS_ALL, TAMIS_MOST_LEVEL and others are passed on.
set -eu
lib=$1 rule=$2 threads=$3
shift 3
one() { # "" or the variables of a run: two numbers
    env $1 llama-bench -m "$2" -t "$threads" -p 128 -n 32 -r 1 -o jsonl 2> /dev/null |
        sed 's/.*"avg_ts": \([0-9.]*\).*/\1/' | tr '\n' ' '
}
median() { sort -n | sed -n 3p; }
echo "| model | threads | prompt: alone | with tamis | generation: alone | with tamis | ratio |"
echo "|---|---|---|---|---|---|---|"
for model; do
    a= b=
    for turn in 1 2 3 4 5; do
        a="$a$(one X=1 "$model")
"
        b="$b$(one "GGML_BACKEND_PATH=$lib TAMIS_RULE=$rule" "$model")
"
    done
    col() { printf %s "$1" | cut -d' ' -f"$2" | median; }
    pa=$(col "$a" 1) pb=$(col "$b" 1) ga=$(col "$a" 2) gb=$(col "$b" 2)
    echo "$(basename "$model" .gguf) $threads $pa $pb $ga $gb" |
        awk '{ printf "| %s | %d | %.0f | %.0f | %.1f | %.1f | %.2f |\n", $1, $2, $3, $4, $5, $6, $6 / $5 }'
done
