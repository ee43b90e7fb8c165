"""tamis for PyTorch: activation sparsity for the feed-forward layers of language models, on the CPU.

    import tamis_torch
    tamis_torch.sparsify(model, "top_p=0.9@intermediate")
    model.generate(...)
"""

from . import operators  # noqa: F401  (torch.ops.tamis)
from .sparse_ffn import SparseFFN
from .sparsify import refresh, restore, sparsify
from .study import critical, observe, perplexity, top1

__version__ = "0.2.0"
__all__ = ["SparseFFN", "critical", "observe", "perplexity", "refresh", "restore", "sparsify", "top1"]
