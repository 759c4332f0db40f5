"""What is wrong with the content of a run folder's files, as far as going on or scoring rests on it."""

from __future__ import annotations

import math
from typing import Any

# Without these a finished run cannot be scored.
FACTS = {"manifest_hash": str, "class_keys": list, "cost": dict}
# Without these a run cannot go on; what the optimizers hold they check themselves.
PROGRESS = {"epochs": int, "log": list, "best": dict, "module": dict, "precision": dict}
IN_JSON = {str: "text", list: "a list", dict: "a mapping", int: "a whole number"}


def facts_finding(facts: Any) -> str:
    """What is wrong with the content of ``run.json``; empty where it is sound."""
    if found := _types(facts, FACTS):
        return found
    keys = facts["class_keys"]
    if not keys or not all(isinstance(key, str) for key in keys):
        return "class_keys is not a list of texts"
    rate = facts.get("train_images_per_second")
    if rate is not None and not _is_number(rate):
        return "train_images_per_second is not a number"
    bad = [name for name in ("params", "gflops") if not _is_number(facts["cost"].get(name, 0))]
    return f"cost: {bad[0]} is not a number" if bad else ""


def progress_finding(progress: Any) -> str:
    """What is wrong with the content of ``resume.pth``; empty where it is sound."""
    if found := _types(progress, PROGRESS):
        return found
    if progress["epochs"] < 0 or progress["epochs"] != len(progress["log"]):
        return f"{progress['epochs']} epochs, but a log of {len(progress['log'])}"
    if not all(isinstance(row, dict) and _is_number(row.get("loss")) for row in progress["log"]):
        return "its log has a row without a loss"
    if not all(_is_number(value) for value in progress["best"].values()):
        return "its best values are not numbers"
    return ""


def _types(content: Any, wanted: dict[str, type]) -> str:
    if not isinstance(content, dict):
        return "not a mapping"
    missing = [name for name in wanted if name not in content]
    if missing:
        return f"lacks {', '.join(missing)}"
    for name, kind in wanted.items():
        if not isinstance(content[name], kind) or isinstance(content[name], bool):
            return f"{name} is not {IN_JSON[kind]}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
