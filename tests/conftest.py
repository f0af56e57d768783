"""What holds for all tests of a process."""

import gc
from functools import cache

import pytest


@pytest.fixture(autouse=True, scope="session")
def settled():
    """One thread, as `scripts/test` gives each process one core; dlib's models once, for none of them ever changes."""
    import dlib  # late: the process that only hands out tests needs neither
    import torch

    torch.set_num_threads(1)
    gc.freeze()  # all that was collected stays: a turn of the garbage collector need not look at it again
    gc.set_threshold(20_000)  # and turns are rare
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.testing._comparison._HAS_DTENSOR", False)  # to compare, it would import much for none
        patch.setattr(torch, "set_num_threads", lambda count: None)
        for name in ("get_frontal_face_detector", "shape_predictor", "face_recognition_model_v1"):
            patch.setattr(dlib, name, cache(getattr(dlib, name)))  # each takes most of a second
        yield
