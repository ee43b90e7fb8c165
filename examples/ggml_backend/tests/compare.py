"""compare.py A B MOST: relative rms of two files of floats; fails above MOST. 0 asks for equal bits."""
import sys

import numpy as np

a, b = (np.fromfile(f, dtype=np.float32) for f in sys.argv[1:3])
assert len(a) == len(b) != 0, f"{len(a)} and {len(b)} logits"
rms = float(np.sqrt(np.mean((a - b) ** 2) / np.mean((a - a.mean()) ** 2)))
print(f"relative rms {rms:.2e}, most {float(sys.argv[3]):.0e}")
sys.exit(0 if rms <= float(sys.argv[3]) else 1)
