#!/bin/sh
# Makes everything in models/ again: tokenizer, text, tasks and both models; then measures them.
# Needs python3 with torch (Debian: apt-get install python3-torch libopenblas0-pthread).
# PYTHON: the interpreter; STEPS: fewer for a quick look; OUT: another folder.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
steps=${STEPS:-11000}
out=${OUT:-models}
mkdir -p "$out"

"$python" check.py 3
"$python" data.py tokenizer "$out/tokenizer.bin"
"$python" data.py text "$out/text.txt"
"$python" data.py tasks "$out/tasks.tsv"
train() {  # activation, name
    "$python" train.py --activation "$1" --steps "$steps" --tokenizer "$out/tokenizer.bin" --out "$out/$2.bin"
}
train silu swiglu > "$out/swiglu.log" &
twin=$!
train relu reglu | tee "$out/reglu.log"
wait $twin
rm "$out/swiglu.log" "$out/reglu.log"

"$python" data.py entropy "$out/tokenizer.bin"
for model in "silu swiglu" "relu reglu"; do
    echo "${model#* }"
    "$python" evaluate.py --activation "${model% *}" --checkpoint "$out/${model#* }.bin" \
        --tokenizer "$out/tokenizer.bin" --text "$out/text.txt" --tasks "$out/tasks.tsv"
done
