"""The folder of a server: nobody else's, and gone afterwards, whatever ended the server."""

import os
import signal
import subprocess
import sys
import time

from kohl import private

HOLD = """
import sys, time
from pathlib import Path
from kohl import private
with private.folder(Path(sys.argv[1])) as made:
    print(made, flush=True)
    (made / "photo").write_text("x")
    time.sleep(60)
"""


def test_it_is_private_and_gone_afterwards(tmp_path):
    with private.folder(tmp_path) as made:
        assert made.stat().st_mode & 0o777 == 0o700
        (made / "photo").write_bytes(b"x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_left_is_removed_and_a_living_one_s_stays(tmp_path):
    holding = [
        subprocess.Popen([sys.executable, "-P", "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    killed, living = ((process, process.stdout.readline().strip()) for process in holding)
    killed[0].send_signal(signal.SIGKILL)
    killed[0].wait()
    assert sorted(map(str, private.clean(tmp_path))) == [killed[1]]
    assert [str(path) for path in tmp_path.iterdir()] == [living[1]]
    living[0].kill()
    for process in holding:
        process.communicate()


def test_what_is_not_ours_stays(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    place = tmp_path / "temporary"
    place.mkdir()
    (place / f"{private.PREFIX}link").symlink_to(elsewhere)
    (place / f"{private.PREFIX}file").touch()
    (place / f"{private.PREFIX}young").mkdir()  # a server that is about to lock it
    (place / "other").mkdir()
    old = place / f"{private.PREFIX}old"
    old.mkdir()
    os.utime(old, (time.time() - 1000,) * 2)
    assert private.clean(place) == [old]
    assert len(list(place.iterdir())) == 4
    assert elsewhere.is_dir()
