"""``wsol new-attention``: write the template of an attention module and its test."""

from __future__ import annotations

from wsol.check.template import PARAMETER_COUNTS, write_template
from wsol.cli.parser import Parser, folder


def main(argv: list[str]) -> int:
    """Write the two files and say what to do with them."""
    parser = Parser("new-attention", "Write a documented attention module and its test.")
    parser.add_argument(
        "name", metavar="NAME", help="name of the file, in lower case: top_hat has class TopHat"
    )
    parser.add_argument(
        "--insertion", choices=sorted(PARAMETER_COUNTS), default="stage", help="where it goes"
    )
    parser.add_argument(
        "--output", type=folder, default=".", metavar="DIR", help="folder of the two files"
    )
    arguments = parser.parse(argv)
    module, test = write_template(arguments.name, arguments.insertion, arguments.output)
    class_name = next(
        line.split()[1].partition("(")[0]
        for line in module.read_text(encoding="utf-8").splitlines()
        if line.startswith("class ")
    )
    print(f"wrote {module} and {test}\n")
    print(f"in {module.parent}:")
    print(f"  python -m pytest {test.name}")
    print(f"  wsol check {module.stem}:{class_name}")
    print(f"  wsol benchmark --config RECIPE.yaml --attention {module.stem}:{class_name}")
    return 0
