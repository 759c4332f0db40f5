"""What a run record holds, key by key: types, ranges, and which keys must be there."""

from __future__ import annotations

from typing import Any

from wsol.scores.records.kinds import (
    anything,
    flag,
    listed,
    nullable,
    number,
    parts,
    table,
    text,
    time,
    whole,
    wrong,
)

# 2 added ``specifications``, 3 ``digest`` and ``metrics_version``; earlier ones are read.
SCHEMA_VERSION = 3
READABLE = (1, 2, 3)


def _readable(version: Any) -> None:
    if version not in READABLE:
        raise wrong(version, f"one that this wsol reads: {', '.join(map(str, READABLE))}")


_count = whole(0)
_named = text(".+", "text, not empty")
_hash = text("[0-9a-f]{64}", "a SHA-256 of 64 hex digits")
_file = text(r"(?!\.)[^/\\:\x00]+\.npz", "the name of an .npz file beside the record, without folders")
_module = nullable(parts({"name": text()}, {"at": listed(text()), "options": table(anything)}))
_figure = parts(dict.fromkeys(("value", "low", "high"), nullable(number())), closed=True)

# What the board reads of them; a setting that it does not know may be anything.
_SETTINGS = {
    **dict.fromkeys(("epochs", "batch_size", "images_per_class", "folds", "warmup_epochs"), _count),
    **dict.fromkeys(("lr", "attention_lr", "head_lr", "momentum", "weight_decay", "gamma"), number()),
    **dict.fromkeys(("optimizer", "schedule", "selection", "precision"), text()),
    "milestones": listed(number()),
}

_WHAT = parts(
    optional={
        "seed": nullable(whole()),
        "data": parts(optional={"input_size": nullable(whole(1)), "name": text()}),
        "backbone": parts({"name": text()}),
        "weights": parts({"name": text()}),
        "attention": _module,
        "method": _module,
        "training": parts(optional=_SETTINGS),
        "evaluation": parts(),
        "head": parts(),
    }
)
_HOW = parts(
    optional={
        "source": nullable(parts(optional={"title": nullable(text()), "baseline": nullable(flag)})),
        "starts_as_identity": nullable(flag),
        "pretraining": nullable(text()),
        "extra_supervision": nullable(text()),
        "tuning_trials": nullable(_count),
        "training": nullable(parts()),
    }
)
RECORD = parts(
    {
        "schema_version": anything,
        "run_id": text("[0-9a-f]{16}", "16 hex digits"),
        "recipe": parts({"what": _WHAT, "how": _HOW}, closed=True),
        "dataset": parts(
            {"name": _named, "manifest_hash": _named, "split": _named},
            {
                "title": text(),
                "subset": nullable(text()),
                "reader": text(),
                "version": text(),
                "classes": listed(text()),
            },
        ),
        "protocol": parts(
            {"name": _named, "version": whole(1)},
            {
                "step": nullable(number(1e-9, below=1)),
                "size": nullable(whole(1)),
                "interpolation": text(),
                "iou_percents": listed(whole(1, 100)),
                "policy": text(),
                "metrics": listed(text()),
                **dict.fromkeys(("inclusive", "source_boxes", "per_class", "boxes"), flag),
            },
        ),
        "maps": _named,
        "threshold": parts({"policy": text()}, {"chosen_on": text(), "values": table(number())}),
        "metrics": table(_figure),
        "n_images": _count,
        "n_expected": _count,
    },
    {
        "metrics_version": whole(1),
        "digest": _hash,
        "specifications": table(
            parts(
                {"key": _named, "name": _named},
                {
                    "unit": text(),
                    "oracle": flag,
                    "needs": listed(text()),
                    "policies": listed(text()),
                    "mean_of": listed(text()),
                    "column": number(),
                    "main_column": nullable(number()),
                    "raw_threshold": flag,
                    "lower_is_better": flag,
                    "of_network": flag,
                    "rank": nullable(number()),
                },
                closed=True,
            )
        ),
        "optimism": table(nullable(number())),
        "counts": table(_count),
        "arrays": parts(
            optional={"file": _file, "sha256": _hash, "levels_file": _file, "levels_sha256": _hash},
            closed=True,
        ),
        "cost": parts(
            optional={
                "params": nullable(_count),
                "gflops": nullable(number(0)),
                "images_per_second": nullable(number(0)),
                "ms_per_image": nullable(number(0)),
                "faithfulness_images_per_second": nullable(number(0)),
                "device": nullable(text()),
                "map_size": nullable(listed(whole(1))),
            }
        ),
        "seeds": table(whole()),
        "versions": table(text()),
        "git_commit": nullable(text()),
        "started": nullable(time),
        "finished": nullable(time),
    },
    closed=True,
)

# Asked first: of a schema that nobody knows nothing else is.
READABLE_SCHEMA = parts({"schema_version": _readable})
