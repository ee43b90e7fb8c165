#!/bin/sh
# Trains both models again with checkpoints on the way, measures how many of its neurons each of these needs
# (CETT-PPL-1%), and leaves models/laws.csv and docs/laws_*.svg. Half an hour on two free cores.
# Needs python3 with torch (see make.sh) and tamis-study: STUDY, or the one that the preset demo builds.
# PYTHON: the interpreter; STEPS: fewer for a quick look; WORK: where the checkpoints go (40 MB).
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
steps=${STEPS:-11000}
work=${WORK:-../../build/laws}
study=${STUDY:-../../build/cmake/demo/examples/study/tamis-study}
mkdir -p "$work"
[ -x "$study" ] || { echo "laws.sh: $study is missing: cmake --workflow --preset demo builds it" >&2; exit 2; }

train() {  # activation, name
    "$python" train.py --activation "$1" --steps "$steps" --tokenizer models/tokenizer.bin --out "$work/$2.bin" \
        --checkpoints 9
}
train silu swiglu > "$work/swiglu.log" &
twin=$!
train relu reglu | tee "$work/reglu.log"
wait $twin

measure() {  # activation, name
    "$study" laws --checkpoint "$work/$2.bin" --tokenizer models/tokenizer.bin --text models/text.txt \
        --activation "$1" --checkpoints "$work/$2.bin.checkpoints.tsv" --out "$work/$2"
}
measure silu swiglu
measure relu reglu
{
    cat "$work/swiglu/laws.csv"
    tail -n +2 "$work/reglu/laws.csv"
} > models/laws.csv
cp "$work/swiglu/laws.svg" ../../docs/laws_swiglu.svg
cp "$work/reglu/laws.svg" ../../docs/laws_reglu.svg
