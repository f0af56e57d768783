"""The table of doors."""

from fuzz import (
    arguments,
    benches,
    downloads,
    hostile,
    kills,
    makeups,
    networks,
    pictures,
    rows,
    settings,
    weights,
    words,
)

DOORS = (
    pictures.PHOTOS,
    pictures.TAGS,
    settings.RECIPE,
    settings.SET,
    settings.CARDS,
    weights.CHECKPOINTS,
    weights.WEIGHTS,
    makeups.MAKEUPS,
    networks.ONNX,
    downloads.ARCHIVES,
    downloads.HTTP,
    arguments.NAMES,
    rows.REPORTS,
    rows.JOURNALS,
    benches.LISTED,
    benches.CELLS_SHOWN,
    words.WORDS_TYPED,
    hostile.REQUESTS,
    kills.KILLS,
)
