"""The comparison's steps on PgQueuer. `run` says what is measured."""

import asyncio
import json
import os
import pathlib
import sys
import time

import asyncpg
import uvloop
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

HAND_OVER = pathlib.Path(__file__).with_name("advance.sql").read_text() + " SELECT count(*) FROM moved"
CONNECTIONS = int(os.environ.get("CONNECTIONS", "20"))
LAST = 5


def payload(task: object, step: int) -> bytes:
    return json.dumps({"task": str(task), "step": step}).encode()


async def prepare(url: str) -> None:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    # What its own benchmark does.
    await queries.optimize_autovacuum()
    tasks = [row["id"] for row in await connection.fetch("SELECT id FROM tasks ORDER BY rank")]
    await queries.enqueue(["step"] * len(tasks), [payload(task, 0) for task in tasks], [0] * len(tasks))
    await connection.close()


async def hand_over(connection: asyncpg.Connection, task: str, step: int) -> None:
    async with connection.transaction():
        await connection.execute(HAND_OVER, [task], [step])
        if step < LAST:
            await Queries(AsyncpgDriver(connection)).enqueue("step", payload(task, step + 1))


async def run(url: str, concurrency: int) -> dict[str, float]:
    async with asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        tasks = await pool.fetchval("SELECT count(*) FROM tasks")
        manager = QueueManager(Queries(AsyncpgPoolDriver(pool)))
        result = {"seconds": 0.0, "handled": 0, "failed": 0}
        completed = 0

        @manager.entrypoint("step")
        async def step(job: Job) -> None:
            nonlocal completed
            result["handled"] += 1
            given = json.loads(job.payload)
            try:
                async with pool.acquire() as connection:
                    await hand_over(connection, given["task"], given["step"])
            except Exception:
                # A figure with repeated steps says nothing.
                result["failed"] += 1
                manager.shutdown.set()
                raise
            completed += given["step"] == LAST
            if completed == tasks:
                result["seconds"] = time.perf_counter() - began
                manager.shutdown.set()

        began = time.perf_counter()
        # It takes at most half of what may be in work with one statement.
        await manager.run(batch_size=concurrency // 2, max_concurrent_tasks=concurrency)
        return result


async def main() -> None:
    verb, url, count = sys.argv[1:]
    if verb == "prepare":
        await prepare(url)
    else:
        print(json.dumps(await run(url, int(count))))


uvloop.run(main())
