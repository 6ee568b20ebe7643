import type { Host } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { isObject } from "../kit/json.ts";
import { mapValues } from "./parse.ts";
import { formatPath, type Path } from "./path.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value that is wrong, before its path is written out. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly allowedValues?: readonly string[] | undefined;
}

/**
 * The variables of the state folder's `.env`. A `.env` in the working folder is not read: whoever can write there could
 * choose the gateway's token (threat P).
 */
export async function readDotEnv(host: Pick<Host, "files">, stateFolder: string): Promise<Environment> {
  return parseDotEnv((await host.files.read(join(stateFolder, ".env"))) ?? "");
}

/** `NAME=value` lines, with `export`, quotes and comments as shells write them. */
export function parseDotEnv(text: string): Environment {
  const out: Record<string, string> = {};
  const line =
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^#\r\n]*?))[ \t]*(?:#.*)?\r?$/gm;
  for (const [, name = "", double, single, plain] of text.matchAll(line)) {
    out[name] =
      double === undefined
        ? (single ?? plain ?? "")
        : double.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c));
  }
  return out;
}

/** Later layers fill in what earlier ones leave unset; empty counts as unset. */
export function layered(...layers: readonly Environment[]): Environment {
  const out: Record<string, string | undefined> = Object.create(null);
  for (const layer of layers.toReversed()) {
    for (const [name, value] of Object.entries(layer)) if (value) out[name] = value;
  }
  return out;
}

/** The variables that the `env` section gives: `env.NAME` and `env.vars.NAME`. */
export function environmentBlock(source: unknown): Environment {
  const block = isObject(source) && isObject(source["env"]) ? source["env"] : {};
  const all = { ...block, ...(isObject(block["vars"]) ? block["vars"] : {}) };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/**
 * Replaces `${NAME}` in every text by the variable's value; `$${NAME}` stands for the text itself. A variable that is
 * not set is a finding at that path, and the text stays as it is.
 */
export function substitute(
  value: unknown,
  environment: Environment,
): { readonly value: unknown; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const visit = (child: unknown, path: Path): unknown => {
    if (typeof child !== "string") return mapValues(child, (inner, step) => visit(inner, [...path, step]));
    return child.replace(
      /\$(\$\{[A-Z_][A-Z0-9_]*\})|\$\{([A-Z_][A-Z0-9_]*)\}/g,
      (whole, literal?: string, name = "") => {
        if (literal !== undefined) return literal;
        const found = environment[name];
        if (found) return found;
        findings.push({
          path,
          message: `Missing env var "${name}" referenced at config path: ${formatPath(path)}; set it, or put the value in the file`,
        });
        return whole;
      },
    );
  };
  return { value: visit(value, []), findings };
}
