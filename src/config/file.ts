import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import { dirname, join, type Paths } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { createEvents } from "../kit/events.ts";
import { isObject } from "../kit/json.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Logger } from "../kit/log.ts";
import type { ConfigIssue, ConfigRevision, ConfigSnapshot, ConfigStore, ConfigWrite, WriteOptions } from "./config.ts";
import { differences, mergePatch, same, withValue } from "./differences.ts";
import { editText } from "./edit.ts";
import { exclusively } from "./exclusive.ts";
import { openHistory, type SavedRevision } from "./history.ts";
import { includedFrom } from "./include.ts";
import { load, type Loaded } from "./load.ts";
import { parseConfig } from "./parse.ts";
import { formatPath, parsePath, type Path, valueAt } from "./path.ts";
import { redactConfig, restoreSecrets } from "./redact.ts";

/** What a writer makes of the present text. */
type Rewrite = (present: Loaded) => Promise<string>;

/** Why a program that runs by a configuration could not go on with this one; nothing when it can. */
export type Refuse = (snapshot: ConfigSnapshot) => readonly ConfigIssue[];

/**
 * Opens the configuration file of a profile. Reading it never fails for what it holds. Writes go one at a time: each is
 * checked as a whole, keeps the version it replaces, and stops when another process has written in between.
 */
export async function openConfig(
  host: Host,
  flavour: Flavour,
  paths: Paths,
  log: Logger,
  refuse: Refuse = () => [],
): Promise<ConfigStore> {
  const { files } = host;
  const context = { host, flavour, paths };
  const history = openHistory(files, join(paths.state, "config-history"));
  const lanes = createLanes();
  const events = createEvents<{ change: ConfigWrite }>((error) =>
    log.error("config listener failed", { error: String(error) }),
  );
  const loadFrom = (text: string | undefined) =>
    load(text, context, async () => (await history.list()).map(({ raw }) => raw));
  let inForce = await loadFrom(await readText());
  /** The file as it is, in force or not. */
  let present = inForce;

  /** One write at a time, of this process and of all others. */
  function oneWriter<T>(work: () => Promise<T>): Promise<T> {
    return lanes.run("write", () => exclusively(host, join(paths.state, "config.lock"), paths.config, work));
  }

  /** Takes the file as it is on the disk, keeping the version that somebody else replaced if it was in force. */
  async function refresh(keepHistory = true): Promise<void> {
    const text = await readText();
    if (keepHistory && text !== (inForce.snapshot.raw ?? undefined)) await keepReplaced(inForce.snapshot, text);
    const next = await loadFrom(text);
    const mistakes = mistakesOf(next.snapshot);
    if (mistakes.length === 0) return adopt(next);
    const known = next.snapshot.issues.filter((issue) => !mistakes.includes(issue));
    present = { ...next, snapshot: { ...next.snapshot, valid: false, issues: [...mistakes, ...known] } };
    inForce = { ...inForce, snapshot: { ...inForce.snapshot, rejected: present.snapshot } };
  }

  /** What keeps it from coming into force: what is wrong in it and was not before, or that it is gone. */
  function mistakesOf(next: ConfigSnapshot): readonly ConfigIssue[] {
    if (!next.exists && inForce.snapshot.exists)
      return [{ path: "", message: "the file is gone; put it back, or: config rollback 1" }];
    const fresh = newIssues(inForce.snapshot, next);
    if (fresh.length > 0 || same(next.source, inForce.snapshot.source)) return fresh;
    return refuse(next);
  }

  /** What is in force must not wait for its history: a full disk costs the old version, not the new one. */
  async function keepReplaced({ raw, hash, parsed }: ConfigSnapshot, text: string | undefined): Promise<void> {
    if (raw === null) return;
    try {
      if ((await history.list())[0]?.hash === hash) return; // kept by the program that wrote
      const after = await parseConfig(text ?? "{}").catch(() => ({})); // a broken text holds nothing
      const changed = changedPaths(parsed, after);
      await history.keep({ raw, hash, savedAt: host.clock.now(), by: "another program", changedPaths: changed });
    } catch (error) {
      log.warn("replaced config not kept", { error: Failure.from(error).message });
    }
  }

  async function readText(): Promise<string | undefined> {
    try {
      return await files.read(paths.config);
    } catch (error) {
      const { message } = Failure.from(error);
      throw new Failure("config", `cannot read ${paths.config}: ${message}; make it readable for this user`, {
        cause: error,
      });
    }
  }

  function adopt(next: Loaded, restartDelayMs?: number): void {
    const before = inForce.snapshot;
    const { snapshot } = (present = inForce = next);
    if (before.raw === snapshot.raw && same(before.source, snapshot.source)) return;
    events.emit("change", { snapshot, changedPaths: changedPaths(before.source, snapshot.source), restartDelayMs });
  }

  async function write(rewrite: Rewrite, { baseHash, by, restartDelayMs }: WriteOptions): Promise<ConfigWrite> {
    return oneWriter(async () => {
      await refresh();
      const { snapshot: before } = present;
      if (baseHash !== undefined && baseHash !== before.hash) throw changedMeanwhile();
      const raw = await rewrite(present);
      if (raw === before.raw) return { snapshot: before, changedPaths: [] };
      const next = await loadFrom(raw);
      refuseMistakes(mistakesOf(next.snapshot));
      const changed = changedPaths(before.parsed, next.snapshot.parsed);
      await files.makeFolder(dirname(paths.config));
      // A link stays a link: the file that it leads to is replaced.
      const target = (await files.realPath(paths.config)) ?? paths.config;
      if (before.raw !== null) {
        await history.keep({
          raw: before.raw,
          hash: before.hash,
          savedAt: host.clock.now(),
          by,
          changedPaths: changed,
        });
        await files.write(`${target}.bak`, before.raw, { mode: 0o600 });
      }
      if ((await readText()) !== (before.raw ?? undefined)) throw changedMeanwhile();
      await files.write(target, raw, { mode: 0o600 });
      log.info("config written", { by, changed: changed.join(",") });
      adopt(next, restartDelayMs);
      return { snapshot: next.snapshot, changedPaths: changed };
    });
  }

  function requireHash(options: WriteOptions): void {
    if (options.baseHash !== undefined || !present.snapshot.exists) return;
    throw new Failure("invalid-request", "config base hash required; re-run config.get and retry");
  }

  return {
    current: () => inForce.snapshot,
    reload: ({ keepHistory } = {}) =>
      lanes.run("write", async () => {
        await refresh(keepHistory);
        return inForce.snapshot;
      }),
    environment: () => inForce.environment,
    includedFiles: () => [...new Set([...inForce.files, ...present.files])],
    redacted: redactConfig,
    async replace(raw, options) {
      return write(async ({ snapshot }) => {
        requireHash(options);
        const given = await parseGiven(raw);
        return rewritten(raw, given, restoreSecrets(given, snapshot.parsed));
      }, options);
    },
    async patch(patch, options) {
      return write((loaded) => {
        requireHash(options);
        const { parsed } = loaded.snapshot;
        return edited(loaded, restoreSecrets(mergePatch(parsed, patch), parsed));
      }, options);
    },
    async set(path, value, options) {
      const steps = parsePath(path);
      return write((loaded) => {
        const { parsed } = loaded.snapshot;
        if (value === undefined && valueAt(loaded.snapshot.source, steps) === undefined) {
          throw new Failure("not-found", `Config path not found: ${path}`);
        }
        return edited(loaded, restoreSecrets(withValue(parsed, steps, value), parsed));
      }, options);
    },
    history: async () => (await history.list()).map(withoutText),
    async rollback(number) {
      return write(
        async () => {
          const revisions = await history.list();
          const wanted = revisions.find((revision) => revision.number === number);
          if (wanted) return wanted.raw;
          const kept = revisions.length === 0 ? "none is kept" : `1 to ${revisions.length} are kept, 1 the newest`;
          throw new Failure("not-found", `config revision ${number} does not exist; ${kept}`);
        },
        { by: `config rollback ${number}` },
      );
    },
    onChange: (listener) => events.on("change", listener),
  } satisfies ConfigStore;
}

function withoutText({ number, hash, savedAt, by, changedPaths }: SavedRevision): ConfigRevision {
  return { number, hash, savedAt, by, changedPaths };
}

/** The present text turned into one with that value. What an include brought can only be changed in its own file. */
async function edited(loaded: Loaded, after: unknown): Promise<string> {
  const { raw, parsed, source, issues } = loaded.snapshot;
  const syntax = raw === null ? undefined : issues.find((issue) => issue.path === "");
  if (syntax)
    throw new Failure("config", `${loaded.snapshot.path}: ${syntax.message}`, { details: { issues: [syntax] } });
  for (const { path } of differences(parsed, after)) {
    const owners = includedFrom(path, { parsed, source, origins: loaded.origins });
    if (owners)
      throw new Failure(
        "invalid-request",
        `${formatPath(path)} comes from ${owners.join(", ")} ($include); change it there`,
      );
  }
  return rewritten(raw ?? "", parsed, after);
}

/** The text edited in place where that gives exactly the wanted value, else the value as plain JSON. */
async function rewritten(text: string, before: unknown, after: unknown): Promise<string> {
  if (text !== "" && same(before, after)) return text;
  const attempt = text === "" ? undefined : editText(text, before, after);
  if (attempt !== undefined && same(await parseConfig(attempt), after)) return attempt;
  return `${JSON.stringify(after, undefined, 2)}\n`;
}

async function parseGiven(raw: string): Promise<unknown> {
  try {
    return await parseConfig(raw);
  } catch (error) {
    const { message } = Failure.from(error);
    throw new Failure("invalid-request", `invalid config: <root>: ${message}`, {
      details: { issues: [{ path: "", message }] },
    });
  }
}

/** A change may leave what was wrong before as it is; it may not add to it. */
function newIssues(before: ConfigSnapshot, after: ConfigSnapshot): readonly ConfigIssue[] {
  const known = new Set(before.issues.map(({ path, message }) => `${path}\n${message}`));
  return after.issues.filter(({ path, message }) => !known.has(`${path}\n${message}`));
}

function refuseMistakes(mistakes: readonly ConfigIssue[]): void {
  const [first] = mistakes;
  if (!first) return;
  throw new Failure("invalid-request", `invalid config: ${first.path || "<root>"}: ${first.message}`, {
    details: { issues: mistakes },
  });
}

/** The keys whose values differ, down to the last: a new section counts as each of its keys. */
function changedPaths(before: unknown, after: unknown): readonly string[] {
  return differences(before ?? {}, after ?? {}).flatMap(({ path, value }) =>
    leaves(path, value ?? valueAt(before, path)),
  );
}

function leaves(path: Path, value: unknown): readonly string[] {
  const members = isObject(value) ? Object.entries(value) : [];
  return members.length === 0 ? [formatPath(path)] : members.flatMap(([key, child]) => leaves([...path, key], child));
}

function changedMeanwhile(): Failure {
  return new Failure("conflict", "config changed since last load; re-run config.get and retry");
}
