"""Another process that is in the midst of something."""

import subprocess
import sys

import pytest


@pytest.fixture
def started():
    """Starts a Python script and gives its process once it has said the word; killed in the end."""
    processes = []

    def start(script, folder, word):
        process = subprocess.Popen(
            [sys.executable, "-c", script, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout and process.stdout.readline() == f"{word}\n".encode()
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
