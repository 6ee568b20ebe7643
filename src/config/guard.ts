import { isObject, type JsonObject } from "../kit/json.ts";
import type { Finding } from "./environment.ts";
import { type Path, startsWith } from "./path.ts";

/** What decides who can reach the gateway and who gets in: a mistake here makes starting unsafe. */
const guarded: readonly Path[] = ["bind", "customBindHost", "auth", "tailscale", "trustedProxies", "tls", "nodes"].map(
  (key) => ["gateway", key],
);

/** Whether a mistake at this path leaves it open who can reach the gateway or get in. */
export function isGuarded(path: Path): boolean {
  return guarded.some((guard) => startsWith(path, guard) || startsWith(guard, path));
}

/**
 * The configuration with its doors closed, for when a guarded value is wrong: loopback alone, nothing published, and
 * never less proof asked for than the writer may have meant. A mode that was left to be inferred from a secret asks for
 * that kind of secret even though it is now missing, so nobody gets in rather than everybody.
 */
export function closeDoors(root: JsonObject, findings: readonly Finding[]): JsonObject {
  const gateway = isObject(root["gateway"]) ? root["gateway"] : {};
  const auth = isObject(gateway["auth"]) ? gateway["auth"] : {};
  const wrong = (...path: Path) => findings.some((finding) => startsWith(path, finding.path));
  const inferred = wrong("gateway", "auth", "password") && !wrong("gateway", "auth", "token") ? "password" : "token";
  const doubtful = findings.some(({ path }) => isGuarded(path) && (path.length < 2 || path[1] === "auth"));
  const mode = auth["mode"] ?? (doubtful ? inferred : undefined);
  return {
    ...root,
    gateway: {
      ...gateway,
      bind: "loopback",
      tailscale: {},
      auth: mode === undefined ? auth : { ...auth, mode },
    },
  };
}
