"""What a run is made of: checked once, YAML in, YAML out."""

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
from wsol.recipe.recipe import PARTS, Recipe

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
