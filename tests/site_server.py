"""The page's server with the real models and searches of a step or two: in this process, or at a port."""

import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import bundled
import uvicorn
from photos import SAMPLE

from kohl import recipe
from kohl.ui import serve
from kohl.ui.patience import Patience
from kohl.ui.studio import Studio

PATIENCE = Patience()
DEFAULT = recipe.load("default")
QUICK = replace(DEFAULT, search=replace(DEFAULT.search, steps=2, scouts=0, tries=1))
HERE = "http://127.0.0.1:5645"
FACES = Path(__file__).parent / "faces"
PHOTO = SAMPLE.read_bytes()


def studio(folder, chosen=QUICK, **given):
    """A studio with models that are loaded once in this process."""
    folder.mkdir(exist_ok=True)
    return Studio(folder, chosen, shelf=bundled.SHELF, **given)


def sent(content=PHOTO, name="me.jpg"):
    """A photo as a client of REST sends it."""
    return {"photo": (name, content)}


@contextmanager
def running(made, *, patience=PATIENCE, guard=MappingProxyType({}), **given):
    """The server of a studio at a free port of the loopback."""
    with closing(serve.bound("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(serve.settings(replace(serve.guarded(made, **given), **guard), patience))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield SimpleNamespace(address=listening.getsockname(), url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()
