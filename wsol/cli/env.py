"""``wsol env``: versions, threads and devices of this machine, to paste into a bug report."""

from __future__ import annotations

import contextlib
import getpass
import importlib
import importlib.metadata
import io
import json
import os
import platform
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wsol.cli.parser import Parser
from wsol.cores import cores
from wsol.pipeline.outputs.provenance import PACKAGES, git_commit, versions

# Packages whose import has another name than the package.
IMPORT_NAMES = {
    "opencv-python": "cv2",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}

# Each of these is installed as cv2: the last one installed overwrites the files of the others.
OPENCVS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)

# Set by users and by job schedulers; they change how many threads compute, and so the last digits.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
)


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code, 0 also where something is amiss."""
    parser = Parser("env", "Versions, threads and devices of this machine, for a bug report.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    as_json = parser.parse(argv).json
    found = environment()
    text = json.dumps(found, indent=1, ensure_ascii=False) if as_json else as_text(found)
    print(without_names(text))
    return 0


def environment() -> dict[str, Any]:
    """What is installed and what it runs on; imports every package that wsol needs.

    ``packages`` maps a name to ``{"version", "error"}``; ``error`` is one line, None where the import
    works. ``troubles`` are sentences, each with its mend.
    """
    with _quiet():
        packages = {name: _package(name) for name in _required()}
        torchvision_error = packages.get("torchvision", {}).get("error") or _operator_error()
        return {
            "wsol": versions().get("wsol"),
            "commit": git_commit(),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "platform": platform.platform(),
            "processors": os.cpu_count(),
            "usable_processors": cores(),
            "threads": _threads(),
            "variables": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
            "cuda": _cuda_version(),
            "devices": _devices(),
            "packages": packages,
            "torch_and_torchvision_match": torchvision_error is None,
            "troubles": _troubles(packages, torchvision_error),
        }


def as_text(found: dict[str, Any]) -> str:
    """The same for people, one fact a line."""
    threads = ", ".join(f"{name} {count}" for name, count in found["threads"].items())
    variables = ", ".join(f"{name}={value}" for name, value in found["variables"].items())
    width = max(map(len, found["packages"]))
    lines = [
        f"wsol {found['wsol'] or 'not installed'}, commit {found['commit'] or 'unknown (no checkout)'}",
        f"{found['python']}, {found['platform']}",
        f"processors: {found['processors']}, of which this process may use {found['usable_processors']}",
        f"threads: {threads or 'unknown'}",
        f"variables: {variables or 'none that change threads or devices'}",
        f"devices: CPU{' and these of CUDA ' + str(found['cuda']) if found['devices'] else ''}",
        *(f"  {one['name']}: {one['model']}, {one['memory_gib']} GiB" for one in found["devices"]),
        "packages:",
    ]
    for name, package in found["packages"].items():
        fault = f"  cannot be imported: {package['error']}" if package["error"] else ""
        lines.append(f"  {name:<{width}}  {package['version'] or 'missing'}{fault}")
    match = "match" if found["torch_and_torchvision_match"] else "do not match"
    lines.append(f"torch and torchvision: {match}")
    lines += [f"trouble: {trouble}" for trouble in found["troubles"]]
    return "\n".join(lines)


def without_names(text: str) -> str:
    """``text`` with the home folder as ``~`` and the user's name in other paths as ``USER``."""
    home = Path.home()
    for folder in {str(home), str(home.resolve())} - {"/"}:
        text = re.sub(re.escape(folder) + r"(?![\w.-])", "~", text)
    with contextlib.suppress(OSError, KeyError, ImportError):  # no name for this user id
        text = re.sub(rf"(?<=[/\\]){re.escape(getpass.getuser())}(?![\w.-])", "USER", text)
    return text


def _required() -> list[str]:
    """Packages that wsol depends on, by its own metadata, extras left out."""
    try:
        wanted = importlib.metadata.requires("wsol") or []
    except importlib.metadata.PackageNotFoundError:  # run from its sources
        return [name for name in PACKAGES if name != "wsol"]
    names = [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in wanted if "extra ==" not in one]
    return sorted(name.lower() for name in names)


def _package(name: str) -> dict[str, str | None]:
    module = IMPORT_NAMES.get(name, name.replace("-", "_"))
    return {"version": _version(name), "error": _import_error(module)}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _import_error(module: str) -> str | None:
    """Why ``module`` cannot be imported, in one line; None where it can."""
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken installation may raise anything
        return _one_line(error)
    return None


def _operator_error() -> str | None:
    """Why torchvision's compiled operators do not run on this torch; None where they do."""
    try:
        torch = importlib.import_module("torch")
        ops = importlib.import_module("torchvision.ops")
        ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)
    except Exception as error:
        return _one_line(error)
    return None


def _troubles(packages: dict[str, Any], torchvision_error: str | None) -> list[str]:
    troubles = []
    if torchvision_error and not packages.get("torch", {}).get("error"):
        troubles.append(
            f"torchvision does not run on this torch ({torchvision_error}): "
            "reinstall both from one index"
        )
    opencvs = [name for name in OPENCVS if _version(name)]
    if len(opencvs) > 1:
        troubles.append(
            f"{' and '.join(opencvs)} overwrite each other: uninstall all of them, "
            "then install opencv-python"
        )
    return troubles


def _threads() -> dict[str, int]:
    """Threads that each library would use; those that cannot be imported are left out."""
    asked = {"torch": "get_num_threads", "numba": "get_num_threads", "cv2": "getNumThreads"}
    found = {}
    for module, function in asked.items():
        with contextlib.suppress(Exception):
            name = "OpenCV" if module == "cv2" else module
            found[name] = int(getattr(importlib.import_module(module), function)())
    return found


def _cuda_version() -> str | None:
    with contextlib.suppress(Exception):
        return importlib.import_module("torch").version.cuda
    return None


def _devices() -> list[dict[str, Any]]:
    """The GPUs that torch sees."""
    devices = []
    with contextlib.suppress(Exception):
        cuda = importlib.import_module("torch").cuda
        for index in range(cuda.device_count() if cuda.is_available() else 0):
            card = cuda.get_device_properties(index)
            memory = round(card.total_memory / 2**30, 1)
            devices.append({"name": f"cuda:{index}", "model": card.name, "memory_gib": memory})
    return devices


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing but our own lines: libraries warn and print tracebacks while they are imported."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
