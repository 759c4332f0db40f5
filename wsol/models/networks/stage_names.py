"""Which stage a link of a chain belongs to: by its stride, and whether it looks at neighbours."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from wsol.models.networks.by_name import library_of, octave
from wsol.models.networks.tokens.chain import Link
from wsol.models.networks.tokens.layouts import FIRST

NECK = "neck"


def members_of(
    name: str, links: Mapping[str, Link], side: int, path: str = ""
) -> dict[str, dict[str, Link]]:
    """The links of each stage by their names in the network, which begin with ``path``.

    ``side`` is that of the image, in pixels, on which the links were found.
    """
    members: dict[str, dict[str, Link]] = {}
    for link, stage in _stages_of(name, links, side).items():
        members.setdefault(stage, {})[path + link] = links[link]
    return members


def source_names_of(members: Mapping[str, Mapping[str, Link]]) -> dict[str, str]:
    """A link's path in a backbone of these stages to its name in the network."""
    return {
        f"stages.{stage}.{number}": link
        for stage, links in members.items()
        for number, link in enumerate(links)
    }


def _stages_of(name: str, links: Mapping[str, Link], side: int) -> dict[str, str]:
    pools_end_stages = library_of(name)[1].startswith("vgg")
    chain = {name: link.module for name, link in links.items()}
    octaves = {name: octave(link.height, side) for name, link in links.items()}
    looks_at_neighbours = [name for name, link in links.items() if _looks_at_neighbours(link)]
    last = list(chain).index(looks_at_neighbours[-1])
    stages = {}
    for number, (link, module) in enumerate(chain.items()):
        if number > last and _has_convolution(list(chain.values())[last + 1 :]):
            stages[link] = NECK
        elif pools_end_stages and not isinstance(module, nn.MaxPool2d):
            stages[link] = f"stage{octaves[link] + 1}"
        else:
            # Layers at full resolution, before any stride, belong to the first stage.
            stages[link] = f"stage{max(octaves[link], 1)}"
    return stages


def _looks_at_neighbours(link: Link) -> bool:
    if not (link.takes == link.gives == FIRST) and list(link.module.children()):
        return True  # tokens look at each other without kernels
    return any(max(sides_of(getattr(part, "kernel_size", 1))) > 1 for part in link.module.modules())


def _has_convolution(modules: list[nn.Module]) -> bool:
    return any(isinstance(part, nn.Conv2d) for module in modules for part in module.modules())


def sides_of(value: object) -> tuple[int, ...]:
    """A kernel's or a stride's numbers, of one or of a pair."""
    return tuple(value) if isinstance(value, tuple | list) else (value if isinstance(value, int) else 1,)
