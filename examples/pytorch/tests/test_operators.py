"""The operators against torch's own sums and products. python3 -m unittest discover tests"""

import unittest

import torch
import tamis_torch  # noqa: F401

ops = torch.ops.tamis
F = torch.nn.functional
ACTIVATIONS = {"silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"), "relu": F.relu}


def by_columns(w):
    return w.t().contiguous().t()


def by_sorting(x, rule):
    """The masks' definition by sort and cumsum in float64."""
    name, _, number = rule.partition("=")
    v, p = x.double().abs(), float(number or 0)
    order = v.sort(dim=-1, descending=True).values
    if name == "top_p":
        sums = order.cumsum(-1)
        at = (sums < p * sums[..., -1:]).sum(-1, keepdim=True).clamp(max=v.shape[-1] - 1)
        cut = order.gather(-1, at)
    elif name in ("top_k", "top_k_fraction"):
        k = min(int(p if name == "top_k" else p * v.shape[-1]), v.shape[-1])
        cut = order[..., k - 1:k] if k else torch.full_like(order[..., :1], torch.inf)
    else:
        cut = {"max_p": p * order[..., :1], "threshold": torch.full_like(order[..., :1], p), "nonzero": order[..., :1] * 0}[name]
    return (v >= cut) & (v > 0)


def weights(h=96, d=224, dtype=torch.float32, seed=0):
    r = torch.Generator().manual_seed(seed)
    return [(torch.randn(s, generator=r) / s[1] ** .5).to(dtype) for s in ((d, h), (d, h), (h, d))]


def plain(x, gate, up, down, act, at=lambda site, v: v, biases=(None, None, None)):
    x = at("input", x)
    g = at("gate", act(F.linear(x, gate, biases[0])))
    u = at("up", F.linear(x, up, biases[1]))
    return F.linear(at("intermediate", g * u), down, biases[2])


class Masks(unittest.TestCase):
    def test_ten_thousand_inputs(self):
        r = torch.Generator().manual_seed(1)
        rules = ["top_p=0.9", "top_p=0.5", "top_p=0.99", "top_p=0", "top_k=7", "top_k=0", "top_k_fraction=0.3", "max_p=0.25", "threshold=0.5",
                 "nonzero"]
        for i, rule in enumerate(rules):
            for dtype in (torch.float32, torch.bfloat16, torch.float16):
                for n, rows in ((1, 34), (65, 200), (1000, 100)):
                    x = torch.randn(rows, n, generator=r)
                    x = (torch.where(torch.rand(x.shape, generator=r) < .2, 0, x ** (1 + i % 3))).to(dtype)
                    self.assertTrue(torch.equal(ops.mask(x, rule), by_sorting(x, rule)), (rule, dtype, n))

    def test_ties_nan_zero_inf(self):
        nan, inf = torch.nan, torch.inf
        for x, rule, active in (([1., 1, 1, 0], "top_p=0.3", [1, 1, 1, 0]), ([nan, 2, 1], "top_k=1", [1, 1, 0]), ([0., 0], "top_p=1", [0, 0]),
                                ([inf, 1, nan], "top_p=0.9", [1, 0, 1]), ([-3., 2, -1], "top_k=2", [1, 1, 0]), ([-0., 1e-40], "top_p=1", [0, 1])):
            self.assertEqual(ops.mask(torch.tensor(x), rule).int().tolist(), active, (x, rule))

    def test_strides_and_empty(self):
        x = torch.randn(6, 8, 10)
        for view in (x.transpose(0, 2), x[:, ::2], x[..., 0:1].expand(6, 8, 10), x[:0], x[..., :0], x[0, 0], x.permute(2, 1, 0)[:, :1]):
            self.assertTrue(torch.equal(ops.mask(view, "top_p=0.7"), ops.mask(view.contiguous(), "top_p=0.7")))
            self.assertEqual(ops.mask(view, "top_p=0.7").shape, view.shape)

    def test_masked_is_the_mask_of_the_tensor(self):
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            x = torch.randn(7, 3, 130).to(dtype)
            x[0, 0, :4] = torch.tensor([torch.nan, torch.inf, -0., 0])
            for view in (x, x.transpose(0, 1), x[..., ::2], x[..., :1], x[:0], x[0, 1]):
                for rule in ("top_p=0.7", "top_k=5", "nonzero"):
                    got, want = ops.masked(view, rule), torch.where(ops.mask(view, rule), view, 0)
                    self.assertEqual((got.dtype, got.shape), (want.dtype, want.shape))
                    self.assertTrue(torch.equal(got.nan_to_num(7), want.nan_to_num(7)) and torch.equal(got.isnan(), want.isnan()))
        with self.assertRaisesRegex(RuntimeError, "neither float32, float16 nor bfloat16"):
            ops.masked(torch.arange(4), "top_k=1")

    def test_values(self):
        x, t = torch.randn(5, 40), torch.rand(40)
        self.assertTrue(torch.equal(ops.mask(x, "channel_thresholds", t), x.abs() >= t))
        self.assertTrue(torch.equal(ops.mask(x, "cett=0.25", t.double().to(torch.float32)), x.double().abs() * t.double() >= .25))


class GluFfn(unittest.TestCase):
    def test_dense_is_the_modules(self):
        for dtype, tolerance in ((torch.float32, 1e-5), (torch.float16, 4e-3), (torch.bfloat16, 3e-2)):
            gate, up, down = weights(dtype=dtype)
            for name, act in ACTIVATIONS.items():
                for tokens in ((), (1,), (2, 3), (33,)):
                    x = torch.randn(*tokens, 96).to(dtype)
                    want = plain(x.double(), gate.double(), up.double(), down.double(), act)
                    for down_too in (down, by_columns(down)):
                        y = ops.glu_ffn(x, gate, up, down_too, "", name)
                        self.assertEqual((y.dtype, y.shape), (dtype, x.shape))
                        torch.testing.assert_close(y.double(), want, rtol=tolerance, atol=tolerance)

    def test_sparse_is_masking_tensors(self):
        gate, up, down = weights()
        x = torch.randn(5, 96)
        norms = down.norm(dim=0)
        for rule, sites in (("top_p=0.9", ("input",)), ("top_p=0.8", ("gate",)), ("max_p=0.3", ("up",)), ("top_k=50", ("intermediate",)),
                            ("top_p=0.7", ("input", "intermediate")), ("top_k_fraction=0.5", ("gate",)), ("top_p=0.5", ("up",)), ("cett=0.05", ("intermediate",))):
            def at(site, v):
                return torch.where(ops.mask(v, rule, norms), v, 0) if site in sites else v
            y = ops.glu_ffn(x, *((by_columns(gate), by_columns(up)) if "input" in sites else (gate, up)), by_columns(down),
                            f"{rule}@{','.join(sites)}", "silu", None, None, None, norms)
            torch.testing.assert_close(y, plain(x, gate, up, down, F.silu, at), rtol=1e-4, atol=1e-5)

    def test_biases_threads_strides_empty(self):
        gate, up, down = weights()
        biases = torch.randn(224), torch.randn(224), torch.randn(96)
        x = torch.randn(4, 96)
        want = plain(x, gate, up, down, F.silu, biases=biases)
        threads = torch.get_num_threads()
        seen = []
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            seen.append(ops.glu_ffn(x, gate, up, by_columns(down), "", "silu", *biases))
        torch.set_num_threads(threads)
        self.assertTrue(all(torch.equal(y, seen[0]) for y in seen))
        torch.testing.assert_close(seen[0], want, rtol=1e-4, atol=1e-5)
        wide = torch.randn(4, 200)
        padded = torch.zeros(224, 100)[:, :96].copy_(gate)
        for view in (x.t().contiguous().t(), wide[:, ::2][:, :96], x[0].expand(3, 96), x[:, :1].expand(4, 96), x[:0], x[:, None][:, :, :]):
            y = ops.glu_ffn(view, padded, up, down)
            torch.testing.assert_close(y, plain(view, gate, up, down, F.silu), rtol=1e-4, atol=1e-5)

    def test_sizes_of_one(self):
        for h, d in ((1, 5), (5, 1), (1, 1)):
            gate, up, down = weights(h, d)
            x = torch.randn(2, h)
            for rule in ("", "top_p=1@intermediate", "top_p=1@input", "top_p=1@input,intermediate"):
                y = ops.glu_ffn(x, by_columns(gate), by_columns(up), by_columns(down), rule)
                torch.testing.assert_close(y, plain(x, gate, up, down, F.silu))

    def test_refusals(self):
        gate, up, down = weights()
        x = torch.randn(2, 96)
        for word, call in (("saves nothing", lambda: ops.glu_ffn(x, gate, up, down, "top_p=0.9")),
                           ("saves nothing", lambda: ops.linear(x, gate, "top_p=0.9")), ("no rule", lambda: ops.mask(x, "best=3")),
                           ("no site", lambda: ops.glu_ffn(x, gate, up, down, "top_p=0.9@middle")), ("number", lambda: ops.mask(x, "top_p=many")),
                           (r"\[0, 1\]", lambda: ops.mask(x, "top_p=2")), ("one rule", lambda: ops.mask(x, "")),
                           ("no activation", lambda: ops.glu_ffn(x, gate, up, down, "", "tanh")),
                           ("W_down", lambda: ops.glu_ffn(x, gate, up, gate)), ("last size", lambda: ops.glu_ffn(x[:, :5], gate, up, down)),
                           ("dtypes", lambda: ops.glu_ffn(x.bfloat16(), gate, up, down)), ("neither", lambda: ops.glu_ffn(x.double(), gate, up, down)),
                           ("contiguous", lambda: ops.glu_ffn(x, gate[:, :1].expand(224, 96), up, down)),
                           ("contiguous", lambda: ops.glu_ffn(x, gate[:1].expand(224, 96), up, down)),
                           ("shape", lambda: ops.glu_ffn(torch.tensor(1.), gate, up, down)), ("matrix", lambda: ops.linear(x, x[0])),
                           ("empty", lambda: ops.linear(x, gate[:0])), ("bias", lambda: ops.linear(x, gate, "", x[0])),
                           ("norms", lambda: ops.glu_ffn(x, gate, up, by_columns(down), "cett=0.1")),
                           ("changed", lambda: ops.glu_ffn(x, gate, up, by_columns(down), "cett=0.1", "silu", None, None, None, torch.ones(224))),
                           ("thresholds", lambda: ops.glu_ffn(x, gate, up, by_columns(down), "channel_thresholds")),
                           ("two rules at intermediate", lambda: ops.glu_ffn(x, gate, up, by_columns(down), "top_p=0.9;top_k=3")),
                           ("devices", lambda: ops.glu_ffn(x, gate.to("meta"), up, down))):
            with self.assertRaisesRegex((RuntimeError, ValueError), word):
                call()

    def test_no_gradient(self):
        gate, up, down = weights()
        x = torch.randn(2, 96, requires_grad=True)
        for y in (ops.glu_ffn(x, gate, up, down), ops.linear(x, gate)):
            with self.assertRaisesRegex(RuntimeError, "has no gradient"):
                y.sum().backward()


class Linear(unittest.TestCase):
    def test_against_torch(self):
        for dtype, tolerance in ((torch.float32, 1e-5), (torch.bfloat16, 3e-2)):
            w, bias, x = weights(dtype=dtype)[0], torch.randn(224).to(dtype), torch.randn(3, 2, 96).to(dtype)
            for weight in (w, by_columns(w)):
                torch.testing.assert_close(ops.linear(x, weight, "", bias), F.linear(x, w, bias), rtol=tolerance, atol=tolerance)
            masked = torch.where(ops.mask(x, "top_p=0.6"), x, 0)
            torch.testing.assert_close(ops.linear(x, by_columns(w), "top_p=0.6", bias), F.linear(masked, w, bias), rtol=tolerance, atol=tolerance)


class Compiler(unittest.TestCase):
    def test_opcheck(self):
        gate, up, down = weights()
        x = torch.randn(2, 96)
        for op, args in ((ops.mask.default, (x, "top_p=0.9")), (ops.linear.default, (x, by_columns(gate), "top_p=0.9")),
                         (ops.glu_ffn.default, (x, gate, up, by_columns(down), "top_p=0.9")), (ops.glu_ffn.default, (x.t().contiguous().t(), gate, up, down)),
                         (ops.mask.default, (x.t(), "top_k=2")), (ops.masked.default, (x.t(), "top_k=2"))):
            torch.library.opcheck(op, args)

    def test_compile_and_export(self):
        class One(torch.nn.Module):
            def forward(self, x, gate, up, down):
                return ops.glu_ffn(x, gate, up, down, "top_p=0.9") + ops.mask(x, "top_p=0.5")

        gate, up, down = weights()
        x, down = torch.randn(2, 96), by_columns(down)
        want = One()(x, gate, up, down)
        compiled = torch.compile(One(), fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x, gate, up, down), want)
        exported = torch.export.export(One(), (x, gate, up, down))
        torch.testing.assert_close(exported.module()(x, gate, up, down), want)


if __name__ == "__main__":
    unittest.main()
