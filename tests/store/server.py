"""A PostgreSQL server of our own: in a folder that is thrown away, reachable through a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = {"listen_addresses": "", "max_connections": "50", "log_min_messages": "fatal", "timezone": "UTC"}


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: Debian keeps them off the PATH."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


@contextmanager
def running(*, fsync: bool) -> Iterator[str]:
    """A server while the block lasts; the URL of its database."""
    home = binaries()
    assert home is not None
    with tempfile.TemporaryDirectory(prefix="outlast-pg-") as name:
        folder = Path(name)
        data = folder / "data"
        user = _ordinary_user()
        if user is not None:
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        command = [
            home / "initdb",
            "-D",
            data,
            "-U",
            "outlast",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **as_user)  # type: ignore[call-overload]  # a user's numbers
        settings = SETTINGS | {"unix_socket_directories": str(folder), "fsync": "on" if fsync else "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        server = subprocess.Popen(
            [home / "postgres", "-D", data, *options], cwd=folder, stderr=subprocess.DEVNULL, **as_user
        )  # type: ignore[call-overload]  # as above
        try:
            subprocess.run([home / "pg_isready", "-h", folder, "-q"], check=False)
            for _ in range(200):
                ready = (
                    subprocess.run([home / "pg_isready", "-h", folder, "-q", "-t", "1"], check=False).returncode == 0
                )
                if ready or server.poll() is not None:
                    break
            yield f"postgresql://outlast@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def _ordinary_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
