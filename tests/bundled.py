"""The models that come with kohl, loaded once in each process, for tests in which nothing changes them."""

from kohl import pipeline
from kohl.commands import Parts
from kohl.zoo import cards
from kohl.zoo.shelf import Shelf

SHELF = Shelf()


def load(*name):
    """What `cards.load` returns, always the same one."""
    return SHELF(cards.load, *name)


def house(recipe):
    """What `pipeline.load` returns, of models that are loaded once."""
    return pipeline.load(recipe, SHELF)


PARTS = Parts(load=house)  # for the command


class Toys:
    """A shelf for one device, whatever is asked for, on which other makers stand in for some of kohl's.

    It notes the names that are asked for.
    """

    def __init__(self, makers, device="cpu"):
        self.makers, self.own, self.others, self.names = makers, Shelf(device), SHELF.on(device), []
        self.device = self.own.device

    def on(self, device):
        return self

    def __call__(self, make, *arguments):
        self.names += arguments[:1]
        return self.own(self.makers[make], *arguments) if make in self.makers else self.others(make, *arguments)
