import { methods } from "../../../src/methods/index.ts";
import type { Method } from "../../../src/methods/method.ts";
import { allows, scopes } from "../../../src/protocol/scope.ts";
import type { Attack, Target } from "./attack.ts";
import { introduce, type Json, type Session } from "./session.ts";

/** Callers who talk to the assistant, and mean ill. */
export const conversation: readonly Attack[] = [
  {
    name: "threat F: no scope by itself opens a method that names another",
    expected: "none",
    needs: ["token"],
    async run(target) {
      const seen: string[] = [];
      for (const scope of scopes) {
        const caller = await introduce(target, { scopes: [scope] });
        for (const { name, needed } of declared(caller.hello.features.methods)) {
          if (allows(new Set([scope]), needed)) continue;
          const { ok, error } = await caller.call(name);
          if (ok || error?.details?.code !== "MISSING_SCOPE") seen.push(`${name} with ${scope}`);
        }
        await caller.leave();
      }
      return seen.length === 0 ? "none" : seen.join(", ");
    },
  },
  {
    name: "threat H: messages, attachments and parameters of any size and depth are refused one by one",
    expected: "all refused",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target);
      const seen: string[] = [];
      for (const [what, params] of oversized()) {
        const { ok } = await caller.call("chat.send", { sessionKey: "main", message: "hi", ...params });
        if (ok) seen.push(what);
      }
      if (await takesDeep(caller)) seen.push("content that is nested 5,000 deep");
      await caller.leave();
      return seen.length === 0 ? "all refused" : `taken: ${seen.join(", ")}`;
    },
  },
  {
    name: "threat H: a caller that may only read cannot make the gateway remember much",
    expected: "refused",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target, { scopes: ["operator.read"] });
      const long = { key: "main", agentId: "a".repeat(4 * 1024 * 1024) };
      const { ok } = await caller.call("sessions.messages.subscribe", long);
      let taken = 0;
      for (let at = 0; at < 600; at++)
        if ((await caller.call("sessions.messages.subscribe", { key: `s${at}` })).ok) taken++;
      await caller.leave();
      return !ok && taken <= 500 ? "refused" : `a name of 4 MiB ${ok ? "taken" : "refused"}, ${taken} subscriptions`;
    },
  },
  {
    name: "threat K: keys and ids that are none are refused in every method that takes one",
    expected: "all refused",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target);
      const seen: string[] = [];
      for (const key of ["a\nb", "a\0b", "\u2028", "\u001b[2J", "agent:", "agent::x", " ", "x".repeat(513)])
        for (const [method, params] of addressed(key))
          if ((await caller.call(method, params)).ok) seen.push(`${method} ${JSON.stringify(key)}`);
      await caller.leave();
      return seen.length === 0 ? "all refused" : `taken: ${seen.join(", ")}`;
    },
  },
  {
    name: "threat M: a session of an agent that is not configured is neither begun nor found",
    expected: "nothing",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target);
      const seen: string[] = [];
      for (const agent of ["nobody", "..", "__proto__", "constructor", "a/../main", "CON"]) {
        const sessionKey = `agent:${agent}:main`;
        const said = await caller.call("chat.send", { sessionKey, message: "hi", idempotencyKey: `k-${agent}` });
        const history = await caller.call("chat.history", { sessionKey });
        if (said.ok || history.payload?.messages?.length > 0) seen.push(agent);
      }
      await caller.leave();
      return seen.length === 0 ? "nothing" : seen.join(", ");
    },
  },
  {
    name: "threat A: a provider's address comes from the configuration alone",
    expected: "no other was asked",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target);
      const url = "http://127.0.0.1:9/v1";
      const asked: Json[] = [
        await caller.call("models.probe", { provider: url, timeoutMs: 1000, baseUrl: url }),
        await caller.call("agent", { message: "hi", model: url, idempotencyKey: "probe-a", baseUrl: url }),
        await caller.call("sessions.patch", { key: "probe", model: `${url}/m` }),
      ];
      await caller.leave();
      const taken = asked.filter(({ ok, payload }) => ok && payload?.results?.length !== 0);
      return taken.length === 0 ? "no other was asked" : JSON.stringify(taken);
    },
  },
  {
    name: "threat H: a hundred clients that say something at once are all answered, or refused",
    expected: /^\d+ answered, \d+ refused, of 100$/,
    needs: ["token"],
    run: flood,
  },
];

interface Declared {
  readonly name: string;
  readonly needed: (typeof scopes)[number];
}

/** The methods whose scope does not depend on what they are given. */
function declared(advertised: readonly string[]): readonly Declared[] {
  const table: readonly Method[] = methods;
  return table.flatMap(({ name, scope, roles = ["operator"] }) =>
    typeof scope === "string" && scope !== "none" && roles.includes("operator") && advertised.includes(name)
      ? [{ name, needed: scope }]
      : [],
  );
}

function oversized(): readonly (readonly [string, object])[] {
  const file = (content: unknown, more = {}) => ({
    type: "file",
    fileName: "a.txt",
    mimeType: "text/plain",
    content,
    ...more,
  });
  return [
    ["a message of 10 MB", { message: "x".repeat(10_000_000), idempotencyKey: "big-1" }],
    ["1,000 attachments", { attachments: Array.from({ length: 1000 }, () => file("eA==")), idempotencyKey: "big-2" }],
    ["20 MB in one attachment", { attachments: [file("A".repeat(20_000_000))], idempotencyKey: "big-3" }],
    ["what is no base64", { attachments: [file("%%%%")], idempotencyKey: "big-4" }],
    [
      "a program",
      { attachments: [file("TVqQAAMAAAA=", { fileName: "a.exe", mimeType: "" })], idempotencyKey: "big-6" },
    ],
    ["an id of 1 MB", { idempotencyKey: "k".repeat(1_000_000) }],
    ["a key of 1 MB", { sessionKey: "k".repeat(1_000_000), idempotencyKey: "big-7" }],
    ["NUL", { message: "a\0b", idempotencyKey: "big-8" }],
  ];
}

/** Written by hand: not every runtime can make JSON of what all of them can read. */
async function takesDeep({ socket }: Session): Promise<boolean> {
  const deep = `${"[".repeat(5000)}"x"${"]".repeat(5000)}`;
  const params = `{"sessionKey":"main","message":"hi","idempotencyKey":"deep","attachments":[{"content":${deep}}]}`;
  socket.send(`{"type":"req","id":"deep","method":"chat.send","params":${params}}`);
  for (;;) {
    const frame: Json = JSON.parse((await socket.next()) ?? '{"id":"deep","ok":false}');
    if (frame.id === "deep") return frame.ok;
  }
}

function addressed(key: string): readonly (readonly [string, object])[] {
  return [
    ["chat.send", { sessionKey: key, message: "hi", idempotencyKey: "bad" }],
    ["chat.history", { sessionKey: key }],
    ["chat.abort", { sessionKey: key }],
    ["sessions.create", { key }],
    ["sessions.patch", { key, label: "x" }],
    ["sessions.reset", { key }],
    ["sessions.delete", { key }],
    ["sessions.messages.subscribe", { key }],
    ["agent", { message: "hi", sessionKey: key, idempotencyKey: "bad" }],
  ];
}

async function flood(target: Target): Promise<string> {
  const callers = await Promise.all(Array.from({ length: 20 }, () => introduce(target)));
  const say = (caller: Session, at: number): Promise<Json> =>
    caller.call("chat.send", { sessionKey: `flood-${at}`, message: "hi", idempotencyKey: `flood-${at}` });
  let [answered, refused] = [0, 0];
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(callers.map((caller, at) => say(caller, round * 20 + at)));
    answered += answers.filter(({ ok }) => ok).length;
    refused += answers.filter(({ ok }) => !ok).length;
  }
  await Promise.all(callers.map((caller) => caller.leave()));
  return `${answered} answered, ${refused} refused, of ${answered + refused}`;
}
