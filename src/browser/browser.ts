import type { Host, Surroundings } from "../host/host.ts";
import { join } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import type { Logger } from "../kit/log.ts";
import { act, type Action } from "./act.ts";
import { type Cdp, textAt } from "./cdp.ts";
import { findBrowser } from "./find.ts";
import { createGuard, type Guard } from "./guard.ts";
import { launch, type Launched } from "./launch.ts";
import { openTab, type Tab } from "./tab.ts";

/** The web browser of one agent: started when it is first used, with a profile of its own, ended when nobody uses it. */
export interface Browser {
  readonly running: boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The pages that are open, the one in use marked. */
  tabs(): Promise<
    readonly { readonly id: string; readonly url: string; readonly title: string; readonly current: boolean }[]
  >;
  open(url: string): Promise<Tab>;
  /** The page of this id, which is in use from now on; without one the page in use, opened when there is none. */
  tab(id?: string): Promise<Tab>;
  act(tab: Tab, action: Action): Promise<void>;
  close(tab: Tab): Promise<void>;
}

/** The browsers of all agents. */
export interface Browsers {
  /** Whether there is a browser on this machine that agents may have. */
  available(): Promise<boolean>;
  of(agentId: string): Browser;
  close(): Promise<void>;
}

export interface BrowserSettings {
  readonly enabled: boolean;
  readonly executablePath?: string | undefined;
  /** Without a window; by default where there is no screen. */
  readonly headless?: boolean | undefined;
  /** Chromium's own sandbox is off, as it must be for root in most containers. */
  readonly noSandbox: boolean;
  readonly ssrfPolicy: {
    readonly dangerouslyAllowPrivateNetwork: boolean;
    readonly allowedHostnames: readonly string[];
  };
}

export interface BrowsersOptions {
  readonly host: Surroundings & { readonly net?: Partial<Pick<Host["net"], "resolve">> | undefined };
  readonly log: Logger;
  /** Where profiles are kept. */
  readonly folder: string;
  readonly settings: () => BrowserSettings;
}

/** A browser that nobody has used for so long is ended: it takes more memory than everything else here. */
const IDLE_MS = 10 * 60_000;
const MOST_TABS = 20;

export function createBrowsers(options: BrowsersOptions): Browsers {
  const browsers = new Map<string, Browser>();
  return {
    async available() {
      const { host, settings } = options;
      const { enabled, executablePath } = settings();
      if (!enabled || !host.processes?.converse || !host.files || host.os === "windows") return false;
      return executablePath !== undefined || (await findBrowser(host)) !== undefined;
    },
    of(agentId) {
      const known = browsers.get(agentId) ?? createBrowser(options, agentId);
      browsers.set(agentId, known);
      return known;
    },
    async close() {
      await Promise.all([...browsers.values()].map((browser) => browser.stop()));
    },
  };
}

interface Running extends Launched {
  readonly tabs: Map<string, Tab>;
  /** The page in use. */
  current: string | undefined;
}

function createBrowser(options: BrowsersOptions, agentId: string): Browser {
  const { clock } = options.host;
  let running: Promise<Running> | undefined;
  let started: Running | undefined;
  let stopIdle = (): void => undefined;

  function begin(): Promise<Running> {
    stopIdle();
    stopIdle = clock.after(IDLE_MS, () => void stop());
    return (running ??= start().catch((error: unknown) => {
      running = undefined;
      throw error;
    }));
  }

  async function start(): Promise<Running> {
    const launched = await launchFor(options, agentId);
    const now: Running = { ...launched, tabs: new Map(), current: undefined };
    started = now;
    void launched.exited.then((why) => {
      options.log.debug("browser ended", { agent: agentId, why });
      if (started === now) [started, running] = [undefined, undefined];
    });
    await watchTabs(now, options);
    return now;
  }

  async function stop(): Promise<void> {
    stopIdle();
    const now = await running?.catch(() => undefined); // who wanted it started was told why it did not
    if (!now) return;
    // It keeps cookies only when it ends in order.
    const late = clock.after(3000, () => now.kill());
    await now.cdp.send("Browser.close").catch(() => now.kill());
    await now.exited;
    late();
  }

  async function open(url: string): Promise<Tab> {
    const now = await begin();
    if (now.tabs.size >= MOST_TABS)
      throw new Failure("rate-limited", `${now.tabs.size} pages are open: close some that are not needed any more`);
    const { targetId } = await now.cdp.send("Target.createTarget", { url: "about:blank" });
    const made = await attached(now.tabs, textAt({ targetId }, "targetId"), options);
    now.current = made.id;
    await made.navigate(url);
    return made;
  }

  return {
    get running() {
      return started !== undefined;
    },
    start: async () => void (await begin()),
    stop,
    async tabs() {
      if (!started) return [];
      const { tabs, current } = await begin();
      return Promise.all(
        [...tabs.values()].map(async (tab) => ({ id: tab.id, ...(await tab.where()), current: tab.id === current })),
      );
    },
    open,
    async tab(id) {
      const now = await begin();
      const { tabs, current } = now;
      const wanted = id ?? current;
      const found = wanted === undefined ? [...tabs.values()].at(-1) : tabs.get(wanted);
      if (!found && id !== undefined)
        throw new Failure("not-found", `there is no page ${id.slice(0, 40)}: ask for the tabs that are open`);
      if (!found) throw new Failure("not-found", "no page is open: open one with its address");
      now.current = found.id;
      return found;
    },
    act: (tab, action) => act(tab, action, clock),
    async close(tab) {
      started?.tabs.delete(tab.id);
      await tab.close();
    },
  };
}

async function launchFor({ host, log, folder, settings }: BrowsersOptions, agentId: string): Promise<Launched> {
  const { executablePath, headless, noSandbox } = settings();
  const { files, processes, clock, env } = host;
  const executable = executablePath ?? (await findBrowser(host));
  const converse = processes?.converse;
  if (executable === undefined || !files || !converse)
    throw new Failure(
      "unavailable",
      "there is no browser here: install Chromium, or name one in browser.executablePath",
      {
        retryable: false,
      },
    );
  const place = join(folder, agentId.toLowerCase().replace(/[^a-z0-9_-]/g, "_"));
  await files.makeFolder(place);
  log.info("browser starts", { agent: agentId, executable });
  const hasScreen = host.os === "darwin" || env["DISPLAY"] !== undefined || env["WAYLAND_DISPLAY"] !== undefined;
  return launch({
    processes: { converse },
    clock,
    executable,
    folder: place,
    headless: headless ?? !hasScreen,
    noSandbox,
  });
}

/** Attaches to every page, frame and worker before it runs, so that none asks for an address that was not looked at. */
async function watchTabs({ cdp, tabs }: Running, { host, settings, log }: BrowsersOptions): Promise<void> {
  const { dangerouslyAllowPrivateNetwork: allowPrivateNetwork, allowedHostnames } = settings().ssrfPolicy;
  const guard = createGuard(host.net ?? {}, { allowPrivateNetwork, allowedHostnames });
  const { clock } = host;
  let count = 0;

  const watch = (sessionId: string | undefined): void => {
    cdp.on(sessionId, (method, params) => {
      if (method === "Target.attachedToTarget") {
        const [session, target] = [textAt(params, "sessionId"), params["targetInfo"]];
        if (textAt(target, "type") === "browser_ui") return;
        admit(session, textAt(target, "targetId"), textAt(target, "type")).catch((error: unknown) => {
          // What cannot be watched stays as it is: it waits, and never runs.
          log.debug("a part of a page is not run", { type: textAt(target, "type"), error: String(error) });
        });
      } else if (method === "Target.detachedFromTarget") {
        for (const [id, tab] of tabs) if (tab.sessionId === params["sessionId"]) tabs.delete(id);
      } else if (method === "Fetch.requestPaused" && sessionId !== undefined) {
        judge(cdp, { sessionId, guard, requestId: textAt(params, "requestId"), url: textAt(params["request"], "url") });
      }
    });
  };

  async function admit(sessionId: string, targetId: string, type: string): Promise<void> {
    watch(sessionId);
    const send = (method: string, params?: Parameters<Cdp["send"]>[1]) => cdp.send(method, params, sessionId);
    const isPage = type === "page";
    const tab = isPage ? openTab({ cdp, clock, guard, id: `t${++count}`, targetId, sessionId }) : undefined;
    if (isPage) {
      await Promise.all(
        ["Page.enable", "Runtime.enable", "Network.enable", "DOM.enable"].map((method) => send(method)),
      );
      await send("Page.setDownloadBehavior", { behavior: "deny" });
    }
    await send("Fetch.enable", { patterns: [{ urlPattern: "*" }] });
    await send("Target.setAutoAttach", everything);
    await send("Runtime.runIfWaitingForDebugger");
    // Nobody can use it before it is watched.
    if (tab) tabs.set(tab.id, tab);
  }

  watch(undefined);
  await cdp.send("Target.setAutoAttach", everything);
  await cdp.send("Browser.setDownloadBehavior", { behavior: "deny" });
}

const everything = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true };

interface Asked {
  readonly sessionId: string;
  readonly guard: Guard;
  readonly requestId: string;
  readonly url: string;
}

function judge(cdp: Cdp, { sessionId, guard, requestId, url }: Asked): void {
  guard
    .refusal(url)
    .then((why) =>
      why === undefined
        ? cdp.send("Fetch.continueRequest", { requestId }, sessionId)
        : cdp.send("Fetch.failRequest", { requestId, errorReason: "BlockedByClient" }, sessionId),
    )
    .catch(() => undefined); // the page went away, and its request with it
}

const ATTACH_MS = 5000;

/** The page that was just made, once it can be spoken to. */
async function attached(
  tabs: ReadonlyMap<string, Tab>,
  targetId: string,
  { host: { clock } }: BrowsersOptions,
): Promise<Tab> {
  for (const until = clock.monotonic() + ATTACH_MS; clock.monotonic() < until; await clock.sleep(10)) {
    const made = [...tabs.values()].find((tab) => tab.targetId === targetId);
    if (made) return made;
  }
  throw new Failure("timeout", "the browser does not open a page");
}
