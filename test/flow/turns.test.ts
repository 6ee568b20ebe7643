import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RunInput, RunOutcome, Runner } from "../../src/agent/runner.ts";
import { openTurns, type OpenTurns } from "../../src/flow/open-turns.ts";
import type { TurnEvent, TurnInput } from "../../src/flow/turns.ts";
import { Failure } from "../../src/kit/error.ts";
import { createLogger } from "../../src/kit/log.ts";
import { type AssistantMessage, noUsage, textOf } from "../../src/session/message.ts";
import { openSessions } from "../../src/session/open-sessions.ts";
import type { Sessions } from "../../src/session/sessions.ts";
import type { Entry } from "../../src/session/transcript.ts";
import { createFolderLogs } from "../../src/store/folder-log.ts";
import { createFolderStore } from "../../src/store/folder.ts";
import { scriptedConfig } from "../support/app.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createMemoryFiles, type MemoryFiles } from "../support/memory-files.ts";

const key = "agent:main:main";

interface World {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly sessions: Sessions;
  readonly turns: OpenTurns;
  readonly events: TurnEvent[];
  /** Runs that wait to be told how they end, in order. */
  readonly running: Going[];
  /** Ends the first of them. */
  answer(text?: string): Promise<void>;
  transcript(): Promise<readonly string[]>;
  send(runId: string, more?: Partial<TurnInput>): Promise<unknown>;
  settle(): Promise<void>;
  close(): Promise<void>;
}

interface Going {
  readonly input: RunInput;
  readonly end: (text: string) => Promise<void>;
}

interface WorldOptions {
  readonly files?: MemoryFiles;
  readonly config?: object;
  /** The runner does not hear that it is told to end. */
  readonly deaf?: boolean;
}

/** Turns over a real store on a disk in memory; the model is the test itself. */
async function world({ files, config = {}, deaf = false }: WorldOptions = {}): Promise<World> {
  const clock = createFakeClock();
  const disk = files ?? createMemoryFiles(() => clock.now());
  const log = createLogger(() => clock.now(), []);
  const logs = createFolderLogs(disk, "/state");
  const sessions = await openSessions({
    logs,
    store: createFolderStore(disk, "/state"),
    clock,
    log,
    stateFolder: "/state",
  });
  const running: Going[] = [];
  const runner = scriptedRunner(sessions, running, deaf);
  const turns = await openTurns({
    clock,
    log,
    logs,
    sessions,
    runner,
    config: scriptedConfig({
      messages: { queue: { mode: "collect" } },
      ...config,
    }),
    commands: {
      sessions,
      clock,
      runner,
    } as never,
  });
  const events: TurnEvent[] = [];
  turns.onEvent((event) => void events.push(event));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++) await clock.advance(0);
  };
  return {
    clock,
    files: disk,
    sessions,
    turns,
    events,
    running,
    settle,
    async answer(text = "yes") {
      await settle();
      await running.shift()?.end(text);
      await settle();
    },
    async transcript() {
      const row = sessions.get(key);
      const entries = row ? await sessions.transcript(row).page({ limit: 1e3 }) : [];
      return entries.flatMap((entry) =>
        entry.type === "message"
          ? [`${entry.aside ? "aside " : ""}${entry.message.role}: ${textOf(entry.message)}`]
          : [],
      );
    },
    send: (runId, more = {}) =>
      turns.accept({
        runId,
        sessionKey: key,
        agentId: "main",
        commands: true,
        content: [
          {
            type: "text",
            text: `message ${runId}`,
          },
        ],
        origin: {
          channel: "webchat",
          sender: "cli",
          scopes: ["operator.write"],
        },
        ...more,
      }),
    async close() {
      await turns.close();
      await sessions.close();
    },
  };
}

function scriptedRunner(sessions: Sessions, running: Going[], deaf: boolean): Runner {
  return {
    compact: () => Promise.resolve({ compacted: false, tokensBefore: 0, tokensAfter: 0 }),
    run(input) {
      return new Promise((resolve) => {
        const outcome = (status: RunOutcome["status"], text: string): RunOutcome => ({
          status,
          stopReason: "stop",
          usage: noUsage,
          provider: "p",
          model: "m",
          payloads: text === "" ? [] : [{ text }],
        });
        const say = async (text: string): Promise<void> => {
          const message: AssistantMessage = {
            role: "assistant",
            content: [
              {
                type: "text",
                text,
              },
            ],
            api: "x",
            provider: "p",
            model: "m",
            usage: noUsage,
            stopReason: "stop",
            timestamp: 0,
          };
          const transcript = sessions.transcript({ sessionId: input.sessionId, agentId: input.agentId });
          const [entry] = await transcript.append([{ type: "message", runId: input.runId, message }]);
          input.emit({ type: "entry", entry: entry as Entry });
        };
        const going: Going = {
          input,
          end: async (text) => {
            await say(text);
            resolve(outcome("ok", text));
          },
        };
        running.push(going);
        if (deaf) return;
        input.signal.addEventListener("abort", () => {
          const { reason } = input.signal;
          running.splice(running.indexOf(going) >>> 0, 1);
          resolve(outcome(reason instanceof Failure && reason.code === "timeout" ? "timeout" : "aborted", ""));
        });
      });
    },
  };
}

const ended = ({ events }: World): readonly string[] =>
  events.flatMap((event) => (event.kind === "ended" ? [`${event.runId} ${event.state.status}`] : []));

test("a message is answered: written, run, settled", async () => {
  const w = await world();
  assert.equal(await w.send("a"), { runId: "a", status: "started" });
  assert.is(w.turns.run("a")?.status, "pending");
  await w.answer("hello");
  assert.equal(await w.transcript(), ["user: message a", "assistant: hello"]);
  assert.equal(ended(w), ["a ok"]);
  const state = await w.turns.wait("a", 1000, new AbortController().signal);
  assert.equal(state?.outcome?.payloads, [{ text: "hello" }]);
  assert.equal(w.turns.load, { running: 0, queued: 0, lanes: 0 });
});

test("the same run id again is not a second message, during the run, after it, and after a restart", async () => {
  const w = await world();
  const [first, second] = await Promise.all([w.send("a"), w.send("a")]);
  assert.equal(
    [first, second],
    [
      { runId: "a", status: "started" },
      { runId: "a", status: "in_flight" },
    ],
  );
  await w.answer();
  assert.equal(await w.send("a"), { runId: "a", status: "ok" });
  await w.close();
  const again = await world({ files: w.files });
  await again.turns.recover();
  assert.equal(await again.send("a"), { runId: "a", status: "ok" });
  assert.equal(await again.transcript(), ["user: message a", "assistant: yes"]);
});

test("messages during a run wait, and are answered together after a pause", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.send("c");
  assert.equal(
    w.turns.pending(key).map(({ runId }) => runId),
    ["b", "c"],
  );
  await w.answer("first");
  assert.is(w.running.length, 0);
  await w.clock.advance(600);
  await w.answer("both");
  assert.equal(await w.transcript(), [
    "user: message a",
    "assistant: first",
    "user: message b",
    "user: message c",
    "assistant: both",
  ]);
  assert.equal(ended(w), ["a ok", "b ok", "c ok"]);
  assert.is(w.turns.run("c")?.mergedInto, "b");
});

test("followups are answered one by one", async () => {
  const w = await world({ config: { messages: { queue: { mode: "followup" } } } });
  await w.send("a");
  await w.send("b");
  await w.send("c");
  for (const text of ["1", "2", "3"]) await w.answer(text);
  assert.equal(
    (await w.transcript()).filter((line) => line.startsWith("assistant")),
    ["assistant: 1", "assistant: 2", "assistant: 3"],
  );
});

test("a message that steers is handed to the run, and ends with it", async () => {
  const w = await world({ config: { messages: { queue: { mode: "steer" } } } });
  await w.send("a");
  await w.settle();
  await w.send("b");
  const steered = w.running[0]?.input.steer?.() ?? [];
  assert.equal(
    steered.map((message) => textOf(message)),
    ["message b"],
  );
  assert.equal(w.turns.pending(key), []);
  await w.answer();
  assert.equal(ended(w), ["a ok", "b ok"]);
});

test("an interruption ends the run, and only it is answered", async () => {
  const w = await world({ config: { messages: { queue: { mode: "interrupt" } } } });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.answer("to b");
  assert.equal(ended(w), ["a aborted", "b ok"]);
  assert.equal((await w.transcript()).at(-1), "assistant: to b");
});

test("too many waiting: the oldest are set aside and named to the model, none is lost", async () => {
  const w = await world({ config: { messages: { queue: { mode: "collect", cap: 2 } } } });
  await w.send("a");
  await w.settle();
  for (const runId of ["b", "c", "d"]) await w.send(runId);
  await w.settle();
  assert.equal(ended(w), ["b aborted"]);
  await w.answer("first");
  await w.clock.advance(600);
  await w.settle();
  assert.is(w.running[0]?.input.extraSystemPrompt, undefined);
  await w.answer("rest");
  assert.match((await w.transcript()).find((line) => line.includes("message c")) ?? "", /^user: Earlier.*- message b/s);
  assert.ok((await w.transcript()).includes("aside user: message b"));
});

test("what did not fit the queue is named once, to the next turn, whatever steered or was stopped before", async () => {
  const w = await world({ config: { messages: { queue: { mode: "steer", cap: 1 } } } });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.send("c");
  await w.settle();
  // As the runner writes what steers it: in its own run.
  const steered = w.running[0]?.input.steer?.() ?? [];
  assert.equal(steered.map(textOf), ["message c"]);
  const row = w.sessions.get(key);
  assert.ok(row);
  await w.sessions.transcript(row).append(steered.map((message) => ({ type: "message", message, runId: "a" })));
  await w.answer("to both");
  await w.send("d");
  await w.answer("to d");
  await w.send("e");
  await w.answer("to e");
  const named = (await w.transcript()).filter((line) => line.includes("Earlier messages"));
  assert.equal(named.length, 1);
  assert.match(named[0] ?? "", /- message b\n\nmessage d$/);
});

test("what does not fit the queue while a turn begins is named to that turn, or to the next one", async () => {
  // Steps of the event loop between the beginning of the turn and the messages that do not fit.
  for (let steps = 0; steps < 16; steps++) {
    const w = await world({ config: { messages: { queue: { mode: "followup", cap: 1 } } } });
    await w.send("a");
    await w.settle();
    await w.send("b");
    const ended = w.running.shift()?.end("to a");
    for (let step = 0; step < steps; step++) await Promise.resolve();
    await Promise.all(["c", "d", "e"].map((runId) => w.send(runId)));
    await ended;
    for (let turn = 0; turn < 4; turn++) await w.answer();
    await w.send("last");
    await w.answer();
    const lines = await w.transcript();
    const aside = lines.flatMap((line) => /^aside user: message (.)$/.exec(line)?.[1] ?? []);
    const told = lines.filter((line) => line.startsWith("user: ")).join("\n");
    for (const runId of aside)
      assert.is(told.split(`- message ${runId}\n`).length - 1, 1, `${runId} at ${steps}: ${lines.join("|")}`);
    await w.close();
  }
});

test("kill -9 at any write while a queue overflows: each message is answered, or named to the model", async () => {
  const config = { messages: { queue: { mode: "followup", cap: 1 } } };
  const ids = ["a", "b", "c", "d"];
  let overflowed = 0;
  for (let crash = 1; crash < 30; crash++) {
    const acknowledged: string[] = [];
    const files = createMemoryFiles();
    const first = await world({ files, config });
    files.crashAfter(crash);
    try {
      for (const runId of ids) {
        await first.send(runId);
        acknowledged.push(runId);
        await first.settle();
      }
    } catch (error) {
      assert.match(String(error), /Crash/);
    }
    files.recover();
    const again = await world({ files, config });
    await again.turns.recover();
    for (const _ of ids) await again.answer();
    await again.send("last");
    await again.answer();
    const lines = await again.transcript();
    const aside = acknowledged.filter((runId) => lines.includes(`aside user: message ${runId}`));
    overflowed += aside.length;
    const told = lines.filter((line) => line.startsWith("user: ")).join("\n");
    for (const runId of acknowledged) {
      const written = lines.filter(
        (line) => line.endsWith(`user: message ${runId}`) || line.endsWith(`\n\nmessage ${runId}`),
      );
      assert.is(written.length, 1, `${runId} at ${crash}: ${lines.join("|")}`);
      const named = told.split(`- message ${runId}\n`).length - 1;
      assert.is(named, aside.includes(runId) ? 1 : 0, `${runId} at ${crash}: ${lines.join("|")}`);
      assert.not.equal(again.turns.run(runId)?.status, "pending");
    }
    const answers = lines.filter((line) => line.startsWith("assistant")).length;
    assert.is(answers, lines.filter((line) => line.startsWith("user")).length, `at ${crash}: ${lines.join("|")}`);
    await again.close();
  }
  assert.ok(overflowed > 20);
});

test("a full queue that drops new messages refuses them before they are acknowledged", async () => {
  const w = await world({ config: { messages: { queue: { mode: "collect", cap: 1, drop: "new" } } } });
  await w.send("a");
  await w.settle();
  await w.send("b");
  try {
    await w.send("c");
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /1 messages wait in this session already/);
  }
  await w.answer();
  assert.not((await w.transcript()).some((line) => line.includes("message c")));
});

test("stop ends the run and what waits, and nothing of it comes back after a crash", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  await w.send("b");
  assert.equal(await w.turns.abort({ sessionKey: key }), ["a", "b"]);
  await w.settle();
  assert.equal(ended(w).toSorted(), ["a aborted", "b aborted"]);
  const again = await world({ files: w.files });
  await again.turns.recover();
  await again.settle();
  assert.is(again.running.length, 0);
  assert.ok((await again.transcript()).includes("aside user: message b"));
});

test("a run that is stopped before the model is asked was stopped, and its message stays", async () => {
  const w = await world({ config: { agents: { defaults: { maxConcurrent: 1 } } } });
  await w.send("other", { sessionKey: "agent:main:other" });
  await w.settle();
  // It has its session's lane, and waits for a place among all sessions.
  await w.send("a");
  await w.settle();
  assert.equal(await w.turns.abort({ sessionKey: key }), ["a"]);
  await w.answer();
  assert.equal(ended(w).toSorted(), ["a aborted", "other ok"]);
  assert.equal(await w.transcript(), ["aside user: message a"]);
});

test("stopping one run leaves the others", async () => {
  const w = await world({ config: { messages: { queue: { mode: "followup" } } } });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.send("c");
  assert.equal(await w.turns.abort({ runId: "b" }), ["b"]);
  await w.answer();
  await w.answer();
  assert.equal(ended(w).toSorted(), ["a ok", "b aborted", "c ok"]);
  assert.equal(await w.turns.abort({ runId: "nope" }), []);
});

test("a run that takes too long is ended, and the next one has its turn", async () => {
  const w = await world({ config: { agents: { defaults: { timeoutSeconds: 60 } } } });
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.clock.advance(60_000);
  await w.answer("b at last");
  assert.equal(ended(w), ["a timeout", "b ok"]);
});

test("a run that does not let go loses its lane after a while", async () => {
  const w = await world({ deaf: true });
  await w.send("a");
  await w.settle();
  await w.turns.abort({ sessionKey: key });
  await w.clock.advance(31_000);
  assert.equal(ended(w), ["a error"]);
  w.running.splice(0);
  await w.send("b");
  await w.answer();
  assert.equal(ended(w), ["a error", "b ok"]);
});

test("as many runs at once as allowed, over all sessions", async () => {
  const w = await world({ config: { agents: { defaults: { maxConcurrent: 2 } } } });
  for (const n of [1, 2, 3]) await w.send(`r${n}`, { sessionKey: `agent:main:s${n}` });
  await w.settle();
  assert.is(w.running.length, 2);
  await w.answer();
  assert.is(w.running.length, 2);
});

test("exclusive work waits for the run, and comes before what waits", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  await w.send("b");
  const order: string[] = [];
  const chore = w.turns.exclusive(key, async () => void order.push("chore"));
  await w.settle();
  assert.equal(order, []);
  await w.answer();
  await chore;
  assert.equal(order, ["chore"]);
  await w.clock.advance(600);
  await w.answer();
  assert.equal(ended(w), ["a ok", "b ok"]);
});

test("what the gateway itself says is in the transcript at once, during a run too", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  const { messageId } = await w.turns.inject({ sessionKey: key, text: "by the way" });
  assert.ok((await w.transcript()).includes("assistant: by the way"));
  const told = w.events.find((event) => event.kind === "entry" && event.injected);
  assert.is(told?.runId, `inject-${messageId}`);
});

test("a session whose day is over begins anew with the next message", async () => {
  const w = await world();
  await w.send("a");
  await w.answer();
  const before = w.sessions.get(key)?.sessionId;
  await w.clock.advance(2 * 24 * 3600_000);
  await w.send("b");
  await w.answer();
  assert.is.not(w.sessions.get(key)?.sessionId, before);
  assert.equal(await w.transcript(), ["user: message b", "assistant: yes"]);
});

test("a message that ends the gateway each time is given up after three tries", async () => {
  const { files } = await world();
  const w = await world({ files });
  await w.send("a");
  await w.settle();
  for (let crash = 0; crash < 3; crash++) {
    const next = await world({ files });
    await next.turns.recover();
    await next.settle();
  }
  const last = await world({ files });
  await last.turns.recover();
  await last.settle();
  assert.is(last.running.length, 0);
  assert.is(last.turns.run("a")?.status, "error");
});

test("the end of the gateway leaves runs unsettled: they are answered when it is back", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  await w.send("b");
  await w.close();
  assert.equal(ended(w), []);
  const again = await world({ files: w.files });
  await again.turns.recover();
  await again.answer("to a");
  await again.clock.advance(600);
  await again.answer("to b");
  assert.equal(await again.transcript(), ["user: message a", "assistant: to a", "user: message b", "assistant: to b"]);
});

test("a message that a full disk keeps from the conversation is answered at the next start", async () => {
  const w = await world();
  await w.send("first");
  await w.answer();
  let full = false;
  w.files.before = (_, path) => {
    if (full && path.includes("/agents/")) throw new Error("no space left on device");
  };
  await w.send("a");
  full = true;
  await w.settle();
  assert.equal(ended(w), ["first ok", "a error"]);
  full = false;
  const again = await world({ files: w.files });
  await again.turns.recover();
  await again.answer("to a");
  assert.equal((await again.transcript()).slice(-2), ["user: message a", "assistant: to a"]);
});

for (const written of [true, false]) {
  const what = written ? "is in the conversation is not answered again" : "a run could not write is answered";
  test(`a message that steered a run: what ${what} at the next start`, async () => {
    const w = await world({ config: { messages: { queue: { mode: "steer" } } } });
    await w.send("a");
    await w.settle();
    await w.send("b");
    const { input } = w.running[0] ?? {};
    const [message] = input?.steer?.() ?? [];
    const row = w.sessions.get(key);
    if (written && message && row && input) {
      const [entry] = await w.sessions.transcript(row).append([{ type: "message", runId: "a", message }]);
      input.emit({ type: "entry", entry: entry as Entry });
    }
    await w.answer("to a");
    const again = await world({ files: w.files });
    await again.turns.recover();
    await again.answer("to b");
    const lines = ["user: message a", "user: message b", "assistant: to a"];
    const late = ["user: message a", "assistant: to a", "user: message b", "assistant: to b"];
    assert.equal(await again.transcript(), written ? lines : late);
  });
}

test("kill -9 at any write: what was acknowledged is written once and answered once", async () => {
  for (let crash = 1; crash < 45; crash++) {
    const acknowledged: string[] = [];
    const files = createMemoryFiles();
    const first = await world({ files });
    files.crashAfter(crash);
    for (const runId of ["a", "b", "c"]) {
      try {
        await first.send(runId);
        acknowledged.push(runId);
        await first.answer(`to ${runId}`);
      } catch (error) {
        assert.match(String(error), /Crash|stopping/);
        break;
      }
    }
    files.recover();
    const again = await world({ files });
    await again.turns.recover();
    for (let turn = 0; turn < 4; turn++) {
      await again.clock.advance(600);
      await again.answer("again");
    }
    const lines = await again.transcript();
    for (const runId of acknowledged) {
      assert.is(
        lines.filter((line) => line === `user: message ${runId}`).length,
        1,
        `${runId} at ${crash}: ${lines.join("|")}`,
      );
      const at = lines.indexOf(`user: message ${runId}`);
      assert.match(
        lines.slice(at + 1).find((line) => line.startsWith("assistant")) ?? "",
        /to|again/,
        `${runId} at ${crash}`,
      );
      assert.not.equal(again.turns.run(runId)?.status, "pending");
    }
    const users = lines.filter((line) => line.startsWith("user")).length;
    const answers = lines.filter((line) => line.startsWith("assistant")).length;
    assert.ok(answers <= users, `${answers} answers to ${users} at ${crash}`);
  }
});

test("winding down begins nothing new, waits for what runs, and what waited is answered after", async () => {
  const files = createMemoryFiles();
  const w = await world({ files });
  await w.send("a");
  await w.settle();
  let left: number | undefined;
  void w.turns.windDown(25_000).then((running) => (left = running));
  await w.send("b", { sessionKey: "agent:main:other" });
  await w.send("c");
  await w.settle();
  assert.is(w.running.length, 1, "only what ran before");
  assert.is(left, undefined);
  await w.answer("to a");
  assert.is(left, 0);
  assert.equal(ended(w), ["a ok"]);
  await w.close();
  const again = await world({ files });
  await again.turns.recover();
  await again.settle();
  assert.equal(again.running.map(({ input }) => input.runId).toSorted(), ["b", "c"]);
  await again.close();
});

test("winding down gives up at its deadline, and says how many run still", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  let left: number | undefined;
  void w.turns.windDown(25_000).then((running) => (left = running));
  await w.clock.advance(24_999);
  assert.is(left, undefined);
  await w.clock.advance(1);
  assert.is(left, 1);
  assert.equal(ended(w), [], "it is not ended by it");
  await w.close();
});

test("an abort ends the wait of winding down, also one that came before", async () => {
  const w = await world();
  await w.send("a");
  await w.settle();
  const stop = new AbortController();
  const waiting = w.turns.windDown(25_000, stop.signal);
  await w.settle();
  stop.abort();
  assert.is(await waiting, 1);
  assert.is(await w.turns.windDown(25_000, stop.signal), 1);
  await w.close();
});

test("a run that outlives the close of its gateway writes nothing any more", async () => {
  const w = await world({ deaf: true });
  await w.send("a");
  await w.settle();
  const [going] = w.running;
  const closing = w.close();
  await w.clock.advance(3000);
  await closing;
  const failure = await going?.end("too late").then(
    () => "written",
    (error: unknown) => Failure.from(error).code,
  );
  assert.is(failure, "unavailable");
  await w.clock.advance(30_000);
});

test.run();
