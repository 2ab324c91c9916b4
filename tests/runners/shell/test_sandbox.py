"""Commands that try to get out of the sandboxes of this machine, or to take more than they are given."""

import asyncio
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from sojourn.runners.shell.archive import BLOCK, packed
from sojourn.runners.shell.command import Ended, SandboxBroken, Stopped, run
from sojourn.runners.shell.sandbox import VARIABLES, Sandbox, candidates
from tests.runners.shell.conftest import contents
from tests.support.programs import gone, is_alive

BOUND_SECONDS = 30.0
HOLDER = Path(__file__).with_name("holder.py")


async def ran(sandbox: Sandbox, command: str, files: Mapping[str, bytes] | None = None) -> Ended:
    return await run(sandbox, contents(files or {}), command, BOUND_SECONDS)


def processes(word: str) -> Sequence[int]:
    """Those of this machine that have the word on their command line, but for what would start them."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().split(b"\0")[1:2] == [word.encode()]:
                found.append(int(entry.name))
    return found


async def test_a_command_works_on_the_files_and_what_differs_is_told(sandbox: Sandbox) -> None:
    files = {
        "a.txt": b"one\n",
        "b/c.txt": b"two\n",
        "b/same.txt": b"same\n",
        "run.sh": b"#!/bin/sh\necho ran\n",
    }
    ended = await ran(sandbox, "echo more >> a.txt; mv b d; ./run.sh; echo wrong >&2; exit 3", files)
    assert (ended.status, ended.stdout, ended.stderr) == (3, "ran\n", "wrong\n")
    assert ended.changed == {b"a.txt": b"one\nmore\n", b"d/c.txt": b"two\n", b"d/same.txt": b"same\n"}
    assert set(ended.files) == {b"a.txt", b"d/c.txt", b"d/same.txt", b"run.sh"}


async def test_long_and_odd_names_come_back_as_they_are(sandbox: Sandbox) -> None:
    long = f"{'x' * 90}/{'y' * 90}/é -n.txt"
    ended = await ran(sandbox, f"echo more >> '{long}'; echo odd > ./--help", {long: b"one\n"})
    assert ended.changed == {long.encode(): b"one\nmore\n", b"--help": b"odd\n"}


async def test_nothing_is_reached_over_the_network(sandbox: Sandbox) -> None:
    came: list[asyncio.StreamWriter] = []

    def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        knock = f"exec 9<>/dev/tcp/127.0.0.1/{port} && echo open"
        outside = await asyncio.create_subprocess_exec("bash", "-c", knock, stdout=asyncio.subprocess.PIPE)
        said, _ = await outside.communicate()
        assert said == b"open\n"
        ended = await ran(
            sandbox, f"({knock}) 2>&1; (exec 9<>/dev/udp/192.0.2.1/53 && echo x >&9) 2>&1; cat /proc/net/dev"
        )
    assert "open" not in ended.stdout
    assert "refused" in ended.stdout
    assert "unreachable" in ended.stdout
    devices = [line.split(":")[0].strip() for line in ended.stdout.splitlines() if ":" in line]
    assert devices[-1] == "lo"
    assert not any(name.startswith(("eth", "en", "wl")) for name in devices)
    assert len(came) == 1


async def test_neither_files_nor_variables_of_the_server_are_seen(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_WORD", "open-sesame")
    secret = tmp_path / "secret.txt"
    secret.write_text("open-sesame")
    secret.chmod(0o644)
    home = os.environ.get("HOME", "/root")
    ended = await ran(
        sandbox,
        f"env; cat {secret}; ls -d {home} /home /root /var /opt /run /srv /mnt /sys /etc/shadow /etc/hostname;"
        " cat /proc/1/environ | tr '\\0' '\\n'; grep -rs open-sesame /tmp /work /etc /dev/shm",
    )
    assert "open-sesame" not in ended.stdout + ended.stderr
    named = {line.partition("=")[0] for line in ended.stdout.splitlines() if "=" in line}
    assert named <= {*VARIABLES, "PWD", "SHLVL", "_", "OLDPWD"}
    assert not [line for line in ended.stdout.splitlines() if line.startswith("/")]


async def test_the_servers_directory_is_covered_where_it_lies_among_the_systems_programs(
    sandbox: Sandbox,
) -> None:
    covering = next(each for each in candidates(os.environ, Path("/usr/share")) if each.name == sandbox.name)
    assert (await ran(sandbox, "ls -A /usr/share | wc -l")).stdout != "0\n"
    assert (await ran(covering, "ls -A /usr/share | wc -l")).stdout == "0\n"


async def test_only_the_files_and_what_is_private_can_be_written(sandbox: Sandbox) -> None:
    places = [
        "/",
        "/etc",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/dev",
        "/proc/sys/kernel",
        "/work",
        "/tmp",
        "/dev/shm",
    ]
    ended = await ran(sandbox, "; ".join(f"(echo x > {place}/made) 2>&- && echo {place}" for place in places))
    assert ended.stdout.split() == ["/work", "/tmp", "/dev/shm"]
    again = await ran(sandbox, "ls /tmp /dev/shm; ls -A")
    assert "made" not in again.stdout


async def test_no_command_gets_rights_to_mount_or_to_make_namespaces(sandbox: Sandbox) -> None:
    tries = [
        "mount -o remount,bind,rw /usr",
        "mount -t tmpfs more /tmp",
        "umount /proc",
        "unshare --user --map-root-user true",
        "chroot / true",
        "mknod /tmp/disk b 254 0",
    ]
    ended = await ran(
        sandbox, "; ".join(f"({each}) 2>&- && echo done" for each in tries) + "; grep Cap /proc/self/status"
    )
    assert "done" not in ended.stdout
    assert {line.split()[1] for line in ended.stdout.splitlines()} == {"0" * 16}


async def test_processes_of_the_machine_are_neither_seen_nor_killed(sandbox: Sandbox) -> None:
    outside = await asyncio.create_subprocess_exec("sleep", "1000")
    try:
        ended = await ran(sandbox, f"kill -9 {outside.pid} && echo killed; ls /proc | grep -c '^[0-9]'")
        assert is_alive(outside.pid)
    finally:
        outside.kill()
        await outside.wait()
    assert "killed" not in ended.stdout
    assert int(ended.stdout) < 10


async def test_a_command_that_does_not_end_is_killed_with_all_that_it_started(sandbox: Sandbox) -> None:
    words = [f"{os.getpid()}{number}" for number in (7001, 7002)]
    with pytest.raises(Stopped, match="within 1 s"):
        await run(sandbox, contents({}), f"setsid sleep {words[0]} & sleep {words[1]}", 1)
    assert not [pid for word in words for pid in processes(word)]


async def test_what_a_command_leaves_running_is_killed_at_its_end(sandbox: Sandbox) -> None:
    word = f"{os.getpid()}7003"
    ended = await ran(sandbox, f"setsid sleep {word} > /dev/null 2>&1 & echo started")
    assert ended.stdout == "started\n"
    assert not processes(word)


async def test_a_command_that_is_cancelled_is_killed(sandbox: Sandbox) -> None:
    word = f"{os.getpid()}7004"
    task = asyncio.create_task(ran(sandbox, f"sleep {word}"))
    await asyncio.to_thread(seen, word)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not processes(word)


@pytest.mark.parametrize("who", ["worker", "guard"])
async def test_no_process_outlives_the_worker_or_the_guard_that_is_killed(
    sandbox: Sandbox, who: str, tmp_path: Path
) -> None:
    word = f"{os.getpid()}7005"
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HOLDER), sandbox.name, str(tmp_path), f"echo started; setsid sleep {word}"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    async with asyncio.timeout(BOUND_SECONDS):
        guard = int(await holder.stdout.readline())
        found = await asyncio.to_thread(seen, word)
        os.kill(holder.pid if who == "worker" else guard, signal.SIGKILL)
        for pid in found:
            await gone(pid)
        if who == "guard":
            holder.kill()
        await holder.wait()


def seen(word: str) -> Sequence[int]:
    """The processes with the word, once there is one."""
    while not (found := processes(word)):
        select.select([], [], [], 0.05)
    return found


async def test_a_command_takes_no_more_than_it_is_given(sandbox: Sandbox) -> None:
    many = "sh -c 'i=0; while [ $i -lt 300 ]; do sleep 30 & i=$((i+1)); done; echo all'"
    assert "all" not in (await ran(sandbox, many)).stdout
    memory = await ran(sandbox, "dd if=/dev/zero of=/dev/null bs=1100M count=1 && echo all")
    assert "all" not in memory.stdout
    file = await ran(sandbox, "head -c 70M /dev/zero > big && echo all; rm big")
    assert "all" not in file.stdout
    disk = await ran(
        sandbox, "for i in 1 2 3 4 5; do head -c 60M /dev/zero > f$i || break; done; echo $i; rm f*"
    )
    assert disk.stdout == "5\n"
    assert "No space left" in disk.stderr
    assert (await ran(sandbox, "ulimit -t; ulimit -c")).stdout == f"{BOUND_SECONDS:g}\n0\n"


async def test_of_what_a_command_prints_both_ends_are_kept_and_one_without_end_is_killed(
    sandbox: Sandbox,
) -> None:
    ended = await ran(sandbox, "echo first; yes | head -c 3000000; echo last")
    assert ended.stdout.startswith("first\ny\n")
    assert ended.stdout.endswith("y\nlast\n")
    assert "bytes left out]" in ended.stdout
    assert len(ended.stdout) < 40_000
    for stream in ("1", "2"):
        with pytest.raises(Stopped, match="too much"):
            await ran(sandbox, f"yes >&{stream}")


async def test_links_pipes_and_what_cannot_be_read_bring_nothing_back(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("open-sesame")
    ended = await ran(
        sandbox,
        f"ln -s {secret} link; ln -s {tmp_path} directory; ln -s /usr/bin/env env; mkfifo pipe; rm file; ln -s a file;"
        " mkdir shut; echo x > shut/x; chmod 000 shut",
        {"a": b"a", "file": b"was one"},
    )
    assert ended.files == {b"a": 1, b"shut/x": 2}
    assert ended.changed == {b"shut/x": b"x\n"}


async def test_what_is_too_large_or_too_much_is_not_brought_back(sandbox: Sandbox) -> None:
    ended = await ran(
        sandbox, "head -c 5M /dev/zero > big; for i in 1 2 3 4 5 6 7 8 9; do head -c 4M /dev/zero > f$i; done"
    )
    assert ended.files[b"big"] == 5 * 1024 * 1024
    assert b"big" not in ended.changed
    assert len(ended.changed) == 8
    assert len(ended.left_out) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"ready\n",
        b"ready\nx",
        b"ready\n5 a\0",
        b"ready\nfive a\0\0",
        b"ready\n5 a\0\0",
        b"ready\n1 a\0\0" + packed("a", b"x")[:-1],
        b"ready\n1 a\0\0" + b"x" * BLOCK * 2,
        b"ready\n1 a\0\0" + packed("a", b"").replace(b"00000000000\0", b"77777777777\0", 1),
        b"ready\n" + b"1 a" * 40_000,
    ],
)
async def test_a_sandbox_that_says_what_is_no_archive_is_not_believed(said: bytes, tmp_path: Path) -> None:
    """As if a command had taken the place of what tells of its files."""
    path = tmp_path / "said"
    path.write_bytes(said)
    liar = Sandbox("liar", lambda _words: ("sh", "-c", f"cat > /dev/null; cat {path} >&3"))
    with pytest.raises(SandboxBroken):
        await ran(liar, "true")
