"""How a generator is inverted is what it says."""

import torch
from tiny import Paint, faces

from kohl.invert import inverters
from kohl.types import Inversion, ignore


class Mirror(Paint):
    """A generator that knows itself how to give a face back."""

    inverted_by = "itself"

    def invert(self, faces, *, watch=ignore):
        return Inversion(torch.zeros(len(faces.crops), *self.latent_shape), Paint(faces))


def test_a_generator_may_invert_itself():
    generator = Mirror(faces())
    found = inverters.way(generator).inverter(generator, inverters.Aids())(faces(2, seed=1))
    assert torch.equal(found.generator(found.latents), faces(2, seed=1).crops)


def test_a_look_is_a_part_of_what_an_inversion_depends_on():
    keys = [inverters.Aids(look=look).key for look in (None, torch.zeros(2, 8), torch.zeros(2, 8), torch.ones(2, 8))]
    assert len(set(keys)) == 3
    assert keys[1] == keys[2]
