"""The ways of both documents, driven by the client that openapi-generator makes for Python: `flow.py ADDRESS KEY FILE…`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from galley_client import (
    ApiClient,
    ApiException,
    Article,
    ArticlesApi,
    ArticlesProblem,
    Configuration,
    CreateTask,
    FileById,
    FileReference,
    FilesApi,
    GenerateArticle,
    Problem,
    RetryTask,
    Task,
    TasksApi,
    TaskStateEvent,
    UpdateArticle,
)

WRITING_SECONDS = 120
PAUSE_SECONDS = 0.2

T = TypeVar("T")


def until(ask: Callable[[], T], is_over: Callable[[T], bool]) -> T:
    """Polls, as the documents have it."""
    end = time.monotonic() + WRITING_SECONDS
    while not is_over(answer := ask()):
        assert time.monotonic() < end, f"not over after {WRITING_SECONDS} s: {answer}"
        time.sleep(PAUSE_SECONDS)
    return answer


def refused(status: int, call: Callable[[], object]) -> Problem | ArticlesProblem:
    """The problem that a call is answered with, as the client has read it."""
    try:
        call()
    except ApiException as refusal:
        assert refusal.status == status, refusal
        problem = refusal.data
        assert isinstance(problem, Problem | ArticlesProblem), refusal
        assert problem.status == status and problem.request_id and problem.detail
        return problem
    raise AssertionError(f"this should be a {status}")


def ended(tasks: TasksApi, task: UUID) -> Task:
    done = until(lambda: tasks.get_task(task), lambda seen: seen.status in ("completed", "failed", "cancelled"))
    assert done.status == "completed", done.error
    return done


def last_event(text: str) -> TaskStateEvent:
    """What the end of a stream says of its task."""
    lines = dict(line.split(": ", 1) for line in text.strip().split("\n\n")[-1].splitlines())
    assert lines["event"] == "task.completed", lines
    return TaskStateEvent.from_dict(json.loads(lines["data"])) or sys.exit("no event")


def tasks_and_articles(client: ApiClient, file: UUID) -> None:
    """000: order, poll, read, run again, list, delete."""
    tasks, articles = TasksApi(client), ArticlesApi(client)
    files = [FileReference(FileById(id=file, name="faq.md"))]
    order = CreateTask(user_prompt="Brewing coffee", uploaded_files=files, min_words=300, max_words=600)
    task = tasks.create_task(order, idempotency_key="python-000").task_id
    assert tasks.create_task(order, idempotency_key="python-000").task_id == task, "the same key orders once"
    done = ended(tasks, task)
    assert [known.id for known in done.uploaded_files] == [file] and done.completed_at
    assert last_event(tasks.stream_task_events(task)).article_id == done.article_id

    [summary] = tasks.list_task_articles(task).data
    article = articles.get_article(summary.id).data
    assert article.content == article.content_markdown and article.seo and article.data_sources
    steps = tasks.list_task_steps(task).data
    assert {step.state for step in steps} == {"done"}, steps

    assert tasks.retry_task(task, retry_task=RetryTask.model_validate({"from": "seo"})).task_id == task
    assert ended(tasks, task).run == 2
    assert articles.get_article(summary.id).data.version > article.version

    assert task in [known.task_id for known in tasks.list_tasks(status="completed", limit=100).data]
    drafts = articles.list_articles(publication_status="draft", page=1, page_size=100)
    assert summary.id in [known.id for known in drafts.data] and drafts.pagination.limit == 100
    assert refused(409, lambda: tasks.cancel_task(task)).code == "CONFLICT"
    articles.delete_article(summary.id)
    gone = refused(404, lambda: articles.get_article(summary.id))
    assert isinstance(gone, ArticlesProblem) and gone.code == "ARTICLE_NOT_FOUND" and gone.error.code == "NOT_FOUND"


def generated(articles: ArticlesApi, files: list[UUID]) -> Article:
    references = [FileReference(file) for file in files]
    order = GenerateArticle(topic="Brewing coffee", length="short", uploaded_files=references)
    started = articles.generate_article(order).data
    status = until(
        lambda: articles.get_article_status(started.article_id).data, lambda seen: seen.status in ("draft", "published", "failed")
    )
    assert status.status == "draft" and status.progress == 100, status.error
    return articles.get_article(started.article_id).data


def articles_alone(client: ApiClient, files: list[UUID]) -> None:
    """001: generate, poll, read, list, change, delete."""
    articles = ArticlesApi(client)
    article = generated(articles, files)
    assert article.content == article.content_html and "<p>" in article.content
    found = articles.list_articles(search=article.title[:20], sort="title", order="asc", limit=10)
    assert found.success and article.id in [known.id for known in found.data]
    changed = articles.update_article(article.id, UpdateArticle(title="Roasting"), if_match=f'"{article.version}"')
    assert changed.title == "Roasting" and changed.version == article.version + 1
    articles.delete_article(article.id)
    assert refused(404, lambda: articles.get_article_status(article.id)).code == "NOT_FOUND"


def problems(client: ApiClient, file: UUID) -> None:
    """What is wrong is named by its field; a file nobody reads any more can go."""
    unknown = FileReference(UUID("0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e"))
    wrong = refused(400, lambda: TasksApi(client).create_task(CreateTask(user_prompt="Tea", uploaded_files=[unknown])))
    assert wrong.code == "VALIDATION_ERROR" and [error.var_field for error in wrong.errors] == ["uploaded_files[0]"]
    order = GenerateArticle(topic="About tea", uploaded_files=[unknown])
    wrong = refused(400, lambda: ArticlesApi(client).generate_article(order))
    assert isinstance(wrong, ArticlesProblem) and not wrong.success and wrong.meta.request_id == wrong.request_id
    FilesApi(client).delete_file(file)
    assert refused(404, lambda: FilesApi(client).get_file(file)).code == "NOT_FOUND"


def uploaded(client: ApiClient, path: Path) -> UUID:
    content = path.read_bytes()
    answer = FilesApi(client).upload_file_with_http_info((path.name, content))
    file = answer.data.id
    headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
    assert headers["location"] == f"/api/v1/files/{file}"
    assert FilesApi(client).get_file(file).size == len(content)
    return file


def main() -> None:
    address, key, *paths = sys.argv[1:]
    with ApiClient(Configuration(host=address, access_token=key)) as client:
        files = [uploaded(client, Path(path)) for path in paths]
        tasks_and_articles(client, files[0])
        articles_alone(client, files)
        problems(client, files[0])


main()
