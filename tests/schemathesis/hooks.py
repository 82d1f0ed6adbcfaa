"""Puts right, in data that follows the schema, what a schema cannot say. Data made to break the schema goes as it is.

Each rule here is one that the description states in words; what refuses a breach of it is tested in `tests/front`.
"""

import base64
import copy
import os

import schemathesis

UPLOADED = os.environ["GALLEY_FILE"]
WRITTEN = os.environ["GALLEY_TASK"]
FIELDS = {
    "title", "content", "slug", "seo_title", "seo_description", "meta_description", "keywords", "publication_status",
}
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
# Of a file something can be read. A text and no bytes: those are never taken for data that follows the schema.
TEXT = "Coffee grows on the ridge. It is roasted in the valley. The cooperative ships it in spring."

EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {name: {"type": "string", "minLength": 1} for name in ("id", "event", "data")},
    "additionalProperties": False,
}


def ordered(values: dict, low: str, high: str) -> None:
    """A range does not end before it begins."""
    if isinstance(values.get(low), (int, float)) and isinstance(values.get(high), (int, float)):
        values[low], values[high] = sorted((values[low], values[high]))


def sources(body: dict) -> None:
    """Links lead to public pages, files were uploaded, projects exist."""
    if isinstance(body.get("reference_links"), list):
        body["reference_links"] = [f"https://example.com/{at}" for at, _ in enumerate(body["reference_links"])]
    if isinstance(body.get("uploaded_files"), list):
        name = lambda item: "id" if "id" in item else "file_id"
        body["uploaded_files"] = [
            {**item, name(item): UPLOADED} if isinstance(item, dict) else UPLOADED for item in body["uploaded_files"]
        ]
    body.pop("project_id", None)


def retry(case, body: dict) -> None:
    """A run begins where everything before it is there; an outline needs what was read."""
    if body.get("outline") is not None:
        body.pop("from", None)
        case.path_parameters = {"task_id": WRITTEN}
    elif body.get("from") is not None:
        body["from"] = "research"
    for section in (body.get("outline") or {}).get("sections", []):
        if isinstance(section, dict) and isinstance(section.get("words"), dict):
            ordered(section["words"], "min", "max")


def change(body: dict) -> None:
    """Something that is known changes; two names of one field agree; a text is Markdown."""
    if not FIELDS & body.keys():
        body["title"] = "Coffee"
    if "seo_description" in body and "meta_description" in body:
        body["meta_description"] = body["seo_description"]
    if isinstance(body.get("content"), str):
        body["content"] = body["content"].lstrip().lstrip("<")


def recurring(body: dict) -> None:
    """Times are five fields of a cron line in a zone that exists; a schedule does not end before it begins."""
    if body.keys() & {"cron", "rule", "timezone", "starts_at", "ends_at"} or body.get("action") is None:
        body.update(cron="0 9 * * *", timezone="UTC")
    for name in ("rule", "starts_at", "ends_at"):
        body.pop(name, None)
    if isinstance(body.get("action"), dict):
        body["action"] = {"type": "order", "order": {"user_prompt": "Coffee"}}


def endpoint(body: dict) -> None:
    """An endpoint is a public page; a list of events names events that there are; a secret is the Base64 of enough bytes; a range does not end before it begins."""
    if isinstance(body.get("url"), str):
        body["url"] = "https://example.com/hook"
    if isinstance(body.get("events"), list):
        body["events"] = ["*"]
    if isinstance(body.get("event_types"), list):
        body["event_types"] = ["*"]
    if body.get("secret") is not None:
        body["secret"] = SECRET
    if "from" in body:
        body["from"] = "2000-01-01T00:00:00Z"
        body.pop("to", None)


def near(value):
    """No number is beyond 1e300."""
    match value:
        case dict():
            return {name: near(inner) for name, inner in value.items()}
        case list():
            return [near(inner) for inner in value]
        case int() | float() if abs(value) > 1e300:
            return 0
        case _:
            return value


def one_place(query: dict) -> dict:
    """Two names of one parameter agree, and a list begins at a page or at an offset."""
    if {"limit", "page_size"} <= query.keys():
        query["page_size"] = query["limit"]
    if {"page", "offset"} <= query.keys():
        del query["offset"]
    return query


def is_field_name(name: str) -> bool:
    """Fits into the header of a part of a form; there is no other place to say it."""
    return name.isascii() and name.isprintable() and '"' not in name


def from_the_beginning(case) -> None:
    """Nobody has seen an event that was not sent yet. What is right already is left alone: a change is checked anew."""
    header = (case.headers or {}).get("Last-Event-ID")
    if header in (None, "") and (case.query or {}).get("last_event_id") not in (None, 0, "0", ""):
        case.query = {**case.query, "last_event_id": 0}
    if "token" in (case.query or {}):
        # It stands in a key's place, and a key goes with every call here.
        case.query = {name: value for name, value in case.query.items() if name != "token"}
    if header not in (None, "", "0"):
        # With headers that nobody knows, the whole would now count as data that breaks the schema.
        case.headers = {}
        case.query = {}


NOBODY = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e"
BLOG = {"site_url": "https://blog.example.com", "username": "editor", "app_password": "abcd efgh ijkl"}
SITE = {"site_url": "https://blog.example.com", "username": "editor", "api_key": "abcd efgh ijkl"}
# What stands in the place of the fields that are given: addresses that are public, things that are there, times to come.
PUBLISHING = {
    "/api/v1/blog-connections": BLOG,
    "/api/v1/blog-connections/{connection_id}": BLOG,
    "/api/v1/stock-photo-keys": {"api_key": "abcdef"},
    "/api/v1/stock-photo-keys/{key_id}": {"api_key": "abcdef"},
    "/api/v1/projects/{project_id}/blog-posts/{post_id}/schedule": {
        "scheduled_at": "2029-01-15T10:00:00Z", "timezone": "UTC",
    },
    "/api/v1/projects/{project_id}/blog-posts/{post_id}/images/from-stock": {
        "photo_url": "https://images.pexels.com/photos/1/coffee.jpeg",
    },
}
# What `If-Match` looks like. No article was changed at that time, so it is answered with 412.
READ = '"2026-01-15T10:00:00.000Z"'
# Where several fields only make sense together, the whole.
WHOLE = {
    ("POST", "/api/v1/projects/{project_id}/blog-posts"): {
        "topic": "Coffee", "ai_settings": {"word_count": 500, "uploaded_files": [{"id": UPLOADED}]},
    },
    ("POST", "/api/v1/projects/{project_id}/blog-posts/{post_id}/regenerate"): {},
    ("POST", "/api/v1/calendar/feeds"): {"name": "Desk"},
    ("PATCH", "/api/v1/calendar/{article_id}"): {"planned_for": "2027-01-15"},
    ("POST", "/api/v1/publisher/publish"): {"content_id": NOBODY},
    ("POST", "/api/v1/integration"): SITE | {"platform": "wordpress", "site_id": NOBODY},
    ("PUT", "/api/v1/integration/{integration_id}"): {"is_active": True},
    ("POST", "/api/v1/integration/webhook/wordpress"): {
        "event": "status", "content_id": NOBODY, "post_id": 7, "post_status": "publish",
        "timestamp": "2026-01-15T10:00:00Z",
    },
}
QUERIES = {
    "/api/v1/calendar": {"from": "2027-01-01", "to": "2027-01-31"},
    "/api/v1/publisher/publish/status": {"content_id": NOBODY},
    "/api/v1/publisher/site-definition": {"site_id": NOBODY},
}


def published(path: str, method: str, body: dict) -> dict:
    """Blogs, posts and what opens them."""
    if (method, path) in WHOLE:
        return WHOLE[method, path]
    if path == "/api/v1/projects/{project_id}/blog-posts/{post_id}" and method == "PATCH":
        # The post has no images, and the project no items.
        for name in ("featured_image_url", "source_item_ids", "product_links"):
            body.pop(name, None)
        return body
    if path.endswith(("/publish", "/schedule")):
        # There is no connection to name.
        body.pop("connection_id", None)
    return body | {name: value for name, value in PUBLISHING.get(path, {}).items() if name in body}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """A stream is described as text, which is what generators of clients take; schemathesis holds each event against its schema."""
    for operations in raw_schema["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                if stream := response.get("content", {}).get("text/event-stream"):
                    stream["schema"] = EVENT


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    path, method = case.operation.path, case.method.upper()
    if path.endswith("/events"):
        from_the_beginning(case)
    elif case.query:
        case.query = one_place(dict(case.query))
    if path == "/api/v1/schedules/{schedule_id}" and case.headers:
        # Nobody has read the schedule at the time that `If-Match` names.
        case.headers = {name: value for name, value in case.headers.items() if name.lower() != "if-match"}
    if path == "/api/v1/calendar/{article_id}" and case.headers:
        case.headers = {n: READ if n.lower() == "if-match" else value for n, value in case.headers.items()}
    if path.endswith("/deliveries") and "event_type" in (case.query or {}):
        # It names an event that there is.
        case.query = {**case.query, "event_type": "task.*"}
    if path in QUERIES:
        case.query = QUERIES[path]
    if path.endswith("/publish/preview") and case.query:
        # There is no connection to name.
        case.query = {}
    if not isinstance(case.body, dict):
        return
    if path == "/api/v1/files":
        if "file" in case.body:
            case.body = {name: value for name, value in case.body.items() if is_field_name(name)} | {"file": TEXT}
        return
    # Cases share their parts, so what is changed is a copy.
    body = copy.deepcopy(case.body)
    if path in ("/api/v1/tasks", "/api/v1/articles/generate"):
        ordered(body, "min_words", "max_words")
        sources(body)
    elif path.endswith("/retry"):
        retry(case, body)
    elif path.startswith("/api/v1/schedules"):
        recurring(body)
    elif path.startswith("/api/v1/webhooks"):
        endpoint(body)
    elif path == "/api/v1/projects/{project_id}":
        if body.get("store_connection_id") is not None:
            # There is none yet.
            body["store_connection_id"] = None
        if isinstance(body.get("settings"), dict):
            body["settings"] = near(body["settings"])
    elif (method, path) in WHOLE or path in PUBLISHING or path.endswith(("/blog-posts/{post_id}", "/publish")):
        body = published(path, method, body)
    elif method == "PATCH":
        change(body)
    case.body = body
