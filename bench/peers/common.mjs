// What the peers in JavaScript share. `run` says what is measured.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** What the end of a step writes; a SELECT from `moved` has to follow. */
export const ADVANCE = readFileSync(new URL("advance.sql", import.meta.url), "utf8");
/** Connections of the pool, Galley's own number by default. */
export const CONNECTIONS = Number(process.env.CONNECTIONS ?? 20);
/** Tasks that are not completed. */
export const OPEN = "SELECT count(*)::integer AS tasks FROM tasks WHERE status <> 'completed'";
/** The last step of a task. */
export const LAST = 5;

/** Counts what was handled, and says when so many tasks are completed. */
export class Count {
  handled = 0;
  failed = 0;
  #completed = 0;
  #tasks;
  #all = Promise.withResolvers();

  constructor(tasks) {
    this.#tasks = tasks;
  }

  complete(tasks) {
    this.#completed += tasks;
    if (this.#completed >= this.#tasks) this.#all.resolve();
  }

  /** Ends the run: a queue would try again, and a figure with repeated steps says nothing. */
  fail(error) {
    this.failed += 1;
    this.#all.reject(error);
  }

  /** The result of a run that began then; `open` counts the tasks whose last step is not committed yet. */
  async result(began, open) {
    await this.#all.promise;
    while ((await open()) > 0) await setTimeout(1);
    return { seconds: (performance.now() - began) / 1000, handled: this.handled, failed: this.failed };
  }
}

/** Does what the command line says and prints the result. */
export async function main(verbs) {
  const [verb, url, count] = process.argv.slice(2);
  if (!verbs[verb] || !url || !count) throw new Error("usage: prepare|run URL COUNT");
  const result = await verbs[verb](url, Number(count));
  if (result) console.log(JSON.stringify(result));
}
