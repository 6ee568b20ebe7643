import { encode, openRaw, type RawClient, upgradeRequest, dial } from "../raw-client.ts";
import type { Attack, Target } from "./attack.ts";
import { memoryOf } from "./memory.ts";
import { introduce, makeDevice, open, outcome, refusedUpgrade } from "./session.ts";

const tooMany = "HTTP 503 too_many_unauthenticated";
/** Deno's heap grows by some 130 MiB at the first flood and stays there. */
const floodMiB = 192;

/** More of everything than one client should have: sockets, time, memory. */
export const limits: readonly Attack[] = [
  {
    name: "threat H: ten thousand sockets that never say who they are",
    expected: `at most 32 at once, the others ${tooMany}, memory within ${floodMiB} MiB`,
    needs: ["pid"],
    async run(target) {
      return bounded(target, floodMiB, async () => {
        const kept: RawClient[] = [];
        const refusals = new Set<string>();
        let most = 0;
        for (let wave = 0; wave < 20; wave++) {
          const opened = await Promise.all(
            Array.from({ length: 500 }, () => openRaw(target.url).catch((error: unknown) => refusedUpgrade(error))),
          );
          for (const each of opened) {
            if (typeof each === "string") refusals.add(each);
            else kept.push(each);
          }
          most = Math.max(most, kept.filter(({ isOpen }) => isOpen).length);
        }
        for (const socket of kept) socket.reset();
        return `at most ${most <= 32 ? 32 : most} at once, the others ${[...refusals].join(" and ")}`;
      });
    },
  },
  {
    name: "threat H: silent, slow and unfinished connections end by themselves",
    expected: "a silent socket closed 1000, half a request ended, half an upgrade ended, half a frame closed 1000",
    async run(target) {
      const seen = await Promise.all([
        open(target).then(({ socket }) => socket.closed.then(({ code }) => `a silent socket closed ${code}`)),
        dripped(target, "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").then(() => "half a request ended"),
        dripped(target, upgradeRequest(target.url).slice(0, -2)).then(() => "half an upgrade ended"),
        open(target).then(({ socket }) => {
          socket.write(encode(Buffer.alloc(60_000)).subarray(0, 30_000));
          return socket.closed.then(({ code }) => `half a frame closed ${code}`);
        }),
      ]);
      return seen.join(", ");
    },
  },
  {
    name: "threat H: a client that asks and never reads is cut",
    expected: /^cut, memory within 192 MiB$/,
    needs: ["token", "pid"],
    async run(target) {
      return bounded(target, 192, async () => {
        const { socket } = await introduce(target);
        socket.stopReading();
        const request = encode(Buffer.from('{"type":"req","id":"1","method":"config.schema"}'));
        const burst = Buffer.concat(Array.from({ length: 500 }, () => request));
        return pour(socket, burst);
      });
    },
  },
  {
    name: "threat H: a client that pings and never reads is cut",
    expected: /^cut, memory within 192 MiB$/,
    needs: ["token", "pid"],
    async run(target) {
      return bounded(target, 192, async () => {
        const { socket } = await introduce(target);
        socket.stopReading();
        const ping = encode(Buffer.alloc(125), { opcode: 9 });
        return pour(socket, Buffer.concat(Array.from({ length: 2000 }, () => ping)));
      });
    },
  },
  {
    name: "threat H: two hundred sockets that end with a reset at each stage",
    expected: "ended",
    async run(target) {
      for (let wave = 0; wave < 10; wave++) {
        const sockets = await Promise.all(Array.from({ length: 10 }, () => dial(target.url)));
        for (const socket of sockets) socket.write(upgradeRequest(target.url));
        for (const socket of sockets) socket.resetAndDestroy();
        for (const { socket } of await Promise.all(Array.from({ length: 10 }, () => openPatiently(target)))) {
          socket.write(encode(Buffer.from("[]")).subarray(0, 4));
          socket.reset();
        }
      }
      return "ended";
    },
  },
  {
    name: "threat I: twenty wrong tokens at once, then the right one",
    expected: "at most 10 compared, then AUTH_RATE_LIMITED, also for the right one",
    needs: ["token"],
    run: (target) => guess(target, (wrong) => Promise.all(wrong.map((auth) => outcome(target, { auth })))),
  },
  {
    name: "threat I: twenty wrong tokens in a row, over every name of this machine",
    expected: "at most 10 compared, then AUTH_RATE_LIMITED, also for the right one",
    needs: ["token", "own"],
    async run(target) {
      const hosts = ["127.0.0.1", "[::1]"].map((host) => target.url.replace("127.0.0.1", host));
      return guess(target, async (wrong) => {
        const seen: string[] = [];
        for (const [index, auth] of wrong.entries())
          seen.push(await outcome({ ...target, url: hosts[index % hosts.length] ?? target.url }, { auth }));
        return seen;
      });
    },
  },
  {
    name: "threat I: twenty wrong proofs, of every kind that there is, have one budget",
    expected: "at most 10 compared, then AUTH_RATE_LIMITED, also for the right one",
    needs: ["token"],
    async run(target) {
      const kinds = ["token", "password", "deviceToken", "bootstrapToken"];
      return guess(target, (wrong) =>
        Promise.all(
          wrong.map(({ token }, index) =>
            outcome(target, { device: makeDevice(), auth: { [kinds[index % kinds.length] ?? ""]: token } }),
          ),
        ),
      );
    },
  },
  {
    name: "threat B: twenty wrong tokens from a page of this machine",
    expected: "at most 10 compared, then AUTH_RATE_LIMITED, also for the right one",
    needs: ["token", "own"],
    run: (target) =>
      guess(target, (wrong) =>
        Promise.all(wrong.map((auth) => outcome(target, { auth, headers: { Origin: "http://localhost:3000" } }))),
      ),
  },
];

/** A busy machine has not seen every reset yet, and gives the places of those sockets back a moment later. */
async function openPatiently(target: Target): ReturnType<typeof open> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await open(target);
    } catch (error) {
      if (refusedUpgrade(error) !== tooMany || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function guess(
  target: Target,
  attempt: (wrong: readonly { token: string }[]) => Promise<readonly string[]>,
): Promise<string> {
  const seen = await attempt(Array.from({ length: 20 }, (_, index) => ({ token: `wrong-${index}` })));
  const compared = (each: string): boolean => /^AUTH_\w+_(MISMATCH|INVALID),/.test(each);
  const mismatches = seen.filter(compared).length;
  const others = new Set(seen.filter((each) => !compared(each)).map((each) => each.split(",")[0]));
  const right = await outcome(target);
  // Guesses of the minute before count too.
  return `${mismatches <= 10 ? "at most 10" : mismatches} compared, then ${[...others].join(" and ")}, ${right.startsWith("AUTH_RATE_LIMITED") ? "also for the right one" : right}`;
}

/** Runs `attack` and says how it went, and how much memory the gateway took for it when that was too much. */
async function bounded(target: Target, mostMiB: number, attack: () => Promise<string>): Promise<string> {
  const before = memoryOf(target.pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, memoryOf(target.pid))), 50);
  const seen = await attack();
  clearInterval(watch);
  const grown = Math.round((Math.max(peak, memoryOf(target.pid)) - before) / 1024 / 1024);
  return `${seen}, memory within ${grown <= mostMiB ? mostMiB : grown} MiB`;
}

/** Sends until the gateway cuts the connection; at most for the two rounds of pings in which a dead peer is found. */
async function pour(socket: RawClient, burst: Buffer): Promise<string> {
  const deadline = Date.now() + 60_000;
  while (socket.isOpen && Date.now() < deadline) {
    if (socket.unsent < burst.length * 4) socket.write(burst);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const seen = socket.isOpen ? "never cut" : "cut";
  socket.reset();
  return seen;
}

/** Sends a byte now and then, and resolves when the gateway has had enough. */
async function dripped(target: Target, head: string): Promise<void> {
  const socket = await dial(target.url);
  socket.write(head);
  const drip = setInterval(() => socket.write("x"), 500);
  await new Promise((resolve) => socket.resume().once("close", resolve));
  clearInterval(drip);
}
