import * as v from "valibot";
import type { Host } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";

/** Why a gateway runs as its control plane only. */
export interface SafeMode {
  /** What the last start failed with, as far as it could say. */
  readonly reason: string;
  /** Starts in a row that failed fast. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What is answered to whoever asks for something that safe mode does not do. */
export function inSafeMode({ reason }: SafeMode): Failure {
  return new Failure(
    "unavailable",
    `this gateway is in safe mode (${reason}): fix that, then run \`gateway restart\``,
    { details: { reason: "safe-mode" }, retryable: false },
  );
}

/** The record of starts in `<state>/starts.json`, which tells a crash loop from a crash. No file means all is well. */
export interface Starts {
  readonly safeMode: SafeMode | undefined;
  /** The start failed, unless it had counted as good already. */
  failed(reason: string): Promise<void>;
  /** The gateway ends as it was asked to: what failed before counts no more. */
  ended(): Promise<void>;
  /** The start was refused for what no start of ours can cure, such as a taken port: it counts for nothing. */
  refused(): Promise<void>;
  /** A person asked for a restart: what comes next is an ordinary start. */
  again(): Promise<void>;
}

export interface StartsOptions {
  readonly state: string;
  readonly log: Logger;
  /** `on`: this start is in safe mode, whatever came before; `off`: none ever is. */
  readonly mode: "auto" | "on" | "off";
}

/** A start that has run this long was good. */
const goodMs = 60_000;
/** So many fast failures in a row, each within the window, and the next start is a safe one. */
const tooMany = 5;
const windowMs = 600_000;
const maxReason = 500;
const killed = "the process ended without a word (killed, out of memory, or the machine went down)";

const entry = v.object({ at: v.number(), reason: v.string() });
const fileSchema = v.object({
  /** The last ones, oldest first. */
  failures: v.pipe(v.array(entry), v.maxLength(tooMany)),
  /** A start that has been neither good nor failed yet. */
  running: v.optional(v.object({ pid: v.number(), at: v.number() })),
  /** Since when starts are safe ones. */
  safeSince: v.optional(v.number()),
});
type Content = v.InferOutput<typeof fileSchema>;

/**
 * Records that a start begins, before anything is opened that may end it, and judges by those before. The record
 * outlives every process, and not always a machine that goes down at once. The state folder must be this process's. A
 * record that cannot be kept is a line in the log, and never what keeps a gateway down.
 */
export async function recordStart(host: Machine, options: StartsOptions): Promise<Starts> {
  const { clock, files, processes, home } = host;
  const { log, mode } = options;
  const path = join(options.state, "starts.json");
  let content = settled(await read(), clock.now());
  let safeMode: SafeMode | undefined;
  let stopWaiting = (): void => undefined;
  /** Neither good, failed nor ended yet: only then is there anything to say. */
  let open = true;
  let last: Promise<void> = Promise.resolve();

  async function read(): Promise<Content> {
    const text = await files.read(path).catch(unkept);
    const parsed = v.safeParse(fileSchema, parseJson(text ?? ""));
    return parsed.success ? parsed.output : nothing;
  }

  /** Writes one after the other, as it is when its turn comes. */
  function keep(next: Content): Promise<void> {
    content = next;
    last = last.then(async () => {
      const empty = next.failures.length === 0 && !next.running && next.safeSince === undefined;
      try {
        await (empty ? files.remove(path) : files.write(path, `${JSON.stringify(next)}\n`, { flush: false }));
      } catch (error) {
        unkept(error);
      }
    });
    return last;
  }

  function unkept(error: unknown): undefined {
    log.warn("the record of starts cannot be kept: crash loops go unnoticed", {
      path,
      error: Failure.from(error).message,
    });
  }

  function settle(next: Content): Promise<void> {
    if (!open) return Promise.resolve();
    open = false;
    stopWaiting();
    return keep(next);
  }

  async function begin(): Promise<void> {
    open = true;
    const running = { pid: processes.pid, at: clock.now() };
    await keep({ failures: content.failures, running });
    stopWaiting = clock.after(goodMs, () => void settle(nothing));
  }

  if (mode !== "off") safeMode = judge(content, mode, clock.now());
  // What ends a safe start says nothing new, and must not end safe mode either.
  if (safeMode) await keep({ failures: content.failures, safeSince: safeMode.since });
  else await begin();
  return {
    get safeMode() {
      return safeMode;
    },
    failed(reason) {
      if (safeMode) return last;
      // Everybody who may ask for the health is shown it.
      const shown = reason.replaceAll(home, "~").slice(0, maxReason);
      return settle({ failures: added(content.failures, { at: clock.now(), reason: shown }) });
    },
    ended: () => settle(nothing),
    refused: () => (safeMode ? last : settle({ failures: content.failures })),
    async again() {
      if (!safeMode) return;
      safeMode = undefined;
      content = nothing;
      await begin();
    },
  };
}

type Machine = Pick<Host, "clock" | "files" | "processes" | "home">;

const nothing: Content = { failures: [] };

/** A start that was neither good nor said why it failed has failed. */
function settled({ failures, running, safeSince }: Content, now: number): Content {
  const all = running ? added(failures, { at: running.at, reason: killed }) : failures;
  const recent = all.filter(({ at }) => Math.abs(now - at) < windowMs);
  return safeSince === undefined ? { failures: recent } : { failures: all, safeSince };
}

function added(failures: Content["failures"], failure: Content["failures"][number]): Content["failures"] {
  return [...failures, failure].slice(-tooMany);
}

function judge({ failures, safeSince }: Content, mode: "auto" | "on", now: number): SafeMode | undefined {
  if (mode === "auto" && safeSince === undefined && failures.length < tooMany) return undefined;
  // What a program said of itself says more than that it was killed.
  const told = failures.findLast(({ reason }) => reason !== killed) ?? failures.at(-1);
  const reason = told?.reason ?? "asked for by the environment";
  return { reason, failures: failures.length, since: safeSince ?? now };
}
