// The comparison's steps on Graphile Worker. `run` says what is measured.
import { Logger, run, runMigrations } from "graphile-worker";
import pg from "pg";
import { ADVANCE, CONNECTIONS, Count, LAST, OPEN, main } from "./common.mjs";

const NEXT = "SELECT graphile_worker.add_job('step', json_build_object('task', id, 'step', step + 1)) FROM moved";
/** One statement is one transaction and one round trip. */
const HAND_OVER = `${ADVANCE} ${NEXT} WHERE step < ${LAST}`;
const quiet = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});

function connect(url) {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  const report = (error) => console.error(error);
  pool.on("error", report);
  pool.on("connect", (client) => client.on("error", report));
  return pool;
}

async function prepare(url) {
  const pool = connect(url);
  await runMigrations({ pgPool: pool, logger: quiet });
  await pool.query(
    "SELECT graphile_worker.add_job('step', json_build_object('task', id, 'step', 0)) FROM tasks ORDER BY rank",
  );
  await pool.end();
}

async function drain(url, concurrency) {
  const pool = connect(url);
  const open = async () => (await pool.query(OPEN)).rows[0].tasks;
  const count = new Count(await open());
  const step = async ({ task, step }, { withPgClient }) => {
    count.handled += 1;
    const values = [[task], [step]];
    try {
      await withPgClient((client) => client.query({ name: "hand_over", text: HAND_OVER, values }));
    } catch (error) {
      count.fail(error);
      throw error;
    }
    if (step === LAST) count.complete(1);
  };
  // As its page on performance recommends, without the waiting that it offers for clusters of workers.
  const worker = {
    concurrentJobs: concurrency,
    localQueue: { size: concurrency + 1 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  };
  const began = performance.now();
  const runner = await run({ pgPool: pool, taskList: { step }, logger: quiet, noHandleSignals: true, preset: { worker } });
  const result = await count.result(began, open);
  await runner.stop();
  await pool.end();
  return result;
}

await main({ prepare, run: drain });
