import type { Host } from "../host/host.ts";
import { isObject } from "../kit/json.ts";
import type { ProgramResult } from "./program.ts";
import { parseObject } from "./state.ts";
import { firstLine, linkIn, troubleOf, type Trouble } from "./trouble.ts";

/** How far something is published: in the tailnet, or on the internet too. */
export type PublishMode = "serve" | "funnel";

/** A gateway on this machine's loopback. */
export interface Target {
  readonly port: number;
  /** It speaks TLS itself. */
  readonly tls: boolean;
}

/** Something on this machine that Tailscale leads to. */
export interface Publication {
  /** Name and port in the tailnet, such as `box.tail1234.ts.net:443`. */
  readonly at: string;
  readonly path: string;
  /** Such as `http://127.0.0.1:18789`. */
  readonly proxy: string;
  readonly funnel: boolean;
}

/**
 * The arguments that publish a gateway. One with TLS of its own has a certificate that was made for other names, and is
 * on this very machine: Tailscale is told not to check it.
 */
export function publishArguments(mode: PublishMode, { port, tls }: Target): readonly string[] {
  return [mode, "--bg", "--yes", tls ? `https+insecure://127.0.0.1:${port}` : String(port)];
}

/**
 * Why it was not published; undefined when it was. The texts are those of Tailscale's own command. Where something has
 * to be enabled in the tailnet first, it names the page and then waits for somebody to do it, or ends with status 0.
 */
export function refusalOf(mode: PublishMode, result: ProgramResult, os: Host["os"]): Trouble | undefined {
  const { code, stdout, stderr, timedOut } = result;
  if (code === 127) return troubleOf("not-installed", os);
  const said = `${stderr}\n${stdout}`.slice(0, 16_384);
  const page = linkIn(said);
  if (/funnel is not enabled|"funnel" node attribute|not allowed for funnel/i.test(said))
    return troubleOf("funnel-denied", os, page);
  if (/serve is not enabled|https must be enabled|https is not enabled|error enabling https/i.test(said))
    return troubleOf("https-off", os, page);
  if (code === 0 && !timedOut) return undefined;
  if (/access denied|must be root|permission denied/i.test(said)) return troubleOf("not-allowed", os);
  if (/failed to connect to local tailscale|is tailscale running/i.test(said)) return troubleOf("no-daemon", os);
  if (/already serving|already exists/i.test(said)) return troubleOf("port-taken", os, firstLine(stderr, stdout));
  if (timedOut) return troubleOf("unreadable", os, `no answer to tailscale ${mode} in time`);
  return troubleOf("failed", os, firstLine(stderr, stdout) ?? `tailscale ${mode} ended with status ${code}`);
}

/** Reads what `tailscale serve status --json` answered; undefined when it answered nothing that makes sense. */
export function readPublications({ code, stdout }: ProgramResult): readonly Publication[] | undefined {
  const config = code === 0 ? parseObject(stdout) : undefined;
  if (!config) return undefined;
  const funnel = isObject(config["AllowFunnel"]) ? config["AllowFunnel"] : {};
  const web = isObject(config["Web"]) ? config["Web"] : {};
  return Object.entries(web).flatMap(([at, site]) => {
    const handlers = isObject(site) && isObject(site["Handlers"]) ? site["Handlers"] : {};
    return Object.entries(handlers).flatMap(([path, handler]) => {
      const proxy = isObject(handler) ? handler["Proxy"] : undefined;
      return typeof proxy === "string" ? [{ at, path, proxy, funnel: funnel[at] === true }] : [];
    });
  });
}

/** Whether it leads to this port of this machine. */
export function leadsTo({ proxy }: Publication, port: number): boolean {
  return new RegExp(`^(?:https?(?:\\+insecure)?://)?(?:127\\.0\\.0\\.1|localhost|\\[::1\\]):${port}(?:/|$)`).test(
    proxy,
  );
}
