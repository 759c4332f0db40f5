"""``wsol list``: what there is, by name; imports no torch."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from pathlib import Path

from wsol.cli.parser import Parser

Rows = Iterable[tuple[str, str]]


def main(argv: list[str]) -> int:
    """Print the names of one kind of thing, or of every kind."""
    parser = Parser("list", "What there is, by name.")
    parser.add_argument("kind", nargs="?", choices=[*KINDS, "all"], default="all", help="what to list")
    kind = parser.parse(argv).kind
    for name in KINDS if kind == "all" else [kind]:
        rows = list(KINDS[name]())
        width = max(len(entry) for entry, _ in rows)
        print(f"{name}:")
        for entry, purpose in rows:
            print(f"  {entry:<{width}}  {purpose}".rstrip())
    return 0


def _registered(registry) -> Rows:
    for name in registry.names():
        yield name, _summary(registry.place(name))


def _summary(place: str) -> str:
    """First docstring line of ``package.module:attribute``, read from the source, not imported.

    Of an attribute that is neither class nor function, that of its module.
    """
    module, _, attribute = place.partition(":")
    root = Path(__file__).resolve().parents[2]
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return ""
    module_tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in module_tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return (ast.get_docstring(module_tree) or "").partition("\n")[0]


def _attention() -> Rows:
    from wsol.attention import ATTENTION

    yield "none", "No attention."
    yield from _registered(ATTENTION)


def _backbones() -> Rows:
    from wsol.models.networks.catalogue import BACKBONES, families

    yield from BACKBONES.items()
    tried = families()
    good = [one for one in tried if one.builds]
    yield (
        "any of timm's",
        f"{len(good)} of its {len(tried)} families build, learn and give maps; their smallest networks:",
    )
    for one in tried:
        yield one.network, f"{one.family}, {one.stages}" if one.builds else f"{one.family}: {one.words}"


def _methods() -> Rows:
    from wsol.methods import METHODS

    return _registered(METHODS)


def _datasets() -> Rows:
    from wsol.data.layouts import DATASETS

    return _registered(DATASETS)


def _protocols() -> Rows:
    from wsol.scores.protocol import PROTOCOLS

    for name in PROTOCOLS:
        protocol = PROTOCOLS.get(name)
        yield name, f"version {protocol.version}, thresholds {protocol.policy}"


def _maps() -> Rows:
    from wsol.maps import MAPS, MODIFIED, MODIFIERS, PREDICTED

    yield from _registered(MAPS)
    for name, purpose in _registered(MODIFIERS):
        yield f"SOURCE{MODIFIED}{name}", purpose
    yield f"SOURCE{PREDICTED}", "The same at the predicted class, for images of unknown class."


def _metrics() -> Rows:
    from wsol.scores.metrics import METRICS

    return _registered(METRICS)


KINDS: dict[str, Callable[[], Rows]] = {
    "attention": _attention,
    "backbones": _backbones,
    "methods": _methods,
    "datasets": _datasets,
    "protocols": _protocols,
    "maps": _maps,
    "metrics": _metrics,
}
