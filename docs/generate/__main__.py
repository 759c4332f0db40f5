"""Write what is made from records and cards: ``python docs/generate [--check]``.

These are pages of the site, and the Croissant metadata of digits.

``--check`` writes nothing and exits with 1 where a file differs from what would be written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from croissant_file import croissant_text
from data_sets_page import data_sets_page
from digits_results_page import digits_results_page, readme_with_modules
from results_page import results_page

from wsol.board import read_board

ROOT = Path(__file__).resolve().parents[2]


def pages() -> dict[Path, str]:
    """Every generated file and its text."""
    sections = read_board(ROOT / "results").sections
    return {
        ROOT / "docs" / "results.md": results_page(ROOT, sections),
        ROOT / "docs" / "digits-results.md": digits_results_page(ROOT, sections),
        ROOT / "README.md": readme_with_modules(ROOT, sections),
        ROOT / "docs" / "data-sets.md": data_sets_page(ROOT),
        ROOT / "datasets" / "digits" / "croissant.json": croissant_text(ROOT),
    }


def main() -> int:
    """Write or check the pages; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say which files are old")
    check = parser.parse_args().check
    made = pages()
    old = {
        path: text for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text
    }
    for path, text in old.items():
        print(f"{path.relative_to(ROOT)}: {'old, run python docs/generate' if check else 'written'}")
        if not check:
            path.write_text(text, "utf-8")
    return int(check and bool(old))


if __name__ == "__main__":
    sys.exit(main())
