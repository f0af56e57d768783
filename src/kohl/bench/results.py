"""The tables that a set of cells gives; every number in them is counted from cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from kohl.bench import counting
from kohl.bench.cells import Cell
from kohl.bench.counting import Counts, Figure, figure
from kohl.bench.posting import SAVED
from kohl.bench.tables import Table

QUALITY = {  # by figure: what it is called, and digits behind the point
    "psnr": ("PSNR, dB", 1),
    "ssim": ("SSIM", 3),
    "nlpd": ("NLPD", 3),
    "delta e": ("ΔE00", 2),
    "landmarks": ("landmarks moved, % of the eyes' distance", 2),
    "lpips": ("LPIPS", 3),
    "seconds": ("seconds", 2),
}
FRECHET = "Fréchet distance, {}"
EVADED = "comparisons with other photos of the person that fail"


@dataclass(frozen=True, eq=False)
class Results:
    """Cells, and at which false-accept rate they are read."""

    cells: Sequence[Cell]
    far: float = 0.01

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

    def tables(self) -> list[Table]:
        """All that there is something to say in."""
        tables = [
            self.verification(),
            *self.by_rate(),
            *self.posted(),
            *self.identified(),
            self.linking(),
            *self.adaptive(),
            self.likeness(),
        ]
        return [table for table in tables if table.rows and table.columns]

    def verification(self) -> Table:
        """PSR of each attack before each judge, with what the change costs."""
        columns = [*(f"PSR % {judge}" for judge in self.judges), "face lost, %", "PSNR, dB"]
        rows = []
        for attack in self.attacks:
            lost = self._mean(attack, counting.lost)
            rates = [self.rate(attack, judge, self._success()) for judge in self.judges]
            rows.append((attack, (*rates, lost, self.quality(attack, "psnr"))))
        return Table(
            "verification",
            f"Verification at a false-accept rate of {self.far:g}",
            "; ".join(filter(None, [f"PSR: {self._aimed_note() if self.aimed else EVADED}", self._looked_into()])),
            tuple(columns),
            tuple(rows),
        )

    def by_rate(self) -> list[Table]:
        """PSR at each false-accept rate that a judge has a threshold for."""
        rates = sorted({float(rate) for cell in self.scores for rate in cell["thresholds"]}, reverse=True)
        if len(rates) < 2:
            return []
        columns = [f"{judge} at {rate:g}" for judge in self.judges for rate in rates]
        success = counting.matched_target if self.aimed else counting.evaded

        def at(rate: float, cell: Cell) -> Counts:
            limit = self.threshold(cell, rate)
            return success(cell, limit) if limit == limit else {}

        rows = [
            (attack, tuple(self.of(attack, judge, partial(at, rate)) for judge in self.judges for rate in rates))
            for attack in self.attacks
        ]
        return [Table("rates", "PSR by false-accept rate", "", tuple(columns), tuple(rows))]

    def posted(self) -> Iterable[Table]:
        """PSR after each thing that becomes of a photo, a table for each judge."""
        if len(self.postings) > 1:
            for judge in self.judges:
                rows = [
                    (attack, tuple(self.rate(attack, judge, self._success(), posting) for posting in self.postings))
                    for attack in self.attacks
                ]
                name = f"posted-{judge}"
                note = "the row clean says what becomes of the judge itself"
                yield Table(name, f"PSR after posting, before {judge}", note, tuple(self.postings), tuple(rows))

    def identified(self) -> Iterable[Table]:
        """Ranks in the gallery."""
        known = max((probe.get("known", 0) for cell in self.scores for probe in cell["probes"]), default=0)
        if not known:
            return
        kinds: list[tuple[str, Callable[[Cell], Counts]]] = [
            ("rank-1-U", lambda cell: counting.beyond(cell, 1)),
            ("rank-5-U", lambda cell: counting.beyond(cell, 5)),
        ]
        if self.aimed:
            kinds += [
                ("rank-1-T", lambda cell: counting.within(cell, 1)),
                ("rank-5-T", lambda cell: counting.within(cell, 5)),
            ]
        columns = tuple(f"{kind} {judge}" for judge in self.judges for kind, _ in kinds)
        rows = [
            (attack, tuple(self.of(attack, judge, counted) for judge in self.judges for _, counted in kinds))
            for attack in self.attacks
        ]
        note = "U: the person is not among the first, in per cent of photos; T: the target is"
        yield Table("identification", f"Identification among {known} people", note, columns, tuple(rows))

    def linking(self) -> Table:
        """How many pairs of results still match each other, and how many photos a gallery knows that learns."""
        kinds = (("linked", counting.linked), ("learned", counting.learned))
        columns = tuple(f"{kind} % {judge}" for judge in self.judges for kind, _ in kinds)
        rows = [
            (attack, tuple(self.rate(attack, judge, counted) for judge in self.judges for _, counted in kinds))
            for attack in self.attacks
        ]
        note = (
            "linked: pairs of results of one person that match each other; learned: photos known to a gallery that "
            "starts with one photo of the person and takes in what matches"
        )
        return Table("linking", f"Linking at a false-accept rate of {self.far:g}", note, columns, tuple(rows))

    def adaptive(self) -> Iterable[Table]:
        """What is left once an attacker has seen photos before and after."""
        counts = sorted({one["pairs seen"] for cell in self.adapted for one in cell["adapted"]})
        for judge in dict.fromkeys(cell["judge"] for cell in self.adapted):
            columns = tuple(f"{kind} %, {count} seen" for kind in ("PSR", "linked") for count in counts)
            rows = [
                (
                    attack,
                    (
                        *(self.after_seeing(attack, judge, count, linking=False) for count in counts),
                        *(self.after_seeing(attack, judge, count, linking=True) for count in counts),
                    ),
                )
                for attack in self.attacks
                if any(cell["attack"] == attack for cell in self.adapted)
            ]
            note = (
                f"thresholds at a rate of {self.adapted[0]['far']:g} between these results and strangers, for each map"
            )
            yield Table(f"adaptive-{judge}", f"An attacker with {judge} who adapts", note, columns, tuple(rows))

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

    def likeness(self) -> Table:
        """What the change costs, by every figure."""
        chosen = {
            name: said for name, said in QUALITY.items() if any(self.quality(attack, name) for attack in self.attacks)
        }
        spaces = list(dict.fromkeys(name for cell in self.cells for name in cell.get("distances", ())))
        rows = []
        for attack in self.attacks:
            distances = [self.distance(attack, space) for space in spaces]
            rows.append((attack, (*(self.quality(attack, name) for name in chosen), *distances)))
        changed = tuple((attack, values) for attack, values in rows if any(values))
        columns = (*(said for said, _ in chosen.values()), *(FRECHET.format(space) for space in spaces))
        digits = (*(few for _, few in chosen.values()), *[4] * len(spaces))
        return Table("quality", "The face before and after", "", columns, changed, digits)

    def _success(self) -> Callable[[Cell, float], Counts]:
        return counting.matched_target if self.aimed else counting.evaded

    def _mean(self, attack: str, counted: Callable[[Cell], Counts]) -> Figure | None:
        """Over all judges."""
        cells = [cell for cell in self.scores if (cell["attack"], cell["posting"]) == (attack, SAVED)]
        return _by_seed(cells, counted)

    def _looked_into(self) -> str:
        """Which attacks see their judges: their figures say nothing of a recogniser that they do not."""
        seen = {cell["attack"]: cell["judge"] for cell in self.scores if cell["white box"]}
        return "white box, so no measure of what strangers see: " + ", ".join(seen) if seen else ""

    def _aimed_note(self) -> str:
        people = sorted({probe["target"] for cell in self.scores for probe in cell["probes"] if "target" in probe})
        return f"comparisons with other photos of the target that match; targets: {', '.join(people)}"


def _by_seed(cells: Sequence[Cell], counted: Callable[[Cell], Counts]) -> Figure | None:
    """What is counted over all cells; several of one seed, as of judges that were left out in turn, count as one."""
    found: dict[int, dict[str, list[float]]] = {}
    for cell in cells:
        people = found.setdefault(cell["seed"], {})
        for person, values in counted(cell).items():
            people.setdefault(person, []).extend(values)
    return figure(list(found.values())) if found else None
