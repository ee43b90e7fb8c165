#!/bin/sh
# run.sh LIBRARY [MODEL.gguf...]: libggml-tamis in what hosts do, on models made here (and on those named): needs llama.cpp with its
# tools, g++ and python3-gguf. Each line is a case; the first that fails ends it. SHORT=1 leaves out llama.cpp's own tests;
# QUICK=LOGITS, with tests/logits.cpp compiled there, all that needs llama.cpp's tools or a compiler, and most kinds of models.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lib=$1
shift
tests=$(echo /usr/libexec/*/llama.cpp-tests)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
types="f32 f16 q8_0" kinds="gated experts fused normed"
if [ -n "${QUICK-}" ]; then
    cp "$QUICK" logits
    types="f32 q8_0" kinds="gated experts"
else
    g++ -O1 -o logits "$here/logits.cpp" -lllama -lggml -lggml-base
fi
for type in $types; do
    python3 "$here/relu_model.py" $type.gguf --layers 2 --width 256 --neurons 1024 --type $type
done
python3 "$here/lora.py" f32.gguf lora.gguf
for kind in $kinds; do
    python3 "$here/swiglu_model.py" $kind $kind.gguf
done

export TAMIS_ALL=1 # small FFNs, too

same() { python3 "$here/compare.py" "$@"; }
ours() { env GGML_BACKEND_PATH="$lib" "$@"; }
refused() { # a word that has to be in the message, and a command that has to end by itself
    word=$1; shift
    if "$@" > out 2>&1; then echo "expected to be refused: $*"; exit 1; fi
    grep -q "tamis: .*$word" out || { cat out; echo "expected: $word"; exit 1; }
}
said() { # a word that has to be on stderr of a command that works
    word=$1; shift
    "$@" > out 2>&1 || { cat out; exit 1; }
    grep -q "tamis: .*$word" out || { cat out; echo "expected: $word"; exit 1; }
}
step() { echo "-- $*"; }

for type in $types; do
    ./logits $type.gguf stock
    step "$type: exact zeros of ReLU^2, one thread, two and three"
    ours env TAMIS_RULE=nonzero ./logits $type.gguf two
    same stock two 0.02
    for threads in 1 3; do
        ours env TAMIS_RULE=nonzero ./logits $type.gguf other threads=$threads
        cmp two other
    done
    step "$type: a threshold next to nothing is the same"
    ours env TAMIS_RULE=threshold=1e-30 ./logits $type.gguf other
    cmp two other
    step "$type: without a rule, and by rules that mask zeros alone"
    ours ./logits $type.gguf other
    same stock other 0.02
    for rule in threshold=0 top_p=1 'threshold=0@input;cett=0@intermediate'; do
        ours env TAMIS_RULE="$rule" ./logits $type.gguf two
        cmp two other
    done
done
./logits f32.gguf stock
step "the input, too"
ours env TAMIS_RULE=nonzero@input,intermediate ./logits f32.gguf other
same stock other 0.001
step "all tokens of a prompt"
ours env TAMIS_PROMPT=1 TAMIS_RULE=nonzero ./logits f32.gguf other
same stock other 0.001
step "an observer of every node"
ours env TAMIS_RULE=nonzero ./logits f32.gguf other observe=1
same stock other 0.001
step "two contexts at once, 20 loads and unloads"
ours env TAMIS_RULE=nonzero ./logits f32.gguf other contexts=2 loads=20 tokens=12
step "an adapter on ffn_down"
./logits f32.gguf adapted lora=lora.gguf
ours env TAMIS_RULE=nonzero ./logits f32.gguf other lora=lora.gguf
same adapted other 0.001
some=threshold=1e-30 # of a rule, but masks nothing: the layouts and kernels alone
places="$some $some@input,intermediate $some@input $some@gate $some@input,gate"
for kind in $kinds; do
    step "SwiGLU, $kind: at the input and the intermediate, token by token and as a prompt"
    ./logits $kind.gguf dense
    for rule in $places; do
        ours env TAMIS_RULE=$rule ./logits $kind.gguf other
        same dense other 0.001
        ours env TAMIS_PROMPT=1 TAMIS_RULE=$rule ./logits $kind.gguf other threads=1
        same dense other 0.001
    done
done
if [ -z "${QUICK-}" ]; then
    step "two models in one process, the loader's check of tensors"
    ours env TAMIS_RULE=nonzero ./logits f32.gguf other beside=fused.gguf check=1
    same stock other 0.001
    step "20 loads and unloads under a checker of memory"
    asan=$(g++ -print-file-name=libasan.so)
    ours env LD_PRELOAD="$asan" ASAN_OPTIONS=detect_leaks=0 TAMIS_RULE=nonzero ./logits f32.gguf other loads=20 tokens=10 threads=1
    step "a version of the interface that nobody knows"
    g++ -O1 -o version "$here/version.cpp" -lggml -lggml-base
    said "host's is 99" ./version "$lib"
fi
step "turns with the host's own kernels"
said "all layers: .* us a token by tamis, .* us by the host's own kernels" ours env TAMIS_TURNS=1 TAMIS_RULE=threshold=1e-30 ./logits gated.gguf other
./logits gated.gguf dense
same dense other 0.001
if [ -z "${QUICK-}${SHORT-}" ] && grep -qw avx512vl /proc/cpuinfo; then # which are of AVX2's kernels alone
    step "FFNs that gain nothing are left to the host, with a sentence"
    said "MB a layer run dense" ours env TAMIS_ALL= TAMIS_RULE=threshold=1e-30 ./logits gated.gguf other
else
    echo "SKIPPED: small FFNs that are left to the host: this machine or this build has no kernels of AVX-512"
fi
step "statistics"
said "all layers: masked intermediate 9" ours env TAMIS_STATS=1 TAMIS_RULE=nonzero ./logits f32.gguf other
step "plans: one of the model, another model's, a wrong one, none"
plan() {
    printf '{"format":"tamis-calibration","version":1,"model":"%s","source":"","kind":"t","target":0,"tokens":1,"layers":%s,"rules":[' "$1" "$2"
    i=0
    while [ $i -lt "$2" ]; do
        [ $i = 0 ] || printf ','
        printf '{"layer":%s,"site":"intermediate","rule":"threshold","value":1e-30}' $i
        i=$((i + 1))
    done
    printf ']}\n'
}
plan relu2 2 > right.json
plan relu2 3 > layers.json
plan another 2 > model.json
plan relu2 0 > empty.json
ours env TAMIS_PLAN=right.json ./logits f32.gguf other
same stock other 0.001
said "'model' is 'another'" ours env TAMIS_PLAN=model.json ./logits f32.gguf other
cmp stock other
cp f32.gguf model.bin
said "which can not be checked" ours env TAMIS_PLAN=model.json ./logits model.bin other
same stock other 0.001
refused "'layers' is 3" ours env TAMIS_PLAN=layers.json ./logits f32.gguf other
refused "'rules' is empty" ours env TAMIS_PLAN=empty.json ./logits f32.gguf other
refused "can not be read" ours env TAMIS_PLAN=none.json ./logits f32.gguf other
refused "no site 'down'" ours env TAMIS_RULE=top_p=0.9@down ./logits f32.gguf other
refused "top_p must be in" ours env TAMIS_RULE=top_p=9 ./logits f32.gguf other
step "a truncated file"
head -c 1000000 f32.gguf > short.gguf
if ours env TAMIS_RULE=nonzero ./logits short.gguf other > out 2>&1; then echo "a truncated file was loaded"; exit 1; fi
grep -q "signal\|Segm" out && exit 1
if [ -n "${QUICK-}" ]; then
    echo "all is well; SKIPPED (QUICK): what needs llama.cpp's tools, or a compiler"
    exit
fi
step "devices by name, no mapping and no repacking, by llama-bench"
ours env TAMIS_RULE=nonzero llama-bench -m q8_0.gguf -p 16 -n 4 -r 1 -t 2 -dev TAMIS > out 2>&1 || { cat out; exit 1; }
ours env TAMIS_RULE=nonzero llama-bench -m q8_0.gguf -p 16 -n 4 -r 1 -t 2 -lm none --repack 0 > out 2>&1 || { cat out; exit 1; }
step "the user's own placement wins"
placed() { ours env TAMIS_STATS=1 TAMIS_RULE=threshold=1e-30 llama-bench -m gated.gguf -p 0 -n 4 -r 1 -t 2 "$@"; }
said "all layers: masked intermediate" placed
if placed -ot 'ffn_(gate|up|down)=CPU' 2>&1 | grep "tamis: .*masked"; then echo "expected: on the CPU"; exit 1; fi
said "all layers: masked intermediate" placed -ot 'ffn_(gate|up)=CPU'
if placed -ot ffn_down=CPU 2>&1 | grep "tamis: .*masked"; then echo "expected: W_down on the CPU"; exit 1; fi
ours env TAMIS_RULE=threshold=1e-30@gate llama-bench -m gated.gguf -p 16 -n 4 -r 1 -t 2 -ot 'ffn=TAMIS' > out 2>&1 || { cat out; exit 1; }
step "memory fitting"
ours env TAMIS_RULE=nonzero llama-fit-params -m q8_0.gguf > out 2>&1 || { cat out; exit 1; }
if [ -n "${SHORT-}" ]; then
    echo "SKIPPED: llama.cpp's own tests (SHORT=1)"
elif [ -x "$tests/test-backend-ops" ]; then
    step "ggml's operations, device by device"
    ours "$tests/test-backend-ops" test -b TAMIS > out 2>&1 || { tail out; exit 1; }
    step "every architecture"
    ours "$tests/test-llama-archs" -b TAMIS > out 2>&1 || { tail out; exit 1; }
else
    echo "SKIPPED: llama.cpp's own tests are not here"
fi
for model; do
    step "$model: without a rule, and with threshold=0, to the bit"
    ./logits "$model" stock
    ours ./logits "$model" other
    cmp stock other
    ours env TAMIS_RULE=threshold=0 ./logits "$model" other
    cmp stock other
    step "$model: all places"
    for rule in $places; do
        ours env TAMIS_ALL=1 TAMIS_RULE=$rule ./logits "$model" other
        same stock other 0.1
    done
    step "$model: llama-server and two clients"
    ours env TAMIS_RULE=top_p=0.95 python3 "$here/server.py" "$model"
    if [ -x "$tests/test-thread-safety" ]; then
        step "$model: test-thread-safety"
        ours env TAMIS_RULE=top_p=0.9 "$tests/test-thread-safety" -m "$model" -ngl 0 -p hello -n 8 -c 64 \
            --temp 0 -np 2 -t 1 > out 2>&1 || { tail out; exit 1; }
    fi
done
echo "all is well"
