"""To be imported before torch: one thread, and the right kernels. An OpenBLAS older than the processor may take
it for one with SSE only, four times slower."""
import os

with open("/proc/cpuinfo") as cpuinfo:
    flags = cpuinfo.read().split()
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if "avx2" in flags:
    os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX" if "avx512vl" in flags else "Haswell")
