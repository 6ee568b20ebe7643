import { test } from "uvu";
import * as assert from "uvu/assert";
import { ahead } from "../../src/cli/cron-view.ts";
import { fakeGateway, Refusal } from "../client/fake-gateway.ts";
import { startOfTime } from "../support/fake-clock.ts";
import { home, run } from "./run.ts";

const soon = startOfTime + 3 * 3600_000;
const job = {
  id: "j1",
  name: "brief",
  enabled: true,
  schedule: { kind: "cron", expr: "0 7 * * 1-5", tz: "Europe/Vienna" },
  sessionTarget: "isolated",
  state: { nextRunAtMs: soon, lastRunAtMs: startOfTime - 120_000, lastRunStatus: "ok" },
};
const off = {
  ...job,
  id: "j2",
  name: "tea\u001b[31m",
  enabled: false,
  schedule: { kind: "every", everyMs: 600_000 },
  state: {},
};
const page = { total: 2, offset: 0, limit: 200, hasMore: false, nextOffset: null };

/** Runs a command, and answers what it printed and what the gateway was asked. */
async function ran(line: readonly string[], methods: Record<string, (params: object) => unknown> = {}) {
  const asked: (readonly [string, object])[] = [];
  const answering = Object.entries(methods).map(([name, answer]) => [
    name,
    (params: object) => {
      asked.push([name, params]);
      return answer(params);
    },
  ]);
  const gateway = fakeGateway({ methods: Object.fromEntries(answering) });
  return { ...(await run([...line], { files: home, dial: gateway.dial })), asked };
}

const add = { "cron.add": (params: object) => ({ ...job, ...params, id: "j3", state: { nextRunAtMs: soon } }) };

test("cron list shows each job with its schedule, next and last run", async () => {
  const { stdout, asked } = await ran(["cron", "list", "--all"], {
    "cron.list": () => ({ jobs: [job, off], ...page }),
  });
  assert.is(
    stdout,
    [
      "ID  Name      Schedule                          Next               Last    Status    Target    Agent",
      `j1  brief     cron 0 7 * * 1-5 @ Europe/Vienna  ${ahead(soon, startOfTime)}  2m ago  ok        isolated  default`,
      "j2  tea?[31m  every 10m                         -                  -       disabled  isolated  default",
      "",
    ].join("\n"),
  );
  assert.equal(asked, [["cron.list", { includeDisabled: true, limit: 200, offset: 0 }]]);
});

test("a time that comes is told in local time and by how far it is away", () => {
  assert.match(ahead(soon, startOfTime), /^[A-Z][a-z]{2} \d\d:\d\d \(in 3h\)$/);
  assert.match(ahead(startOfTime + 30 * 86_400_000, startOfTime), /^\d+ [A-Z][a-z]+ \d\d:\d\d \(in 30d\)$/);
  assert.match(ahead(startOfTime - 1, startOfTime), /\(due\)$/);
});

test("cron status says whether jobs run and when the next one does", async () => {
  const status = { enabled: true, jobs: 1, nextWakeAtMs: soon, storePath: "/x/cron/jobs.json" };
  const { stdout } = await ran(["cron", "status"], { "cron.status": () => status });
  assert.match(stdout, /^Jobs run {2}yes\nJobs {6}1\nNext .*\(in 3h\)\nKept in {3}\/x\/cron\/jobs\.json\n$/);
});

const made: readonly (readonly [what: string, args: readonly string[], params: object])[] = [
  [
    "a reminder by a span",
    ["--at", "20m", "--system-event", "Tea"],
    {
      schedule: { kind: "at", at: new Date(startOfTime + 1_200_000).toISOString() },
      payload: { kind: "systemEvent", text: "Tea" },
      sessionTarget: "main",
    },
  ],
  [
    "a question by an expression, its answer to where the main session last spoke",
    ["--cron", "0 7 * * *", "--tz", "Europe/Vienna", "--message", "News?", "--model", "echo/echo"],
    {
      schedule: { kind: "cron", expr: "0 7 * * *", tz: "Europe/Vienna" },
      payload: { kind: "agentTurn", message: "News?", model: "echo/echo" },
      sessionTarget: "isolated",
      delivery: { mode: "announce", channel: "last" },
    },
  ],
  [
    "an interval with a chat of its own",
    ["--every", "2h", "--message", "x", "--channel", "telegram", "--to", "+15551234567", "--keep-after-run"],
    {
      schedule: { kind: "every", everyMs: 7_200_000 },
      payload: { kind: "agentTurn", message: "x" },
      sessionTarget: "isolated",
      delivery: { mode: "announce", channel: "telegram", to: "+15551234567" },
      deleteAfterRun: false,
    },
  ],
];

for (const [what, args, params] of made) {
  test(`cron add makes ${what}`, async () => {
    const { stdout, code, asked } = await ran(["cron", "add", "--name", "n", ...args], add);
    assert.is(code, 0);
    assert.match(stdout, /^✓ Added n \(j3\): runs .* \(in 3h\)\.\n$/);
    assert.equal(asked, [["cron.add", { name: "n", wakeMode: "now", enabled: true, ...params }]]);
  });
}

const wrong: readonly (readonly [args: readonly string[], said: RegExp])[] = [
  [["--at", "20m", "--message", "x"], /--name is missing/],
  [["--name", "n", "--message", "x"], /the time is missing: give --at, --every or --cron/],
  [["--name", "n", "--at", "20m"], /what to do is missing: give --message or --system-event/],
  [["--name", "n", "--at", "20m", "--every", "1h", "--message", "x"], /--at and --every exclude each other/],
  [["--name", "n", "--every", "soon", "--message", "x"], /--every is "soon": write a time span such as 10m/],
  [["--name", "n", "--at", "20m", "--tz", "UTC", "--message", "x"], /--tz is the time zone of --cron/],
  [["--name", "n", "--at", "20m", "--message", "x", "--system-event", "y"], /exclude each other/],
  [["--name", "n", "--at", "20m", "--message", "x", "--no-deliver", "--to", "y"], /--no-deliver tells nobody/],
];

test("cron add says what is wrong with a command line before it asks the gateway", async () => {
  for (const [args, said] of wrong) {
    const { stderr, code, asked } = await ran(["cron", "add", ...args], add);
    assert.match(stderr, said);
    assert.is(code, 2);
    assert.equal(asked, []);
  }
});

test("cron edit changes what is given and nothing else", async () => {
  const methods = { "cron.update": () => job };
  const { asked, stdout } = await ran(["cron", "edit", "j1", "--every", "30m"], methods);
  assert.equal(asked, [["cron.update", { id: "j1", patch: { schedule: { kind: "every", everyMs: 1_800_000 } } }]]);
  assert.match(stdout, /^✓ Changed brief: runs /);
  assert.match((await ran(["cron", "edit", "j1"], methods)).stderr, /there is nothing to change/);
});

test("cron enable, disable and rm name the job", async () => {
  const methods = { "cron.update": () => job, "cron.remove": () => ({ ok: true, removed: true }) };
  assert.is((await ran(["cron", "enable", "j1"], methods)).stdout, "✓ Enabled brief.\n");
  const { asked } = await ran(["cron", "disable", "j1"], methods);
  assert.equal(asked, [["cron.update", { id: "j1", patch: { enabled: false } }]]);
  assert.is((await ran(["cron", "rm", "j1"], methods)).stdout, "✓ Removed j1.\n");
  const gone = await ran(["cron", "rm", "j1"], { "cron.remove": () => ({ ok: true, removed: false }) });
  assert.match(gone.stderr, /there is no job j1/);
  assert.is(gone.code, 1);
});

test("cron run begins a run, or says why it does not", async () => {
  const begun = { ok: true, enqueued: true, runId: "cron:j1:5", processInstanceId: "b" };
  const forced = await ran(["cron", "run", "j1", "--force"], { "cron.run": () => begun });
  assert.equal(forced.asked, [["cron.run", { id: "j1", mode: "force" }]]);
  assert.is(forced.stdout, "✓ Running cron:j1:5.\n");
  const not = { ok: true, ran: false, reason: "not-due", processInstanceId: "b" };
  const due = await ran(["cron", "run", "j1"], { "cron.run": () => not });
  assert.match(due.stderr, /not due: give --force/);
  assert.is(due.code, 1);
});

test("cron runs lists what became of runs", async () => {
  const entry = {
    ts: startOfTime,
    jobId: "j1",
    action: "finished",
    jobName: "brief",
    durationMs: 4000,
    runAtMs: startOfTime - 60_000,
  };
  const entries = [
    { ...entry, status: "ok", summary: "Sunny." },
    { ...entry, status: "error", error: "no model\u001b[0m" },
  ];
  const { stdout, asked } = await ran(["cron", "runs", "--id", "j1", "--limit", "2"], {
    "cron.runs": () => ({ entries, ...page }),
  });
  assert.is(
    stdout,
    [
      "When    Job    Status  Took  What",
      "1m ago  brief  ok      4s    Sunny.",
      "1m ago  brief  error   4s    no model?[0m",
      "",
    ].join("\n"),
  );
  assert.equal(asked, [["cron.runs", { id: "j1", limit: 2 }]]);
});

test("a refusal of the gateway is what is said, by the names of the options", async () => {
  const message = 'schedule.expr is "x", which has 1 field: write 5';
  const refuse = () => new Refusal({ code: "INVALID_REQUEST", message });
  const { stderr, code } = await ran(["cron", "add", "--name", "n", "--cron", "x", "--message", "m"], {
    "cron.add": refuse,
  });
  assert.match(stderr, '--cron is "x", which has 1 field: write 5');
  assert.is(code, 1);
});

test.run();
