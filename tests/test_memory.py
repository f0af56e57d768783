"""What is left of the machine's, the container's and the process's own memory: the least of them counts."""

import ctypes
import subprocess
import sys

import pytest

from kohl import memory


@pytest.fixture
def system(tmp_path):
    """A machine with 8 GB left; nothing else limits the process."""
    (tmp_path / "meminfo").write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n")
    return tmp_path


def available(system):
    return memory.available(system / "meminfo", [system / "groups" / "inner", system / "groups"])


def group(folder, most, used, kept=0):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {kept}\n")


def test_the_machine_alone(system):
    assert available(system) == 8_192_000_000


def test_a_container_inside_another(system):
    group(system / "groups" / "inner", "max", 10)
    group(system / "groups", 3_000_000_000, 1_000_000_000, kept=500_000_000)
    assert available(system) == 2_500_000_000
    group(system / "groups" / "inner", 600, 100)
    assert available(system) == 500


@pytest.mark.parametrize("content", ["", "MemAvailable: much kB\n", "nonsense", None])
def test_a_system_that_does_not_say(system, content):
    (system / "meminfo").unlink()
    if content is not None:
        (system / "meminfo").write_text(content)
    assert available(system) is None


def test_a_limit_of_the_process():
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
    code += "from kohl import memory; print(memory.available())"
    printed = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert 2**29 < int(printed) < 2**30


def test_what_is_given_back_is_the_system_s_again():
    code = """
import ctypes
from kohl import memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.mallopt(-4, 0)   # all from the heap
libc.mallopt(-1, 1 << 30)   # which is kept
blocks = [libc.malloc(2**20) for _ in range(101)]
for block in blocks: ctypes.memset(block, 1, 2**20)
for block in blocks[:-1]: libc.free(block)
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
memory.give_back()
print(before - resident())
"""
    printed = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(printed) > 90 * 2**20 or not hasattr(ctypes.CDLL(None), "malloc_trim")
