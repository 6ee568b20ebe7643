import { openRaw } from "../raw-client.ts";
import type { Attack, Target } from "./attack.ts";
import { outcome, refusedUpgrade } from "./session.ts";

/** Pages of strangers, which a browser on this machine lets reach its loopback. */
export const origins: readonly Attack[] = [
  ...[
    "https://evil.example",
    "null",
    "file://",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://evil-localhost",
    "http://localhost@evil.example",
    "http://evil.example#localhost",
    "http://[::ffff:8.8.8.8]",
    "javascript:alert(1)",
    "chrome-extension://abcdefghijklmnop",
  ].map((origin) => fromPage(`a page of ${origin}`, () => ({ Origin: origin }))),
  fromPage("a page of a name that was made to point here (DNS rebinding)", (port) => ({
    Origin: `http://evil.example:${port}`,
    Host: `evil.example:${port}`,
  })),
  fromPage("another name for this machine", (port) => ({ Host: `evil.example:${port}` })),
  fromPage("another name that looks like loopback", (port) => ({ Host: `127.0.0.1.evil.example:${port}` })),
  {
    name: "threat B: the command line's name and token, from a page",
    expected: "HTTP 403 origin_not_allowed",
    needs: ["token"],
    run: (target) => outcome(target, { headers: { Origin: "https://evil.example" } }),
  },
  {
    name: "threat B: a browser's name without an Origin",
    expected: "CONTROL_UI_ORIGIN_NOT_ALLOWED, closed 1008",
    run: (target) => outcome(target, { id: "openclaw-control-ui", mode: "webchat" }),
  },
  {
    name: "threat C: the command line's name and token, from a page of this machine, bring no scopes",
    expected: "let in with []",
    needs: ["token"],
    run: (target) => outcome(target, { headers: { Origin: "http://localhost:3000" } }),
  },
];

function fromPage(what: string, headers: (port: string) => Readonly<Record<string, string>>): Attack {
  return {
    name: `threat B: ${what}`,
    expected: /^HTTP 403 (origin|host)_not_allowed$/,
    run: (target: Target) =>
      openRaw(target.url, { headers: headers(new URL(target.url).port) }).then(
        (socket) => (socket.reset(), "HTTP 101"),
        refusedUpgrade,
      ),
  };
}
