// The comparison's steps on pg-boss. `run` says what is measured.
import { PgBoss } from "pg-boss";
import { ADVANCE, CONNECTIONS, Count, LAST, OPEN, main } from "./common.mjs";

const QUEUE = "steps";
const HAND_OVER = `${ADVANCE} SELECT count(*) FROM moved`;
/** Batches in work at once; each keeps a connection while it is written. */
const WORKERS = 4;

async function start(url) {
  const boss = new PgBoss({ connectionString: url, max: CONNECTIONS, schedule: false, useListenNotify: true });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}

async function prepare(url) {
  const boss = await start(url);
  await boss.createQueue(QUEUE, { notify: true });
  const { rows } = await boss.getDb().executeSql("SELECT id FROM tasks ORDER BY rank");
  await boss.insert(QUEUE, rows.map(({ id }) => ({ data: { task: id, step: 0 } })));
  await boss.stop();
}

async function drain(url, concurrency) {
  const boss = await start(url);
  const open = async () => (await boss.getDb().executeSql(OPEN)).rows[0].tasks;
  const count = new Count(await open());
  const handOver = async (jobs, tx) => {
    const steps = jobs.map((job) => job.data);
    await tx.executeSql(HAND_OVER, [steps.map(({ task }) => task), steps.map(({ step }) => step)]);
    const next = steps.filter(({ step }) => step < LAST).map(({ task, step }) => ({ data: { task, step: step + 1 } }));
    if (next.length > 0) await boss.insert(QUEUE, next, { db: tx });
    return next.length;
  };
  const handler = async (jobs, tx) => {
    count.handled += jobs.length;
    try {
      count.complete(jobs.length - (await handOver(jobs, tx)));
    } catch (error) {
      count.fail(error);
      throw error;
    }
  };
  const options = {
    batchSize: concurrency / WORKERS,
    localConcurrency: WORKERS,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
    notifyPollingIntervalSeconds: 0.5,
    transactional: true,
  };
  const began = performance.now();
  await boss.work(QUEUE, options, handler);
  const result = await count.result(began, open);
  await boss.stop();
  return result;
}

await main({ prepare, run: drain });
