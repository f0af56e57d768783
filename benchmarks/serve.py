"""The figures of the page: how soon it is there, follows the slider, and answers, whatever others do to it.

    python benchmarks/serve.py [PHOTO] [--hostile N] [--only NAME …]

It starts `kohl serve` as a process of its own, with the default recipe. What a person waits for is measured in a real
browser and needs the group `browser` and Debian's chromium; the rest is asked by sockets.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
MARK = "kohl-benchmark"
ASKED = f"host: 127.0.0.1\r\ncontent-type: multipart/form-data; boundary={MARK}\r\n"


@dataclass(frozen=True)
class Server:
    """A running one."""

    url: str
    address: tuple[str, int]
    process: subprocess.Popen[str]
    temporary: Path

    def health(self) -> float:
        """Seconds until it says that it is well."""
        started = time.perf_counter()
        with urllib.request.urlopen(f"{self.url}v1/health", timeout=30) as answer:
            answer.read()
        return time.perf_counter() - started


@contextmanager
def serving() -> Iterator[Server]:
    """`kohl serve`, until the block ends."""
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "TMPDIR": temporary, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
        command = [sys.executable, "-P", "-m", "kohl", "serve", "--no-browser", "--port", "0"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr
        url = process.stderr.readline().split()[0]
        host, port = re.search(r"//([^:]+):(\d+)", url).groups()  # type: ignore[union-attr]
        try:
            yield Server(url, (host, int(port)), process, Path(temporary))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            said = process.stderr.read()
            print(f"| tracebacks on the server's terminal | {said.count('Traceback')} |")


def body(photo: bytes, **fields: str) -> bytes:
    """A form with a photo."""
    parts = [
        f'--{MARK}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{MARK}\r\ncontent-disposition: form-data; name="photo"; filename="me.jpg"\r\n\r\n'
    return "".join(parts).encode() + head.encode() + photo + f"\r\n--{MARK}--\r\n".encode()


def asked(server: Server, path: str, content: bytes, *more: str, length: int | None = None) -> tuple[int, bytes, float]:
    """The code, the body, and the seconds until it was there."""
    head = "\r\n".join(
        [f"POST {path} HTTP/1.1", f"content-length: {length or len(content)}", "connection: close", *more]
    )
    started, parts = time.perf_counter(), []
    with socket.create_connection(server.address, timeout=600) as connection:
        with suppress(OSError):  # refused before all of it was sent
            connection.sendall(f"{head}\r\n{ASKED}\r\n".encode() + content)
        with suppress(OSError):
            while part := connection.recv(2**16):
                parts.append(part)
    answer = b"".join(parts)
    return int(answer[9:12] or 0), answer.partition(b"\r\n\r\n")[2], time.perf_counter() - started


def ready(server: Server) -> None:
    """Waits until the models are loaded."""
    while not json.load(urllib.request.urlopen(f"{server.url}v1/health"))["ready"]:
        time.sleep(0.1)


def in_browser(server: Server, photo: Path) -> list[tuple[str, str]]:
    """First paint, the first preview, and the slider."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        paints = []
        for _ in range(5):
            page = browser.new_context().new_page()
            page.goto(server.url)
            page.locator("#headline").wait_for()
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
        rows.append(("first paint, of 5 the slowest", f"{max(paints):.2f} s"))
        started = time.perf_counter()
        page.set_input_files("#choose", photo)
        page.locator("#tiles label:nth-child(3) img:not(.old)").wait_for()
        rows.append(
            ("a photo chosen, until its face and the first looks are drawn", f"{time.perf_counter() - started:.2f} s")
        )
        page.locator("#compare:not(.busy) #after-tag", has_text="preview").wait_for(timeout=120_000)
        rows.append(("until the first preview, one short search", f"{time.perf_counter() - started:.2f} s"))
        moved = []
        for value in (5, 95, 20, 80, 35, 65, 50, 0, 100, 45):
            before, started = page.get_attribute("#after", "src"), time.perf_counter()
            page.fill("#strength", str(value))
            page.locator(f"#after:not([src='{before}'])").wait_for()
            moved.append(time.perf_counter() - started)
        rows.append(("slider to new preview, of 10 median and slowest", f"{median(moved):.2f} s, {max(moved):.2f} s"))
        started = time.perf_counter()
        page.locator("#tiles label", has_text="classic").click()
        page.locator("#after-tag", has_text="the look").wait_for()
        rows.append(("another look, until it is drawn", f"{time.perf_counter() - started:.2f} s"))
        page.locator("#compare:not(.busy) #after-tag", has_text="preview").wait_for(timeout=120_000)
        rows.append(("until its preview", f"{time.perf_counter() - started:.2f} s"))
        started = time.perf_counter()
        page.click("#protect")
        page.locator("#download").wait_for(timeout=300_000)
        rows.append(("protected and judged", f"{time.perf_counter() - started:.2f} s"))
        browser.close()
    return rows


def queued(server: Server, photo: bytes) -> list[tuple[str, str]]:
    """Twenty uploads, one after the other, and what becomes of them."""
    numbers, times = [], []
    for _ in range(20):
        code, answer, seconds = asked(server, "/v1/protect", body(photo), "prefer: respond-async")
        assert code == 202, answer
        numbers.append(json.loads(answer)["id"])
        times.append(seconds)
    waits = [server.health() for _ in range(10)]
    started = time.perf_counter()
    states = dict.fromkeys(numbers, "")
    while not all(state in ("done", "failed") for state in states.values()):
        time.sleep(0.5)
        for number in numbers:
            states[number] = json.load(urllib.request.urlopen(f"{server.url}v1/jobs/{number}"))["state"]
    done = sum(state == "done" for state in states.values())
    for number in numbers:
        urllib.request.urlopen(urllib.request.Request(f"{server.url}v1/jobs/{number}", method="DELETE"))
    return [
        ("20 uploads queued, the slowest answer", f"{max(times):.2f} s"),
        ("another request while they wait, of 10 the slowest", f"{max(waits):.2f} s"),
        ("of the 20, done", f"{done}, after {time.perf_counter() - started:.0f} s"),
    ]


def slow_client(server: Server, photo: bytes) -> list[tuple[str, str]]:
    """Fifty uploads that trickle, and what others wait meanwhile."""
    content = body(photo)
    with ExitStack() as stack:
        slow = []
        for _ in range(50):
            one = stack.enter_context(socket.create_connection(server.address))
            one.sendall(f"POST /v1/protect HTTP/1.1\r\ncontent-length: {len(content)}\r\n{ASKED}\r\n".encode())
            slow.append(one)
        waits = []
        for index in range(10):
            for one in slow:
                one.sendall(content[index : index + 1])
            waits.append(server.health())
        code, _, seconds = asked(server, "/v1/photos", content)
    assert code == 201
    return [
        ("50 slow clients: others' requests, of 10 the slowest", f"{max(waits):.2f} s"),
        ("50 slow clients: another's photo is brought and looked at", f"{seconds:.2f} s"),
    ]


def bomb(server: Server, photo: bytes) -> list[tuple[str, str]]:  # noqa: ARG001
    """A hundred megapixels in a small file."""
    side = 10_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = zlib.compressobj(9)
    pixels = b"".join([line.compress(bytes(1 + 3 * side)) for _ in range(side)]) + line.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    png = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    rows = []
    for path in ("/v1/protect", "/v1/photos"):
        code, answer, seconds = asked(server, path, body(png))
        assert code == 422, answer
        rows.append((f"100 megapixels in {len(png) / 1e3:.0f} kB, refused by {path}", f"{seconds:.2f} s"))
    code, _, seconds = asked(server, "/v1/protect", b"x" * 100, length=3_000_000_000)
    rows.append((f"a body that says it has 3 GB: {code}", f"{seconds:.2f} s"))
    return rows


def hostile(server: Server, count: int) -> list[tuple[str, str]]:
    """The requests of `tests/fuzz/hostile.py`, against this process."""
    sys.path.insert(0, str(ROOT / "tests"))
    from fuzz import hostile as door

    codes: dict[int, int] = {}
    faults, hangs, slowest = 0, 0, 0.0
    for index in range(count):
        given = door.make(Random(f"benchmark/{index}"))
        raw = given["raw"] if given["cut"] is None else given["raw"][: given["cut"]]
        answer = door._answer(server.address, raw, slow=given["slow"], whole=given["cut"] is None, patience_s=1.0)
        code = int(answer[9:12]) if answer[9:12].isdigit() else 0
        codes[code] = codes.get(code, 0) + 1
        faults += b"Traceback" in answer or (code >= 500 and code != 503)
        seconds = server.health()
        hangs, slowest = hangs + (seconds > 5), max(slowest, seconds)
    said = ", ".join(f"{code or 'cut off or no answer'}: {number}" for code, number in sorted(codes.items()))
    return [
        ("hostile requests", f"{count} ({said})"),
        ("tracebacks and answers of 500", str(faults)),
        ("another request in between took more than 5 s", f"{hangs}; the slowest {slowest:.2f} s"),
    ]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=ROOT / "docs" / "photos" / "astronaut.jpg")
    parser.add_argument("--hostile", type=int, default=2000, metavar="N")
    names = ("browser", "queue", "slow", "bomb", "hostile")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    arguments = parser.parse_args()
    photo = io.BytesIO()
    with Image.open(arguments.photo) as image:
        image.convert("RGB").save(photo, "JPEG", quality=95)
    content = photo.getvalue()
    parts: dict[str, Callable[[Server], list[tuple[str, str]]]] = {
        "browser": lambda server: in_browser(server, arguments.photo),
        "queue": lambda server: queued(server, content),
        "slow": lambda server: slow_client(server, content),
        "bomb": lambda server: bomb(server, content),
        "hostile": lambda server: hostile(server, arguments.hostile),
    }
    with serving() as server:
        ready(server)
        print("| figure | measured |\n|---|---|")
        for name in arguments.only:
            for figure, measured in parts[name](server):
                print(f"| {figure} | {measured} |", flush=True)
        folder = server.temporary
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
        print(f"| files left when it has ended | {len([*folder.rglob('*')])} |")


if __name__ == "__main__":
    main()
