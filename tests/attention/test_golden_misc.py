"""BAM, SGE, triplet, SimAM, coordinate attention and ADL against their released code."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from wsol.attention.adl import ADL
from wsol.attention.bam import BAM
from wsol.attention.coordinate import CoordinateAttention
from wsol.attention.sge import SGE
from wsol.attention.simam import SimAM
from wsol.attention.triplet import TripletAttention

CLASSES = {
    "bam": BAM,
    "sge": SGE,
    "triplet": TripletAttention,
    "simam": SimAM,
    "coordinate": CoordinateAttention,
}
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def cases(path) -> dict[str, dict]:
    """The arrays of each case by name; `config` read from its JSON text."""
    tree: dict[str, dict] = {}
    with np.load(path) as file:
        for name in file.files:
            case, _, rest = name.partition("/")
            tree.setdefault(case, {})[rest] = file[name]
    for case in tree.values():
        if "config" in case:
            case["config"] = json.loads(str(case["config"]))
    return tree


def part(case: dict, prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix + "/"): torch.from_numpy(np.asarray(array))
        for name, array in case.items()
        if name.startswith(prefix + "/")
    }


def built(name: str, case: dict) -> torch.nn.Module:
    # `hidden` states a consequence of `reduction`; the shapes of the weights hold it to that.
    options = {key: value for key, value in case["config"].items() if key != "hidden"}
    module = CLASSES[name.split("_")[0]](case["inputs/input"].shape[1], **options)
    weights = part(case, "weights")
    missing, unexpected = module.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(key.endswith("num_batches_tracked") for key in missing)
    return module


@pytest.mark.golden
def test_released_code(golden_file):
    tree = cases(golden_file("attention_misc.npz"))
    assert {name.split("_")[0] for name in tree} <= set(CLASSES)
    for name, case in tree.items():
        module = built(name, case).eval()
        x = torch.from_numpy(case["inputs/input"]).requires_grad_()
        output = module(x).features
        (output * torch.from_numpy(case["grad/loss_weights"])).sum().backward()
        pairs = {
            "forward": (output.detach(), torch.from_numpy(case["eval/output"])),
            "grad input": (x.grad, torch.from_numpy(case["grad/input"])),
        }
        gradients = dict(module.named_parameters())
        assert set(gradients) == set(part(case, "grad_weights"))
        for key, expected in part(case, "grad_weights").items():
            pairs[f"grad {key}"] = (gradients[key].grad, expected)
        module = built(name, case).train()
        pairs["train"] = (module(x.detach()).features.detach(), torch.from_numpy(case["train/output"]))
        state = module.state_dict()
        for key, expected in part(case, "train/stats_after").items():
            pairs[f"stats {key}"] = (state[key], expected)
        report(name, pairs)
        for what, (found, expected) in pairs.items():
            torch.testing.assert_close(
                found, expected, **CLOSE, msg=lambda m, w=what, n=name: f"{n} {w}: {m}"
            )


def report(name, pairs):
    """The largest absolute differences, seen with `pytest -s`."""
    worst = {key: float((found - expected).abs().max()) for key, (found, expected) in pairs.items()}
    weights = [value for key, value in worst.items() if key.startswith("grad ") and key != "grad input"]
    stats = [value for key, value in worst.items() if key.startswith("stats")]
    print(
        f"{name:20} forward {worst['forward']:.1e}  input gradient {worst['grad input']:.1e}  "
        f"weight gradients {max(weights, default=0):.1e}  train {worst['train']:.1e}  "
        f"running statistics {max(stats, default=0):.1e}"
    )


@pytest.mark.golden
def test_adl(golden_file):
    path = golden_file("wsol_methods.npz")
    adl = {}
    for name, array in cases(path)["adl"].items():
        case, _, rest = name.partition("/")
        adl.setdefault(case, {})[rest] = array
    assert adl
    for name, case in adl.items():
        config = json.loads(str(case["config"]))
        x = torch.from_numpy(case["input"])
        module = ADL(x.shape[1], **config)
        features, importance = module.eval()(x)
        assert torch.equal(features, torch.from_numpy(case["eval_output"]))
        torch.testing.assert_close(importance, torch.from_numpy(case["importance_map"])[:, 0], **CLOSE)
        module.train()
        worst = [0.0, 0.0]
        for draw, output, gradient in zip(
            case["uniform_draw"], case["train_output"], case["train_grad_input"], strict=True
        ):
            leaf = x.clone().requires_grad_()
            found = module(leaf, draw=torch.tensor(draw)).features
            (found * torch.from_numpy(case["loss_weights"])).sum().backward()
            for place, (ours, theirs) in enumerate([(found.detach(), output), (leaf.grad, gradient)]):
                torch.testing.assert_close(ours, torch.from_numpy(theirs), **CLOSE)
                worst[place] = max(worst[place], float((ours - torch.from_numpy(theirs)).abs().max()))
        print(f"adl {name:16} forward {worst[0]:.1e}  input gradient {worst[1]:.1e}")


def test_adl_draws_repeat_with_the_seed_and_take_the_drop_mask_at_its_rate():
    # One bright position in an even field: the drop mask zeroes it, the importance map never does.
    x = torch.ones(1, 2, 3, 3)
    x[:, :, 1, 1] = 5.0
    module = ADL(2, drop_rate=0.25).train()

    def dropped(seed: int) -> list[bool]:
        torch.manual_seed(seed)
        return [bool(module(x).features[0, 0, 1, 1] == 0) for _ in range(400)]

    assert dropped(3) == dropped(3)
    assert 60 < sum(dropped(3)) < 140  # binomial(400, 1/4): 100 +- 4.6 sigma
    assert not any(bool(module.eval()(x).features[0, 0, 1, 1] == 0) for _ in range(5))
