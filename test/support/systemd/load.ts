// A constant load on a gateway, until the input ends; then prints what became of it as JSON (`LoadFigures`).
// A program of its own, because the gateway of another machine can only be reached from there:
//   node load.ts <url> <token>
import { openRpc, type RpcClient, type RpcPayload } from "../rpc-client.ts";

/** What clients saw of a gateway while something was done to it. */
export interface LoadFigures {
  /** Calls that were answered, each over a connection of its own and repeated until it was. */
  readonly calls: number;
  /** The longest time that a caller waited for its answer, all its tries included. */
  readonly longestWaitMs: number;
  /** Tries that failed, by the error: `ECONNREFUSED` is a connection that was refused. */
  readonly failures: Readonly<Record<string, number>>;
  /** Messages that were acknowledged. */
  readonly written: number;
  /** Of those, the ones that are not exactly once in the history afterwards. */
  readonly wrong: readonly string[];
  /** Of those, the ones whose event a connected client has not seen: it has them from the history. */
  readonly eventsMissed: number;
  /** How often a client that stays connected had to come back. */
  readonly reconnects: number;
}

const [url = "", token = ""] = process.argv.slice(2);
const sessionKey = `agent:main:load-${process.pid}`;
const acknowledged: string[] = [];
const seen = new Set<string>();
const failures: Record<string, number> = {};
const state = { running: true, calls: 0, longestWaitMs: 0, connections: 0 };

const first = await connect();
await first.call("sessions.create", { key: sessionKey });
first.close();
const working = Promise.all([write(), watch(), ...Array.from({ length: 4 }, call)]);
await someMore();
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.on("end", resolve).resume());
await someMore();
state.running = false;
await working;

const last = await connect();
const { messages }: RpcPayload = await last.call("chat.history", { sessionKey, limit: 1000 });
const history = JSON.stringify(messages);
last.close();
const figures: LoadFigures = {
  calls: state.calls,
  longestWaitMs: Math.round(state.longestWaitMs),
  failures,
  written: acknowledged.length,
  wrong: acknowledged.filter((mark) => history.split(mark).length !== 2),
  eventsMissed: acknowledged.filter((mark) => !seen.has(mark)).length,
  reconnects: state.connections - 2,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

/** Resolves when everybody has been served a few times since now. */
async function someMore(): Promise<void> {
  const goal = { calls: state.calls + 20, written: acknowledged.length + 5 };
  while (state.calls < goal.calls || acknowledged.length < goal.written) await pause(5);
}

/** One call after the other, each over a new connection. */
async function call(): Promise<void> {
  while (state.running) {
    const started = performance.now();
    await persist(async () => {
      const client = await connect();
      await client.call("health");
      client.close();
    });
    state.calls += 1;
    state.longestWaitMs = Math.max(state.longestWaitMs, performance.now() - started);
    await pause(5);
  }
}

/** One message after the other over a connection that stays; one that is cut off unanswered counts for nothing. */
async function write(): Promise<void> {
  let number = 0;
  await stayConnected(async (client) => {
    while (state.running) {
      const mark = `m${++number}x`;
      await client.call("chat.inject", { sessionKey, message: mark });
      acknowledged.push(mark);
      await pause(25);
    }
  });
}

async function watch(): Promise<void> {
  await stayConnected(async (client) => {
    client.onEvent((_, payload) => {
      for (const [mark] of JSON.stringify(payload).matchAll(/m\d+x/g)) seen.add(mark);
    });
    while (state.running && (await Promise.race([client.closed.then(() => "closed"), pause(20)])) !== "closed");
  });
}

async function stayConnected(work: (client: RpcClient) => Promise<void>): Promise<void> {
  while (state.running) {
    await persist(async () => {
      const client = await connect();
      state.connections += 1;
      await work(client);
      client.close();
    });
  }
}

/** Tries until it works or time is up; counts what went wrong. */
async function persist(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      failures[code ?? message] = (failures[code ?? message] ?? 0) + 1;
      if (!state.running) return;
      await pause(5);
    }
  }
}

function connect(): Promise<RpcClient> {
  return openRpc(url, { auth: { token } });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
