"""Writes vectors.json: what the PyPI package `standardwebhooks` signs. Run in an environment that has it:
python3 record.py > vectors.json"""

import base64
import hashlib
import hmac
import json
import sys
from datetime import datetime, timezone
from importlib.metadata import version

from standardwebhooks import Webhook

SECRETS = [
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    base64.b64encode(bytes(range(192, 256))).decode(),
    "whsec_" + base64.b64encode(b"\x00" * 25).decode(),
]
MESSAGES = [
    ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'),
    ("msg_1", 1795348800, '{"title":"Grüner Tee \u2028 茶 \U0001f375"}'),
    ("evt_2", 0, ""),
    ("msg_01900000000070008000000000000001", 4102444800, " \n\t{}\r\n\x00"),
    ("msg_3", 1795348800, "x" * 70000),
]


def one(secret, id, timestamp, body):
    repeated = body[:1] if len(body) > 1000 else None
    return {
        "secret": secret,
        "id": id,
        "timestamp": timestamp,
        "body": repeated or body,
        "times": len(body) if repeated else 1,
        "signature": Webhook(secret).sign(id, datetime.fromtimestamp(timestamp, tz=timezone.utc), body),
        "signature_003": "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest(),
    }


vectors = [one(secret, *message) for secret in SECRETS for message in MESSAGES]
json.dump({"package": "standardwebhooks " + version("standardwebhooks"), "vectors": vectors}, sys.stdout, indent=1)
print()
