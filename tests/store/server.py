"""A PostgreSQL server of our own: in a folder that is thrown away, reachable through a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SETTINGS = {"listen_addresses": "", "max_connections": "50", "log_min_messages": "fatal", "timezone": "UTC"}
TRIES = 1_000
"""How often a server is asked whether it is ready; each time a program is run."""


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: Debian keeps them off the PATH."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


class Server:
    """A server on the data in a folder: started, killed and started again."""

    def __init__(self, home: Path, folder: Path, *, fsync: bool) -> None:
        """Lay out the data; nothing runs yet."""
        self.home, self.folder = home, folder
        self.url = f"postgresql://outlast@/postgres?host={folder}"
        self._settings = SETTINGS | {"unix_socket_directories": str(folder), "fsync": "on" if fsync else "off"}
        user = _ordinary_user()
        self._as_user = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        if user is not None:
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        words = ["-U", "outlast", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(
            [home / "initdb", "-D", folder / "data", *words],
            check=True,
            capture_output=True,
            cwd=folder,
            **self._as_user,  # type: ignore[call-overload]  # a user's numbers
        )

    def start(self) -> None:
        """Let it run, and wait until it answers. Raises RuntimeError if it never does."""
        options = [part for key, value in self._settings.items() for part in ("-c", f"{key}={value}")]
        self._process = subprocess.Popen(
            [self.home / "postgres", "-D", self.folder / "data", *options],
            cwd=self.folder,
            stderr=subprocess.DEVNULL,
            **self._as_user,
        )  # type: ignore[call-overload]  # as above
        ask = [str(self.home / "pg_isready"), "-h", str(self.folder), "-q", "-t", "1"]
        for _ in range(TRIES):
            if subprocess.run(ask, check=False).returncode == 0:
                return
            if self._process.poll() is not None:
                break
        raise RuntimeError("the server does not start")

    def kill(self) -> None:
        """SIGKILL for it and every process of its own, in the middle of whatever they do."""
        family = [self._process.pid, *_children(self._process.pid)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Let it end in order."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()


@contextmanager
def running(*, fsync: bool) -> Iterator[Server]:
    """A server while the block lasts."""
    home = binaries()
    assert home is not None
    with tempfile.TemporaryDirectory(prefix="outlast-pg-") as name:
        server = Server(home, Path(name), fsync=fsync)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _children(pid: int) -> list[int]:
    """The processes a process has started, from /proc."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            about = file.read_text().rpartition(")")[2].split()
            if int(about[1]) == pid:
                found.append(int(file.parent.name))
    return found


def _ordinary_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
