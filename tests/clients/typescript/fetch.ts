// The ways of both documents, driven by the client that openapi-generator makes for TypeScript (`typescript-fetch`):
// `fetch.js ADDRESS KEY FILE…`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";

import {
    ArticlesApi,
    ArticlesProblemFromJSON,
    Configuration,
    FilesApi,
    ProblemFromJSON,
    ResponseError,
    TaskStateEventFromJSON,
    TasksApi,
    type Article,
    type GenerateArticle,
    type Task,
    type TaskStateEvent,
} from "./generated/index.js";

const WRITING_MS = 120_000;
const PAUSE_MS = 200;

const [address, key, ...paths] = process.argv.slice(2);
assert(address && key && paths.length > 0);
const configuration = new Configuration({ basePath: address, accessToken: key });
const [tasks, articles, files] = [TasksApi, ArticlesApi, FilesApi].map((Api) => new Api(configuration)) as [
    TasksApi,
    ArticlesApi,
    FilesApi,
];

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

/** The body of the problem that a call is answered with. */
async function refused(status: number, call: Promise<unknown>): Promise<unknown> {
    const error = await call.then(
        () => assert.fail(`this should be a ${status}`),
        (error: unknown) => error,
    );
    assert(error instanceof ResponseError, String(error));
    assert.equal(error.response.status, status);
    assert.equal(error.response.headers.get("content-type"), "application/problem+json");
    return error.response.json();
}

async function ended(taskId: string): Promise<Task> {
    const done = await until(
        () => tasks.getTask({ taskId }),
        (seen) => ["completed", "failed", "cancelled"].includes(seen.status),
    );
    assert.equal(done.status, "completed", done.error?.message);
    return done;
}

/** What the end of a stream says of its task. */
function lastEvent(text: string): TaskStateEvent {
    const lines = text.trim().split("\n\n").at(-1)?.split("\n") ?? [];
    const line = (name: string) => lines.find((line) => line.startsWith(name))?.slice(name.length) ?? "";
    assert.equal(line("event: "), "task.completed");
    return TaskStateEventFromJSON(JSON.parse(line("data: ")));
}

/** 000: order, poll, read, run again, list, delete. */
async function tasksAndArticles(file: string): Promise<void> {
    const createTask = {
        userPrompt: "Brewing coffee",
        uploadedFiles: [{ id: file, name: "faq.md" }],
        minWords: 300,
        maxWords: 600,
    };
    const { taskId } = await tasks.createTask({ createTask, idempotencyKey: "fetch-000" });
    const again = await tasks.createTask({ createTask, idempotencyKey: "fetch-000" });
    assert.equal(again.taskId, taskId, "the same key orders once");
    const done = await ended(taskId);
    assert.deepEqual(done.uploadedFiles.map((known) => known.id), [file]);
    assert(done.completedAt instanceof Date);
    const events = await tasks.streamTaskEvents({ taskId });
    assert(events);
    assert.equal(lastEvent(events).articleId, done.articleId);

    const [summary] = (await tasks.listTaskArticles({ taskId })).data;
    assert(summary);
    const articleId = summary.id;
    const article = (await articles.getArticle({ articleId })).data;
    assert(article.content === article.contentMarkdown && article.seo && article.dataSources.length > 0);
    const steps = (await tasks.listTaskSteps({ taskId })).data;
    assert(steps.length > 0 && steps.every((step) => step.state === "done"));

    assert.equal((await tasks.retryTask({ taskId, retryTask: { from: "seo" } })).taskId, taskId);
    assert.equal((await ended(taskId)).run, 2);
    assert((await articles.getArticle({ articleId })).data.version > article.version);

    const completed = await tasks.listTasks({ status: "completed", limit: 100 });
    assert(completed.data.some((known) => known.taskId === taskId));
    const drafts = await articles.listArticles({ publicationStatus: "draft", page: 1, pageSize: 100 });
    assert(drafts.data.some((known) => known.id === articleId));
    assert.equal(drafts.pagination.limit, 100);
    assert.equal(ProblemFromJSON(await refused(409, tasks.cancelTask({ taskId }))).code, "CONFLICT");
    await articles.deleteArticle({ articleId });
    const gone = ArticlesProblemFromJSON(await refused(404, articles.getArticle({ articleId })));
    assert.deepEqual([gone.code, gone.error.code], ["ARTICLE_NOT_FOUND", "NOT_FOUND"]);
}

async function generated(uploadedFiles: string[]): Promise<Article> {
    const order: GenerateArticle = { topic: "Brewing coffee", length: "short", uploadedFiles };
    const { articleId } = (await articles.generateArticle({ generateArticle: order })).data;
    const { data: seen } = await until(
        () => articles.getArticleStatus({ articleId }),
        (answer) => ["draft", "published", "failed"].includes(answer.data.status),
    );
    assert.deepEqual([seen.status, seen.progress], ["draft", 100], seen.error?.message);
    return (await articles.getArticle({ articleId })).data;
}

/** 001: generate, poll, read, list, change, delete. */
async function articlesAlone(files: string[]): Promise<void> {
    const article = await generated(files);
    const articleId = article.id;
    assert(article.content === article.contentHtml && article.content.includes("<p>"));
    const search = article.title.slice(0, 20);
    const found = await articles.listArticles({ search, sort: "title", order: "asc", limit: 10 });
    assert(found.success && found.data.some((known) => known.id === articleId));
    const change = { articleId, updateArticle: { title: "Roasting" }, ifMatch: `"${article.version}"` };
    const changed = await articles.updateArticle(change);
    assert.deepEqual([changed.title, changed.version], ["Roasting", article.version + 1]);
    await articles.deleteArticle({ articleId });
    const gone = ArticlesProblemFromJSON(await refused(404, articles.getArticleStatus({ articleId })));
    assert.equal(gone.code, "NOT_FOUND");
}

/** What is wrong is named by its field; a file nobody reads any more can go. */
async function problems(file: string): Promise<void> {
    const uploadedFiles = ["0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e"];
    const order = tasks.createTask({ createTask: { userPrompt: "Tea", uploadedFiles } });
    const wrong = ProblemFromJSON(await refused(400, order));
    assert.deepEqual([wrong.code, wrong.errors.map((error) => error.field)], ["VALIDATION_ERROR", ["uploaded_files[0]"]]);
    const generate = articles.generateArticle({ generateArticle: { topic: "About tea", uploadedFiles } });
    const other = ArticlesProblemFromJSON(await refused(400, generate));
    assert.deepEqual([other.success, other.meta.requestId], [false, other.requestId]);
    await files.deleteFile({ fileId: file });
    assert.equal(ProblemFromJSON(await refused(404, files.getFile({ fileId: file }))).code, "NOT_FOUND");
}

async function uploaded(path: string): Promise<string> {
    const bytes = readFileSync(path);
    const answer = await files.uploadFileRaw({ file: new File([bytes], basename(path)) });
    const fileId = (await answer.value()).id;
    assert.equal(answer.raw.headers.get("location"), `/api/v1/files/${fileId}`);
    assert.equal((await files.getFile({ fileId })).size, bytes.length);
    return fileId;
}

const known: string[] = [];
for (const path of paths) known.push(await uploaded(path));
const [first] = known;
assert(first);
await tasksAndArticles(first);
await articlesAlone(known);
await problems(first);
