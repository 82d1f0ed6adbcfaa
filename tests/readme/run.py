#!/usr/bin/env python3
"""Pastes what README.md says, word for word, and looks at what comes of it.

    cargo build --bin galley && python3 tests/readme/run.py

In a copy of the samples, in a folder with spaces in its name, with the debug binary in the place of `cargo run --release --`:
the first command twice, the daemon on a taken port and on a free one, the five curls twice in one shell and once with a wrong
key, the backup. When root runs it, all of it once more as `nobody`. Needs bash, curl and the binaries of Postgres.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CURLS = "The API in five curls"
# Needs a blog; `tests/front/publishing.rs` asks the same of one that is made for tests.
WORDPRESS = "Publish to WordPress in five curls"
# The beginnings of the other blocks, each once; those without a name are not run here.
OTHERS = {
    "cargo run --release -- write ": "write",
    "cargo run --release -- up\n": "up",
    "KEY=gk_…\nAPI=http://127.0.0.1:8080\n": "settings",
    "tar ": "backup",
    "cargo test ": None,
    "cargo install ": None,
    "GALLEY_WRITER__KIND=": None,
}
START_SECONDS, PASTE_SECONDS, STOP_SECONDS = 120, 300, 60


class Failed(Exception):
    """A sentence for the one who reads the output of the stage."""


def ensure(holds: bool, sentence: str, output: str = "") -> None:
    if not holds:
        lines = [line[:200] for line in output.splitlines() if line]
        raise Failed("\n".join([sentence, *lines[-40:]]))


def blocks() -> dict[str, str]:
    """What is to be pasted, by name; the curls are one text. A block that nobody knows is an error."""
    named = {"curls": ""}
    parts = SECTION.split((ROOT / "README.md").read_text(encoding="utf-8"))
    for section, text in zip(parts[1::2], parts[2::2]):
        if section == WORDPRESS:
            continue
        for block in BLOCK.findall(text):
            if section == CURLS:
                named["curls"] += block
                continue
            beginning = next((start for start in OTHERS if block.startswith(start)), None)
            ensure(beginning is not None, "README.md has a block that this script does not know:", block)
            if OTHERS[beginning]:
                named[OTHERS[beginning]] = block
    missing = {name for name in OTHERS.values() if name} - named.keys()
    ensure(not missing and named["curls"] != "", f"README.md lacks the blocks {sorted(missing)}")
    return named


class Clone:
    """What a user has after `git clone` and `cargo build`, in a folder that this user can write to."""

    def __init__(self, top: Path, user: str | None):
        top.chmod(0o755)
        self.folder = top / "a clone with spaces"
        shutil.copytree(ROOT / "samples", self.folder / "samples")
        tools = top / "tools"
        tools.mkdir()
        shutil.copy(ROOT / "target" / "debug" / "galley", tools / "galley")
        cargo = tools / "cargo"
        cargo.write_text('#!/bin/sh\n[ "$1 $2 $3" = "run --release --" ] || exit 99\nshift 3\nexec galley "$@"\n')
        cargo.chmod(0o755)
        self.who = {}
        if user:
            account = pwd.getpwnam(user)
            self.who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            for path in [top, self.folder, *self.folder.rglob("*")]:
                os.chown(path, account.pw_uid, account.pw_gid)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GALLEY_", "DATABASE_"))}
        if "GALLEY_POSTGRES_USER" in os.environ:
            kept["GALLEY_POSTGRES_USER"] = os.environ["GALLEY_POSTGRES_USER"]
        self.environment = {**kept, "PATH": f"{tools}:{kept['PATH']}", "HOME": str(top), "no_proxy": "127.0.0.1"}

    def shell(self, text: str, **environment: str) -> subprocess.Popen:
        """A shell that is given the text on its input, as a terminal would."""
        shell = subprocess.Popen(
            ["bash"],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.who,
        )
        threading.Thread(target=feed, args=(shell, text), daemon=True).start()
        return shell

    def paste(self, text: str, **environment: str) -> tuple[int, str]:
        shell = self.shell(text, **environment)
        late = threading.Timer(PASTE_SECONDS, shell.kill)
        late.start()
        output = shell.stdout.read()
        code = shell.wait()
        ensure(late.is_alive(), f"it did not end within {PASTE_SECONDS} s:", output)
        late.cancel()
        ensure("Traceback" not in output and "panicked" not in output, "a program broke off:", output)
        return code, output


def feed(shell: subprocess.Popen, text: str) -> None:
    with shell.stdin:
        shell.stdin.write(text)


def first_command(clone: Clone, block: str) -> None:
    for _ in range(2):
        code, output = clone.paste(block)
        ensure(code == 0, "the first command fails:", output)
        for name in ("article.md", "cover.png", "sources.md", "task.json"):
            ensure((clone.folder / "out" / name).stat().st_size > 0, f"out/{name} is empty")


def taken_port(clone: Clone, block: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, output = clone.paste(block, GALLEY_LISTEN=address)
    said = output.strip().splitlines()[-1]
    ensure(code != 0 and address in said and "--listen" in said, "a taken port is not told with the way out:", output)


def start(clone: Clone, block: str) -> tuple[subprocess.Popen, str]:
    """The daemon and its address. `exec`, so that the signal to stop reaches it and no shell."""
    daemon = clone.shell(f"exec {block}", GALLEY_LISTEN="127.0.0.1:0", GALLEY_LOG="error")
    late = threading.Timer(START_SECONDS, daemon.kill)
    late.start()
    said = []
    for line in daemon.stdout:
        said.append(line)
        if found := re.search(r"Galley is ready on (http://\S+)", line):
            late.cancel()
            # A pipe that nobody empties would hold it up.
            threading.Thread(target=daemon.stdout.read, daemon=True).start()
            return daemon, found[1]
    raise Failed(f"the daemon does not start:\n{''.join(said)}")


def stop(daemon: subprocess.Popen) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        ensure(daemon.wait(STOP_SECONDS) == 0, f"the daemon ended with {daemon.returncode}")
    except subprocess.TimeoutExpired:
        daemon.kill()
        raise Failed(f"the daemon did not end within {STOP_SECONDS} s of SIGTERM") from None


def curls(clone: Clone, named: dict[str, str], address: str) -> None:
    settings = named["settings"].replace("http://127.0.0.1:8080", address)
    key = (clone.folder / ".galley" / "first-key").read_text().strip()
    once = settings.replace("gk_…", key) + named["curls"]
    code, output = clone.paste(once + once)
    ensure(code == 0, "the second paste ends badly:", output)
    tasks = re.findall(r"^task (\S+)$", output, re.MULTILINE)
    articles = re.findall(r"^article (\S+)$", output, re.MULTILINE)
    ensure(len(set(tasks)) == 2 and len(set(articles)) == 2, "two pastes are two orders each:", output)
    ended = len(re.findall(r"^completed ", output, re.MULTILINE)), len(re.findall(r"^draft ", output, re.MULTILINE))
    ensure(ended == (2, 2), f"not every order was completed {ended}:", output)
    ensure(output.count('"supported"') > 0 and '"problem' not in output, "what was written is not shown:", output)

    code, output = clone.paste(settings.replace("gk_…", "gk_wrong") + named["curls"])
    ensure('"status":401' in output.replace(" ", ""), "a wrong key does not show the problem:", output)
    ensure("\ntask \n" in output and "\narticle \n" in output, "a wrong key orders nothing:", output)
    code, output = clone.paste(settings.replace(address, "http://127.0.0.1:9").replace("gk_…", key) + named["curls"])
    ensure("curl: (7)" in output, "an address where nobody listens does not show it:", output)


def backup(clone: Clone, block: str) -> None:
    code, output = clone.paste(block + "tar -tzf galley-backup.tar.gz\n")
    kept = (".galley/envelope.key", ".galley/pgdata/PG_VERSION", ".galley/site/")
    ensure(code == 0 and all(name in output for name in kept), "the backup is not whole:", output)


def walk(user: str | None) -> None:
    named = blocks()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="galley-readme-") as top:
        clone = Clone(Path(top), user)
        first_command(clone, named["write"])
        taken_port(clone, named["up"])
        daemon, address = start(clone, named["up"])
        try:
            curls(clone, named, address)
        finally:
            stop(daemon)
        backup(clone, named["backup"])
    print(f"README.md holds for {user or 'whoever runs this'} ({time.monotonic() - began:.0f} s)", flush=True)


def main() -> int:
    try:
        walk(None)
        if os.geteuid() == 0:
            walk("nobody")
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
