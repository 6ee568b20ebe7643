import { test } from "uvu";
import * as assert from "uvu/assert";
import { readState } from "../../src/tailscale/state.ts";
import { troubleText } from "../../src/tailscale/trouble.ts";
import { complained, inTime, printed, tooLate } from "./recorded.ts";

const nothing = { code: 127, stdout: "", stderr: "" };

test("a machine in a tailnet has a name, addresses and what the tailnet allows it", () => {
  assert.equal(readState(inTime(printed("running.json")), "linux"), {
    kind: "running",
    dnsName: "box.tail1234.ts.net",
    addresses: ["100.101.102.103", "fd7a:115c:a1e0::1234:6667"],
    https: true,
    funnel: true,
  });
});

test("an older Tailscale lists what it may, and a much older one says nothing", () => {
  const older = readState(inTime(printed("running-older.json")), "linux");
  assert.equal(older.kind === "running" && [older.https, older.funnel], [true, true]);
  const stdout = '{"Self":{"DNSName":"box.tail1234.ts.net.","TailscaleIPs":["100.101.102.103"]}}';
  const oldest = readState(inTime({ code: 0, stdout, stderr: "" }), "linux");
  assert.equal(oldest.kind === "running" && [oldest.dnsName, oldest.https, oldest.funnel], [
    "box.tail1234.ts.net",
    undefined,
    undefined,
  ]);
});

test("a tailnet without HTTPS and one without MagicDNS are told apart", () => {
  const [plain, nameless] = ["running-no-https.json", "running-no-magicdns.json"].map((name) =>
    readState(inTime(printed(name)), "linux"),
  );
  assert.equal(plain?.kind === "running" && [plain.dnsName, plain.https, plain.funnel], [
    "box.tail1234.ts.net",
    false,
    false,
  ]);
  assert.is(nameless?.kind === "running" && nameless.dnsName, undefined);
});

for (const [name, what, text] of [
  ["logged out", printed("needs-login.json"), "Tailscale is logged out; log in: tailscale up"],
  [
    "logged out with a page to log in at",
    printed("needs-login-url.json"),
    "Tailscale is logged out; log in: https://login.tailscale.com/a/1a2b3c4d5e6f",
  ],
  [
    "not approved",
    printed("needs-approval.json"),
    "an administrator of the tailnet has not approved this machine yet; approve it: https://login.tailscale.com/admin/machines",
  ],
  ["stopped", printed("stopped.json"), "Tailscale is stopped; start it: tailscale up"],
  ["starting", printed("starting.json"), "Tailscale is still starting; look at it: tailscale status"],
  ["without a state yet", printed("no-state.json"), "Tailscale is still starting; look at it: tailscale status"],
  [
    "without its daemon",
    complained("no-daemon.txt"),
    "Tailscale does not run; start it: sudo systemctl start tailscaled",
  ],
  ["not installed", nothing, "the program tailscale is not installed; install it: https://tailscale.com/download"],
  [
    "in a state nobody knows",
    { code: 0, stdout: '{"BackendState":"Dreaming"}', stderr: "" },
    "Tailscale does not say how it is: state Dreaming; look at it: tailscale status",
  ],
  [
    "broken",
    { code: 2, stdout: "", stderr: "error: \u001b[31mout of\u0007 memory\n" },
    "Tailscale does not say how it is: [31mout of memory; look at it: tailscale status",
  ],
] as const)
  test(`Tailscale that is ${name} says so and what to do`, () => {
    const state = readState(inTime(what), "linux");
    assert.is(state.kind === "trouble" && troubleText(state.trouble), text);
  });

test("each system starts its daemon in its own way", () => {
  const state = readState(inTime(complained("no-daemon-macos.txt")), "darwin");
  assert.is(state.kind === "trouble" && state.trouble.fix, "open -a Tailscale");
});

test("Tailscale that does not answer in time is not taken for one that is not there", () => {
  const state = readState(tooLate({ code: 128, stdout: "", stderr: "" }), "linux");
  assert.is(state.kind === "trouble" && state.trouble.message, "Tailscale does not say how it is: no answer in time");
});

for (const [name, stdout] of [
  ["a list", "[]"],
  ["half a document", '{"BackendState":"Runn'],
  ["nothing", ""],
  ["null", "null"],
] as const)
  test(`${name} is no state`, () => {
    assert.is(readState(inTime({ code: 0, stdout, stderr: "" }), "linux").kind, "trouble");
  });

test("what is no name and no address is not passed on", () => {
  const self = { DNSName: "box; rm -rf /", TailscaleIPs: ["100.1.2.3; id", 7, null, "fd7a:115c:a1e0::1"], CapMap: [] };
  const stdout = JSON.stringify({ BackendState: "Running", Self: self, CertDomains: "yes" });
  const state = readState(inTime({ code: 0, stdout, stderr: "" }), "linux");
  assert.equal(state, {
    kind: "running",
    dnsName: undefined,
    addresses: ["fd7a:115c:a1e0::1"],
    https: undefined,
    funnel: undefined,
  });
});

test("a warning in front of the answer does not hide it", () => {
  const { stdout } = printed("running.json");
  assert.is(
    readState(inTime({ code: 0, stdout: `Warning: versions differ\n${stdout}`, stderr: "" }), "linux").kind,
    "running",
  );
});

test.run();
