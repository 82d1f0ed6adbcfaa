#!/usr/bin/env python3
"""Asks a running daemon everything that its committed description allows, and much that it does not.

Starts the debug binary with a private Postgres and the built-in writer in a temporary folder, has one article written,
runs schemathesis with all checks but one, and stops the daemon. Fails on any failure of a check, any answer of 5xx, any panic,
and a daemon that does not end well.

    python3 tests/schemathesis/run.py [--max-examples N] [--report FOLDER]

Needs Python 3.11 with venv, `cargo build`, the binaries of Postgres. One check finds nothing to do:
`object_level_authorization` wants two users who make things, and the command line makes keys for one organization only;
`tests/front/authorization.rs` walks every operation as another tenant.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
from running import DESCRIPTION, ROOT, Daemon, Failed, venv  # noqa: E402

# Nobody answers there. With it an order without sources is taken, and fails in the background.
SEARCH = {"GALLEY_SEARCH__PROVIDER": "searxng", "GALLEY_SEARCH__URL": "http://127.0.0.1:9"}
ROUND_SECONDS = 1800
LEAST_REQUESTS = 500


# To delete a task is to cancel it: it stays to be read, which cannot be said for one operation. That what is removed is a
# 404 is tested in `tests/front`.
CHECKS = ["--checks", "all", "--exclude-checks", "use_after_free"]


def call(base: str, key: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    request = urllib.request.Request(base + path, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def written(base: str, key: str) -> dict[str, str]:
    """Has one article written, so that there is something to ask for: what the hooks need to know of it."""
    sample = (ROOT / "samples" / "faq.md").read_bytes()
    head = b'--part\r\nContent-Disposition: form-data; name="file"; filename="faq.md"\r\n\r\n'
    form = head + sample + b"\r\n--part--\r\n"
    file = json.loads(call(base, key, "/api/v1/files", form, "multipart/form-data; boundary=part"))["id"]
    order = {"user_prompt": "Brewing coffee", "uploaded_files": [file], "min_words": 300, "max_words": 600}
    task = json.loads(call(base, key, "/api/v1/tasks", json.dumps(order).encode()))["task_id"]
    # The stream ends with the task.
    if b"event: task.completed" not in call(base, key, f"/api/v1/tasks/{task}/events"):
        raise Failed(f"the article to begin with was not written: {call(base, key, f'/api/v1/tasks/{task}').decode()}")
    return {"GALLEY_FILE": file, "GALLEY_TASK": task}


def ask(made: Path, base: str, key: str, known: dict[str, str], arguments: list[str]) -> bool:
    """Whether schemathesis found nothing."""
    command = [made / "bin" / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", DESCRIPTION]
    hooks = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **known, **hooks, "GALLEY_KEY": key}
    try:
        ended = subprocess.run([*command, "--url", base, *arguments], env=environment, timeout=ROUND_SECONDS)
        return ended.returncode == 0
    except subprocess.TimeoutExpired:
        raise Failed(f"schemathesis did not come to an end within {ROUND_SECONDS} s") from None


def rounds(made: Path, daemon: Daemon, base: str, asked: argparse.Namespace) -> list[str]:
    """What schemathesis finds with every right, and with none."""
    key = daemon.key("--name", "all", "--scopes", "admin")
    powerless = daemon.key("--name", "none", "--scopes", "publish")
    known = written(base, key)
    complaints = []
    for name, key, arguments in (
        ("every right", key, ["--max-examples", str(asked.max_examples)]),
        # Its orders are refused before they are read, so one way of making them will do.
        ("no right", powerless, ["--phases", "coverage", "--mode", "positive"]),
    ):
        began = time.monotonic()
        if asked.report:
            arguments += ["--report", "ndjson", "--report-dir", str(asked.report / name.replace(" ", "-"))]
        print(f"-- with a key that has {name}", flush=True)
        if not ask(made, base, key, known, [*CHECKS, *arguments]):
            complaints.append(f"schemathesis found failures with a key that has {name}")
        print(f"-- took {time.monotonic() - began:.0f} s", flush=True)
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--max-examples", type=int, default=15, help="cases of an operation in each phase")
    parser.add_argument("--report", type=Path, help="a folder for the reports and the daemon's log")
    asked = parser.parse_args()
    # A stage that is given up must not leave the daemon behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("schemathesis: given up"))
    made = venv("schemathesis", HERE / "requirements.txt")
    with tempfile.TemporaryDirectory(prefix="galley-schemathesis-") as folder:
        # Whoever runs Postgres for root must get to it, or the cluster goes elsewhere and stays there.
        os.chmod(folder, 0o711)
        daemon = Daemon(Path(folder), SEARCH)
        base = daemon.start()
        try:
            complaints = rounds(made, daemon, base, asked)
        finally:
            ended = daemon.stop()
            if asked.report:
                asked.report.mkdir(parents=True, exist_ok=True)
                (asked.report / "log").write_bytes(daemon.log.read_bytes())
        if ended != 0:
            complaints.append(f"the daemon ended with {ended}")
        requests, wrong = daemon.faults()
        if requests < LEAST_REQUESTS:
            complaints.append(f"only {requests} requests are in the log: the check would pass for the wrong reason")
        print(f"-- the daemon answered {requests} requests and ended with {ended}")
        complaints += [f"the log has: {line}" for line in wrong[:20]]
        if complaints:
            raise Failed("\n".join(complaints))


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"schemathesis: {failed}")
