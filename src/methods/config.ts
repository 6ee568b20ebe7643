import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { VERSION } from "../kit/version.ts";
import type { App } from "../app.ts";
import { channels } from "../channels/index.ts";
import type { ConfigWrite } from "../config/config.ts";
import { jsonSchema, lookUp, uiHints } from "../config/describe.ts";
import { shapeWithNetworks } from "../config/network-shapes.ts";
import { parseConfig } from "../config/parse.ts";
import { redactRaw } from "../config/redact.ts";
import { restartKeys } from "../config/reload.ts";
import { addressOf } from "../flow/address.ts";
import { maxNote } from "../flow/restart-notes.ts";
import { method, Prepared } from "./method.ts";

const issue = v.object({ path: v.string(), message: v.string(), allowedValues: v.optional(v.array(v.string())) });
const nonEmpty = v.pipe(v.string(), v.nonEmpty());
const write = {
  raw: v.pipe(nonEmpty, v.description("JSON5 text.")),
  baseHash: v.pipe(v.optional(nonEmpty), v.description("`hash` of the config.get that the change is based on.")),
};
const origin = {
  sessionKey: v.pipe(v.optional(v.string()), v.description("The session that asks; it is told after the restart.")),
  deliveryContext: v.pipe(
    v.optional(
      v.strictObject({
        channel: v.optional(v.string()),
        to: v.optional(v.string()),
        accountId: v.optional(v.string()),
        threadId: v.optional(v.union([v.string(), v.number()])),
      }),
    ),
    v.description("The chat that asks."),
  ),
  note: v.pipe(
    v.optional(v.pipe(v.string(), v.maxLength(maxNote))),
    v.description("Why; for the log and the session."),
  ),
  restartDelayMs: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 2000),
    v.description("Time until the restart, where one is needed."),
  ),
};
const hint = v.object({ label: v.string(), help: v.optional(v.string()), sensitive: v.optional(v.boolean()) });
const reload = v.picklist(["restart", "hot", "none"]);
const written = v.object({
  ok: v.literal(true),
  path: v.string(),
  hash: v.string(),
  config: v.unknown(),
  changedPaths: v.array(v.string()),
  restart: v.optional(v.object({ delayMs: v.number(), reason: v.string() })),
});

/** What `config.schema` answers, but for the time. */
let described: string | undefined;

/** The methods that read, describe and change the configuration. */
export const configMethods = [
  method({
    name: "config.get",
    scope: "operator.read",
    summary: "The configuration in force and as written, without its secrets.",
    params: () => v.strictObject({}),
    result: () =>
      v.object({
        path: v.string(),
        includedPaths: v.array(v.string()),
        exists: v.boolean(),
        raw: v.nullable(v.string()),
        parsed: v.unknown(),
        sourceConfig: v.unknown(),
        resolved: v.unknown(),
        valid: v.boolean(),
        runtimeConfig: v.unknown(),
        config: v.unknown(),
        hash: v.string(),
        issues: v.array(issue),
        warnings: v.array(issue),
        legacyIssues: v.array(issue),
        unknownKeys: v.array(v.string()),
        disabled: v.array(v.object({ section: v.string(), issue })),
        configRevisionHash: v.string(),
        appliedConfigHash: v.string(),
      }),
    run: ({ app }) => describeCurrent(app),
  }),
  method({
    name: "config.schema",
    scope: "operator.read",
    summary:
      "The JSON Schema of the configuration, with labels and help. What is below channels config.schema.lookup knows.",
    params: () => v.strictObject({}),
    result: () =>
      v.object({
        schema: v.unknown(),
        uiHints: v.record(v.string(), hint),
        version: v.string(),
        generatedAt: v.string(),
      }),
    run({ app }) {
      // Made once: it takes some milliseconds, and never changes.
      described ??= JSON.stringify({ schema: jsonSchema(), uiHints: uiHints(), version: VERSION });
      const generatedAt = new Date(app.clock.now()).toISOString();
      return new Prepared(`${described.slice(0, -1)},"generatedAt":${JSON.stringify(generatedAt)}}`);
    },
  }),
  method({
    name: "config.schema.lookup",
    scope: "operator.read",
    summary: "One key of the configuration and its direct children.",
    params: () =>
      v.strictObject({
        path: v.pipe(
          nonEmpty,
          v.maxLength(1024),
          v.regex(/^[A-Za-z0-9_./[\]\-*]+$/),
          v.description("Such as gateway.port."),
        ),
      }),
    result: () =>
      v.object({
        path: v.string(),
        schema: v.unknown(),
        reloadKind: reload,
        hint,
        hintPath: v.string(),
        children: v.array(
          v.object({
            key: v.string(),
            path: v.string(),
            type: v.optional(v.string()),
            required: v.boolean(),
            hasChildren: v.boolean(),
            reloadKind: reload,
            hint,
            hintPath: v.string(),
          }),
        ),
      }),
    async run({ params }) {
      const isNetwork = /^channels(?![^.[])/.test(params.path);
      const key = lookUp(params.path, isNetwork ? await shapeWithNetworks(channels) : undefined);
      if (!key) throw new Failure("not-found", `config schema path "${params.path}" is not known; see config.schema`);
      return { ...key, children: [...key.children] };
    },
  }),
  method({
    name: "config.set",
    scope: "operator.admin",
    summary: "Replaces the configuration file.",
    params: () => v.strictObject(write),
    result: () => written,
    async run({ app, params }) {
      return answer(app, await app.config.replace(params.raw, { baseHash: params.baseHash, by: "config.set" }));
    },
  }),
  method({
    name: "config.patch",
    scope: "operator.admin",
    summary: "Applies a JSON merge patch (RFC 7396): null deletes, lists are replaced.",
    params: () =>
      v.strictObject({
        ...write,
        ...origin,
        replacePaths: v.pipe(
          v.optional(v.pipe(v.array(nonEmpty), v.maxLength(256))),
          v.description("Lists that may be replaced; here every list is."),
        ),
      }),
    result: () => written,
    async run({ app, params }) {
      const patch = await parsePatch(params.raw);
      const { baseHash, restartDelayMs, note } = params;
      const session = askerOf(app, params);
      const done = await app.config.patch(patch, { baseHash, by: "config.patch", restartDelayMs });
      if (note) app.log.info("config.patch", { note, session });
      return answerTo(app, done, { by: "config.patch", session, note, restartDelayMs });
    },
  }),
  method({
    name: "config.apply",
    scope: "operator.admin",
    summary: "Replaces the configuration file and restarts where a changed key needs it.",
    params: () => v.strictObject({ ...write, ...origin }),
    result: () => written,
    async run({ app, params }) {
      const { raw, baseHash, restartDelayMs, note } = params;
      const session = askerOf(app, params);
      const done = await app.config.replace(raw, { baseHash, by: "config.apply", restartDelayMs });
      if (note) app.log.info("config.apply", { note, session });
      return answerTo(app, done, { by: "config.apply", session, note, restartDelayMs });
    },
  }),
] as const;

function describeCurrent(app: App) {
  const inForce = app.config.current();
  const now = inForce.rejected ?? inForce;
  const [parsed, source, value] = [now.parsed, now.source, inForce.value].map((part) => app.config.redacted(part));
  return {
    path: now.path,
    includedPaths: [...(app.config.includedFiles?.() ?? [])],
    exists: now.exists,
    raw: redactRaw(now.raw, now.parsed),
    parsed,
    sourceConfig: source,
    resolved: source,
    valid: now.valid,
    runtimeConfig: value,
    config: value,
    hash: now.hash,
    issues: now.issues.map(copyIssue),
    warnings: now.warnings.map(copyIssue),
    legacyIssues: [],
    unknownKeys: [...now.unknownKeys],
    disabled: inForce.disabled.map(({ section, issue }) => ({ section, issue: copyIssue(issue) })),
    configRevisionHash: now.hash,
    appliedConfigHash: inForce.hash,
  };
}

function copyIssue({ allowedValues, ...rest }: ConfigWrite["snapshot"]["issues"][number]) {
  return { ...rest, ...(allowedValues && { allowedValues: [...allowedValues] }) };
}

async function parsePatch(raw: string): Promise<unknown> {
  try {
    return await parseConfig(raw);
  } catch (error) {
    throw new Failure("invalid-request", `config.patch raw: ${Failure.from(error).message}`, { cause: error });
  }
}

/** The full key of the session that asks, if one does; throws for what is no key, before anything is changed. */
function askerOf(app: App, { sessionKey }: { sessionKey?: string | undefined }): string | undefined {
  return sessionKey === undefined || sessionKey.trim() === "" ? undefined : addressOf(app, sessionKey).key;
}

interface Asker {
  readonly by: string;
  readonly session: string | undefined;
  readonly note: string | undefined;
  readonly restartDelayMs: number;
}

/** The same for a writer that may want to hear of the restart when it is over. */
async function answerTo(app: App, done: ConfigWrite, { by, session, note, restartDelayMs }: Asker) {
  const answered = answer(app, done, restartDelayMs);
  if (session === undefined || !("restart" in answered)) return answered;
  try {
    await app.tellAfterRestart({ sessionKey: session, by, note });
  } catch (error) {
    // The configuration is written: only the news of the restart is lost.
    app.log.warn("the session that asks will not be told of the restart", {
      session,
      error: Failure.from(error).message,
    });
  }
  return answered;
}

/** What a write did. Where it needs a restart, whoever applies changes sees to that after the time that is told here. */
function answer(app: App, { snapshot, changedPaths }: ConfigWrite, restartDelayMs?: number) {
  const { mode, debounceMs } = snapshot.value.gateway.reload;
  const keys = restartKeys(changedPaths, mode, restartDelayMs !== undefined);
  const restart = { delayMs: restartDelayMs ?? debounceMs, reason: `config change: ${keys.join(", ")}` };
  return {
    ok: true as const,
    path: snapshot.path,
    hash: snapshot.hash,
    config: app.config.redacted(snapshot.value),
    changedPaths: [...changedPaths],
    ...(keys.length > 0 && { restart }),
  };
}
