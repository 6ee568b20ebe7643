import { openRaw } from "../raw-client.ts";
import type { Attack } from "./attack.ts";
import { outcome, refusedUpgrade } from "./session.ts";

/** Headers that a proxy would set, from somebody who is none. */
export const locality: readonly Attack[] = [
  ...[
    ["X-Forwarded-For", "127.0.0.1"],
    ["X-Forwarded-For", "203.0.113.7"],
    ["X-Forwarded-Host", "localhost"],
    ["X-Forwarded-Proto", "https"],
    ["X-Forwarded-Port", "443"],
    ["X-Forwarded-Server", "proxy"],
    ["X-Real-IP", "127.0.0.1"],
    ["Forwarded", "for=127.0.0.1"],
  ].map(([name = "", value = ""]) => forged(name, value)),
  identified("Tailscale-User-Login", "owner@example.com"),
  identified("X-Authenticated-User", "owner"),
  identified("Remote-User", "root"),
  identified("Authorization", "Basic cm9vdDpyb290"),
];

function forged(name: string, value: string): Attack {
  return {
    name: `threat J: ${name}: ${value} from a peer that is no proxy`,
    expected: "HTTP 403 proxy_attribution_required",
    run: (target) =>
      openRaw(target.url, { headers: { [name]: value } }).then(
        (socket) => (socket.reset(), "HTTP 101"),
        refusedUpgrade,
      ),
  };
}

function identified(name: string, value: string): Attack {
  return {
    name: `threat J: ${name} in place of a secret`,
    expected: "DEVICE_IDENTITY_REQUIRED, closed 1008",
    needs: ["token"],
    run: (target) => outcome(target, { headers: { [name]: value }, auth: {} }),
  };
}
