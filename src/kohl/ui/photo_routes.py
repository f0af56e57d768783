"""REST about photos that were brought: what is in them, how a face would look, and protecting them."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, File, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from kohl.ui import pictures, said
from kohl.ui.desk import Work
from kohl.ui.refusals import Refused
from kohl.ui.studio import Asked, Studio

JPEG = "image/jpeg"


class Wanted(BaseModel):
    """How a photo that is here is to be protected."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=2000, description="The look, in words; none is without visible makeup.")
    strength: float | None = Field(None, ge=0, le=1, description="From 0, hardly visible, to 1; as the recipe if null.")
    faces: list[Annotated[int, Field(ge=0, le=999_999)]] | None = Field(
        None, max_length=1000, description="The numbers of the faces; all of them if null."
    )
    seed: int = Field(0, ge=0, le=2**63 - 1, description="The same seed gives the same result.")


def add(app: FastAPI, studio: Studio) -> None:
    """Adds them to the application."""

    @app.post("/v1/photos", status_code=HTTPStatus.CREATED, summary="Bring a photo, and learn which faces are in it")
    async def bring(photo: Annotated[UploadFile, File()]) -> dict[str, Any]:
        kept = await studio.bring(photo)
        seen = await studio.see(kept)
        found = [
            {"box": [round(value) for value in face.box], "reason": face.reason, "shown": index < len(seen.tiles)}
            for index, face in enumerate(seen.found)
        ]
        return {"id": kept.id, "name": kept.name, "width": seen.size[1], "height": seen.size[0], "faces": found}

    @app.delete("/v1/photos/{number}", status_code=HTTPStatus.NO_CONTENT, summary="Take a photo away")
    async def take_away(number: str) -> None:
        studio.drop(studio.tray.find(number))

    @app.get("/v1/photos/{number}/picture", summary="The whole photo, as a JPEG of at most 1600 pixels a side")
    async def picture(number: str) -> Response:
        return Response((await studio.see(studio.tray.find(number))).whole, media_type=JPEG)

    @app.get("/v1/photos/{number}/faces/{index}", summary="One face, upright, as it is or in a look")
    async def face(number: str, index: int, side: int = pictures.SIDES[-1], text: str = "") -> Response:
        return Response(await studio.face(studio.tray.find(number), index, side, text), media_type=JPEG)

    @app.get("/v1/photos/{number}/faces/{index}/preview", summary="About how it will look, at any strength")
    async def preview(
        request: Request, number: str, index: int, strength: Annotated[float, Query(ge=0, le=1)] = 0.5, text: str = ""
    ) -> Response:
        shown, chance = await studio.preview(
            studio.tray.find(number), index, text, strength, partial(wait, studio, request)
        )
        headers = {"kohl-chance": f"{chance:.4f}", "kohl-says": said.chance(chance)}
        return Response(shown, media_type=JPEG, headers=headers)

    @app.post("/v1/photos/{number}/protect", status_code=HTTPStatus.ACCEPTED, summary="Protect a photo that is here")
    async def protect(number: str, wanted: Wanted) -> dict[str, Any]:
        asked = Asked(wanted.text, wanted.strength, tuple(wanted.faces) if wanted.faces else None, wanted.seed)
        return said.job(studio.protect_again(studio.tray.find(number), asked), studio.desk)


async def wait(studio: Studio, request: Request, work: Work) -> None:
    """Returns once the work is over; it is called off when whoever asked has left."""
    while not work.over:
        await work.change(1.0)
        if await request.is_disconnected():
            studio.leave(work)
            raise Refused(HTTPStatus.CONFLICT, "nobody waits for this any more")
    if work.refused:
        raise work.refused
