"""What the table of methods says beside its figures."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


class Row(SimpleNamespace):
    """As much of a row as is asked for: its name, and what its runs were trained on."""

    def __getitem__(self, column):
        return {"method": self.method, "attention": "none"}[column]


def row(method: str, *cpus: str) -> Row:
    training = [{"cpu": cpu} if cpu else {} for cpu in cpus]
    recipes = [{"how": {"training": one}} for one in training]
    runs = [SimpleNamespace(record=SimpleNamespace(recipe=recipe)) for recipe in recipes]
    return Row(method=method, runs=runs)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("cam", ""), row("has", "")], ""),
        ([row("cam", "A, AMX"), row("has", "A, AMX", "A, AMX")], ""),
        (
            [row("cam", ""), row("spg(width=64)", "A, AMX", "A, AMX")],
            "SPG (A, AMX). The records of the others do not say on which.",
        ),
        ([row("cam", "A", "B"), row("has", "B")], "CAM (A); CAM, HaS (B)."),
    ],
)
def test_rows_of_several_kinds_of_cpu_are_told_apart(generate, rows, told):
    found = generate("methods_table").cpus(rows)
    told = f"Kinds of CPU round otherwise; here trained: {told}\n"
    assert found == ([told] if "(" in told else [])
