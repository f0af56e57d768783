"""The application: the page, what there is to know, and every error as one sentence."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import h11
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from kohl.errors import KohlError
from kohl.makeup.words import reader, tables
from kohl.shown import shown
from kohl.ui import job_routes, photo_routes, said
from kohl.ui.refusals import Refused, body, refusal
from kohl.ui.studio import Studio
from kohl.version import __version__

PAGE = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    **dict.fromkeys(
        ("page.js", "server.js", "stage.js", "looks.js", "preview.js", "verdict.js"), "text/javascript; charset=utf-8"
    ),
}
PHRASES = {404: "there is nothing here", 405: "this cannot be done here"}
SWEEP_S = 30.0
DESCRIPTION = """\
Protects photos of faces against face recognition. Whatever is refused is `{"error": "one sentence"}`. Photos and
results are kept in memory and in a private folder, and gone when they are deleted, after half an hour without a request
for them, or when the server ends."""


class Refusal(BaseModel):
    """What is answered with any code from 400 on."""

    error: str


def application(studio: Studio) -> FastAPI:
    """What answers requests, without its guard."""

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(_beside)
        studio.open()
        sweeping = asyncio.get_running_loop().create_task(_sweep(studio))
        yield
        sweeping.cancel()
        await studio.close()

    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # what is wrong with a request is its sender's
    app = FastAPI(
        title="kohl",
        version=__version__,
        description=DESCRIPTION,
        responses={code: {"model": Refusal, "description": "Refused"} for code in ("4XX", "5XX", 422)},
        openapi_url="/v1/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        lifespan=living,
        # It comes with OpenTelemetry: nothing is told to anybody, whatever the environment says.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    for kind in (Refused, KohlError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, _refused)
    _page(app)
    _reading(app, studio)
    photo_routes.add(app, studio)
    job_routes.add(app, studio)
    return app


def _page(app: FastAPI) -> None:
    folder = files("kohl.ui") / "page"
    content = {name: (folder / name).read_bytes() for name in PAGE}

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response(content["index.html"], media_type=PAGE["index.html"])

    @app.get("/page/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        if name not in content:
            raise Refused(HTTPStatus.NOT_FOUND, "there is nothing here")
        return Response(content[name], media_type=PAGE[name])


def _reading(app: FastAPI, studio: Studio) -> None:
    @app.get("/v1/health", summary="Whether the models are loaded, and how many photos wait")
    async def health() -> dict[str, Any]:
        return {"version": __version__, "ready": studio.ready, "waiting": studio.desk.waiting}

    @app.get("/v1/looks", summary="The styles, each with the words it stands for")
    async def looks() -> list[dict[str, str]]:
        return [{"name": reader.dashed(name), "words": style.look} for name, style in tables.styles().items()]

    @app.get("/v1/words", summary="What words are taken for")
    async def words(text: str) -> Any:
        return said.look(await studio.light(reader.read, text))


async def _sweep(studio: Studio) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        for kept in studio.tray.old():
            studio.drop(kept)


def _beside(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A fault that is no request's; where a client broke HTTP while it was answered, uvicorn has one, and goes on."""
    error = context.get("exception")
    if not isinstance(error, h11.ProtocolError | ConnectionError):
        said = f"{type(error).__name__}: {error}" if error else str(context.get("message"))
        print(f"kohl: {shown(said)}", file=sys.stderr, flush=True)


async def _refused(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Any error as one sentence."""
    refused = refusal(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
        if first["type"] == "json_invalid":
            refused = Refused(HTTPStatus.BAD_REQUEST, "the request: must be JSON")
        else:
            text = first["msg"][:1].lower() + first["msg"][1:]
            refused = Refused(HTTPStatus.BAD_REQUEST, f"{where or 'the request'}: {text}")
    elif isinstance(error, HTTPException):
        said = PHRASES.get(error.status_code, "this request is not understood")
        refused = Refused(error.status_code, said)
    return Response(body(refused), refused.code, media_type="application/json")
