"""What kohl refuses, by kind; loads nothing."""

from __future__ import annotations


class KohlError(Exception):
    """Anything kohl refuses: one sentence that says what was wrong, where, and what to do."""


class NoFace(KohlError):
    """The photo has no face that could be protected."""


class BadPhoto(KohlError):
    """The file is no photo that kohl can read, or a result that cannot be written."""


class BadSetting(KohlError):
    """A recipe, an override or an argument names something that does not exist or is out of range."""


class BadModel(KohlError):
    """A model's file is missing, has the wrong hash, or is not what its card says."""
