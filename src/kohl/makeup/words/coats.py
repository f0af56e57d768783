"""What is said about a product, divided into its coats: each place has its own, and so has each of two colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kohl.makeup.words import tint
from kohl.makeup.words.phrase import Term
from kohl.makeup.words.tables import Product, Role

About = tuple[Term, ...]
TOGETHER = (Role.AND, Role.WITH)  # before a colour that is worn beside another


def parted(product: Product, about: Sequence[Term]) -> list[About]:
    """What is said about each coat, in the order of the text; one that nothing is said about where there is only it."""
    found: list[About] = []
    for run in _runs(product, about):
        place, coloured = _places(product, run), bool(tint.of_colour(product, run))
        before = found[-1] if found else None
        goes_on = before is not None and not (place and run[0].joint is Role.AND)
        if before is not None and goes_on and not (coloured and (place or _places(product, before))):
            found[-1] = before + run
        else:
            found.append(run)
    return [coat for run in found for coat in _halves(product, run)] or [()]


def _runs(product: Product, about: Sequence[Term]) -> list[About]:
    """The terms clause by clause, and within one from place to place."""
    found: list[About] = []
    clauses = dict.fromkeys(term.clause for term in about)
    for clause in clauses:
        terms = [term for term in about if term.clause == clause]
        said = [term for term in terms if product.goes(term.words) or tint.of_colour(product, [term])]
        first = bool(said) and product.goes(said[0].words)  # the place, and then its colour
        runs: list[About] = [()]
        for term in terms:
            if product.goes(term.words):
                if first and any(not product.goes(one.words) for one in runs[-1]):
                    runs.append(())
                elif not first and len(units := tint.units(product, runs[-1])) > 1:
                    start = runs[-1].index(units[-1][0])
                    runs[-1:] = [runs[-1][:start], runs[-1][start:]]
            elif not first and _places(product, runs[-1]) and tint.of_colour(product, [term]):
                runs.append(())
            runs[-1] = (*runs[-1], term)
        found += runs
    return found


def _places(product: Product, run: Sequence[Term]) -> list[Term]:
    return [term for term in run if product.goes(term.words)]


def _halves(product: Product, run: About) -> list[About]:
    """The coats of two colours side by side, "blue and yellow eyeshadow": each has all that is said beside colours."""
    units = tint.units(product, run)
    if len(units) < 2 or _places(product, run) or not product.halves:
        return [run]
    listed = any(_beside(one, other) for one, other in pairwise(units))
    if not listed or units[1][0].joint is Role.OR:
        return [run]
    of_colour = {id(term) for unit in units for term in unit}
    rest = tuple(term for term in run if id(term) not in of_colour)
    faded = next((term.words for term in rest if term.words in product.fades), "")
    rest = tuple(term for term in rest if term.words != faded)
    places = (Term(place, frozenset({Role.PLACE})) for place in product.fades.get(faded, product.halves))
    return [(*unit, *rest, place) for unit, place in zip(units, places, strict=False)]


def _beside(one: Sequence[Term], other: Sequence[Term]) -> bool:
    """Whether the second colour is worn beside the first: "blue and yellow", but not "blue, yellow"."""
    return one[-1].clause != other[0].clause and other[0].joint in TOGETHER
