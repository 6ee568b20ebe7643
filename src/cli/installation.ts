import type { Host } from "../host/host.ts";
import { basename, dirname, join } from "../host/paths.ts";

/** How this copy of the program came here, and what brings a newer one the same way. */
export interface Installation {
  readonly kind: Kind;
  /** For people, such as `npm, globally`. */
  readonly label: string;
  /** The program file, or the folder that its source is in. */
  readonly location: string;
  /** What to type, in order; empty where a person has to fetch something. */
  readonly commands: readonly string[];
  /** What commands alone do not say. */
  readonly advice?: string;
}

type Kind = "binary" | "npm" | "pnpm" | "yarn" | "bun" | "deno" | "npx" | "bunx" | "dependency" | "git" | "source";

/** The name that the program is published under. */
export const packageName = "clawlet";

/** Looks at the machine for what `installationFrom` decides by. */
export async function installationOf(host: Pick<Host, "files" | "self" | "sources">): Promise<Installation> {
  const { files, self, sources } = host;
  const [source] = sources;
  const started = self.at(-1) ?? "";
  // A link in a folder of programs says little; what it leads to is in the folder of whoever put it there.
  const script = (await files.realPath(started).catch(() => undefined)) ?? started;
  const root = source === undefined ? dirname(dirname(script)) : dirname(source);
  const isCheckout = (await files.stat(join(root, ".git")).catch(() => undefined)) !== undefined;
  return installationFrom({ script, root, isCheckout, isBinary: self.length === 1, isSource: source !== undefined });
}

export interface Traces {
  /** The file that was started, where it really is. */
  readonly script: string;
  /** The folder that holds `src` or `dist`. */
  readonly root: string;
  readonly isCheckout: boolean;
  readonly isBinary: boolean;
  readonly isSource: boolean;
}

/** Says by the paths alone who installed this copy. */
export function installationFrom({ script, root, isCheckout, isBinary, isSource }: Traces): Installation {
  const path = script.replaceAll("\\", "/");
  if (isBinary)
    return {
      kind: "binary",
      label: "a program of its own",
      location: script,
      commands: [],
      advice: `Put the new release's ${basename(path)} in the place of this one, then restart the gateway.`,
    };
  const manager = isSource ? undefined : managers.find(({ mark }) => mark.test(path));
  if (manager) return { kind: manager.kind, label: manager.label, location: script, commands: manager.commands };
  const [, project] = /^(.*?)\/node_modules\//.exec(path) ?? [];
  if (!isSource && project !== undefined)
    return {
      kind: "dependency",
      label: "a dependency of a project",
      location: script,
      commands: [`cd ${quoted(project)}`, `npm install ${packageName}@latest`],
    };
  if (isCheckout)
    return {
      kind: "git",
      label: "a git checkout",
      location: root,
      commands: [`cd ${quoted(root)}`, "git pull --ff-only", "npm install", ...(isSource ? [] : ["npm run build"])],
    };
  return {
    kind: "source",
    label: isSource ? "a folder of source" : "a built folder",
    location: root,
    commands: [],
    advice: "It came without a package manager or git: replace the folder by a newer one.",
  };
}

/** What package managers leave in the path of a program that they installed, the most exact first. */
const managers: readonly (Pick<Installation, "label" | "commands"> & { readonly kind: Kind; readonly mark: RegExp })[] =
  [
    { kind: "npx", mark: /\/_npx\//, label: "npx, for one run", commands: [`npx ${packageName}@latest`] },
    { kind: "bunx", mark: /\/bunx-[^/]*\//, label: "bunx, for one run", commands: [`bunx ${packageName}@latest`] },
    {
      kind: "bun",
      mark: /\/install\/global\/node_modules\//,
      label: "bun, globally",
      commands: [`bun add --global ${packageName}@latest`],
    },
    {
      kind: "pnpm",
      mark: /\/pnpm\/(?:.*\/)?global\//,
      label: "pnpm, globally",
      commands: [`pnpm add --global ${packageName}@latest`],
    },
    {
      kind: "yarn",
      mark: /\/yarn\/(?:data\/)?global\//i,
      label: "yarn, globally",
      commands: [`yarn global add ${packageName}@latest`],
    },
    {
      kind: "deno",
      mark: /\/npm\/registry\.npmjs\.org\//,
      label: "deno",
      commands: [`deno install --global --force --allow-all npm:${packageName}@latest`],
    },
    {
      kind: "npm",
      mark: /\/(?:lib|npm)\/node_modules\//,
      label: "npm, globally",
      commands: [`npm install --global ${packageName}@latest`],
    },
  ];

function quoted(path: string): string {
  return /^[\w./:~-]+$/.test(path) ? path : `"${path.replaceAll(/["$`\\]/g, String.raw`\$&`)}"`;
}
