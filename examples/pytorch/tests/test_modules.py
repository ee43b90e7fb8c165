"""sparsify, observe and critical on tiny random models of transformers, and what a module's life brings."""

import copy
import io
import json
import logging
import os
import pathlib
import pickle
import tempfile
import unittest

import torch
import tamis_torch
import transformers
from torch import nn
from transformers import (Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, MixtralConfig,
                          MixtralForCausalLM, Phi3Config, Phi3ForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen2MoeConfig,
                          Qwen2MoeForCausalLM, Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM)
from transformers.models.llama.modeling_llama import LlamaMLP

transformers.logging.set_verbosity_error()
logging.disable(logging.WARNING)
SMALL = dict(vocab_size=90, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             head_dim=16, max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2)
SMALL_EXPERTS = dict(num_local_experts=4, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=48, shared_expert_intermediate_size=80)
KINDS = {"mixtral": (MixtralForCausalLM, MixtralConfig, SMALL_EXPERTS), "qwen2_moe": (Qwen2MoeForCausalLM, Qwen2MoeConfig, SMALL_EXPERTS),
         "qwen3_moe": (Qwen3MoeForCausalLM, Qwen3MoeConfig, SMALL_EXPERTS), "llama": (LlamaForCausalLM, LlamaConfig, {}), "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig, {}),
         "qwen2": (Qwen2ForCausalLM, Qwen2Config, {}), "qwen3": (Qwen3ForCausalLM, Qwen3Config, {}),
         "mistral": (MistralForCausalLM, MistralConfig, {}), "biased": (LlamaForCausalLM, LlamaConfig, {"mlp_bias": True})}


def model_of(kind, **more):
    torch.manual_seed(3)
    of, config, own = KINDS[kind]
    model = of(config(**{**SMALL, **own, **more})).eval()
    for p in model.parameters():
        p.requires_grad_(False)
        if p.dim() > 1:
            p.mul_(4)
    return model


def sparse(model, plan="top_p=0.8@intermediate", **more):
    tamis_torch.sparsify(model, plan, say=lambda text: None, **more)
    return model


def mlp(seed=0, dtype=torch.float32, **more):
    torch.manual_seed(seed)
    return LlamaMLP(LlamaConfig(**{**SMALL, **more})).to(dtype).eval().requires_grad_(False)


IDS = torch.arange(1, 13)[None] * 5 % 88


class Models(unittest.TestCase):
    def test_token_by_token_and_generate(self):
        for kind in KINDS:
            model, same = model_of(kind), sparse(model_of(kind), "top_p=1@input,intermediate")
            cache = None
            for i in range(IDS.shape[1]):
                out = same(IDS[:, i:i + 1], past_key_values=cache, use_cache=True)
                cache = out.past_key_values
            want = model(IDS).logits
            torch.testing.assert_close(out.logits[0, 0], want[0, -1], rtol=1e-3, atol=1e-3, msg=kind)
            torch.testing.assert_close(same(IDS).logits, want, rtol=1e-3, atol=1e-3, msg=kind)
            words = [m.generate(IDS[:, :4], max_new_tokens=10, do_sample=False) for m in (model, same)]
            self.assertTrue(torch.equal(*words), kind)

    def test_masks_are_the_same_for_tokens_and_prompts(self):
        for kind in ("llama", "gemma3", "mixtral", "qwen2_moe"):
            for plan in ("top_p=0.8@intermediate", "top_p=0.9@input,intermediate", "top_k_fraction=0.5@gate", "max_p=0.1@up", "top_p=0.9@gate,up,intermediate", "cett=0.2"):
                model = sparse(model_of(kind), plan, most_tokens=100)
                by_torch = sparse(model_of(kind), plan, most_tokens=0)
                # both make the values in an order of their own, and an entry at the cut may fall on either side by their rounding
                # (about one text in a hundred): a second and a third text then have to agree
                alike = (torch.allclose(model(ids).logits, by_torch(ids).logits, rtol=1e-3, atol=1e-3) for ids in (IDS, IDS + 1, IDS + 2))
                self.assertTrue(next(alike) or all(alike), f"{kind} {plan}")
                a = model(IDS).logits
                self.assertGreater(float((a - model_of(kind)(IDS).logits).abs().max()), 1e-3)

    def test_half_precision(self):
        for dtype in (torch.bfloat16, torch.float16):
            model, same = model_of("llama").to(dtype), sparse(model_of("llama").to(dtype), "top_p=1")
            torch.testing.assert_close(same(IDS[:, :4]).logits.float(), model(IDS[:, :4]).logits.float(), rtol=.1, atol=.1)

    def test_calibration_file(self):
        rules = [{"layer": i, "site": "intermediate", "rule": "cett", "value": .1 * (i + 1)} for i in range(2)]
        rules += [{"layer": i, "site": "gate", "rule": "channel_thresholds", "values": [.01 * (i + 1)] * 160} for i in range(2)]
        plan = {"format": "tamis-calibration", "version": 2, "model": "m", "layers": 2, "rules": rules}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "plan.json"
            path.write_text(json.dumps(plan))
            model = sparse(model_of("llama"), path)
            x = torch.randn(3, 64)
            ffn = model.model.layers[1].mlp
            torch.testing.assert_close(ffn(x), ffn.masked(x), rtol=1e-3, atol=1e-4)
            path.write_text(json.dumps({**plan, "layers": 3}))
            with self.assertRaisesRegex(ValueError, "for 3 layers"):
                sparse(model_of("llama"), str(path))

    def test_observe(self):
        model = sparse(model_of("llama"), "top_p=0.8@intermediate")
        ffn = model.model.layers[0].mlp
        x = torch.randn(4, 64)
        with tamis_torch.observe(model) as seen:
            model(IDS)
        self.assertEqual(list(seen), ["model.layers.0.mlp", "model.layers.1.mlp"])
        self.assertIn("intermediate", str(seen))
        self.assertEqual(seen["model.layers.0.mlp"]["tokens"], 12)
        with tamis_torch.observe(model) as seen:
            ffn(x)
        whole = ffn.act_fn(ffn.gate_proj(x)) * ffn.up_proj(x)
        kept = torch.ops.tamis.mask(whole, "top_p=0.8")
        lost = ffn.down_proj(torch.where(kept, 0, whole)).norm(dim=-1) / ffn.down_proj(whole).norm(dim=-1)
        row = seen["model.layers.0.mlp"]
        self.assertAlmostEqual(row["cett"], float(lost.mean()), 5)
        self.assertAlmostEqual(row["sparsity"]["intermediate"], 1 - float(kept.float().mean()), 6)
        with self.assertRaisesRegex(ValueError, "nothing to observe"), tamis_torch.observe(model_of("llama")):
            pass

    def test_experts(self):
        model = sparse(model_of("mixtral"), "cett=0.1")
        with tamis_torch.observe(model) as seen:
            model(IDS)
        row = seen["model.layers.0.mlp.experts"]
        self.assertEqual(row["tokens"], 24)
        self.assertTrue(0 < row["cett"] < 1 and 0 < row["sparsity"]["intermediate"] < 1)
        same = copy.deepcopy(model)
        experts = same.model.layers[0].mlp.experts
        experts.down_proj.mul_(2)
        experts.gate_up_proj.data = torch.randn(4, 320, 64)
        fresh = model_of("mixtral")
        fresh.load_state_dict(same.state_dict())
        torch.testing.assert_close(same(IDS).logits, sparse(fresh, "cett=0.1").eval()(IDS).logits)

    def test_critical(self):
        model = model_of("llama")
        texts = [IDS[0], IDS[0].flip(0)]
        state = {k: v.clone() for k, v in model.state_dict().items()}

        def likeness(m, given):  # to the dense model's own words: 1 at the dense end
            return sum(float((m(ids[None]).logits.argmax(-1) == want).float().mean()) for ids, want in zip(given, dense)) / len(given)

        dense = [model(ids[None]).logits.argmax(-1) for ids in texts]
        found = tamis_torch.critical(model, texts, metric=likeness)
        self.assertEqual([c.site for c in found], ["input", "gate", "up", "intermediate", "all_inputs"])
        for c in found:
            self.assertTrue(c.reached and 0 < c.sparsity < 1, c)
            (p, kept, ratio), (_, lost, below) = c.points[-2:]
            self.assertTrue(ratio >= .99 > below and kept <= c.sparsity <= lost, c)
        self.assertTrue(all(torch.equal(v, state[k]) for k, v in model.state_dict().items()))
        self.assertFalse(any(m._forward_hooks or m._forward_pre_hooks for m in model.modules()))
        # a point of the sweep is the sparse model: same masks, same metric
        p, sparsity, ratio = found[3].points[-1]
        self.assertAlmostEqual(likeness(sparse(model_of("llama"), f"top_p={p}", most_tokens=100), texts), ratio, 6)
        ppl = tamis_torch.critical(model, [t.tolist() for t in texts], ["intermediate"], metric=tamis_torch.perplexity, whole_sweep=True)
        self.assertEqual(len(ppl[0].points), 26)
        for word, call in (("sparse already", lambda: tamis_torch.critical(sparse(model_of("llama")), texts)),
                           ("tokenizer", lambda: tamis_torch.critical(model, ["a text"])), ("no site", lambda: tamis_torch.critical(model, texts, ["x"])),
                           ("no FFN", lambda: tamis_torch.critical(nn.Linear(2, 2), texts))):
            with self.assertRaisesRegex(ValueError, word):
                call()


class Life(unittest.TestCase):
    """After each change, what the sparse module gives is what masking its tensors as they are now gives."""

    def check(self, ffn, tokens=2, tolerance=1e-4):
        x = torch.randn(tokens, 64).to(ffn.down_proj.weight.dtype)
        y = ffn(x)
        fresh = LlamaMLP(LlamaConfig(**SMALL, mlp_bias=ffn.down_proj.bias is not None)).to(x.dtype).eval().requires_grad_(False)
        fresh.load_state_dict(ffn.state_dict())
        torch.testing.assert_close(y, sparse(nn.ModuleList([fresh]), ffn.tamis_rules.text, most_tokens=0)[0](x), rtol=tolerance, atol=tolerance)
        return y

    def of(self, plan="top_p=0.7@input,intermediate", **more):
        return sparse(nn.ModuleList([mlp(**more)]), plan)[0]

    def test_weights_change(self):
        for plan in ("top_p=0.7@input,intermediate", "top_p=0.8@gate", "cett=0.02"):
            ffn = self.of(plan)
            other = mlp(1)
            self.check(ffn)
            ffn.down_proj.weight.mul_(2)
            ffn.gate_proj.weight[3] = 1
            self.check(ffn)
            ffn.load_state_dict(other.state_dict())
            self.check(ffn)
            ffn.load_state_dict(mlp(2).state_dict(), assign=True)
            self.check(ffn)
            ffn.down_proj.weight = nn.Parameter(torch.randn(64, 160), requires_grad=False)
            self.check(ffn)
            ffn.up_proj.weight.data = torch.randn(160, 64)
            self.check(ffn)

    def test_adapter_merged_by_data(self):  # which torch's version counters do not see
        ffn = self.of()
        ffn.down_proj.weight.data += torch.randn(64, 2) @ torch.randn(2, 160)
        self.check(ffn)
        ffn = self.of("cett=0.02")
        ffn(torch.randn(1, 64))
        ffn.down_proj.weight.data += torch.randn(64, 2) @ torch.randn(2, 160)
        with self.assertRaisesRegex((RuntimeError, ValueError), "the weights were changed"):
            ffn(torch.randn(1, 64))
        tamis_torch.refresh(ffn)
        self.check(ffn)

    def test_adapter_put_in(self):
        class Adapted(nn.Module):
            def __init__(self, base):
                super().__init__()
                self.base, self.a, self.b = base, torch.randn(160, 4), torch.randn(4, 64) * .1

            def forward(self, x):
                return self.base(x) + x @ self.a @ self.b

        ffn = self.of("top_p=0.7@intermediate")
        x = torch.randn(2, 64)
        inner = torch.where(torch.ops.tamis.mask(i := nn.functional.silu(ffn.gate_proj(x)) * ffn.up_proj(x), "top_p=0.7"), i, 0)
        ffn.down_proj = Adapted(ffn.down_proj)
        torch.testing.assert_close(ffn(x), ffn.down_proj(inner), rtol=1e-4, atol=1e-5)

    def test_hooks_are_called(self):
        ffn, seen = self.of(), []
        ffn.register_forward_hook(lambda *_: seen.append("ffn"))
        ffn.gate_proj.register_forward_hook(lambda m, i, out: out * 0)
        self.assertEqual(float(ffn(torch.randn(1, 64)).abs().max()), 0)
        self.assertEqual(seen, ["ffn"])

    def test_copies(self):
        for plan in ("top_p=0.7@input,intermediate", "cett=0.02"):
            ffn = self.of(plan)
            file = io.BytesIO()
            torch.save(ffn, file)
            file.seek(0)
            x = torch.randn(1, 64)
            for other in (copy.deepcopy(ffn), pickle.loads(pickle.dumps(ffn)), torch.load(file, weights_only=False), copy.copy(ffn)):
                self.assertTrue(torch.equal(other(x), ffn(x)))
            other = copy.deepcopy(ffn)
            other.down_proj.weight.zero_()
            self.assertEqual(float(other(x).abs().max()), 0)
            self.assertGreater(float(ffn(x).abs().max()), 0)

    def test_state_and_save_pretrained(self):
        model, dense = sparse(model_of("llama"), "top_p=1@input,intermediate"), model_of("llama")
        self.assertEqual(list(model.state_dict()), list(dense.state_dict()))
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            again = LlamaForCausalLM.from_pretrained(folder).eval()
        torch.testing.assert_close(again(IDS).logits, dense(IDS).logits)
        tamis_torch.restore(model)
        self.assertIs(type(model.model.layers[0].mlp), LlamaMLP)
        self.assertTrue(torch.equal(model(IDS).logits, dense(IDS).logits))
        self.assertFalse([n for n in vars(model.model.layers[0].mlp) if n.startswith("tamis")])

    def test_fork(self):
        ffn, x = self.of(), torch.randn(1, 64)
        y = ffn(x)
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)  # torch's OpenMP does not outlive a fork with more
            os._exit(0 if torch.equal(ffn(x), y) else 1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_autocast(self):
        ffn, dense, x = self.of("top_p=1"), mlp(), torch.randn(3, 64)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            for given in (x, x.bfloat16()):
                y, want = ffn(given), dense(given)
                self.assertEqual(y.dtype, want.dtype)
                torch.testing.assert_close(y, want, rtol=3e-2, atol=3e-2)
        self.assertEqual(ffn(x).dtype, torch.float32)

    def test_another_dtype_or_device(self):
        ffn = self.of()
        self.check(ffn.to(torch.bfloat16), tolerance=3e-2)  # the weights are its own: it goes on
        with self.assertRaisesRegex(RuntimeError, "dtypes"):
            ffn(torch.randn(1, 64))
        with self.assertRaisesRegex(RuntimeError, "on the CPU"):
            self.of().to("meta")(torch.randn(1, 64))
        ffn = self.of().double()
        with self.assertRaisesRegex(RuntimeError, "neither float32"):
            torch.ops.tamis.glu_ffn(torch.randn(1, 64).double(), ffn.gate_proj.weight, ffn.up_proj.weight, ffn.down_proj.weight)
        with self.assertRaisesRegex(RuntimeError, "float64"):
            ffn(torch.randn(1, 64).double())

    def test_training(self):
        ffn = self.of("top_p=0.7@intermediate").requires_grad_(True)
        x = torch.randn(2, 64)
        with self.assertRaisesRegex(RuntimeError, "has no gradient"):
            ffn(x).sum().backward()
        ffn.train()(x).sum().backward()
        self.assertGreater(float(ffn.gate_proj.weight.grad.abs().sum()), 0)

    def test_inference_mode_and_empty(self):
        ffn = self.of("cett=0.02")
        with torch.inference_mode():
            self.check(ffn)
            other = sparse(nn.ModuleList([mlp(5)]), "cett=0.02")[0]
            self.check(other)
        for shape in ((0, 64), (2, 0, 64), (64,), (1, 1, 64)):
            self.assertEqual(ffn(torch.randn(shape)).shape, shape)

    def test_compile_and_export(self):
        for plan in ("top_p=0.7@input,intermediate", "cett=0.02"):
            ffn, x = self.of(plan), torch.randn(1, 64)
            y = ffn(x)
            torch.testing.assert_close(torch.compile(ffn, fullgraph=True, backend="aot_eager")(x), y)
            torch.testing.assert_close(torch.export.export(ffn, (x,)).module()(x), y)


class LookAlikes(unittest.TestCase):
    def left(self, ffn, word):
        model = nn.ModuleDict({"good": mlp(), "other": ffn})
        said = []
        seen = tamis_torch.sparsify(model, "top_p=0.9", say=said.append)
        self.assertEqual(seen.replaced, ["good"])
        self.assertIn(word, seen.left["other"])
        self.assertIn("other: ", said[0])

    def test_left_alone_by_name(self):
        from transformers import FalconH1Config, Gemma3nTextConfig, GptOssConfig
        from transformers.models.falcon_h1.modeling_falcon_h1 import FalconH1MLP
        from transformers.models.gemma3n.modeling_gemma3n import Gemma3nTextMLP
        from transformers.models.gpt_oss.modeling_gpt_oss import GptOssExperts

        class Mine(LlamaMLP):
            def forward(self, x):
                return super().forward(x) * 2

        self.left(Mine(LlamaConfig(**SMALL)), "Mine")
        self.left(FalconH1MLP(FalconH1Config(hidden_size=64, intermediate_size=160)), "FalconH1MLP")
        self.left(mlp(hidden_act="gelu_new"), "activation")
        self.left(mlp(hidden_act="quick_gelu"), "activation")
        self.left(mlp(hidden_act="relu2"), "activation")
        self.left(mlp().double(), "plain")
        patched = mlp()
        patched.forward = lambda x: x
        self.left(patched, "forward")
        hooked = mlp()
        hooked.up_proj.register_forward_hook(lambda m, i, out: out + 1)
        self.left(hooked, "up_proj")
        wrapped = mlp()
        wrapped.down_proj = nn.Sequential(wrapped.down_proj)
        self.left(wrapped, "down_proj")
        normed = mlp()
        nn.utils.parametrizations.weight_norm(normed.gate_proj)
        self.left(normed, "gate_proj")
        self.left(mlp().to("meta"), "meta")
        self.left(Gemma3nTextMLP(Gemma3nTextConfig(**(SMALL | dict(intermediate_size=[160] * 2, activation_sparsity_pattern=[.95, 0.])))), "Gemma3nTextMLP")
        self.left(GptOssExperts(GptOssConfig(**SMALL, num_local_experts=2)), "GptOssExperts")

    def test_ffns_without_a_gate(self):
        from transformers import GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, OPTConfig, OPTForCausalLM, PhiConfig, PhiForCausalLM
        for of, config in ((OPTForCausalLM, OPTConfig(**SMALL, ffn_dim=160, word_embed_proj_dim=64)), (GPTNeoXForCausalLM, GPTNeoXConfig(**SMALL)),
                           (PhiForCausalLM, PhiConfig(**SMALL)), (GPT2LMHeadModel, GPT2Config(vocab_size=90, n_embd=64, n_layer=2, n_head=4))):
            with self.assertRaisesRegex(ValueError, "no FFN was replaced:\n.* without a gate"):
                tamis_torch.sparsify(of(config), "top_p=0.9")

    def test_nothing_replaced(self):
        for model, word in ((nn.Linear(2, 2), "none"), (Phi3ForCausalLM(Phi3Config(**SMALL)), "one matrix"), (sparse(model_of("llama")), "already")):
            with self.assertRaisesRegex(ValueError, word):
                tamis_torch.sparsify(model, "top_p=0.9")

    def test_plans(self):
        for plan, word in (("", "empty"), ("top_p=2", "0, 1"), ("top_q=1", "no rule"), ("top_p=0.9@middle", "no site"), ("cett=0.1@gate", "cett"),
                           ("top_p=0.9;top_k=2", "two rules"), ({"format": "other"}, "tamis-calibration")):
            with self.assertRaisesRegex(ValueError, word):
                tamis_torch.sparsify(model_of("llama"), plan)


if __name__ == "__main__":
    unittest.main()
