"""The tables of tensors in a checkpoint, and the one of them that is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

from wsol.errors import UserError, suggest

State = dict[str, Tensor]

# Where the weights lie, first come first taken. The first three are what was always read: a checkpoint
# that holds an average beside them goes on to mean what it meant.
PRECEDENCE = (
    "state_dict", "model_state_dict", "model", "state_dict_ema", "model_ema_state_dict", "model_ema",
    "ema_state_dict", "ema", "net", "network", "weights", "params", "params_ema", "model_state",
    "module", "backbone", "encoder",
)  # fmt: skip
# What training keeps beside the weights.
NOT_WEIGHTS = ("optim", "sched", "scaler", "amp", "criterion", "loss", "queue", "rng")


def tables_of(content: object, path: str = "") -> dict[str, State]:
    """Every table of tensors by name in the checkpoint, by its path with dots; "" is the file itself."""
    if not isinstance(content, Mapping):
        return {}
    own = {key: value for key, value in content.items() if isinstance(value, Tensor)}
    rest = {
        key: value
        for key, value in content.items()
        if key not in own and not str(key).lower().startswith(NOT_WEIGHTS)
    }
    if own and all(isinstance(key, str) for key in own):
        inner = [value for value in rest.values() if tables_of(value)]
        if not inner and (len(own) > 1 or next(iter(own.values())).dim() or not rest):
            return {path: {str(key): value for key, value in own.items()}}
    found: dict[str, State] = {}
    for key, value in rest.items():
        found |= tables_of(value, f"{path}.{key}".lstrip("."))
    return found


def chosen_table(tables: Mapping[str, State], key: str, wanted: Iterable[str] = ()) -> tuple[str, State]:
    """The table that is meant, and its path.

    Of several it is what ``key`` names, else the first by `PRECEDENCE`, else the only one that holds
    the names ``wanted``.

    Raises:
        UserError: no such table, or several and nothing says which.
    """
    if key:
        under = {path: table for path, table in tables.items() if f"{path}.".startswith(f"{key}.")}
        if under:
            return _first(under, wanted)
        for path, table in tables.items():
            inner = key.removeprefix(f"{path}.") if path else key
            part = {name: value for name, value in table.items() if name.startswith(f"{inner}.")}
            if part:
                return f"{path}.{inner}".lstrip("."), part
        raise UserError(f"weights.key {key!r}: no such weights in the file{suggest(key, tables)}")
    return _first(tables, wanted)


def _first(tables: Mapping[str, State], wanted: Iterable[str]) -> tuple[str, State]:
    if len(tables) == 1:
        return next(iter(tables.items()))
    ranked = sorted((rank, path) for path in tables if (rank := _rank(path)) is not None)
    if ranked:
        return ranked[0][1], tables[ranked[0][1]]
    wanted = set(wanted)
    fitting = [path for path, table in tables.items() if wanted and prefixes_of(table, wanted)]
    if len(fitting) == 1:
        return fitting[0], tables[fitting[0]]
    listed = ", ".join(f"{path} ({len(tables[path])} tensors)" for path in fitting or tables)
    first = (fitting or list(tables))[0]
    raise UserError(f"holds several tables of weights: {listed}; choose with weights.key, e.g. {first}")


def _rank(path: str) -> tuple[int, ...] | None:
    parts = path.split(".") if path else []
    if not all(part in PRECEDENCE for part in parts):
        return None
    return tuple(PRECEDENCE.index(part) for part in parts)


def unwrapped(name: str) -> str:
    """The name without what DataParallel puts before it and torch.compile puts in it."""
    parts = [part for part in name.split(".") if part != "_orig_mod"]
    while len(parts) > 1 and parts[0] == "module":
        parts = parts[1:]
    return ".".join(parts)


def prefixes_of(state: Mapping[str, Tensor], wanted: Iterable[str]) -> list[str]:
    """The prefixes under which the table holds all of ``wanted``, the shortest first; "" is one too."""
    wanted = set(wanted)
    if not wanted:
        return [""]
    longest = max(wanted, key=len)
    candidates = {name[: -len(longest)] for name in state if f".{name}".endswith(f".{longest}")}
    return sorted(
        (one for one in candidates if all(f"{one}{name}" in state for name in wanted)),
        key=lambda one: (len(one), one),
    )


# Of twins that both fit, the one that is trained, not its average.
TRAINED = {
    "encoder_k": "encoder_q",
    "momentum_encoder": "encoder",
    "model_ema": "model",
    "ema_model": "model",
}


def without_prefix(state: State, wanted: Iterable[str], also: Iterable[str] = ()) -> State:
    """The table by the names ``wanted``: whatever one prefix stands before all of them is left out.

    What is not under the prefix is left out, but for the names ``also`` (a classifier's), each where
    just one name ends in it. Nothing is changed where no prefix fits, or none needs to.
    ``UserError`` where several fit.
    """
    wanted = set(wanted)
    prefixes = prefixes_of(state, wanted)
    if not wanted or not prefixes or "" in prefixes:
        return state
    prefix = _one_of(prefixes)
    found = {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
    outside = [name for name in state if not name.startswith(tuple(prefixes))]
    for name in also:
        ending = [other for other in outside if f".{other}".endswith(f".{name}")]
        if name not in found and len(ending) == 1:
            found[name] = state[ending[0]]
    return found


def _one_of(prefixes: list[str]) -> str:
    names = {prefix: prefix.rstrip(".") for prefix in prefixes}
    trained = {
        ".".join(TRAINED.get(part, part) for part in name.split("."))
        for name in names.values()
        if set(name.split(".")) & TRAINED.keys()
    }
    chosen = [prefix for prefix in prefixes if names[prefix] in trained] or prefixes
    if len(chosen) > 1:
        raise UserError(
            f"holds several networks of these names: {', '.join(names.values())}; choose with "
            f"weights.key, e.g. {names[chosen[0]]}"
        )
    return chosen[0]


def top_level(content: Any) -> str:
    """What the file holds on top, for messages: its first keys, or its type."""
    if not isinstance(content, Mapping):
        return f"its content is a {type(content).__name__}"
    keys = [str(key) for key in content]
    return (
        f"its keys are {', '.join(keys[:8])}{', ...' if len(keys) > 8 else ''}"
        if keys
        else "it is empty"
    )


def half_precision(state: Mapping[str, Tensor]) -> Iterator[str]:
    """The types of the tensors that are stored in fewer bits than float32, by torch's names."""
    kinds = {str(value.dtype).removeprefix("torch.") for value in state.values()}
    yield from sorted(kinds & {"float16", "bfloat16"})
