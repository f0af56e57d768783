"""One thing that a text asks for, or rules out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kohl.makeup.words.phrase import Term
from kohl.makeup.words.tables import Role


@dataclass(frozen=True)
class Item:
    """A product or a style, and what is said about it."""

    target: Term | None = None  # none: it is said about what stands before or after
    about: tuple[Term, ...] = ()
    against: tuple[Term, ...] = ()  # not red
    barred: tuple[Term, ...] = ()  # not too dark
    manner: Term | None = None  # an adjective that is a style: "office lipstick"
    negated: bool = False
    joint: Role = Role.COMMA  # what stands before it
    after: bool = False  # whether what is said about it stands after it

    @property
    def bare(self) -> bool:
        """Whether nothing is said about it."""
        return not (self.about or self.against or self.barred or self.manner)

    @property
    def plain(self) -> bool:
        """Whether nothing is said about it but what its own word implies, as "lip gloss" does."""
        return not (self.against or self.barred or self.manner) and all(term.implied for term in self.about)

    def with_more(self, other: Item, *, first: bool = False) -> Item:
        """It with what the other says, which stands `first` or last."""
        start, end = (other, self) if first else (self, other)
        return replace(
            self,
            about=start.about + end.about,
            against=start.against + end.against,
            barred=start.barred + end.barred,
        )
