#!/usr/bin/env python3
"""Fails when the committed description lacks an operation that served.txt names."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
lines = [line.strip() for line in (HERE / "served.txt").read_text().splitlines()]
wanted = {line for line in lines if line and not line.startswith("#")}
paths = json.loads((HERE.parent.parent / "openapi" / "galley.json").read_text())["paths"]
served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
for line in sorted(wanted - served):
    print(f"missing {line}", file=sys.stderr)
print(f"served.txt: {len(wanted & served)} of {len(wanted)} operations")
sys.exit(not wanted or bool(wanted - served))
