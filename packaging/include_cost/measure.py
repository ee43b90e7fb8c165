"""What an include costs: preprocessed lines, seconds and template instantiations of a unit, for the whole library, for masks, for
one FFN and for each further policy and format. python3 packaging/include_cost/measure.py [--most LIMITS.json]

Seconds are the processor's, of one compiler run at -O0. Instantiations are counted by clang (-ftime-trace). With --most nothing but
these is measured, of the units that have a limit, and it fails where one makes more than it may: no other load changes that."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
USE = """void f(const void* p, const float* x, float* q, tamis::workspace w) {
    using namespace tamis;
    glu_weights weights{matrix<%(f)s, neuron_major>{p, 64, 32}, matrix<%(f)s, neuron_major>{p, 64, 32},
                        matrix<%(f)s, neuron_major>{p, 64, 32}};
    glu_ffn ffn{weights, silu{}%(p)s};
    ffn(std::span{x, 32}, std::span{q, 32}, w);
}
"""


def ffn(policies="", formats=("f32",)):
    return "#include <tamis/tamis.hpp>\n" + "".join(
        USE.replace("void f(", f"void f_{name}(") % {"f": name, "p": policies} for name in formats)


UNITS = {
    "masks alone (rule/top_p.hpp)": "#include <tamis/rule/top_p.hpp>\n",
    "the types (mask/mask.hpp)": "#include <tamis/mask/mask.hpp>\n",
    "tamis.hpp": "#include <tamis/tamis.hpp>\n",
    "a mask made": "#include <tamis/tamis.hpp>\nstd::size_t f(std::span<const float> v) { return tamis::top_p{0.9}(v).count(); }\n",
    "glu_ffn, dense": ffn(),
    "one policy": ffn(", at_intermediate(top_p{0.9})"),
    "two policies": ffn(", at_gate(top_p{0.9}), at_intermediate(top_p{0.9})"),
    "two formats": ffn(", at_intermediate(top_p{0.9})", ("f32", "bf16")),
    "three formats": ffn(", at_intermediate(top_p{0.9})", ("f32", "bf16", "q8_0")),
}


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(most):
    compiler = os.environ.get("CXX", "c++")
    clang = next((name for name in ("clang++", "clang++-19", "clang++-16", "clang++-14") if shutil.which(name)), None)
    flags = ["-std=c++20", "-O0", "-march=x86-64-v3", "-DTAMIS_NO_ISA_NOTE", f"-I{ROOT / 'include'}"]
    print("| unit | lines | seconds | instantiations |\n|---|---|---|---|")
    counts, wrong = {}, []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for name, text in UNITS.items():
            if most and name not in most:
                continue
            unit = work / "unit.cpp"
            unit.write_text(text)
            lines, seconds, count = "-", "-", None
            if not most:
                preprocessed = run([compiler, *flags, "-E", "-P", unit])[0]
                lines = f"{sum(1 for line in preprocessed.splitlines() if line.strip()):,}"
                seconds = f"{min(run([compiler, *flags, '-c', unit, '-o', work / 'unit.o'])[1] for _ in range(2)):.2f}"
            if clang:
                run([clang, *flags, "-ftime-trace", "-ftime-trace-granularity=0", "-c", unit, "-o", work / "unit.o"])
                events = json.loads((work / "unit.json").read_text())["traceEvents"]
                count = sum(1 for event in events if event["name"] in ("InstantiateClass", "InstantiateFunction"))
            counts[name] = count
            print(f"| {name} | {lines} | {seconds} | {count if count is not None else '-'} |", flush=True)
            if most and count is not None and count > most[name]:
                wrong.append(f"{name}: {count} instantiations; {most[name]} were allowed")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main(json.loads(pathlib.Path(sys.argv[2]).read_text()) if sys.argv[1:2] == ["--most"] else None)
