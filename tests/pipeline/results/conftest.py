"""Folders of scored runs with their arrays and galleries, made without a network."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wsol.evaluation.split_scores import compute
from wsol.scores.per_image import PerImage
from wsol.scores.protocol import ThresholdPolicy, protocol_named
from wsol.scores.records import RunRecord

COUNT = 30
CLASSES = ("Car", "Horse")


def made_arrays(seed: int, protocol_name: str = "choe2020") -> PerImage:
    """Random arrays: boxes under choe2020, masks of two classes under rubinstein2013."""
    rng = np.random.default_rng(seed)
    protocol = protocol_named(protocol_name, 0.01)
    masks = protocol.per_class
    bins = len(protocol.bin_edges)
    return PerImage(
        image_ids=np.array([f"image/{n}" for n in range(COUNT)]),
        labels=(np.arange(COUNT) % 2).astype(np.int32),
        sizes=np.full((COUNT, 2), 100, np.int32),
        protocol=(protocol.name, protocol.version, protocol.step),
        top1=rng.integers(0, 2, COUNT).astype(np.int8),
        top5=np.ones(COUNT, np.int8),
        has_box=np.full(COUNT, not masks),
        top=np.full(COUNT, 255, np.uint8),
        single=None if masks else rng.integers(0, 50_001, (COUNT, 256), dtype=np.uint16),
        all=None if masks else rng.integers(0, 101, (COUNT, 256), dtype=np.uint8),
        positives=rng.integers(0, 90, (COUNT, bins), dtype=np.uint32) if masks else None,
        negatives=rng.integers(0, 90, (COUNT, bins), dtype=np.uint32) if masks else None,
        counts={"constant_maps": 1},
    )


@pytest.fixture
def scored() -> Callable[..., Path]:
    """Write the record of random arrays, as evaluation would, into a folder of results; its file."""

    def write(results: Path, name: str, seed: int = 0, policy: str = "oracle", **changes: Any) -> Path:
        protocol = protocol_named(changes.pop("protocol", "choe2020"), 0.01)
        per_image = made_arrays(seed, protocol.name)
        val = made_arrays(seed + 1000, protocol.name) if policy == "val" else None
        scores = compute(per_image, protocol, ThresholdPolicy.parse(policy), val)
        metrics = {
            f"{metric}:{CLASSES[int(label)]}" if label else metric: figure
            for key, figure in scores.metrics.items()
            for metric, _, label in [key.partition(":")]
        }
        content = per_image.to_bytes()
        record = RunRecord(
            recipe={"what": {"method": {"name": name}, "seed": seed}, "how": {}},
            dataset={"name": "birds", "manifest_hash": "a1", "split": "test"},
            protocol=protocol.describe(),
            maps="cam",
            threshold=scores.threshold,
            metrics=metrics,
            optimism=scores.optimism,
            counts=per_image.counts,
            n_images=COUNT,
            n_expected=COUNT,
            arrays={"file": f"{name}.npz", "sha256": hashlib.sha256(content).hexdigest()},
        )
        path = results / "runs" / "birds" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".npz").write_bytes(content)
        gallery = results / "report" / record.run_id
        gallery.mkdir(parents=True)
        (gallery / "index.json").write_text("{}")
        return dataclasses.replace(record, **changes).write(path)

    return write
