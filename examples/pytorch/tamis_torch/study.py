"""observe: what masks leave out in the model that runs. critical: what the model tolerates, by hooks, with any metric."""

import contextlib
import dataclasses
import math

import torch

from .sparse_ffn import SparseFFN
from .sparsify import PROJECTIONS, ffns_of

PAPER_VALUES = (1, .995, .99, .985, .98, .975, .97, .96, .95, .94, .93, .92, .91, .90, .85, .80, .75, .70, .65, .60, .50, .40, .30, .20,
                .10, 0)  # of p, as arXiv 2509.00454 sweeps it
ALL_SITES = {site: (site,) for site in ("input", "gate", "up", "intermediate")} | {"all_inputs": ("input", "intermediate")}


class Seen(dict):
    """{name of an FFN: {"tokens", "cett", "sparsity": {site: share of entries left out}}}; printed, a table."""

    def __str__(self):
        lines = [f"{'FFN':32} {'tokens':>8} {'CETT':>8}  sparsity"]
        for name, row in self.items():
            sites = ", ".join(f"{site} {100 * share:.1f} %" for site, share in row["sparsity"].items())
            lines.append(f"{name:32} {row['tokens']:8} {row['cett']:8.4f}  {sites}")
        return "\n".join(lines)


@contextlib.contextmanager
def observe(model):
    """What the masks of a model that was sparsified do, a layer:

        with observe(model) as seen:
            model.generate(...)
        print(seen)

    CETT is |FFN(x) - sparse FFN(x)| / |FFN(x)|, the mean over tokens; x is what the sparse model's layer gets. It is measured with
    torch's dense products beside the sparse ones, so the model is slower meanwhile.
    """
    ffns = {name: m for name, m in model.named_modules() if isinstance(m, SparseFFN)}
    if not ffns:
        raise ValueError("tamis: there is nothing to observe: no FFN of the model is sparse; call tamis_torch.sparsify first")
    seen, handles = Seen(), []

    def watch(name, ffn):
        row = seen[name] = {"tokens": 0, "cett": math.nan, "sparsity": {site: math.nan for site in ffn.tamis_rules.at}}
        total, dropped, entries = 0.0, dict.fromkeys(row["sparsity"], 0), dict.fromkeys(row["sparsity"], 0)

        def mask(site, v, *expert):
            masked = ffn.mask(site, v, *expert)
            if site in dropped:
                dropped[site] += int((masked == 0).sum())
                entries[site] += v.numel()
            return masked

        @torch.no_grad()
        def hook(module, args):
            nonlocal total
            for intermediate, down in ffn.pieces(*args):
                whole, kept = intermediate(lambda site, v, *expert: v), intermediate(mask)
                lost = torch.nn.functional.linear(whole - kept, down).float().norm(dim=-1)
                size = torch.nn.functional.linear(whole, down).float().norm(dim=-1)
                total += float(torch.where(lost == 0, 0, lost / size).sum())
                row["tokens"] += lost.numel()
            if row["tokens"]:
                row["cett"] = total / row["tokens"]
                row["sparsity"].update({site: dropped[site] / entries[site] for site in dropped})

        handles.append(ffn.register_forward_pre_hook(hook))

    for name, ffn in ffns.items():
        watch(name, ffn)
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@dataclasses.dataclass
class Critical:
    """Of one site: `sparsity` is the highest share of its entries that may be left out, between the points at which the metric's
    ratio to the dense model's crosses the limit; `reached` tells whether it does (else it is the last point's). `points` are (value
    of the rule, sparsity, ratio)."""

    site: str
    sparsity: float
    reached: bool
    points: list

    def __str__(self):
        return f"{self.site:13} {'' if self.reached else 'at least '}{100 * self.sparsity:.1f} %"


def top1(model, texts):
    """Share of the next tokens that the model ranks first."""
    right = total = 0
    for ids in texts:
        logits = model(ids[None])
        guess = getattr(logits, "logits", logits)[0, :-1].argmax(-1)
        right, total = right + int((guess == ids[1:]).sum()), total + len(guess)
    return right / total if total else math.nan


def perplexity(model, texts):
    """Of the next tokens: less is better, so critical takes it with keep=1.01."""
    nats = total = 0
    for ids in texts:
        logits = model(ids[None])
        logits = getattr(logits, "logits", logits)[0, :-1].float()
        nats, total = nats + float(torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum")), total + len(logits)
    return math.exp(nats / total) if total else math.nan


@contextlib.contextmanager
def masked(ffns, sites, rule, parts, count):
    """Masks at sites by hooks, on any modules that have the three parts; counts entries, and those that were left out."""
    act, up, down = parts
    handles = []

    def keep(v):
        kept = torch.where(torch.ops.tamis.mask(v, rule), v, 0)
        count[0] += v.numel()
        count[1] += int((kept == 0).sum())
        return kept

    def of_input(module, args):
        return (keep(args[0]), *args[1:])

    def of_output(module, args, out):
        return keep(out)

    for ffn in ffns:
        at = {"input": lambda f=ffn: f.register_forward_pre_hook(of_input),
              "gate": lambda f=ffn: getattr(f, act).register_forward_hook(of_output),
              "up": lambda f=ffn: getattr(f, up).register_forward_hook(of_output),
              "intermediate": lambda f=ffn: getattr(f, down).register_forward_pre_hook(of_input)}
        handles += [at[site]() for site in sites]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def critical(model, texts, sites=("input", "gate", "up", "intermediate", "all_inputs"), metric=top1, keep=None, rule="top_p",
             values=PAPER_VALUES, tokenizer=None, ffns=None, parts=("act_fn", "up_proj", "down_proj"), whole_sweep=False):
    """The critical sparsity of each site: one value of `rule` for all layers and tokens, from the dense end on, until
    metric(model, texts) is no longer within `keep` of the dense model's: 0.99 (more is better), or above 1 (less is better; 1.01 for
    perplexity). `texts` are strings (with a tokenizer), or vectors of token ids; a metric of one's own may take anything. `ffns` are the
    modules with `parts` (the activation, up and down), where they are not those of gated models of transformers.

        for site in critical(model, texts, tokenizer=tokenizer): print(site)
    """
    keep = keep if keep is not None else 1.01 if metric is perplexity else 0.99
    if any(isinstance(m, SparseFFN) for m in model.modules()):
        raise ValueError("tamis: the model is sparse already; critical measures the dense one: tamis_torch.restore(model)")
    if ffns is None:
        ffns = [m for _, m, _ in ffns_of(model) if all(hasattr(m, p) for p in (*PROJECTIONS, *parts))]
    if not ffns:
        raise ValueError("tamis: the model has no FFN of which the parts are known; name them: critical(..., ffns=[...], parts=(act, "
                         "up, down))")
    for site in sites:
        if site not in ALL_SITES:
            raise ValueError(f"tamis: there is no site '{site}'; there are {', '.join(ALL_SITES)}")
    if metric in (top1, perplexity):
        if tokenizer is None and any(isinstance(t, str) for t in texts):
            raise ValueError("tamis: texts are strings: give critical their tokenizer as well, or vectors of token ids")
        texts = [torch.as_tensor(tokenizer(t)["input_ids"] if isinstance(t, str) else t) for t in texts]
    found, was_training = [], model.training
    model.eval()
    try:
        with torch.no_grad():
            dense = metric(model, texts)
            if not (math.isfinite(dense) and dense > 0):
                raise ValueError(f"tamis: the metric of the dense model is {dense}; nothing can be a share of it")
            for site in sites:
                found.append(_sweep(model, texts, site, metric, dense, keep, rule, values, ffns, parts, whole_sweep))
    finally:
        model.train(was_training)
    return found


def _sweep(model, texts, site, metric, dense, keep, rule, values, ffns, parts, whole_sweep):
    before, crossing, points = (0.0, 1.0), None, []
    for value in values:
        count = [0, 0]
        with masked(ffns, ALL_SITES[site], f"{rule}={value!r}", parts, count):
            ratio = metric(model, texts) / dense
        if count[0] == 0:
            raise ValueError(f"tamis: no FFN was called with a mask at {site}: the metric has to run the model")
        sparsity = count[1] / count[0]
        points.append((value, sparsity, ratio))
        if crossing is None:
            if not (ratio >= keep if keep < 1 else ratio <= keep):
                share = (keep - before[1]) / (ratio - before[1]) if math.isfinite(ratio) else 0.0
                crossing = before[0] + share * (sparsity - before[0]) if not math.isnan(ratio) else math.nan
                if not whole_sweep:
                    break
            else:
                before = (sparsity, ratio)
    return Critical(site, before[0] if crossing is None else crossing, crossing is not None, points)
