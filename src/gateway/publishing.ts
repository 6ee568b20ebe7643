import type { PartState } from "../app.ts";
import type { Host } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { leadsTo, type PublishMode, type Target } from "../tailscale/publication.ts";
import type { Tailscale } from "../tailscale/tailscale.ts";
import { troubleOf, troubleText, type Trouble } from "../tailscale/trouble.ts";
import type { Whois } from "../tailscale/whois.ts";
import { readMark, removeMark, writeMark } from "./publication-mark.ts";

/** How the gateway is to be shown beyond this machine through Tailscale. */
export interface PublishWish {
  readonly mode: PublishMode | "off";
  /** Withdraw it when the gateway ends. */
  readonly resetOnExit: boolean;
  /** Where the web page is, such as `/` or `/ui`. */
  readonly basePath: string;
}

export interface PublishingOptions {
  /** The state folder. */
  readonly state: string;
  /** What commands begin with: the name that the program was called by, and the profile. */
  readonly program: string;
  readonly log: Logger;
  readonly tailscale: Tailscale;
  /** By the configuration as it is now; undefined for a gateway that has nothing to say here: on standby, in safe mode. */
  wish(): PublishWish | undefined;
}

/** The gateway in its tailnet, as what answers its callers needs to know it. */
export interface Tailnet {
  /** Tells how publishing fares, now and after each change, until the answer is called. */
  watch(tell: (part: PartState) => void): () => void;
  /** The machine's name in the tailnet while the gateway is published under it. */
  name(): string | undefined;
  readonly whois: Whois;
}

/** Shows the gateway beyond this machine through Tailscale, and takes it back. */
export interface Publishing extends Tailnet {
  /** The gateway listens here: does what is wished. Resolves with the outcome, or without it after a moment. */
  begin(target: Target): Promise<void>;
  /** The gateway has ended. `owner`: the state folder is still this process's. */
  end(how: { owner: boolean }): Promise<void>;
}

/** So long the lines that say where the gateway listens wait for those that say where it is published. */
const headStartMs = 2000;
/** So long a daemon that does not answer yet counts as one that starts, after a boot for example. */
const startingMs = 90_000;
const soonMs = 2000;
const laterMs = 60_000;
/** So long a publishing that is under way may keep the process from ending. */
const endMs = 5000;
const waiting = "waiting for Tailscale to start";
const names: Readonly<Record<PublishMode, string>> = { serve: "Tailscale Serve", funnel: "Tailscale Funnel" };

/** What is to be published. */
interface Plan extends PublishWish, Target {
  readonly mode: PublishMode;
}

/** What this process has published, and under which name. */
interface Standing extends Plan {
  readonly name: string;
}

interface Attempt {
  readonly stop: AbortController;
  /** Settles with the first thing there is to say. */
  readonly told: Promise<void>;
  readonly done: Promise<void>;
}

interface Watch {
  readonly signal: AbortSignal;
  readonly told: () => void;
}

/**
 * A gateway that cannot be published goes on on loopback: it says why, and asks again as long as the reason may pass. A
 * mark in the state folder remembers what Tailscale was told, for that outlives a gateway that is killed.
 */
export function createPublishing(host: Host, options: PublishingOptions): Publishing {
  const { clock, files, os } = host;
  const { log, state, tailscale } = options;
  const own = log.child("tailscale");
  const watchers = new Set<(part: PartState) => void>();
  let part: PartState | undefined;
  let standing: Standing | undefined;
  let attempt: Attempt | undefined;

  function show(next: PartState): void {
    part = next;
    for (const tell of watchers) tell(next);
  }

  /** Begins with this when what came before has ended. */
  function start(work: (watch: Watch) => Promise<void>): Attempt {
    const before = attempt?.done;
    attempt?.stop.abort();
    const stop = new AbortController();
    let tell = (): void => undefined;
    const told = new Promise<void>((resolve) => (tell = resolve));
    const run = async (): Promise<void> => {
      await before;
      if (!stop.signal.aborted) await work({ signal: stop.signal, told: tell });
    };
    const done = run()
      .catch((error: unknown) => {
        const reason = `publishing failed: ${Failure.from(error).message}`;
        own.error(reason);
        show({ part: "tailscale", state: "degraded", reason });
      })
      .finally(tell);
    return { stop, told, done };
  }

  async function publish(plan: Plan, { signal, told }: Watch): Promise<void> {
    if (standing && sameTarget(standing, plan)) return keep(plan, standing);
    const startedAt = clock.monotonic();
    let said: string | undefined;
    for (;;) {
      const outcome = await publishOnce(plan);
      if ("name" in outcome) return announce(outcome);
      const early = clock.monotonic() - startedAt < startingMs;
      const line = lineOf(plan.mode, outcome, early);
      if (line !== said) own[line === waiting ? "info" : "error"](line);
      said = line;
      show({ part: "tailscale", state: "degraded", reason: line });
      told();
      if (!outcome.passing || signal.aborted) return;
      const soon = early && (outcome.code === "starting" || outcome.code === "no-daemon");
      try {
        await clock.sleep(soon ? soonMs : laterMs, signal);
      } catch {
        return; // nobody wishes it any more
      }
    }
  }

  async function publishOnce(plan: Plan): Promise<Standing | Trouble> {
    const found = await tailscale.status();
    if (found.kind === "trouble") return found.trouble;
    if (found.dnsName === undefined) return troubleOf("no-name", os);
    const { mode, port, resetOnExit, tls } = plan;
    const before = await readMark(files, state);
    // Before it is published, so that it can be taken back whatever comes in between.
    await writeMark(files, state, { mode, port, resetOnExit });
    const trouble = await tailscale.publish(mode, { port, tls });
    if (!trouble) return { ...plan, name: found.dnsName };
    // What was not answered may have been done.
    if (trouble.code !== "unreadable") await (before ? writeMark(files, state, before) : removeMark(files, state));
    return trouble;
  }

  /** It is published already: nothing but what happens at the end may have changed. */
  async function keep(plan: Plan, published: Standing): Promise<void> {
    const { mode, port, resetOnExit } = plan;
    if (resetOnExit !== published.resetOnExit) await writeMark(files, state, { mode, port, resetOnExit });
    announce({ ...plan, name: published.name });
  }

  function lineOf(mode: PublishMode, trouble: Trouble, early: boolean): string {
    if (trouble.code === "starting" && early) return waiting;
    const again = trouble.passing ? "" : `, then: ${options.program} gateway restart`;
    return `${mode} failed: ${troubleText(trouble)}${again}`;
  }

  function announce(published: Standing): void {
    standing = published;
    const { mode, name, basePath } = published;
    const path = basePath.replace(/\/+$/, "");
    const url = `https://${name}${path}`;
    if (mode === "serve") {
      log.info("✓ Tailscale identity detected");
      log.info("✓ advertising gateway via Tailscale Serve");
      log.info(`✓ MagicDNS: ${url}`);
    } else {
      log.info("✓ Tailscale Funnel enabled");
      log.info(`✓ Funnel URL: ${url}`);
    }
    own.info(`${mode} enabled: ${url}/ (WS via wss://${name})`);
    show({ part: "tailscale", state: "ok", url: `${url}/` });
  }

  async function takeBack(mode: PublishMode): Promise<void> {
    const trouble = await tailscale.withdraw(mode);
    if (trouble) return own.error(`${mode} reset failed: ${troubleText(trouble)}; then: tailscale ${mode} reset`);
    standing = undefined;
    await removeMark(files, state);
    own.info(`${mode} reset: ${names[mode]} leads here no more`);
  }

  /** Nothing is to be published: what was before is taken back where that was wished, else told. */
  async function clearUp(): Promise<void> {
    if (part) show({ part: "tailscale", state: "ok" });
    if (standing) return takeBack(standing.mode);
    const mark = await readMark(files, state);
    const found = mark && (await tailscale.publications());
    // Without an answer it is asked again at the next start.
    if (!mark || !found) return;
    const { mode, port, resetOnExit } = mark;
    if (!found.some((each) => leadsTo(each, port))) return removeMark(files, state);
    if (resetOnExit) return takeBack(mode);
    own.warn(`${names[mode]} still leads to port ${port} from an earlier start; to end that: tailscale ${mode} reset`);
  }

  function within(work: Promise<void>, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const late = clock.after(ms, resolve);
      void work.finally(() => {
        late();
        resolve();
      });
    });
  }

  return {
    async begin(target) {
      const wish = options.wish();
      if (!wish) return;
      const { mode } = wish;
      attempt = start(mode === "off" ? clearUp : (watch) => publish({ ...wish, ...target, mode }, watch));
      if (mode !== "off") await within(attempt.told, headStartMs);
    },
    async end({ owner }) {
      attempt?.stop.abort();
      if (attempt) await within(attempt.done, endMs);
      // Another gateway may own the state folder now, and then what is published is its business.
      const last = owner && standing?.resetOnExit ? standing.mode : undefined;
      // What goes wrong here is told, and keeps nobody from ending.
      if (last) await within(start(() => takeBack(last)).done, endMs);
    },
    watch(tell) {
      watchers.add(tell);
      if (part) tell(part);
      return () => void watchers.delete(tell);
    },
    name: () => standing?.name,
    whois: tailscale.whois,
  };
}

function sameTarget(a: Plan, b: Plan): boolean {
  return a.mode === b.mode && a.port === b.port && a.tls === b.tls;
}
