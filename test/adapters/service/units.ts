import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { flavours } from "../../../src/host/flavour.ts";
import type { Host } from "../../../src/host/host.ts";
import { basename, pathsOf } from "../../../src/host/paths.ts";
import { Failure } from "../../../src/kit/error.ts";
import { VERSION } from "../../../src/kit/version.ts";
import { serviceNames } from "../../../src/service/names.ts";
import type { RenderedFile, ServiceManager, ServiceUnit } from "../../../src/service/service.ts";
import { gatewayUnit, type UnitFacts } from "../../../src/service/unit.ts";
import { scriptedHost } from "../../support/host.ts";

const systems = {
  launchd: { home: "/Users/me", dist: "/opt/homebrew/lib/node_modules/clawlet/dist", node: "/opt/homebrew/bin/node" },
  systemd: { home: "/home/me", dist: "/usr/lib/node_modules/clawlet/dist", node: "/usr/bin/node" },
  schtasks: {
    home: "C:/Users/Jörg & me",
    dist: "C:\\Users\\Jörg & me\\AppData\\Roaming\\npm\\node_modules\\clawlet\\dist",
    node: "C:\\Program Files\\nodejs\\node.exe",
  },
} as const;

/** The unit that a test installs: of Node on that system, with a secret for a profile. */
export function unitFor(
  kind: ServiceManager["kind"],
  {
    flavour: id = "openclaw",
    profile = "",
    home = systems[kind].home,
    ...rest
  }: Partial<Omit<UnitFacts, "flavour">> & UnitChoice = {},
): ServiceUnit {
  const flavour = flavours[id];
  const { dist, node } = systems[kind];
  const paths = pathsOf({ ...scriptedHost(), home }, flavour, profile);
  return gatewayUnit({
    kind,
    flavour,
    paths,
    names: serviceNames({ env: {} }, flavour, paths),
    scope: "user",
    home,
    program: [node, `${dist}${kind === "schtasks" ? "\\" : "/"}${id}.js`],
    port: profile === "" ? 18789 : 19001,
    path: kind === "schtasks" ? "C:\\Windows\\system32;C:\\100%\\bin" : "/usr/local/bin:/usr/bin:/bin",
    secrets: profile === "" ? {} : { [`${flavour.envPrefixes[0]}GATEWAY_TOKEN`]: canary },
    user: undefined,
    drainMs: 30_000,
    notifies: kind === "systemd" && profile === "",
    backsOff: kind === "systemd" && profile === "",
    ...rest,
  });
}

interface UnitChoice {
  readonly flavour?: "openclaw" | "clawdbot";
  readonly profile?: string;
}

/** The token of every unit of these tests that has one. */
export const canary = "canary-5f1e-token";

/** Holds what is rendered to test/golden/services; with UPDATE_GOLDENS=1 writes it there. */
export function sameAsGolden(name: string, files: readonly RenderedFile[]): void {
  for (const { path, text } of files) {
    const extension = /\.[a-z]+$/.exec(basename(path))?.[0] ?? "";
    const golden = `test/golden/services/${name}${extension}`;
    const shown = text.replaceAll(VERSION, "{version}");
    if (process.env["UPDATE_GOLDENS"] === "1") writeFileSync(golden, shown);
    assert.ok(existsSync(golden), `${golden} is missing: UPDATE_GOLDENS=1 writes it`);
    assert.is(shown, readFileSync(golden, "utf8"), golden);
  }
}

/** Every flavour with its main profile and another one. */
export const variants = (["openclaw", "clawdbot"] as const).flatMap((flavour) =>
  ["", "rescue"].map((profile) => ({ flavour, profile, name: `${flavour}-${profile || "default"}` })),
);

/** A manager of this system over what `commands` answers. */
export function managerOf(
  os: Host["os"],
  options: Parameters<typeof scriptedHost>[0] = {},
): { readonly host: ReturnType<typeof scriptedHost>; readonly manager: ServiceManager } {
  const host = scriptedHost({ os, services: "system", ...options });
  if (!host.services) throw new Error("no service manager");
  return { host, manager: host.services };
}

/** What the work fails with. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    return Failure.from(error);
  }
  throw new Error("it did not fail");
}
