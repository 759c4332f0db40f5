"""Everything a run is made of, whole: YAML in, YAML out, and what of it is hashed.

A field marked ``how`` (device, workers, paths) does not change the numbers and is left out of the
run's identity; everything else is ``what`` was run and is hashed into it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wsol.errors import UserError
from wsol.files.atomic import write_text
from wsol.recipe.fields import build, marked_part, not_hashed, plain
from wsol.recipe.parts import (
    AttentionSettings,
    BackboneSettings,
    DataSettings,
    EvaluationSettings,
    HeadSettings,
    How,
    MethodSettings,
    TrainingSettings,
    WeightsSettings,
)

__all__ = [
    "PARTS",
    "AttentionSettings",
    "BackboneSettings",
    "DataSettings",
    "EvaluationSettings",
    "HeadSettings",
    "How",
    "MethodSettings",
    "Recipe",
    "TrainingSettings",
    "WeightsSettings",
]


@dataclass
class Recipe:
    """One leaderboard row, whole."""

    data: DataSettings = field(default_factory=DataSettings)
    backbone: BackboneSettings = field(default_factory=BackboneSettings)
    weights: WeightsSettings = field(default_factory=WeightsSettings)
    attention: AttentionSettings = field(default_factory=AttentionSettings)
    head: HeadSettings = field(default_factory=HeadSettings)
    method: MethodSettings = field(default_factory=MethodSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    how: How = field(default_factory=How)
    seed: int = 0
    pretraining: str = not_hashed("")
    extra_supervision: str = not_hashed("")
    tuning_trials: int = not_hashed(0)

    def what(self) -> dict[str, Any]:
        """What was trained, without how and without the scoring: the hashed part."""
        content = marked_part(self, marked_how=False)
        content["evaluation"] = {"batch_size": self.evaluation.batch_size}
        if self.evaluation.classes:
            content["evaluation"]["classes"] = plain(self.evaluation.classes)
        if not self.evaluation.masks:
            content["evaluation"]["masks"] = False
        return content

    def how_part(self) -> dict[str, Any]:
        """Paths, device and workers: recorded, never hashed."""
        return {**dataclasses.asdict(self.how), **marked_part(self, marked_how=True)}

    def to_yaml(self) -> str:
        """The recipe as YAML that `from_yaml` reads back to an equal recipe."""
        return yaml.safe_dump(plain(dataclasses.asdict(self)), sort_keys=False, allow_unicode=True)

    def write(self, path: Path | str) -> Path:
        """Write the YAML whole or not at all."""
        return write_text(Path(path), self.to_yaml())

    @classmethod
    def from_yaml(cls, path: Path | str) -> Recipe:
        """Read a recipe. ``UserError`` for a missing file, bad YAML or an unknown key."""
        try:
            raw = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise UserError(f"{path}: no such recipe") from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{path}: not a YAML recipe: {' '.join(str(error).split())}") from error
        return cls.from_dict(raw, str(path))

    @classmethod
    def from_dict(cls, raw: Any, source: str = "recipe") -> Recipe:
        """Build a recipe from nested dictionaries; unknown keys suggest the near one."""
        return build(cls, raw, source, PARTS)


PARTS: dict[str, type] = {
    "data": DataSettings,
    "backbone": BackboneSettings,
    "weights": WeightsSettings,
    "attention": AttentionSettings,
    "head": HeadSettings,
    "method": MethodSettings,
    "training": TrainingSettings,
    "evaluation": EvaluationSettings,
    "how": How,
}
