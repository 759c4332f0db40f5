"""Everything a run is made of, whole: YAML in, YAML out, and what of it is hashed.

A field marked ``how`` (device, workers, paths) does not change the numbers and is left out of the
run's identity; everything else is ``what`` was run and is hashed into it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wsol.files.writing.atomic import write_text
from wsol.recipe.checking import CheckedSettings, Origin, build, check_mapping, field_hints, is_part
from wsol.recipe.fields import between, marked_part, not_hashed, plain, setting
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
from wsol.recipe.yaml_file import read_yaml

# Seeds are multiplied with epochs, and torch and NumPy take no others.
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Recipe(CheckedSettings):
    """One leaderboard row, whole.

    It cannot be changed: `dataclasses.replace` makes another one, of the recipe and of its parts.

    Attributes:
        data: which images, and how they reach the network.
        backbone: the network under the attention and the head.
        weights: where the backbone's weights come from.
        attention: the attention module.
        head: the classifier on top.
        method: the training method.
        training: optimisation.
        evaluation: how the run is scored.
        how: where and how fast.
        seed: of everything that is drawn: new weights, the order of images, crops and flips.
        pretraining: what the weights have seen, as the board tells it.
        extra_supervision: labels beyond image labels that were used, as the board tells it.
        tuning_trials: trials that chose these settings, as the board tells it.
        name: your own name for this recipe, which the board shows in the column ``variant``.
    """

    data: DataSettings = DataSettings()
    backbone: BackboneSettings = BackboneSettings()
    weights: WeightsSettings = WeightsSettings()
    attention: AttentionSettings = AttentionSettings()
    head: HeadSettings = HeadSettings()
    method: MethodSettings = MethodSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    how: How = not_hashed(How())
    seed: int = between(0, LARGEST_SEED, 0)
    pretraining: str = not_hashed("")
    extra_supervision: str = not_hashed("")
    tuning_trials: int = setting(0, "how", least=0)
    name: str = not_hashed("")

    def what(self) -> dict[str, Any]:
        """What was trained, without how and without the scoring: the hashed part."""
        return marked_part(self, "what")

    def how_part(self) -> dict[str, Any]:
        """Paths, device and workers: recorded, never hashed."""
        content = marked_part(self, "how")
        return {**content.pop("how"), **content}

    def changed(self, **changes: Any) -> Recipe:
        """Another recipe, some of its keys anew: ``recipe.changed(training={"epochs": 3}, seed=1)``.

        Raises:
            UserError: an unknown key, a value of another type.
        """
        checked = check_mapping(type(self), changes, Origin("Recipe", "python"))
        parts = {
            key: dataclasses.replace(getattr(self, key), **value) if key in PARTS else value
            for key, value in checked.items()
        }
        return dataclasses.replace(self, **parts)

    def to_yaml(self) -> str:
        """The recipe as YAML that `from_yaml` reads back to an equal recipe."""
        return yaml.safe_dump(plain(self), sort_keys=False, allow_unicode=True)

    def write(self, path: Path | str) -> Path:
        """Write the YAML whole or not at all."""
        return write_text(Path(path), self.to_yaml())

    @classmethod
    def from_yaml(cls, path: Path | str) -> Recipe:
        """Read a recipe. ``UserError`` for a missing file, bad YAML, an unknown key or a wrong type."""
        return cls.from_dict(read_yaml(path), str(path))

    @classmethod
    def from_dict(cls, raw: Any, source: str = "recipe") -> Recipe:
        """Build a recipe from nested mappings; unknown keys suggest the near one."""
        return build(cls, check_mapping(cls, raw, Origin(source, "file")))


PARTS: Mapping[str, type[CheckedSettings]] = {
    name: hint for name, hint in field_hints(Recipe).items() if is_part(hint)
}
