"""Cells of a benchmark whose figures can be worked out by hand: two people, one judge."""


def quality(attack, psnr, seed=0, **more):
    probes = [
        {"person": name, "photo": f"{name}.jpg", "figures": {"psnr": psnr + shift}, "reason": ""}
        for name, shift in (("a", -1.0), ("b", 1.0))
    ]
    return cell("quality", attack, seed, probes=probes, distances={}, **more)


def scores(attack, *similarities, seed=0, judge="strict", **more):
    """A cell of two people whose results have these similarities to their other photos."""
    half = len(similarities) // 2
    probes = [
        {"person": name, "photo": f"{name}.jpg", "genuine": list(part), "rank": 1, "known": 9}
        for name, part in (("a", similarities[:half]), ("b", similarities[half:]))
    ]
    about = {"judge": judge, "thresholds": {"0.01": 0.5}, "posting": "saved", "white box": False, "calibration": "card"}
    return cell("scores", attack, seed, probes=probes, pairs=[[0, 1, 0.9]], **{**about, **more})


def cell(kind, attack, seed, **more):
    settings = {"attack": "latent" if "default" in attack else "pgd", "search": {"distance": "thresholds"}}
    about = {
        "key": f"{kind}{attack}{seed}",
        "kind": kind,
        "attack": attack,
        "way": "clean" if attack == "clean" else "attack",
        "source": "somewhere",
        "surrogates": ["sface"],
        "settings": settings,
        "goal": "dodge",
        "seed": seed,
        "data": {"name": "set", "content": "ab", "photos": 2, "people": 2},
        "date": "2026-01-02T03:04:05",
        "commit": "abc",
        "hardware": "2 × CPU",
    }
    return {**about, **more}


CELLS = [
    scores("clean", 0.9, 0.9, 0.9, 0.9),
    quality("default", 34.0),
    scores("default", 0.1, 0.2, 0.3, 0.6),
    quality("pgd@0.2", 38.0),
    scores("pgd@0.2", 0.9, 0.9, 0.9, 0.4),
    quality("pgd@0.8", 30.0),
    scores("pgd@0.8", 0.9, 0.4, 0.9, 0.4),
]
