#!/usr/bin/env python3
"""Reads the committed description as makers of clients do, and drives a running daemon with what they make.

Lints it with spectral and redocly, makes clients for Python and TypeScript with openapi-generator and types with
openapi-typescript, checks all of it strictly (mypy, tsc), and goes the ways of documents 000 and 001 with each client.

    python3 tests/clients/run.py

Needs Python 3.11 with venv, node 20 with npm, `cargo build`, the binaries of Postgres. A Java comes with the packages.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
from running import DESCRIPTION, ROOT, TARGET, Daemon, Failed, venv  # noqa: E402

NAMES = ("faq.md", "brew-guide.pdf", "tasting-notes.html", "cooperative-report.docx")
SAMPLES = [ROOT / "samples" / name for name in NAMES]
COMMAND_SECONDS = 600
NPM_FILES = ["package.json", "package-lock.json", ".npmrc"]
PYTHON_OPTIONS = "packageName=galley_client"
TYPESCRIPT_OPTIONS = "importFileExtension=.js,supportsES6=true"
# The linters report to their makers and look for newer versions of themselves when not told otherwise.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1"}


def run(name: str, command: list[str | Path], **where: object) -> str:
    """What a command says; a failure when it ends badly."""
    began = time.monotonic()
    try:
        ended = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=COMMAND_SECONDS, **where
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{name} did not come to an end within {COMMAND_SECONDS} s") from None
    if ended.returncode != 0:
        raise Failed(f"{name} failed:\n{ended.stdout}")
    print(f"-- {name}: well, {time.monotonic() - began:.0f} s", flush=True)
    return ended.stdout


def node_modules() -> Path:
    """A folder with exactly the packages of package-lock.json; made once for each version of those files."""
    text = b"".join((HERE / name).read_bytes() for name in NPM_FILES)
    made = TARGET / f"clients-npm-{hashlib.sha256(text).hexdigest()[:12]}"
    done = made / "complete"
    if not done.exists():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        for name in NPM_FILES:
            shutil.copy(HERE / name, made)
        run("npm ci", ["npm", "ci"], cwd=made)
        done.touch()
    print(subprocess.run(["npm", "ls"], cwd=made, check=True, capture_output=True, text=True).stdout, flush=True)
    return made


def lint(tools: Path) -> None:
    programs = tools / "node_modules" / ".bin"
    where = {"cwd": HERE, "env": {**os.environ, **QUIET}}
    spectral = [programs / "spectral", "lint", "--ruleset", HERE / "spectral.yaml", "--fail-severity", "warn"]
    run("spectral", [*spectral, DESCRIPTION], **where)
    said = run("redocly", [programs / "redocly", "lint", "--config", HERE / "redocly.yaml", DESCRIPTION], **where)
    # A warning is no failure to it.
    if re.search(r"You have \d+ warning", said):
        raise Failed(f"redocly has warnings:\n{said}")


def generate(made: Path, generator: str, out: Path, options: str) -> None:
    program = [made / "bin" / "openapi-generator-cli", "generate", "--input-spec", DESCRIPTION]
    run(generator, [*program, "--generator-name", generator, "--output", out, "--additional-properties", options])


def python_client(made: Path, work: Path) -> list[str | Path]:
    """The command of the driver, judged."""
    out = work / "python"
    generate(made, "python", out, PYTHON_OPTIONS)
    shutil.copy(HERE / "python" / "flow.py", out)
    # The generated code has its own habits; what it says of its types holds for the driver.
    mypy = [made / "bin" / "mypy", "--strict", "--follow-imports=silent", "--cache-dir", work / "mypy", "flow.py"]
    run("mypy", mypy, cwd=out)
    return [made / "bin" / "python", out / "flow.py"]


def typescript_clients(made: Path, tools: Path, work: Path) -> list[list[str | Path]]:
    """The commands of the drivers, compiled. Their packages are found from where they lie."""
    generate(made, "typescript-fetch", work / "generated", TYPESCRIPT_OPTIONS)
    programs = tools / "node_modules" / ".bin"
    run("openapi-typescript", [programs / "openapi-typescript", DESCRIPTION, "--output", work / "galley.d.ts"])
    for source in [*(HERE / "typescript").glob("*.ts"), HERE / "tsconfig.json", HERE / "package.json"]:
        shutil.copy(source, work)
    run("tsc", [programs / "tsc", "--project", work])
    return [["node", work / "built" / f"{name}.js"] for name in ("fetch", "openapi")]


def drive(drivers: list[list[str | Path]], folder: Path) -> None:
    daemon = Daemon(folder, {})
    address = daemon.start()
    try:
        key = daemon.key("--name", "clients", "--scopes", "admin")
        for driver in drivers:
            run(Path(driver[-1]).name, [*driver, address, key, *SAMPLES])
    finally:
        ended = daemon.stop()
    requests, wrong = daemon.faults()
    print(f"-- the daemon answered {requests} requests and ended with {ended}", flush=True)
    if ended != 0 or wrong:
        raise Failed("\n".join([f"the daemon ended with {ended}", *wrong[:20]]))


def main() -> None:
    # A stage that is given up must not leave the daemon behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("clients: given up"))
    made, tools = venv("clients", HERE / "requirements.txt"), node_modules()
    work = tools / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with ThreadPoolExecutor(2) as pool:
        linted = pool.submit(lint, tools)
        of_python = pool.submit(python_client, made, work)
        of_typescript = pool.submit(typescript_clients, made, tools, work)
        linted.result()
        drivers = [of_python.result(), *of_typescript.result()]
    with tempfile.TemporaryDirectory(prefix="galley-clients-") as folder:
        # Whoever runs Postgres for root must get to it, or the cluster goes elsewhere and stays there.
        os.chmod(folder, 0o711)
        drive(drivers, Path(folder))


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"clients: {failed}")
