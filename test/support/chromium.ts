import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { until } from "./gateway-process.ts";

/** Where Chromium is on this machine; undefined where it is not. */
export const chromium = (process.env["PATH"] ?? "")
  .split(":")
  .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
  .find((path) => existsSync(path));

/** A real browser, with a profile of its own that goes with it. */
export interface Browser {
  /** Opens a page; `own` in a profile of its own, as somebody else's browser. */
  open(url: string, options?: { own?: boolean }): Promise<Page>;
  close(): Promise<void>;
}

export interface Page {
  /** What went wrong in it: uncaught errors, errors on the console, violations of its policy. */
  readonly errors: readonly string[];
  /** Every address that it asked for. */
  readonly requests: readonly string[];
  /** What an expression comes to in the page. */
  run(expression: string): Promise<unknown>;
  /** Waits until the text of an element that the selector finds matches. */
  shows(selector: string, text?: RegExp): Promise<string>;
  /** Waits until the selector finds nothing that one sees. */
  lacks(selector: string): Promise<void>;
  click(selector: string): Promise<void>;
  /** Writes into what has the focus, as a keyboard does. */
  type(text: string): Promise<void>;
  /** A key by its name, such as `Enter`; `control` held with it. */
  press(key: string, options?: { control?: boolean }): Promise<void>;
  reload(): Promise<void>;
  go(url: string): Promise<void>;
  /** How it looks on a screen of this size, as a PNG. */
  picture(screen: { width: number; height: number; dark?: boolean }): Promise<Buffer>;
  close(): Promise<void>;
}

/** Chrome is patient on a busy machine, and so is who waits for it. */
const patienceMs = 20_000;

/** Starts the browser, without a window. */
export async function startChromium(): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-chromium-"));
  const child = spawn(chromium ?? "", [...flags, `--user-data-dir=${folder}`, "about:blank"], {
    stdio: "ignore",
    detached: true,
  });
  const file = join(folder, "DevToolsActivePort");
  const [port, path] = await until(
    "DevTools port",
    () => {
      const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
      return lines.length > 1 ? lines : undefined;
    },
    patienceMs,
  );
  const tools = await connect(`ws://127.0.0.1:${port}${path}`);
  return {
    async open(url, { own = false } = {}) {
      const context = own
        ? { browserContextId: String((await tools.send("Target.createBrowserContext"))["browserContextId"]) }
        : {};
      const { targetId } = await tools.send("Target.createTarget", { url: "about:blank", ...context });
      const { sessionId } = await tools.send("Target.attachToTarget", { targetId, flatten: true });
      return openPage(tools, { sessionId: String(sessionId), targetId: String(targetId), url });
    },
    async close() {
      tools.close();
      await ended(child);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const flags = [
  "--headless=new",
  "--remote-debugging-port=0",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  // Tests run as root in containers, where its own sandbox cannot be made.
  "--no-sandbox",
];

/** Ends it with the processes that it started. */
async function ended(child: ChildProcess): Promise<void> {
  const over = new Promise((resolve) => child.once("exit", resolve));
  if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  else return;
  await over;
}

// eslint-disable-next-line typescript/no-explicit-any -- the browser's own protocol, read by path
type Message = any;

interface Tools {
  send(method: string, params?: object, sessionId?: string): Promise<Message>;
  listen(sessionId: string, hear: (method: string, params: Message) => void): void;
  close(): void;
}

function connect(url: string): Promise<Tools> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, { resolve(value: Message): void; reject(error: Error): void }>();
  const listeners = new Map<string, (method: string, params: Message) => void>();
  let last = 0;
  socket.on("message", (data: Buffer) => {
    const { id, result, error, method, params, sessionId }: Message = JSON.parse(data.toString());
    if (id === undefined) return listeners.get(sessionId)?.(method, params);
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  });
  const tools: Tools = {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      }),
    listen: (sessionId, hear) => void listeners.set(sessionId, hear),
    close: () => socket.close(),
  };
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(tools));
    socket.on("error", reject);
  });
}

async function openPage(
  tools: Tools,
  { sessionId, targetId, url }: { sessionId: string; targetId: string; url: string },
): Promise<Page> {
  const send = (method: string, params?: object) => tools.send(method, params, sessionId);
  const errors: string[] = [];
  const requests: string[] = [];
  tools.listen(sessionId, (method, params) => {
    if (method === "Runtime.exceptionThrown")
      errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled" && params.type === "error")
      errors.push(params.args.map((arg: Message) => arg.value ?? arg.description).join(" "));
    if (method === "Log.entryAdded" && params.entry.level === "error")
      errors.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
    if (method === "Network.webSocketCreated") requests.push(params.url);
  });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`);
  await send("Emulation.setDeviceMetricsOverride", { width: 1200, height: 800, deviceScaleFactor: 1, mobile: false });
  const run: Page["run"] = async (expression) => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const quoted = (text: string) => JSON.stringify(text);
  const self: Page = {
    errors,
    requests,
    run,
    shows: (selector, text = /./) =>
      until(
        `${selector} with ${text} (there is: ${selector})`,
        async () => {
          const found = await run(
            `[...document.querySelectorAll(${quoted(selector)})].filter((each) => each.checkVisibility()).map((each) => each.innerText)`,
          );
          const texts: readonly unknown[] = Array.isArray(found) ? found : [];
          return texts.map(String).find((each) => text.test(each));
        },
        patienceMs,
      ),
    async lacks(selector) {
      const look = `![...document.querySelectorAll(${quoted(selector)})].some((each) => each.checkVisibility())`;
      await until(`end of ${selector}`, async () => ((await run(look)) === true ? true : undefined), patienceMs);
    },
    async click(selector) {
      await self.shows(selector, /^/);
      const place = await run(
        `(() => {
          const element = document.querySelector(${quoted(selector)});
          element.scrollIntoView({ block: "nearest" });
          const { x, y, width, height } = element.getBoundingClientRect();
          return [x + width / 2, y + height / 2];
        })()`,
      );
      const [x, y] = Array.isArray(place) ? place : [];
      for (const type of ["mousePressed", "mouseReleased"])
        await send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    },
    type: (text) => send("Input.insertText", { text }),
    async press(key, { control = false } = {}) {
      const code = key.length === 1 ? `Key${key.toUpperCase()}` : key;
      const windowsVirtualKeyCode = keyCodes[key] ?? key.toUpperCase().charCodeAt(0);
      const event = {
        key,
        code,
        windowsVirtualKeyCode,
        modifiers: control ? 2 : 0,
        ...(key === "Enter" ? { text: "\r" } : {}),
      };
      for (const type of ["keyDown", "keyUp"]) await send("Input.dispatchKeyEvent", { type, ...event });
    },
    async reload() {
      await run("(window.before = true)");
      await send("Page.reload");
      await until(
        "reload",
        async () => ((await run("window.before").catch(() => true)) === undefined ? true : undefined),
        patienceMs,
      );
    },
    async go(next) {
      await send("Page.navigate", { url: next });
    },
    async picture({ width, height, dark = false }) {
      const mobile = width < 600;
      await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
      await send("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
      });
      await run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const { data } = await send("Page.captureScreenshot", { format: "png" });
      return Buffer.from(data, "base64");
    },
    async close() {
      await tools.send("Target.closeTarget", { targetId });
    },
  };
  await self.go(url);
  return self;
}

const keyCodes: Readonly<Record<string, number>> = { Enter: 13, Escape: 27, Tab: 9, ArrowDown: 40, ArrowUp: 38 };
