import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../gateway-process.ts";
import type { Side } from "../netns.ts";
import { caddy } from "./caddy.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";

/** A reverse proxy as its own documentation says to put it before something that speaks WebSocket. */
export interface ProxyKind {
  readonly name: string;
  /** Where it is installed. */
  readonly program: string;
  /** How to start it in the foreground. `folder` is its own, `file` its configuration. */
  command(folder: string, file: string): readonly string[];
  configuration(plan: ProxyPlan, folder: string): string;
}

export interface ProxyPlan {
  /** It listens here on every address, IPv4 and IPv6. */
  readonly port: number;
  /** `host:port` of the gateway. */
  readonly upstream: string;
  /** The header in which it names the user that it would have authenticated, whatever the client sent in it. */
  readonly userHeader: string;
  readonly user: string;
}

/** The proxies that are installed here. */
export function installedProxies(): readonly ProxyKind[] {
  return [nginx, haproxy, caddy].filter(({ program }) => existsSync(program));
}

/** Starts a proxy and waits until it listens; answers how to end it. */
export async function startProxy(side: Side, kind: ProxyKind, plan: ProxyPlan): Promise<{ end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), `clawlet-${kind.name}-`));
  const file = join(folder, "configuration");
  writeFileSync(file, kind.configuration(plan, folder));
  const running = side.start(kind.command(folder, file), { env: { HOME: folder } });
  let ended = false;
  void running.exited.then(() => (ended = true));
  const end = async (): Promise<void> => {
    if (!ended) await running.end();
    rmSync(folder, { recursive: true, force: true });
  };
  const listens = async (): Promise<true | undefined> => {
    if (ended) throw new Error(`${kind.name} ended: ${running.stdout()}${running.stderr()}`);
    const { stdout } = await side.run(["ss", "-Hltn", `sport = :${plan.port}`]);
    return stdout !== "" || undefined;
  };
  try {
    await until(`${kind.name} on port ${plan.port}`, listens, 15_000);
  } catch (error) {
    await end();
    throw error;
  }
  return { end };
}
