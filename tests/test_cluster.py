"""Albums on real Ray clusters, with toys for models: workers, machines and runs that die, and who may listen."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import crew
import pytest
import tiny
from fuzz.door import check_unchanged, tree

import kohl
from kohl import private
from kohl.cli import main
from kohl.parts import Parts

pytestmark = pytest.mark.slow
TOYS = Parts(load=crew.load)  # in this process, nobody dies
NAMES = [f"{folder}/{number}.png" for folder in ("a", "b") for number in range(4)]


@pytest.fixture
def place(tmp_path):
    """Eight photos in two folders, and one over which its first worker dies."""
    for index, name in enumerate((*NAMES, "once.png")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        tiny.picture(tmp_path / "in" / name, seed=index)
    (tmp_path / "marks").mkdir()
    return tmp_path


def started(place, *arguments):
    return crew.started(place, *arguments, **{crew.MARKS: str(place / "marks")})


def ended(process):
    """Exit code, and what was said on stderr."""
    _, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    assert [line for line in err.splitlines() if not line.startswith("kohl: ")] == []
    return process.returncode, err


def done(place, folder="out"):
    """Each result, and how often the journal says that it was made."""
    lines = [json.loads(line) for line in (place / f"{folder}.journal.jsonl").read_text().splitlines()]
    made = Counter(line["output"].removeprefix(f"{folder}/") for line in lines if line["sha256"])
    there = {path.relative_to(place / folder).as_posix() for path in (place / folder).rglob("*") if path.is_file()}
    assert there == {*made}
    return made


def expected(*names):
    return {name.replace(".png", "_kohl.png"): 1 for name in (*NAMES, "once.png", *names)}


def tried(place):
    """How often each photo was begun, by its name alone."""
    return Counter((place / "marks" / "tried").read_text().split())


def processes(root):
    """The children of a process and theirs: their numbers, and what each was started with."""
    found, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, ProcessLookupError):
            continue
    below = {root}
    while more := {number for number, parent in parents.items() if parent in below} - below:
        below |= more
    return {number: found[number] for number in below if number in found}


def kill(process):
    """It, and all that it has started."""
    for number in processes(process.pid):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def left():
    return list(private.in_memory().glob("kohl-private-*"))


def test_one_of_two_workers_is_killed_and_nothing_is_lost_or_done_twice(place, capsys, monkeypatch):
    before = tree(place / "in")
    code, err = ended(started(place, "-r", "in", "-o", "out", "--ray", "local", "--workers", "2"))
    assert (code, done(place)) == (0, expected()), err
    assert tried(place) == {**{f"{number}.png": 2 for number in range(4)}, "once.png": 2}  # each is in two folders
    check_unchanged(before, tree(place / "in"))
    assert left() == []

    monkeypatch.chdir(place)
    assert main(["protect", "-r", "in", "-o", "one"], parts=TOYS) == 0
    for name in expected():
        assert (place / "out" / name).read_bytes() == (place / "one" / name).read_bytes()
    capsys.readouterr()
    assert main(["protect", "-r", "in", "-o", "out"], parts=Parts(load=crew.broken)) == 0  # without Ray, from there on
    assert capsys.readouterr().out.endswith("All 9 photos are protected; 9 of them done before.\n")


def test_a_photo_that_kills_each_of_its_workers_costs_only_itself(place):
    tiny.picture(place / "in" / "kills.png")
    code, _ = ended(started(place, "-r", "in", "-o", "out", "--ray", "local", "--workers", "2", "--json"))
    assert (code, done(place)) == (1, expected())
    assert tried(place)["kills.png"] == 2
    assert "2 workers died over it" in (place / "out.journal.jsonl").read_text()
    assert left() == []


def test_a_worker_that_is_killed_from_outside_is_replaced(place):
    for number in range(12):
        tiny.picture(place / "in" / f"slow{number}.png", seed=100 + number)
    process = started(place, "-r", "in", "-o", "out", "--ray", "local", "--workers", "2")
    for _ in range(10):
        assert process.stdout.readline()
    victim, *_ = [number for number, said in processes(process.pid).items() if said.startswith("ray::Actor")]
    os.kill(victim, signal.SIGKILL)
    code, err = ended(process)
    made, wanted = done(place), expected(*(f"slow{number}.png" for number in range(12)))
    again = [name for name, count in tried(place).items() if name.startswith("slow") and count > 1]
    assert len(again) <= 1
    for name in again:  # it may have been killed between the journal's word and the file: then that word comes twice
        result = name.replace(".png", "_kohl.png")
        made[result] -= made[result] > 1
    assert (code, made) == (0, wanted), err


def test_a_ray_of_our_own_is_reached_from_here_alone_and_with_its_key(place):
    tiny.picture(place / "in" / "b" / "endless.png", seed=50)
    process = started(place, "-r", "in", "-o", "out", "--ray", "local", "--workers", "2")
    for _ in range(8):
        assert process.stdout.readline()
    ours = processes(process.pid)
    said = subprocess.run(["ss", "-Htlnp"], capture_output=True, text=True, check=True).stdout
    listening = [line.split() for line in said.splitlines() if any(f"pid={number}," in line for number in ours)]
    assert len(listening) > 3
    assert {re.sub(r"^\[::ffff:(.*)\]", r"\1", line[3]).rpartition(":")[0] for line in listening} == {"127.0.0.1"}
    assert not any("dashboard.py" in said and "--minimal=False" in said for said in ours.values())
    assert not any(line[3].endswith(":8265") for line in listening)  # Ray's page
    gcs = next(number for number, said in ours.items() if "gcs_server" in said)
    environment = dict(
        entry.split(b"=", 1) for entry in Path(f"/proc/{gcs}/environ").read_bytes().split(b"\0") if b"=" in entry
    )
    assert environment[b"RAY_USAGE_STATS_ENABLED"] == b"0"
    assert environment[b"RAY_AUTH_MODE"] == b"token"
    token = environment[b"RAY_AUTH_TOKEN"]
    assert not any(token.decode() in said for said in ours.values())  # others see command lines

    address = re.search(r"--gcs-address=(\S+)", next(said for said in ours.values() if "raylet/raylet" in said))[1]
    ask = f"import ray; print(ray._raylet.GcsClient(address={address!r}).internal_kv_keys(b'', None))"
    stranger = {name: said for name, said in os.environ.items() if not name.startswith("RAY_")}
    for key, answered in ((None, False), (token.decode(), True)):
        with_key = {} if key is None else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": key}
        try:
            asked = subprocess.run(
                [sys.executable, "-c", ask], env={**stranger, **with_key}, capture_output=True, text=True, timeout=20
            )
            assert (asked.returncode == 0) == answered, asked.stderr
        except subprocess.TimeoutExpired:
            assert not answered
    disk = [path for path in Path("/tmp").glob("ray*/session_*") if path.stat().st_ctime > time.time() - 60]
    assert disk == []
    process.send_signal(signal.SIGINT)
    code, err = ended(process)
    assert code == 130
    assert "the same command goes on from here" in err
    assert left() == []
    (place / "in" / "b" / "endless.png").rename(place / "in" / "b" / "ended.png")
    assert ended(started(place, "-r", "in", "-o", "out", "--ray", "local"))[0] == 0
    assert done(place) == expected("b/ended.png")


def test_a_run_that_is_killed_is_gone_on_with(place, monkeypatch):
    tiny.picture(place / "in" / "b" / "endless.png", seed=50)
    process = started(place, "-r", "in", "-o", "out", "--ray", "local", "--workers", "2")
    for _ in range(4):
        assert process.stdout.readline()
    ours = [
        number for number, said in processes(process.pid).items() if "raylet/raylet" in said or "ray::Actor" in said
    ]
    process.kill()
    process.communicate()
    first = done(place)
    assert len(first) >= 4
    for _ in range(300):  # Ray ends its own when nobody wants them any more
        if not any(map(_lives, ours)):
            break
        time.sleep(0.1)
    (place / "in" / "b" / "endless.png").unlink()
    code, err = ended(started(place, "-r", "in", "-o", "out", "--ray", "local", "--workers", "2"))
    assert (code, done(place)) == (0, expected()), err
    monkeypatch.setattr(private, "FRESH_S", 0.0)  # Ray's agents may have made its folder again, while they ended
    private.clean(private.in_memory())
    assert left() == []


def _lives(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def machines(place, monkeypatch):
    """A cluster of two machines, as far as Ray knows, of one processor each: its address, and the second's process."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "ab" * 32)
    monkeypatch.setenv(crew.MARKS, str(place / "marks"))
    code = os.pathsep.join(map(str, (Path(kohl.__file__).parents[1], Path(__file__).parent)))
    environment = {**os.environ, "PYTHONPATH": code, "PYTHONWARNINGS": "ignore", "RAY_USAGE_STATS_ENABLED": "0"}
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
    begun, address = [], "127.0.0.1:26379"
    try:
        for options in (["--head", "--port=26379", "--include-dashboard=false"], [f"--address={address}"]):
            process = subprocess.Popen(
                [
                    *ray,
                    *options,
                    f"--temp-dir={private.in_memory()}/ray-{os.getpid()}-{len(begun)}",
                ],  # short, for sockets
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            begun.append(process)
            said = []
            while "--block" not in "".join(said):
                line = process.stdout.readline()
                assert line, said
                said.append(line)
        yield address, begun[1]
    finally:
        for process in reversed(begun):
            kill(process)
            process.communicate()
        for number in range(len(begun)):
            shutil.rmtree(f"{private.in_memory()}/ray-{os.getpid()}-{number}", ignore_errors=True)
        private.clean(private.in_memory())  # as the next worker on that machine would


def test_a_machine_of_a_cluster_is_lost(place, machines):
    address, second = machines
    (place / "in" / "once.png").unlink()  # with its machine it would lose its second worker too
    for number in range(20):
        tiny.picture(place / "in" / f"slow{number}.png", seed=100 + number)
    asked = ("-r", f"shelf://{place}/in", "-o", f"shelf://{place}/out", "--journal", "out.journal.jsonl")
    process = started(place, *asked, "--ray", address)
    for _ in range(8):
        assert process.stdout.readline()
    kill(second)
    code, err = ended(process)
    assert code == 0, err
    lines = [json.loads(line) for line in (place / "out.journal.jsonl").read_text().splitlines()]
    made = Counter(line["output"].removeprefix(f"shelf://{place}/out/") for line in lines if line["sha256"])
    wanted = expected(*(f"slow{number}.png" for number in range(20))).keys() - {"once_kohl.png"}
    assert made.keys() == wanted
    again = [name for name, count in made.items() if count > 1]
    assert len(again) <= 1  # noted, and lost with its machine before it had its name
    for line in lines:
        if line["sha256"]:
            name = line["output"].removeprefix(f"shelf://{place}/out/")
            assert (place / "out" / name).stat().st_size == line["size"]
