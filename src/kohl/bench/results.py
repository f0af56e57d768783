"""A set of cells, and what is counted over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kohl.bench import counting
from kohl.bench.cells import Cell
from kohl.bench.counting import Counts, Figure, figure
from kohl.bench.posting import SAVED


@dataclass(frozen=True, eq=False)
class Results:
    """Cells, and at which false-accept rate they are read."""

    cells: Sequence[Cell]
    far: float = 0.01
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by photo or person: groups by kind

    @property
    def scores(self) -> list[Cell]:
        """The cells of judges."""
        return [cell for cell in self.cells if cell["kind"] == "scores"]

    @property
    def attacks(self) -> list[str]:
        """Their names, in order, the floor first."""
        of_attacks = [cell for cell in self.cells if "attack" in cell]
        floor = sorted(of_attacks, key=lambda cell: ["clean", "inverted", "attack"].index(cell["way"]))
        return list(dict.fromkeys(cell["attack"] for cell in floor))

    @property
    def changing(self) -> list[str]:
        """Those that are more than the floor."""
        ways = {cell["attack"]: cell["way"] for cell in self.cells if "attack" in cell}
        return [attack for attack in self.attacks if ways[attack] == "attack"]

    @property
    def judges(self) -> list[str]:
        """Their names, in order."""
        return list(dict.fromkeys(cell["judge"] for cell in self.scores))

    @property
    def postings(self) -> list[str]:
        """Their names, the saved file first."""
        return list(dict.fromkeys([SAVED, *(cell["posting"] for cell in self.scores)]))

    @property
    def aimed(self) -> bool:
        """Whether photos were to resemble somebody."""
        return any(cell["goal"] == "impersonate" for cell in self.scores)

    def threshold(self, cell: Cell, far: float | None = None) -> float:
        """The similarity from which the cell's judge says "same person"; not a number where it has none."""
        found: float = cell["thresholds"].get(f"{far or self.far:g}", float("nan"))
        return found

    def of(self, attack: str, judge: str, counted: Callable[[Cell], Counts], posting: str = SAVED) -> Figure | None:
        """What is counted over the seeds of an attack and a judge; None where nothing was measured."""
        wanted = (attack, judge, posting)
        cells = [cell for cell in self.scores if (cell["attack"], cell["judge"], cell["posting"]) == wanted]
        return _by_seed(cells, counted)

    def rate(
        self, attack: str, judge: str, counted: Callable[[Cell, float], Counts], posting: str = SAVED
    ) -> Figure | None:
        """The same of what goes by the threshold."""
        return self.of(attack, judge, lambda cell: counted(cell, self.threshold(cell)), posting)

    def quality(self, attack: str, name: str) -> Figure | None:
        """A figure of an attack's results; None where there is none."""
        cells = [cell for cell in self.cells if cell["kind"] == "quality" and cell["attack"] == attack]
        found = _by_seed(cells, lambda cell: counting.of_figures(cell, name))
        return found if found and found.count else None

    def distance(self, attack: str, space: str) -> Figure | None:
        """Between the faces before and after, all together, in a network's space; it has no interval by person."""
        cells = [cell for cell in self.cells if cell["kind"] == "quality" and cell["attack"] == attack]
        values = [cell["distances"][space] for cell in cells if cell.get("distances", {}).get(space) is not None]
        if not values:
            return None
        data, mean = cells[0]["data"], sum(values) / len(values)
        return Figure(mean, float("nan"), float("nan"), data["photos"], data["people"], tuple(values))

    def of_group(self, kind: str, name: str, cell: Cell, threshold: float) -> Counts:
        """What is counted of the photos, or the people, that are in a group."""
        inside = [probe for probe in cell["probes"] if self._groups(probe).get(kind) == name]
        return self.success()({**cell, "probes": inside}, threshold)

    @property
    def labelled(self) -> list[Mapping[str, str]]:
        """The groups of everybody who is measured on."""
        return [groups for cell in self.scores for probe in cell["probes"] if (groups := self._groups(probe))]

    def _groups(self, probe: Mapping[str, Any]) -> Mapping[str, str]:
        return self.labels.get(Path(probe["photo"]).stem) or self.labels.get(probe["person"], {})

    @property
    def adapted(self) -> list[Cell]:
        """The cells of attackers who adapt."""
        return [cell for cell in self.cells if cell["kind"] == "adapted" and cell["adapted"]]

    def after_seeing(self, attack: str, judge: str, count: int, *, linking: bool) -> Figure | None:
        """PSR, or linked pairs, before a judge that has seen so many photos before and after."""
        found: list[Cell] = [
            {**one, "seed": cell["seed"]}
            for cell in self.adapted
            if (cell["attack"], cell["judge"]) == (attack, judge)
            for one in cell["adapted"]
            if one["pairs seen"] == count
        ]
        if linking:
            return _by_seed(found, lambda one: counting.linked(one, one["link threshold"]))
        return _by_seed(found, lambda one: counting.evaded(one, one["threshold"]))

    def success(self) -> Callable[[Cell, float], Counts]:
        """What counts as success: to be taken for the target, or not for oneself."""
        return counting.matched_target if self.aimed else counting.evaded

    def mean(self, attack: str, counted: Callable[[Cell], Counts]) -> Figure | None:
        """Over all judges."""
        cells = [cell for cell in self.scores if (cell["attack"], cell["posting"]) == (attack, SAVED)]
        return _by_seed(cells, counted)


def _by_seed(cells: Sequence[Cell], counted: Callable[[Cell], Counts]) -> Figure | None:
    """What is counted over all cells; several of one seed, as of judges that were left out in turn, count as one."""
    found: dict[int, dict[str, list[float]]] = {}
    for cell in cells:
        people = found.setdefault(cell["seed"], {})
        for person, values in counted(cell).items():
            people.setdefault(person, []).extend(values)
    return figure(list(found.values())) if found else None
