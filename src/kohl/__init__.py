"""kohl: makeup that protects a photo from face recognition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kohl.version import __version__ as __version__

if TYPE_CHECKING:
    from kohl.api import Protector as Protector
    from kohl.api import Result as Result
    from kohl.api import protect as protect
    from kohl.errors import BadModel as BadModel
    from kohl.errors import BadPhoto as BadPhoto
    from kohl.errors import BadSetting as BadSetting
    from kohl.errors import Cancelled as Cancelled
    from kohl.errors import KohlError as KohlError
    from kohl.errors import NoFace as NoFace
    from kohl.status import Status as Status

_WHERE = {  # loaded when they are asked for: `import kohl` is free
    **dict.fromkeys(("Protector", "Result", "protect"), "kohl.api"),
    **dict.fromkeys(("BadModel", "BadPhoto", "BadSetting", "Cancelled", "KohlError", "NoFace"), "kohl.errors"),
    "Status": "kohl.status",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'kohl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
