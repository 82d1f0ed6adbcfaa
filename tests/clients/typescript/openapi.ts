// The ways of both documents, driven by openapi-fetch with the types that openapi-typescript makes:
// `openapi.js ADDRESS KEY FILE…`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./galley.js";

type Schemas = components["schemas"];

const WRITING_MS = 120_000;
const PAUSE_MS = 200;

const [address, key, ...samples] = process.argv.slice(2);
assert(address && key && samples.length > 0);
const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });

interface Answer<T, E> {
    data?: T;
    error?: E;
    response: Response;
}

/** The good answer of a call. */
function good<T, E>({ data, error, response }: Answer<T, E>): T {
    assert(response.ok && data !== undefined, JSON.stringify(error));
    return data;
}

/** The problem that a call is answered with. */
function refused<T, E>(status: number, { error, response }: Answer<T, E>): E {
    assert.equal(response.status, status);
    assert(error !== undefined);
    return error;
}

/** Polls, as the documents have it. */
async function until<T>(ask: () => Promise<T>, isOver: (seen: T) => boolean): Promise<T> {
    const end = Date.now() + WRITING_MS;
    for (;;) {
        const seen = await ask();
        if (isOver(seen)) return seen;
        assert(Date.now() < end, `not over after ${WRITING_MS} ms: ${JSON.stringify(seen)}`);
        await setTimeout(PAUSE_MS);
    }
}

async function ended(task_id: string): Promise<Schemas["Task"]> {
    const path = { task_id };
    const done = await until(
        async () => good(await client.GET("/api/v1/tasks/{task_id}", { params: { path } })),
        (seen) => ["completed", "failed", "cancelled"].includes(seen.status),
    );
    assert.equal(done.status, "completed", done.error?.message);
    return done;
}

/** What the end of a stream says of its task. */
function lastEvent(text: string): Schemas["TaskStateEvent"] {
    const lines = text.trim().split("\n\n").at(-1)?.split("\n") ?? [];
    const line = (name: string) => lines.find((line) => line.startsWith(name))?.slice(name.length) ?? "";
    assert.equal(line("event: "), "task.completed");
    return JSON.parse(line("data: ")) as Schemas["TaskStateEvent"];
}

async function article(article_id: string): Promise<Schemas["Article"]> {
    return good(await client.GET("/api/v1/articles/{article_id}", { params: { path: { article_id } } })).data;
}

async function remove(article_id: string): Promise<void> {
    const { response } = await client.DELETE("/api/v1/articles/{article_id}", { params: { path: { article_id } } });
    assert.equal(response.status, 204);
}

/** 000: order, poll, read, run again, list, delete. */
async function tasksAndArticles(file: string): Promise<void> {
    const body: Schemas["CreateTask"] = {
        user_prompt: "Brewing coffee",
        uploaded_files: [{ id: file, name: "faq.md" }],
        min_words: 300,
        max_words: 600,
    };
    const order = () => client.POST("/api/v1/tasks", { body, params: { header: { "Idempotency-Key": "openapi-000" } } });
    const { task_id } = good(await order());
    assert.equal(good(await order()).task_id, task_id, "the same key orders once");
    const done = await ended(task_id);
    assert.deepEqual(done.uploaded_files.map((known) => known.id), [file]);
    const params = { path: { task_id } };
    const events = await client.GET("/api/v1/tasks/{task_id}/events", { params, parseAs: "text" });
    assert.equal(lastEvent(good(events)).article_id, done.article_id);

    const [summary] = good(await client.GET("/api/v1/tasks/{task_id}/articles", { params })).data;
    assert(summary);
    const first = await article(summary.id);
    assert(first.content === first.content_markdown && first.seo && first.data_sources.length > 0);
    const steps = good(await client.GET("/api/v1/tasks/{task_id}/steps", { params })).data;
    assert(steps.length > 0 && steps.every((step) => step.state === "done"));

    const again = await client.POST("/api/v1/tasks/{task_id}/retry", { params, body: { from: "seo" } });
    assert.equal(good(again).task_id, task_id);
    assert.equal((await ended(task_id)).run, 2);
    assert((await article(summary.id)).version > first.version);

    const completed = await client.GET("/api/v1/tasks", { params: { query: { status: "completed", limit: 100 } } });
    assert(good(completed).data.some((known) => known.task_id === task_id));
    const query = { publication_status: "draft", page: 1, page_size: 100 } as const;
    const drafts = good(await client.GET("/api/v1/articles", { params: { query } }));
    assert(drafts.data.some((known) => known.id === summary.id));
    assert.equal(drafts.pagination.limit, 100);
    assert.equal(refused(409, await client.DELETE("/api/v1/tasks/{task_id}", { params })).code, "CONFLICT");
    await remove(summary.id);
    const path = { article_id: summary.id };
    const gone = refused(404, await client.GET("/api/v1/articles/{article_id}", { params: { path } }));
    assert.deepEqual([gone.code, gone.error.code], ["ARTICLE_NOT_FOUND", "NOT_FOUND"]);
}

/** 001: generate, poll, read, list, change, delete. */
async function articlesAlone(uploaded_files: string[]): Promise<void> {
    const body: Schemas["GenerateArticle"] = { topic: "Brewing coffee", length: "short", uploaded_files };
    const { article_id } = good(await client.POST("/api/v1/articles/generate", { body })).data;
    const params = { path: { article_id } };
    const status = await until(
        async () => good(await client.GET("/api/v1/articles/{article_id}/status", { params })).data,
        (seen) => ["draft", "published", "failed"].includes(seen.status),
    );
    assert.deepEqual([status.status, status.progress], ["draft", 100], status.error?.message);
    const made = await article(article_id);
    assert(made.content === made.content_html && made.content.includes("<p>"));
    const query = { search: made.title.slice(0, 20), sort: "title", order: "asc", limit: 10 } as const;
    const found = good(await client.GET("/api/v1/articles", { params: { query } }));
    assert(found.success && found.data.some((known) => known.id === article_id));
    const changed = await client.PATCH("/api/v1/articles/{article_id}", {
        params: { ...params, header: { "If-Match": `"${made.version}"` } },
        body: { title: "Roasting" },
    });
    assert.deepEqual([good(changed).title, good(changed).version], ["Roasting", made.version + 1]);
    await remove(article_id);
    const gone = refused(404, await client.GET("/api/v1/articles/{article_id}/status", { params }));
    assert.equal(gone.code, "NOT_FOUND");
}

/** What is wrong is named by its field; a file nobody reads any more can go. */
async function problems(file_id: string): Promise<void> {
    const uploaded_files = ["0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e"];
    const order = await client.POST("/api/v1/tasks", { body: { user_prompt: "Tea", uploaded_files } });
    const wrong = refused(400, order);
    assert.deepEqual([wrong.code, wrong.errors.map((error) => error.field)], ["VALIDATION_ERROR", ["uploaded_files[0]"]]);
    const body = { topic: "About tea", uploaded_files };
    const other = refused(400, await client.POST("/api/v1/articles/generate", { body }));
    assert.deepEqual([other.success, other.meta.request_id], [false, other.request_id]);
    const params = { path: { file_id } };
    assert.equal((await client.DELETE("/api/v1/files/{file_id}", { params })).response.status, 204);
    assert.equal(refused(404, await client.GET("/api/v1/files/{file_id}", { params })).code, "NOT_FOUND");
}

async function upload(path: string): Promise<string> {
    const bytes = readFileSync(path);
    const form = new FormData();
    form.set("file", new File([bytes], basename(path)));
    // The types have a text for a file; what is sent is the form.
    const answer = await client.POST("/api/v1/files", { body: { file: "" }, bodySerializer: () => form });
    const file_id = good(answer).id;
    assert.equal(answer.response.headers.get("location"), `/api/v1/files/${file_id}`);
    const known = await client.GET("/api/v1/files/{file_id}", { params: { path: { file_id } } });
    assert.equal(good(known).size, bytes.length);
    return file_id;
}

const files: string[] = [];
for (const path of samples) files.push(await upload(path));
const [first] = files;
assert(first);
await tasksAndArticles(first);
await articlesAlone(files);
await problems(first);
