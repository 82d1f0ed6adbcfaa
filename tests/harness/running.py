"""What the checks of a running daemon share: the daemon, and environments with pinned packages."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DESCRIPTION = ROOT / "openapi" / "galley.json"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))

# So wide that no budget is met: with the published ones all but the first hundreds of answers would be 429.
WIDE = {f"GALLEY_LIMITS__{name}_PER_MINUTE": "1000000" for name in ("AI", "CONTENT", "GENERAL", "AUTH")}
STARTED = re.compile(r"Galley is ready on (http://\S+)")
START_SECONDS = 120
STOP_SECONDS = 60


class Failed(Exception):
    """A sentence for the one who reads the output of the stage."""


def venv(name: str, pinned: Path) -> Path:
    """The environment with exactly the packages of a file with hashes; made once for each version of that file."""
    made = TARGET / f"{name}-{hashlib.sha256(pinned.read_bytes()).hexdigest()[:12]}"
    done = made / "complete"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", made], check=True)
        pip = [made / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", pinned], check=True)
        done.touch()
    print(subprocess.run([made / "bin" / "pip", "list"], check=True, capture_output=True, text=True).stdout, flush=True)
    return made


class Daemon:
    """`galley up` of the debug binary, with a private Postgres and the built-in writer, on a free port. Its log is a file
    of JSON lines. `settings` are further environment variables."""

    def __init__(self, folder: Path, settings: dict[str, str]):
        self.binary, self.folder, self.log = TARGET / "debug" / "galley", folder, folder / "log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GALLEY_")}
        if "GALLEY_POSTGRES_USER" in os.environ:
            kept["GALLEY_POSTGRES_USER"] = os.environ["GALLEY_POSTGRES_USER"]
        kept.pop("DATABASE_URL", None)
        self.environment = {
            **kept,
            **WIDE,
            "GALLEY_DATA": str(folder / "data"),
            "GALLEY_LISTEN": "127.0.0.1:0",
            "GALLEY_LOG__FORMAT": "json",
            "GALLEY_CREDITS__INITIAL": "100000000",
            **settings,
        }

    def start(self) -> str:
        with self.log.open("wb") as log:
            where = {"cwd": self.folder, "env": self.environment}
            self.process = subprocess.Popen([self.binary, "up"], **where, stdout=subprocess.PIPE, stderr=log, text=True)
        impatience = threading.Timer(START_SECONDS, self.process.kill)
        impatience.start()
        try:
            for line in self.process.stdout:
                if found := STARTED.search(line):
                    return found[1]
        finally:
            impatience.cancel()
        raise Failed(f"the daemon did not start; the end of its log:\n{self.end_of_log()}")

    def key(self, *arguments: str) -> str:
        command, where = [self.binary, "keys", "create", *arguments], {"cwd": self.folder, "env": self.environment}
        return subprocess.run(command, **where, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self) -> int:
        """Its exit status. The process is ended by its number and by no other means."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"the daemon did not end within {STOP_SECONDS} s of SIGTERM") from None
        finally:
            self.process.stdout.close()

    def end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def faults(self) -> tuple[int, list[str]]:
        """How many requests the log has, and its lines that must not be there."""
        requests, wrong = 0, []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                logged = json.loads(line)
                status = logged.get("status", 0) if logged.get("message") == "request" else 0
            except (json.JSONDecodeError, AttributeError):
                status = 0
            requests += status != 0
            # 502 says that a blog did not answer, and no blog stands behind these requests.
            if (status >= 500 and status != 502) or "panicked" in line:
                wrong.append(line)
        return requests, wrong
