"""The table of doors."""

from fuzz import pictures

DOORS = (pictures.PHOTOS, pictures.TAGS)
