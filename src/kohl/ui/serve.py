"""`kohl serve`: where it listens, who may ask, and how it ends with nothing left."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from types import FrameType
from typing import cast

import uvicorn

from kohl import private
from kohl.errors import BadSetting
from kohl.pull import tell
from kohl.recipe import Recipe
from kohl.ui.app import application
from kohl.ui.guard import Guard, is_loopback
from kohl.ui.patience import Patience
from kohl.ui.studio import Studio

PORT = 5645  # "kohl" on the keys of a telephone
KEY = "KOHL_API_KEY"  # the environment variable that holds it
SHORTEST_KEY = 16  # characters
CONNECTIONS = 200  # at once
GRACE_S = 2  # for answers that are under way when it ends
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  asked for by name, and with a key only


def serve(recipe: Recipe, *, host: str, port: int | None, browser: bool, key: str | None) -> None:
    """Answers until it is interrupted; raises `BadSetting` where it cannot, or must not, listen."""
    check(host, key)
    with private.folder() as folder, closing(bound(host, port)) as listening:
        server = uvicorn.Server(settings(guarded(Studio(folder, recipe), host, key)))
        address = url(host, listening.getsockname()[1], key)
        tell(f"{address} is open until you press Ctrl-C; photos stay on this machine, and nothing is kept after that")
        if browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with suppress(KeyboardInterrupt), _told_to_end(server):
            server.run([listening])
    tell("ended; no photo is kept")


def check(host: str, key: str | None) -> None:
    """Raises `BadSetting` for a server that strangers could use."""
    if key is not None and len(key) < SHORTEST_KEY:
        raise BadSetting(f"{KEY}: must have at least {SHORTEST_KEY} characters; make one with `openssl rand -hex 32`")
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadSetting(f"{KEY}: must be printable ASCII without spaces; make one with `openssl rand -hex 32`")
    if key is None and not is_loopback(host):
        raise BadSetting(
            f"--host {host}: other machines could reach it, and so it wants a key; set the environment variable {KEY}, "
            "for example to what `openssl rand -hex 32` prints"
        )


def guarded(studio: Studio, host: str = "127.0.0.1", key: str | None = None) -> Guard:
    """The whole application."""
    everywhere = host in EVERYWHERE
    names: Sequence[str] = [socket.gethostname().lower()] if everywhere else [host.lower()]
    return Guard(application(studio), names, key, anywhere=everywhere)


def settings(app: Guard, patience: Patience = Patience()) -> uvicorn.Config:  # noqa: B008  it is frozen
    """How uvicorn serves it: one process, no log, no word about itself, no header that a proxy might have forged."""
    return uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], patience),  # it is only called
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=2**16,
    )


def bound(host: str, port: int | None) -> socket.socket:
    """A socket that listens there: at `PORT`, or any that is free, where none was asked for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port,) if port is not None else (PORT, 0):
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if not host:  # everywhere, to a socket
                raise ValueError
            made.bind((host, wanted))
            made.listen(128)
            return made
        except OSError as error:
            made.close()
            reason = error.strerror or str(error)
        except (OverflowError, ValueError, TypeError):  # what names no address, each in its own way
            made.close()
            reason = "there is no such address"
    raise BadSetting(f"{host}, port {PORT if port is None else port}: cannot be used ({reason}); name another one")


def url(host: str, port: int, key: str | None = None) -> str:
    """What to open; the key is behind a #, which browsers send to nobody."""
    name = "127.0.0.1" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/{'' if key is None else f'#key={key}'}"


class _told_to_end:  # noqa: N801  a context manager
    """Inside, SIGTERM and a closed terminal end the server as Ctrl-C does, so that its folder goes."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.server, self.before = server, dict[int, Callable[[int, FrameType | None], object] | int | None]()

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            self.before.setdefault(number, signal.signal(number, self.end))

    def __exit__(self, *error: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """uvicorn sends a signal that it was ended by once more, after its end."""
        self.server.should_exit = True


def _has_screen() -> bool:
    """Whether a browser can be shown; without a screen, some system opens one in the terminal."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
