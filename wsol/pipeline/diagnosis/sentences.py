"""What a profile says, in three sentences by declared rules, and for whom it says it."""

from __future__ import annotations

from collections.abc import Sequence

from wsol.data.digits.tests import TESTS
from wsol.pipeline.diagnosis.profile import MATCHED, TRAINED, TestProfile, Verdict


def sentences(profiles: Sequence[TestProfile], module: str) -> list[str]:
    """What the module mends, what it worsens, and what cannot be told.

    A test is mended or worsened where the paired test against CAM says so at 5 percent after Holm's
    correction over all tests. Where rows classify differently their maps are not compared at all.
    """
    mended = _listed(profiles, "mends")
    worsened = _listed(profiles, "worsens")
    unknown = _listed(profiles, "cannot be told")
    return [
        f"{module} mends {mended}." if mended else f"{module} mends nothing that these tests can tell.",
        f"It worsens {worsened}." if worsened else "It worsens nothing that these tests can tell.",
        " ".join(
            [
                f"It cannot be told of {unknown}."
                if unknown
                else "There is no comparison that cannot be told.",
                *_not_compared(profiles),
            ]
        ),
    ]


def claim(seeds: int, *, small: bool = False) -> str:
    """About what the sentences are; of networks of one epoch, ``small``, about nothing."""
    if small:
        return "Networks are hardly trained at this small setting: all runs, the figures say nothing."
    if seeds == 1:
        return (
            "One seed: these are statements about two networks, not about the method. Another seed may "
            "turn them round."
        )
    return (
        f"{seeds} seeds: images were resampled for these {seeds} networks of each row together. The "
        "statements are about these networks, not about all that the method would train."
    )


def _listed(profiles: Sequence[TestProfile], verdict: Verdict) -> str:
    return _joined([_told(profile) for profile in profiles if profile.verdict == verdict])


def _told(profile: TestProfile) -> str:
    """``parts (only the deciding part is lit: +4.1 [2.0, 6.3], not told from the control ...)``."""
    against, control = profile.against_cam, profile.against_control
    assert against is not None
    exposes = TESTS[profile.name].exposes
    said = f"{against.difference:+.1f} [{against.low:.1f}, {against.high:.1f}]"
    if profile.verdict != "cannot be told" and control is not None and control.low <= 0 <= control.high:
        said += ", not told from the control of as many parameters"
    return f"{profile.name} ({exposes}: {said})"


def _not_compared(profiles: Sequence[TestProfile]) -> list[str]:
    names: dict[str, list[str]] = {}
    for one in profiles:
        if one.verdict == "not compared":
            cells = list(one.rows.values())
            top1 = f"{cells[0].top1:.1f} against {cells[-1].top1:.1f}"
            names.setdefault(top1, []).append(one.name)
    return [
        f"Not compared: {_joined(tests)}, since CAM and the module classify differently (top-1 {top1}; "
        f"at least {TRAINED:g} both, or within {MATCHED:g} point)."
        for top1, tests in names.items()
    ]


def _joined(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
