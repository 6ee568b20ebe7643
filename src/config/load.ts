import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { absolute, dirname, type Paths, setting } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { sha256Hex } from "../kit/ids.ts";
import { isObject } from "../kit/json.ts";
import type { ConfigSnapshot } from "./config.ts";
import { type Environment, environmentBlock, type Finding, layered, readDotEnv, substitute } from "./environment.ts";
import { closeDoors } from "./guard.ts";
import { type Included, resolveIncludes } from "./include.ts";
import { parseConfig } from "./parse.ts";
import { validate } from "./validate.ts";

/** A snapshot and what it was made with. */
export interface Loaded extends Pick<Included, "files" | "origins"> {
  readonly snapshot: ConfigSnapshot;
  /** The process's variables, then the state folder's `.env`, then the `env` section. */
  readonly environment: Environment;
}

export interface LoadContext {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
}

/** Earlier texts of the file, newest first: where the way in is taken from when the file itself cannot be read. */
export type EarlierTexts = () => Promise<readonly string[]>;

/**
 * Makes a snapshot of the file's text; undefined means that there is no file. Never throws for what the text holds: a
 * wrong value is an issue. When the text as a whole is wrong, nothing is known of who may get in, so mode, port and auth
 * are those of the newest earlier text that is sound, on loopback alone; without one, starting is unsafe.
 */
export async function load(text: string | undefined, context: LoadContext, earlier: EarlierTexts): Promise<Loaded> {
  const dotEnv = await readDotEnv(context.host, context.paths.state);
  const loaded = await loadText(text, context, dotEnv);
  if (loaded.snapshot.issues.every((issue) => issue.path !== "")) return loaded;
  for (const old of await earlier()) {
    const sound = await loadText(old, context, dotEnv);
    if (sound.snapshot.unsafe.length > 0 || !isObject(sound.snapshot.source)) continue;
    return { ...loaded, snapshot: recover(loaded.snapshot, sound.snapshot, sound.snapshot.source) };
  }
  return loaded;
}

async function loadText(text: string | undefined, context: LoadContext, dotEnv: Environment): Promise<Loaded> {
  const path = context.paths.config;
  const { value: parsed, finding } = await parseText(text);
  const included = await resolveIncludes(parsed, {
    files: context.host.files,
    file: path,
    roots: [dirname(path), ...includeRoots(context)],
  });
  const own = layered(context.host.env, dotEnv);
  const environment = layered(own, environmentBlock(substitute(included.value, own).value));
  const { value: source, findings } = substitute(included.value, environment);
  return {
    snapshot: {
      path,
      exists: text !== undefined,
      raw: text ?? null,
      hash: await sha256Hex(text ?? ""),
      parsed,
      source,
      ...withValidity(
        validate(source, [...(finding ? [finding] : []), ...included.findings, ...findings], included.value),
      ),
    },
    environment,
    files: included.files,
    origins: included.origins,
  };
}

async function parseText(text: string | undefined): Promise<{ value: unknown; finding?: Finding }> {
  if (text === undefined) return { value: undefined };
  try {
    return { value: await parseConfig(text) };
  } catch (error) {
    return { value: undefined, finding: { path: [], message: Failure.from(error).message } };
  }
}

function includeRoots({ host, flavour }: LoadContext): readonly string[] {
  const listed = setting(host, flavour, "INCLUDE_ROOTS") ?? "";
  return listed
    .split(host.os === "windows" ? ";" : ":")
    .filter((root) => root !== "")
    .map((root) => absolute(host, root));
}

function withValidity(validated: ReturnType<typeof validate>) {
  return { ...validated, valid: validated.issues.length === 0 };
}

function recover(
  broken: ConfigSnapshot,
  sound: ConfigSnapshot,
  source: Readonly<Record<string, unknown>>,
): ConfigSnapshot {
  const { mode, port, auth } = isObject(source["gateway"]) ? source["gateway"] : {};
  const closed = closeDoors(
    { gateway: { ...(mode !== undefined && { mode }), ...(port !== undefined && { port }), auth } },
    [],
  );
  return { ...broken, value: validate(closed).value, unsafe: [], recoveredFrom: sound.hash };
}
