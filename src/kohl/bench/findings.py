"""The tables that a set of cells gives, one function each; every number in them is counted from cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from kohl.bench import counting
from kohl.bench.cells import Cell
from kohl.bench.counting import Counts, Figure
from kohl.bench.groups import FEWEST, gap
from kohl.bench.results import Results
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


def tables(results: Results) -> list[Table]:
    """All that there is something to say in."""
    tables = [
        verification(results),
        *by_rate(results),
        *posted(results),
        *identified(results),
        linking(results),
        *adaptive(results),
        *grouped(results),
        likeness(results),
    ]
    return [table for table in tables if table.rows and table.columns]


def verification(results: Results) -> Table:
    """PSR of each attack before each judge, with what the change costs."""
    columns = [*(f"PSR % {judge}" for judge in results.judges), "face lost, %", "PSNR, dB"]
    rows = []
    for attack in results.attacks:
        lost = results.mean(attack, counting.lost)
        rates = [results.rate(attack, judge, results.success()) for judge in results.judges]
        rows.append((attack, (*rates, lost, results.quality(attack, "psnr"))))
    return Table(
        "verification",
        f"Verification at a false-accept rate of {results.far:g}",
        "; ".join(filter(None, [f"PSR: {_aimed_note(results) if results.aimed else EVADED}", _looked_into(results)])),
        tuple(columns),
        tuple(rows),
    )


def by_rate(results: Results) -> list[Table]:
    """PSR at each false-accept rate that a judge has a threshold for."""
    rates = sorted({float(rate) for cell in results.scores for rate in cell["thresholds"]}, reverse=True)
    if len(rates) < 2:
        return []
    columns = [f"{judge} at {rate:g}" for judge in results.judges for rate in rates]
    success = counting.matched_target if results.aimed else counting.evaded

    def at(rate: float, cell: Cell) -> Counts:
        limit = results.threshold(cell, rate)
        return success(cell, limit) if limit == limit else {}

    rows = [
        (attack, tuple(results.of(attack, judge, partial(at, rate)) for judge in results.judges for rate in rates))
        for attack in results.attacks
    ]
    return [Table("rates", "PSR by false-accept rate", "", tuple(columns), tuple(rows))]


def posted(results: Results) -> Iterable[Table]:
    """PSR after each thing that becomes of a photo, a table for each judge."""
    if len(results.postings) > 1:
        for judge in results.judges:
            rows = [
                (attack, tuple(results.rate(attack, judge, results.success(), posting) for posting in results.postings))
                for attack in results.attacks
            ]
            name = f"posted-{judge}"
            note = "the row clean says what becomes of the judge itself"
            yield Table(name, f"PSR after posting, before {judge}", note, tuple(results.postings), tuple(rows))


def identified(results: Results) -> Iterable[Table]:
    """Ranks in the gallery."""
    known = max((probe.get("known", 0) for cell in results.scores for probe in cell["probes"]), default=0)
    if not known:
        return
    kinds: list[tuple[str, Callable[[Cell], Counts]]] = [
        ("rank-1-U", lambda cell: counting.beyond(cell, 1)),
        ("rank-5-U", lambda cell: counting.beyond(cell, 5)),
    ]
    if results.aimed:
        kinds += [
            ("rank-1-T", lambda cell: counting.within(cell, 1)),
            ("rank-5-T", lambda cell: counting.within(cell, 5)),
        ]
    columns = tuple(f"{kind} {judge}" for judge in results.judges for kind, _ in kinds)
    rows = [
        (attack, tuple(results.of(attack, judge, counted) for judge in results.judges for _, counted in kinds))
        for attack in results.attacks
    ]
    note = "U: the person is not among the first, in per cent of photos; T: the target is"
    yield Table("identification", f"Identification among {known} people", note, columns, tuple(rows))


def linking(results: Results) -> Table:
    """How many pairs of results still match each other, and how many photos a gallery knows that learns."""
    kinds = (("linked", counting.linked), ("learned", counting.learned))
    columns = tuple(f"{kind} % {judge}" for judge in results.judges for kind, _ in kinds)
    rows = [
        (attack, tuple(results.rate(attack, judge, counted) for judge in results.judges for _, counted in kinds))
        for attack in results.attacks
    ]
    note = (
        "linked: pairs of results of one person that match each other; learned: photos known to a gallery that "
        "starts with one photo of the person and takes in what matches"
    )
    return Table("linking", f"Linking at a false-accept rate of {results.far:g}", note, columns, tuple(rows))


def grouped(results: Results) -> Iterable[Table]:
    """PSR by group of people, a table for each judge and kind of group, with the largest gap."""
    kinds = dict.fromkeys(kind for groups in results.labelled for kind in groups)
    for judge in results.judges:
        for kind in kinds:
            names = sorted({groups[kind] for groups in results.labelled if kind in groups})
            rows = [
                (attack, tuple(results.rate(attack, judge, partial(results.of_group, kind, name)) for name in names))
                for attack in results.attacks
            ]
            with_gap = [(attack, (*found, _gap(names, found))) for attack, found in rows if any(found)]
            note = f"the gap is between the best and the worst group of {FEWEST} people or more"
            title = f"PSR by {kind}, before {judge}"
            yield Table(f"groups-{kind}-{judge}", title, note, (*names, "gap"), tuple(with_gap))


def adaptive(results: Results) -> Iterable[Table]:
    """What is left once an attacker has seen photos before and after."""
    counts = sorted({one["pairs seen"] for cell in results.adapted for one in cell["adapted"]})
    for judge in dict.fromkeys(cell["judge"] for cell in results.adapted):
        columns = tuple(f"{kind} %, {count} seen" for kind in ("PSR", "linked") for count in counts)
        rows = [
            (
                attack,
                (
                    *(results.after_seeing(attack, judge, count, linking=False) for count in counts),
                    *(results.after_seeing(attack, judge, count, linking=True) for count in counts),
                ),
            )
            for attack in results.attacks
            if any(cell["attack"] == attack for cell in results.adapted)
        ]
        note = (
            f"thresholds at a rate of {results.adapted[0]['far']:g} between these results and strangers, for each map"
        )
        yield Table(f"adaptive-{judge}", f"An attacker with {judge} who adapts", note, columns, tuple(rows))


def likeness(results: Results) -> Table:
    """What the change costs, by every figure."""
    chosen = {
        name: said for name, said in QUALITY.items() if any(results.quality(attack, name) for attack in results.attacks)
    }
    spaces = list(dict.fromkeys(name for cell in results.cells for name in cell.get("distances", ())))
    rows = []
    for attack in results.attacks:
        distances = [results.distance(attack, space) for space in spaces]
        rows.append((attack, (*(results.quality(attack, name) for name in chosen), *distances)))
    changed = tuple((attack, values) for attack, values in rows if any(values))
    columns = (*(said for said, _ in chosen.values()), *(FRECHET.format(space) for space in spaces))
    digits = (*(few for _, few in chosen.values()), *[4] * len(spaces))
    return Table("quality", "The face before and after", "", columns, changed, digits)


def _looked_into(results: Results) -> str:
    """Which attacks see their judges: their figures say nothing of a recogniser that they do not."""
    seen = {cell["attack"]: cell["judge"] for cell in results.scores if cell["white box"]}
    return "white box, so no measure of what strangers see: " + ", ".join(seen) if seen else ""


def _aimed_note(results: Results) -> str:
    people = sorted({probe["target"] for cell in results.scores for probe in cell["probes"] if "target" in probe})
    return f"comparisons with other photos of the target that match; targets: {', '.join(people)}"


def _gap(names: Sequence[str], found: Sequence[Figure | None]) -> str:
    """The largest difference between groups that are large enough, and which they are."""
    size, worst, best = gap(
        {name: (one.value, one.people) for name, one in zip(names, found, strict=True) if one is not None and one.count}
    )
    return f"{size:.1f}, {worst} to {best}" if size == size else "–"
