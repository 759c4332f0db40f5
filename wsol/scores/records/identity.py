"""What was run, as one number: the canonical spelling of content, its digest, and a run's id."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def content_id(
    what: Mapping[str, Any],
    dataset: Mapping[str, Any],
    protocol: Mapping[str, Any],
    maps: str,
    policy: str,
    canonical: bool = False,
) -> str:
    """The id of a run: 16 hex digits of the SHA-256 of what was run, on what, scored how.

    Of ``dataset`` only ``manifest_hash`` and ``split`` count, of ``protocol`` only ``name``,
    ``version`` and ``step``: names and notes may be mended without voiding a record. See `digest` for
    ``canonical``.
    """
    content = {
        "what": what,
        "manifest_hash": dataset["manifest_hash"],
        "split": dataset["split"],
        "protocol": {key: protocol.get(key) for key in ("name", "version", "step")},
        "maps": maps,
        "policy": policy,
    }
    return digest(content, canonical)[:16]


def digest(content: Any, canonical: bool = False) -> str:
    """SHA-256 of any JSON-able content in its one canonical spelling.

    ``canonical`` says that it holds nothing but what `jsonable` gives, which is most of the work.
    """
    if not canonical:
        content = jsonable(content)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def jsonable(value: Any) -> Any:
    """``value`` as what JSON has: text, numbers, lists, objects; 3.0 as 3."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, Path):
        return value.as_posix()
    # 3.0 and 3 are the same setting: a YAML file must not change the id by writing either.
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value
