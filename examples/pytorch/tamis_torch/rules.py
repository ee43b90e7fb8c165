"""Plans: which rule is at which site of which layer."""

import json
import os

import torch

SITES = ("input", "gate", "up", "intermediate")


def read_rules(text):
    """{site: rule} of "top_p=0.9@input,intermediate;top_k=32@gate"; a rule without a site is at the intermediate."""
    rules = {}
    for part in filter(None, text.split(";")):
        rule, _, sites = part.partition("@")
        for site in (sites or "intermediate").split(","):
            if site not in SITES:
                raise ValueError(f"tamis: rule '{text}': there is no site '{site}'; there are input, gate, up and intermediate")
            if site in rules:
                raise ValueError(f"tamis: rule '{text}': there are two rules at {site}")
            rules[site] = rule
    if not rules:
        raise ValueError("tamis: the plan is empty; write top_p=0.9@input,intermediate, for example")
    return rules


class Rules:
    """The rules of one FFN, as the operators take them. Copied and pickled as it is; no part of a model's state."""

    def __init__(self, at, thresholds=None):
        self.at = dict(at)
        self.thresholds = thresholds or {}
        if len(self.thresholds) > 1:
            raise ValueError("tamis: channel_thresholds can be at one site of a layer, not at several")
        self.text = ";".join(f"{rule}@{site}" for site, rule in self.at.items())
        self.of_channels = next(iter(self.thresholds.values()), None)
        self.needs_norms = any(rule.startswith("cett=") for rule in self.at.values())
        for site, rule in self.at.items():  # what is wrong is said now, not at the first token
            n = len(self.thresholds[site]) if site in self.thresholds else 1
            torch.ops.tamis.mask(torch.zeros(n), rule, self.thresholds.get(site, torch.ones(n)))
            if rule.startswith("cett=") and site != "intermediate":
                raise ValueError(f"tamis: cett belongs at the intermediate, not at {site}")


def read_plan(plan):
    """A function from a layer's number to its Rules, and how many layers the plan is for (None: any)."""
    if isinstance(plan, os.PathLike) or (isinstance(plan, str) and plan.endswith(".json")):
        with open(plan) as file:
            plan = json.load(file)
    if isinstance(plan, str):
        rules = Rules(read_rules(plan))
        return (lambda layer: rules), None
    if plan.get("format") != "tamis-calibration" or plan.get("version") not in (1, 2):
        raise ValueError("tamis: the plan is neither a rule (top_p=0.9@intermediate) nor a calibration file: its format is "
                         f"'{plan.get('format')}', version {plan.get('version')}; tamis-calibration, 1 or 2, is known")
    at = [({}, {}) for _ in range(plan["layers"])]
    for r in plan["rules"]:
        if not 0 <= r["layer"] < len(at):
            raise ValueError(f"tamis: the plan has {len(at)} layers, and a rule for layer {r['layer']}")
        rules, thresholds = at[r["layer"]]
        if r["site"] not in SITES:
            raise ValueError(f"tamis: layer {r['layer']}: there is no site '{r['site']}'")
        if r["site"] in rules:
            raise ValueError(f"tamis: layer {r['layer']}: there are two rules at {r['site']}")
        if r["rule"] == "channel_thresholds":
            rules[r["site"]] = r["rule"]
            thresholds[r["site"]] = torch.tensor(r["values"], dtype=torch.float64).to(torch.float32)
        else:
            rules[r["site"]] = f"{r['rule']}={r['value']!r}"
    made = [Rules(*of_layer) if of_layer[0] else None for of_layer in at]
    return made.__getitem__, len(made)
