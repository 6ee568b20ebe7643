import { createRequire } from "node:module";
import type * as Module from "node:sqlite";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createSqlStorage, type SqlDatabase } from "../../src/store/sql.ts";
import { logsContract } from "../contract/logs.ts";
import { storeContract } from "../contract/store.ts";

const sqlite = load();

if (sqlite) {
  const open = (): SqlDatabase => databaseOf(new sqlite.DatabaseSync(":memory:"));
  storeContract("sql store", () => createSqlStorage(open()).store);
  logsContract("sql logs", () => createSqlStorage(open()).logs);

  test("what is larger than a row may be comes back whole, in any part", async () => {
    const { store, logs } = createSqlStorage(open());
    const text = "0123456789".repeat(350_000);
    await store.change("large.json", () => text);
    assert.is(await store.read("large.json"), text);
    await store.change("large.json", () => "small");
    assert.is(await store.read("large.json"), "small");
    const log = await logs.open("large.jsonl");
    await log.append(["first", text, "last"]);
    const around = await log.read(1_048_570, 1_048_590);
    assert.is(new TextDecoder().decode(around), text.slice(1_048_564, 1_048_584));
    await log.close();
  });

  test("a database that is opened again has everything", async () => {
    const database = open();
    const first = createSqlStorage(database);
    await first.store.change("empty", () => "");
    await (await first.logs.open("lines")).append(["one"]);
    const second = createSqlStorage(database);
    assert.is(await second.store.read("empty"), "");
    const log = await second.logs.open("lines");
    assert.is(await log.append(["two"]), 4);
    assert.is(new TextDecoder().decode(await log.read(0, 100)), "one\ntwo\n");
  });

  test("nothing is acknowledged before the database says that it is on the disk", async () => {
    let flush: (() => void) | undefined;
    const { logs } = createSqlStorage({ ...open(), sync: () => new Promise((resolve) => void (flush = resolve)) });
    const log = await logs.open("lines");
    let acknowledged = false;
    const appended = log.append(["one"]).then(() => (acknowledged = true));
    await Promise.resolve();
    assert.is(acknowledged, false);
    assert.is(log.size, 0);
    flush?.();
    await appended;
    assert.is(log.size, 4);
  });
} else {
  process.stdout.write("skipped: needs node:sqlite, which Node 20 has not\n");
  test("sql storage", () => undefined);
}

type Sqlite = typeof Module;

function load(): Sqlite | undefined {
  try {
    return createRequire(import.meta.url)("node:sqlite") as Sqlite;
  } catch {
    return undefined; // Node 20
  }
}

/** The surface that a Durable Object gives its database. */
function databaseOf(database: InstanceType<Sqlite["DatabaseSync"]>): SqlDatabase {
  return {
    sql: {
      exec(query, ...values) {
        const given = values.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
        const rows = database.prepare(query).all(...given);
        return { toArray: () => rows.map((row) => Object.fromEntries(Object.entries(row).map(plain))) };
      },
    },
    transactionSync(work) {
      database.exec("SAVEPOINT work");
      try {
        const answer = work();
        database.exec("RELEASE work");
        return answer;
      } catch (error) {
        database.exec("ROLLBACK TO work; RELEASE work");
        throw error;
      }
    },
    sync: () => Promise.resolve(),
  };
}

function plain([name, value]: [string, unknown]): [string, unknown] {
  return [name, value instanceof Uint8Array ? value.slice().buffer : value];
}

test.run();
