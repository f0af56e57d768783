"""What holds for all tests of learning."""

from types import SimpleNamespace

import pytest
import torch
from learned import learn


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """One run from start to end, and what was said in it."""
    folder, lines = tmp_path_factory.mktemp("run"), []
    paths = learn(folder, said=lines.append)
    kept = torch.load(folder / "checkpoint.pt", weights_only=True)
    return SimpleNamespace(folder=folder, paths=paths, lines=lines, kept=kept)
