"""REST about jobs: a photo to protect, how far it is, and its result."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, File, Form, Header, Request, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from kohl.align.encode import SUFFIXES
from kohl.makeup.words import reader
from kohl.ui import said
from kohl.ui.photo_routes import JPEG, wait
from kohl.ui.refusals import Refused
from kohl.ui.studio import Asked, Studio
from kohl.ui.tray import Kept

HEARTBEAT_S = 10.0  # an event at least so often, so that it is noticed when nobody listens any more


class Bundle(BaseModel):
    """Which results are wanted in one file."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[str] = Field(min_length=1, max_length=400)


def add(app: FastAPI, studio: Studio) -> None:
    """Adds them to the application."""

    @app.post(
        "/v1/protect",
        summary="Protect a photo",
        description="The protected photo, with `kohl-status` and `kohl-summary` in the headers; with `Accept: "
        "application/json` the whole row, and the photo in base64; with `Prefer: respond-async` a job, at once.",
        responses={200: {"content": {"image/*": {}}}, 202: {"description": "A job"}},
        response_class=Response,
    )
    async def protect(
        request: Request,
        photo: Annotated[UploadFile, File()],
        text: Annotated[str, Form(max_length=2000)] = "",
        style: Annotated[str, Form(max_length=100)] = "",
        strength: Annotated[float | None, Form(ge=0, le=1)] = None,
        faces: Annotated[str, Form(pattern=r"^([0-9]{1,6}(,[0-9]{1,6})*)?$", max_length=1000)] = "",
        seed: Annotated[int, Form(ge=0, le=2**63 - 1)] = 0,
        prefer: Annotated[str, Header()] = "",
        accept: Annotated[str, Header()] = "",
    ) -> Response:
        chosen = tuple(sorted({int(number) for number in faces.split(",")})) if faces else None
        asked = Asked(reader.style(style) if style else text, strength, chosen, seed)
        reader.read(asked.text, free=studio.free)  # found out now, not after the wait
        kept = studio.protect(await studio.bring(photo), asked)
        if "respond-async" in prefer:
            where = {"location": f"/v1/jobs/{kept.id}"}
            return JSONResponse(said.job(kept, studio.desk), HTTPStatus.ACCEPTED, where)
        try:
            assert kept.work is not None
            await wait(studio, request, kept.work)
            return await studio.light(partial(_answer, kept, as_json="application/json" in accept))
        finally:
            studio.drop(kept)

    @app.get("/v1/jobs/{number}", summary="How far a job is; once it is done, its row")
    async def job(number: str) -> dict[str, Any]:
        return said.job(_job(studio, number), studio.desk)

    @app.delete("/v1/jobs/{number}", status_code=HTTPStatus.NO_CONTENT, summary="Call a job off, and forget its photo")
    async def forget(number: str) -> None:
        studio.drop(_job(studio, number))

    @app.get("/v1/jobs/{number}/events", summary="The same as server-sent events", response_class=StreamingResponse)
    async def events(number: str) -> StreamingResponse:
        return StreamingResponse(_events(studio, _job(studio, number)), media_type="text/event-stream")

    @app.get("/v1/jobs/{number}/photo", summary="The protected photo", response_class=FileResponse)
    async def photo(number: str) -> FileResponse:
        kept = _job(studio, number)
        path = kept.result.path
        return FileResponse(path, media_type=_media(path.suffix), headers=_named(kept.result_name))

    @app.get("/v1/jobs/{number}/faces/{index}", summary="One face of the protected photo")
    async def face(number: str, index: int) -> Response:
        faces = _job(studio, number).result.faces
        if not 0 <= index < len(faces):
            raise Refused(HTTPStatus.NOT_FOUND, f"there is no face {index}")
        return Response(faces[index], media_type=JPEG)

    @app.post("/v1/download", summary="Several results in one zip", response_class=FileResponse)
    async def download(bundle: Bundle) -> FileResponse:
        results = [_job(studio, number) for number in dict.fromkeys(bundle.jobs)]
        place = studio.tray.place("kohl.zip")
        try:
            await studio.light(_zip, place, results)
        except BaseException:
            studio.drop(place)
            raise
        gone = BackgroundTask(studio.drop, place)
        return FileResponse(place.path, media_type="application/zip", headers=_named("kohl.zip"), background=gone)


async def _events(studio: Studio, kept: Kept) -> AsyncIterator[str]:
    """How far the job is, whenever that has changed."""
    assert kept.work is not None
    while True:
        yield f"data: {json.dumps(said.job(kept, studio.desk))}\n\n"
        if kept.work.over:
            return
        await kept.work.change(HEARTBEAT_S)


def _job(studio: Studio, number: str) -> Kept:
    kept = studio.tray.find(number)
    if kept.work is None:
        raise Refused(HTTPStatus.NOT_FOUND, "there is no such job, or it is gone by now")
    return kept


def _answer(kept: Kept, *, as_json: bool) -> Response:
    """The result of a request that waited for it."""
    result, content = kept.result, kept.result.path.read_bytes()
    found, media = said.row(result.row, kept), _media(result.path.suffix)
    if as_json:
        photo = {"name": kept.result_name, "type": media, "base64": base64.b64encode(content).decode()}
        return JSONResponse({**found, "photo": photo})
    row = result.row
    faces = [{"status": face.status, "chance": face.chance} for face in row.faces[:20]]
    summary = json.dumps({"status": row.status, "reason": row.reason, "faces": faces})
    headers = {"kohl-status": row.status, "kohl-summary": summary[:6000], **_named(kept.result_name)}
    return Response(content, media_type=media, headers=headers)


def _zip(place: Kept, results: list[Kept]) -> None:
    """Writes the results to one file, each under a name of its own."""
    names: dict[str, int] = {}
    with zipfile.ZipFile(place.path, "x", zipfile.ZIP_STORED) as file:
        for kept in results:
            name, path = kept.result_name, kept.result.path
            names[name] = names.get(name, 0) + 1
            stem = name.removesuffix(path.suffix)
            file.write(path, name if names[name] == 1 else f"{stem}_{names[name]}{path.suffix}")


def _media(suffix: str) -> str:
    return f"image/{SUFFIXES[suffix].lower()}"


def _named(name: str) -> dict[str, str]:
    """What the file shall be called where it is saved."""
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
