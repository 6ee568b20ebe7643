import { test } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../src/host/host.ts";
import { createTailscale, tailnetNames } from "../../src/tailscale/tailscale.ts";
import { scriptedHost, type ScriptedHost } from "../support/host.ts";
import { complained, printed } from "./recorded.ts";

const who = { login: "ada@example.com", name: "Ada Lovelace", picture: "https://pictures.example.com/ada.png" };
const phone = "100.88.77.66";

test("the program of the macOS app is found where PATH does not lead", async () => {
  const app = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";
  const host = scriptedHost({ os: "darwin", commands: { [app]: printed("running.json") } });
  const tailscale = createTailscale(host);
  assert.is((await tailscale.status()).kind, "running");
  const tried = host.processes.ran.length;
  assert.is((await tailscale.status()).kind, "running");
  assert.is(host.processes.ran.length, tried + 1, "and is not sought again");
  assert.is(host.processes.ran.at(-1)?.options.env?.["TAILSCALE_BE_CLI"], "1");
});

test("the program of Windows is found in Program Files", async () => {
  const program = "D:\\Programs\\Tailscale\\tailscale.exe";
  const env = { ProgramFiles: "D:\\Programs" };
  const host = scriptedHost({ os: "windows", env, commands: { [program]: printed("running.json") } });
  assert.is((await createTailscale(host).status()).kind, "running");
});

test("a program that was removed is missed, and one that is installed later is found", async () => {
  const commands: Record<string, ReturnType<typeof printed>> = {};
  const tailscale = createTailscale(scriptedHost({ commands }));
  const kind = async () => {
    const state = await tailscale.status();
    return state.kind === "trouble" ? state.trouble.code : state.kind;
  };
  assert.is(await kind(), "not-installed");
  commands["tailscale"] = printed("running.json");
  assert.is(await kind(), "running");
  delete commands["tailscale"];
  assert.is(await kind(), "not-installed");
});

test("no run of the program is without a limit", async () => {
  const host = machine(() => printed("running.json"));
  const tailscale = createTailscale(host);
  await tailscale.status();
  await tailscale.publish("serve", { port: 1, tls: false });
  await tailscale.withdraw("serve");
  await tailscale.publications();
  await tailscale.whois(phone);
  assert.equal(
    host.processes.ran.map(({ args, options }) => [args.join(" "), options.timeoutMs]),
    [
      ["status --json", 5000],
      ["serve --bg --yes 1", 20_000],
      ["serve reset", 5000],
      ["serve status --json", 5000],
      [`whois --json ${phone}`, 5000],
    ],
  );
});

test("a program that hangs is told from one that fails", async () => {
  const host = machine(async () => {
    await host.clock.advance(5000);
    return { code: 128 };
  });
  const state = await createTailscale(host).status();
  assert.match(state.kind === "trouble" ? state.trouble.message : "", "no answer in time");
});

test("SC-099 others learn the names of this machine, while it is in a tailnet", async () => {
  assert.equal(await tailnetNames(createTailscale(machine(() => printed("running.json")))), {
    dnsName: "box.tail1234.ts.net",
    addresses: ["100.101.102.103", "fd7a:115c:a1e0::1234:6667"],
  });
  assert.is(await tailnetNames(createTailscale(machine(() => printed("stopped.json")))), undefined);
});

test("SC-102 whois says who is behind an address of the tailnet", async () => {
  const { whois } = createTailscale(machine(() => printed("whois.json")));
  assert.equal(await whois(phone), who);
  assert.equal(await whois("fd7a:115c:a1e0::abcd:1"), who);
});

for (const [name, answer] of [
  ["a stranger", complained("whois-unknown.txt")],
  ["a tagged machine", printed("whois-tagged.json")],
  ["an answer without a user", { code: 0, stdout: '{"Node":{}}', stderr: "" }],
  [
    "a login with something invisible in it",
    { code: 0, stdout: '{"UserProfile":{"LoginName":"ada\\u202e@x"}}', stderr: "" },
  ],
  ["a login without end", { code: 0, stdout: `{"UserProfile":{"LoginName":"${"a".repeat(400)}"}}`, stderr: "" }],
  ["an answer that is no JSON", { code: 0, stdout: "ada@example.com", stderr: "" }],
  ["a failure with an answer", { ...printed("whois.json"), code: 1 }],
] as const)
  test(`threat J ${name} is nobody`, async () => {
    assert.is(await createTailscale(machine(() => answer)).whois(phone), undefined);
  });

for (const address of [
  "",
  "--socket=/tmp/x",
  "-h",
  "ada",
  "100.88.77.66 ",
  "100.88.77.66;id",
  "::1%eth0",
  "100.88.77.66:80",
])
  test(`threat J ${JSON.stringify(address)} is no address and reaches no program`, async () => {
    const host = machine(() => printed("whois.json"));
    assert.is(await createTailscale(host).whois(address), undefined);
    assert.is(host.processes.ran.length, 0);
  });

test("whois remembers for a minute whom it knows, and for five seconds whom it does not", async () => {
  for (const [answer, ms] of [
    [printed("whois.json"), 60_000],
    [complained("whois-unknown.txt"), 5000],
  ] as const) {
    const host = machine(() => answer);
    const { whois } = createTailscale(host);
    await whois(phone);
    await host.clock.advance(ms - 1);
    await whois(phone);
    assert.is(host.processes.ran.length, 1);
    await host.clock.advance(1);
    await whois(phone);
    assert.is(host.processes.ran.length, 2);
  }
});

test("many who ask the same at once are one question", async () => {
  const host = machine(() => printed("whois.json"));
  const { whois } = createTailscale(host);
  const answers = await Promise.all(Array.from({ length: 50 }, () => whois(phone)));
  assert.equal(
    answers,
    Array.from({ length: 50 }, () => who),
  );
  assert.is(host.processes.ran.length, 1);
});

test("threat I made-up addresses start a few programs at a time and are not remembered without end", async () => {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const host = machine(async () => {
    await gate;
    return complained("whois-unknown.txt");
  });
  const { whois } = createTailscale(host);
  const asked = Array.from({ length: 200 }, (_, index) => whois(`100.64.0.${index}`));
  assert.is(host.processes.ran.length, 8);
  release();
  await Promise.all(asked);
  for (let index = 0; index < 300; index++) await whois(`100.65.${index >> 8}.${index & 255}`);
  await whois("100.65.0.0");
  assert.is(host.processes.ran.length, 8 + 300 + 1, "the oldest was forgotten");
});

function machine(answer: () => Partial<RunResult> | Promise<Partial<RunResult>>): ScriptedHost {
  return scriptedHost({ commands: { tailscale: answer } });
}

test.run();
