"""The last few inversions, so that another strength, or other words, on the same photo need none."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable

from kohl.types import Faces, Inversion, Inverter, Watch, ignore

MOST = 4  # of a tuned StyleGAN2 each holds as much as the generator, 120 MB of the largest


class Inversions:
    """What inverters made of faces, the latest `most` of them, whichever inverter it was."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._kept: OrderedDict[Hashable, Inversion] = OrderedDict()

    def remembering(self, invert: Inverter, depends: Hashable) -> Inverter:
        """`invert`, which is not asked again for the same faces; `depends` is all else that its answer depends on."""

        def remembered(faces: Faces, *, watch: Watch = ignore) -> Inversion:
            key = depends, _digest(faces)
            if key not in self._kept:
                while len(self._kept) >= self.most:  # before there is one more
                    self._kept.popitem(last=False)
                self._kept[key] = invert(faces, watch=watch)
            self._kept.move_to_end(key)
            return self._kept[key]

        return remembered


def _digest(faces: Faces) -> bytes:
    """The same for the same pixels and landmarks."""
    state = hashlib.sha256(repr(tuple(faces.crops.shape)).encode())
    for part in (faces.crops, faces.points, faces.landmarks):
        state.update(part.cpu().numpy().tobytes())
    return state.digest()
