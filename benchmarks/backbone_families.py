"""How many of timm's classification families are backbones here: each family's smallest network, tried.

A family is a file of ``timm.models``; its smallest network is the one of the fewest parameters, timm's
own ``test_*`` networks aside. Each is built with random weights (nothing is downloaded), takes a
gradient step under a CAM head at 64 x 64 pixels, or at its own side where it takes no other, and gives
class maps. The features are compared with those of timm's own ``forward_features``, or with the last of
its ``forward_intermediates``.
What is refused is told in the words that the user reads; anything else is a failure, with exit code 1.
Finding the smallest networks takes half an hour; wsol/models/networks/timm_families.csv keeps them.

    python benchmarks/backbone_families.py --find     which networks, into that listing
    python benchmarks/backbone_families.py            the table, and verdicts into that listing
"""

from __future__ import annotations

import argparse
import csv
import math
import signal
import sys
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import timm
import torch

from wsol.errors import UserError
from wsol.models.factory import build_localizer
from wsol.models.localizer import Localizer
from wsol.models.networks.by_name import create_network
from wsol.models.networks.tokens.sides import own_side
from wsol.recipe import Recipe

LISTING = Path(__file__).parents[1] / "wsol/models/networks/timm_families.csv"
COLUMNS = ("family", "network", "parameters", "verdict", "side", "stages", "words")
SIDE = 64
CLASSES = 3


def main() -> int:
    """Print the table; returns 1 where a network failed otherwise than by one line of a refusal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--find", action="store_true", help="find each family's smallest network")
    parser.add_argument("--families", nargs="+", default=(), help="these alone; the listing stays")
    parser.add_argument("--seconds", type=int, default=240, help="time limit a network")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if options.find:
        _write([smallest(family) for family in timm.list_modules()])
        return 0
    with LISTING.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for row in rows if not options.families or row["family"] in options.families]
    for row in chosen:
        row |= within(options.seconds, row["network"])
        print(
            f"{row['family']:<26} {row['network']:<34} {int(row['parameters']) / 1e6:>6.1f} M  "
            f"{row['verdict']:<8} {row['side']:>4}  {row['words']}",
            flush=True,
        )
    if not options.families:
        _write(rows)
    counts = Counter(row["verdict"] for row in chosen)
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in ("builds", "refused", "FAILED")))
    return int(counts["FAILED"] > 0)


def smallest(family: str) -> dict[str, object]:
    """The family's network of the fewest parameters; nothing is drawn."""
    found: dict[str, int] = {}
    for name in timm.list_models(module=family):
        if name.startswith("test_"):
            continue
        try:
            with torch.device("meta"):
                network = timm.create_model(name)
        # Some run themselves while they are built, which not every operator can on the meta device.
        except (RuntimeError, NotImplementedError):
            network = timm.create_model(name)
        found[name] = sum(parameter.numel() for parameter in network.parameters())
    name = min(found, key=lambda name: (found[name], name))
    print(family, name, found[name], flush=True)
    return {"family": family, "network": name, "parameters": found[name]}


def within(seconds: int, name: str) -> dict[str, str]:
    """`outcome`, or a failure where it takes longer."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        return outcome(name)
    except Exception as error:
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return {"verdict": "FAILED", "side": "", "stages": "", "words": words}
    finally:
        signal.alarm(0)


def outcome(name: str) -> dict[str, str]:
    """The verdict on one network, at the first side that it takes, and what it gives."""
    own = timm.get_pretrained_cfg(name)
    refusals = []
    for side in dict.fromkeys((SIDE, own.input_size[-1] if own else 224)):
        torch.manual_seed(0)
        recipe = Recipe.from_dict({"backbone": {"name": f"timm:{name}"}, "data": {"input_size": side}})
        try:
            localizer = build_localizer(recipe, CLASSES)
        except UserError as error:
            refusals.append(str(error))
            continue
        return {
            "verdict": "builds",
            "side": str(side),
            "stages": " ".join(localizer.backbone.stages),
            "words": tried(localizer, name, side),
        }
    return {"verdict": "refused", "side": "", "stages": "", "words": refusals[-1]}


def tried(localizer: Localizer, name: str, side: int) -> str:
    """What a gradient step and a look at the maps say; raises where they are wrong."""
    images = torch.randn(4, 3, side, side)
    labels = torch.tensor([0, 1, 2, 0])
    optimizer = torch.optim.SGD(localizer.parameters(), lr=1e-3)
    loss = torch.nn.functional.cross_entropy(localizer.train()(images).logits, labels)
    loss.backward()
    idle = {name for name, one in localizer.named_parameters() if one.grad is None}
    idle -= localizer.parameters_without_gradient()
    optimizer.step()
    output = localizer.eval()(images[:2])
    assert output.class_maps is not None
    assert math.isfinite(loss.item()) and bool(torch.isfinite(output.class_maps).all())
    size = "x".join(map(str, output.class_maps.shape[2:]))
    places = " ".join(localizer.backbone.stages)
    words = [f"{places}: maps {size}, {same(localizer, name, images[:2])}"]
    if output.prefix is not None:
        words.append(f"{output.prefix.shape[1]} tokens aside")
    if idle:
        words.append(f"{len(idle)} idle parameters")
    return ", ".join(words)


@torch.no_grad()
def same(localizer: Localizer, name: str, images: torch.Tensor) -> str:
    """Whether the features are those of timm's network, which is drawn once more."""
    side = images.shape[-1]
    torch.manual_seed(0)
    network: Any = create_network(f"timm:{name}", {})
    if own_side(network) not in (None, side):
        if hasattr(network, "set_input_size"):
            network.set_input_size(img_size=(side, side))
        else:
            network = create_network(f"timm:{name}", {"img_size": side})  # drawn as the other was
    fresh = Recipe.from_dict({"backbone": {"name": f"timm:{name}"}, "data": {"input_size": side}})
    torch.manual_seed(0)
    backbone = build_localizer(fresh, CLASSES).backbone.eval()
    network.eval()
    found = backbone(images)
    theirs = [network.forward_features(images)]
    with suppress(AttributeError, RuntimeError, AssertionError, TypeError, ValueError):
        theirs.append(network.forward_intermediates(images, norm=True)[1][-1])
    shown = [as_maps(one, found.shape) for one in theirs if isinstance(one, torch.Tensor)]
    same = any(one is not None and torch.allclose(one, found, atol=1e-5) for one in shown)
    return "as timm's" if same else "UNLIKE timm's"


def as_maps(features: torch.Tensor, shape: torch.Size) -> torch.Tensor | None:
    """The features as maps of this shape, without prefix tokens; None where they are no such maps."""
    if features.dim() == 3:
        features = features[:, -shape[2] * shape[3] :].transpose(1, 2)
    elif features.shape != shape:
        features = features.permute(0, 3, 1, 2)
    return features.reshape(shape) if features.numel() == shape.numel() else None


def _write(rows: list[Any]) -> None:
    with LISTING.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({column: row.get(column, "") for column in COLUMNS} for row in rows)


if __name__ == "__main__":
    sys.exit(main())
