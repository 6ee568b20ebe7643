import { test } from "uvu";
import * as assert from "uvu/assert";
import { leadsTo, publishArguments, readPublications, refusalOf } from "../../src/tailscale/publication.ts";
import { troubleText } from "../../src/tailscale/trouble.ts";
import { complained, inTime, printed, tooLate } from "./recorded.ts";

test("SC-095 SC-096 serve and funnel are asked for in the background, without questions", () => {
  assert.is(publishArguments("serve", { port: 18_789, tls: false }).join(" "), "serve --bg --yes 18789");
  assert.is(publishArguments("funnel", { port: 18_789, tls: false }).join(" "), "funnel --bg --yes 18789");
});

test("a gateway with TLS of its own is reached over it", () => {
  assert.equal(publishArguments("serve", { port: 443, tls: true }), [
    "serve",
    "--bg",
    "--yes",
    "https+insecure://127.0.0.1:443",
  ]);
});

test("what was published is no refusal", () => {
  assert.is(refusalOf("serve", inTime(printed("serve-ok.txt")), "linux"), undefined);
  assert.is(refusalOf("funnel", inTime(printed("funnel-ok.txt")), "linux"), undefined);
});

const taken =
  'something else is published there: want to serve "https" but port is already serving "tcp" for "machine"';
for (const [name, mode, result, text] of [
  [
    "Tailscale waits for somebody to enable HTTPS",
    "serve",
    tooLate({ ...printed("serve-not-enabled.txt"), code: 128 }),
    "HTTPS is not enabled for the tailnet; enable it: https://login.tailscale.com/f/serve?node=nExample1CNTRL",
  ],
  [
    "Tailscale ends well without HTTPS and publishes nothing",
    "serve",
    inTime(printed("serve-not-enabled.txt")),
    "HTTPS is not enabled for the tailnet; enable it: https://login.tailscale.com/f/serve?node=nExample1CNTRL",
  ],
  [
    "HTTPS cannot be enabled",
    "serve",
    inTime(complained("serve-https-error.txt")),
    "HTTPS is not enabled for the tailnet; enable it: https://login.tailscale.com/admin/dns",
  ],
  [
    "Funnel wants HTTPS",
    "funnel",
    inTime(complained("funnel-no-https.txt")),
    "HTTPS is not enabled for the tailnet; enable it: https://tailscale.com/s/https",
  ],
  [
    "the policy has no funnel attribute",
    "funnel",
    inTime(complained("funnel-no-attribute.txt")),
    "the tailnet does not let this machine use Funnel; allow it: https://tailscale.com/s/no-funnel",
  ],
  [
    "Tailscale waits for somebody to enable Funnel",
    "funnel",
    tooLate({ ...printed("funnel-not-enabled.txt"), code: 128 }),
    "the tailnet does not let this machine use Funnel; allow it: https://login.tailscale.com/f/funnel?node=nExample1CNTRL",
  ],
  [
    "the user is not the operator",
    "serve",
    inTime(complained("serve-denied.txt")),
    "Tailscale takes this from its operator only; become it: sudo tailscale set --operator=$USER",
  ],
  [
    "the port is taken",
    "serve",
    inTime(complained("serve-port-taken.txt")),
    `${taken}; look at it: tailscale serve status`,
  ],
  [
    "the daemon went away",
    "serve",
    inTime(complained("no-daemon.txt")),
    "Tailscale does not run; start it: sudo systemctl start tailscaled",
  ],
  [
    "nothing is known of the reason",
    "serve",
    inTime({ code: 3, stdout: "", stderr: "" }),
    "tailscale serve ended with status 3; look at it: tailscale serve status",
  ],
  [
    "there is no answer",
    "serve",
    tooLate({ code: 128, stdout: "", stderr: "" }),
    "Tailscale does not say how it is: no answer to tailscale serve in time; look at it: tailscale status",
  ],
] as const)
  test(`when ${name}, the refusal says what to do`, () => {
    const trouble = refusalOf(mode, result, "linux");
    assert.is(trouble && troubleText(trouble), text);
  });

test("what is published is read with where it leads, and whether the internet sees it", () => {
  const at = "box.tail1234.ts.net:443";
  const proxy = "http://127.0.0.1:18789";
  assert.equal(readPublications(inTime(printed("serve-status.json"))), [{ at, path: "/", proxy, funnel: false }]);
  assert.equal(readPublications(inTime(printed("serve-status-funnel.json"))), [{ at, path: "/", proxy, funnel: true }]);
  assert.equal(readPublications(inTime(printed("serve-status-none.json"))), []);
});

test("no answer is not the same as nothing published", () => {
  assert.is(readPublications(inTime(complained("no-daemon.txt"))), undefined);
  assert.is(readPublications(inTime({ code: 0, stdout: "No serve config\n", stderr: "" })), undefined);
});

test("a publication leads to a port of this machine, and to no other that begins alike", () => {
  const lead = (proxy: string) => leadsTo({ at: "", path: "/", proxy, funnel: false }, 1878);
  const ours = ["http://127.0.0.1:1878", "http://localhost:1878/", "https+insecure://127.0.0.1:1878", "127.0.0.1:1878"];
  assert.equal(
    ours.map(lead),
    ours.map(() => true),
  );
  const others = [
    "http://127.0.0.1:18789",
    "http://10.0.0.1:1878",
    "http://127.0.0.1:80/:1878",
    "http://x@127.0.0.1:1878",
  ];
  assert.equal(
    others.map(lead),
    others.map(() => false),
  );
});

test.run();
