"""Sources of a model's maps by name, and which of them one forward pass serves."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.errors import UserError
from wsol.maps import map_source
from wsol.maps.contract import ModelMaps
from wsol.models.localizer import Localizer


def model_maps(name: str) -> ModelMaps:
    """The source ``name`` of a model's maps; ``UserError`` where it reads none."""
    source = map_source(name)
    if not isinstance(source, ModelMaps):
        purpose = (type(source).__doc__ or "").partition("\n")[0]
        raise UserError(f"map source {name!r} is no map of a model: {purpose}")
    return source


def resolve(name: str, localizer: Localizer) -> str:
    """The name the board writes: ``attention`` becomes ``attention:<the module's default>``."""
    return model_maps(name).resolved(localizer).name


def expand(sources: Sequence[str], localizer: Localizer) -> list[str]:
    """The names the board writes, each once; a name such as ``cam@t=*`` stands for several."""
    found = (one.name for source in sources for one in model_maps(source).expanded(localizer))
    return list(dict.fromkeys(found))


def passes(sources: Sequence[str]) -> list[list[str]]:
    """``sources`` by forward pass: those that read the same output share one. Doubles are dropped."""
    alone = {source: model_maps(source).own_pass for source in sources}
    shared = [source for source, own in alone.items() if not own]
    return ([shared] if shared else []) + [[source] for source, own in alone.items() if own]
