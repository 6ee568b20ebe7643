import type { Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import { sha256Hex } from "../kit/ids.ts";
import type { Logger } from "../kit/log.ts";
import type { ConfigSnapshot, ConfigStore, ConfigWrite } from "./config.ts";
import { differences, same } from "./differences.ts";
import { type Environment, environmentBlock, layered, substitute } from "./environment.ts";
import { formatPath } from "./path.ts";
import { redactConfig } from "./redact.ts";
import type { Config } from "./schema.ts";
import { validate } from "./validate.ts";

/** A configuration that a program holds instead of a file: it alone changes it, and clients are refused. */
export interface GivenConfig extends ConfigStore {
  /** Puts another value into force; one with mistakes, or that `check` throws for, rejects and changes nothing. */
  become(value: unknown, check: (value: Config) => void): Promise<void>;
}

export interface GivenOptions {
  readonly env: Environment;
  readonly paths: Pick<Paths, "config">;
  readonly log: Logger;
}

/** Takes a value as the configuration. One with mistakes rejects with a Failure `config` that names each key. */
export async function openGivenConfig(value: unknown, { env, paths, log }: GivenOptions): Promise<GivenConfig> {
  const events = createEvents<{ change: ConfigWrite }>((error) =>
    log.error("config listener failed", { error: String(error) }),
  );
  let { snapshot, environment } = await read(value, env, paths.config);
  const refuse = (): Promise<never> =>
    Promise.reject(
      new Failure(
        "unavailable",
        "the program that this gateway is a part of holds its configuration: change it there",
        {
          retryable: false,
        },
      ),
    );
  return {
    current: () => snapshot,
    environment: () => environment,
    reload: () => Promise.resolve(snapshot),
    redacted: redactConfig,
    replace: refuse,
    patch: refuse,
    set: refuse,
    rollback: refuse,
    history: () => Promise.resolve([]),
    onChange: (listener) => events.on("change", listener),
    async become(next, check) {
      const before = snapshot;
      const found = await read(next, env, paths.config);
      check(found.snapshot.value);
      if (same(before.source, found.snapshot.source)) return;
      ({ snapshot, environment } = found);
      const changedPaths = differences(before.source, snapshot.source).map(({ path }) => formatPath(path));
      events.emit("change", { snapshot, changedPaths });
    },
  };
}

async function read(
  value: unknown,
  env: Environment,
  path: string,
): Promise<{ readonly snapshot: ConfigSnapshot; readonly environment: Environment }> {
  // A copy: what its owner does to it later must not change a running gateway.
  const parsed: unknown = structuredClone(value);
  const environment = layered(env, environmentBlock(substitute(parsed, env).value));
  const { value: source, findings } = substitute(parsed, environment);
  const validated = validate(source, findings, parsed);
  if (validated.issues.length > 0) {
    const lines = validated.issues.map((issue) => `${issue.path || "the whole value"}: ${issue.message}`);
    throw new Failure("config", `the given configuration is wrong: ${lines.join("; ")}`);
  }
  const raw = JSON.stringify(parsed);
  const snapshot = { path, exists: true, raw, hash: await sha256Hex(raw), parsed, source, ...validated, valid: true };
  return { snapshot, environment };
}
