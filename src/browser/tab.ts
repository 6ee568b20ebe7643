import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { fromBase64 } from "../kit/ids.ts";
import { type Cdp, objectAt, textAt } from "./cdp.ts";
import type { Guard } from "./guard.ts";
import { outline, type SnapshotOptions } from "./snapshot.ts";

/** One page that is open. */
export interface Tab {
  readonly id: string;
  /** The browser's own name of it. */
  readonly targetId: string;
  readonly sessionId: string;
  where(): Promise<{ readonly url: string; readonly title: string }>;
  /** Resolves when the page has loaded, or after some seconds when it goes on loading. */
  navigate(url: string): Promise<void>;
  /** Runs something that may lead elsewhere, and waits for where it leads. */
  settled(work: () => Promise<void>): Promise<void>;
  outline(options: SnapshotOptions): Promise<string>;
  /** PNG. */
  picture(options: { readonly fullPage: boolean; readonly ref?: string | undefined }): Promise<Uint8Array>;
  pdf(): Promise<Uint8Array>;
  /** What the page wrote on its console, the newest last. */
  readonly console: readonly string[];
  /** The DOM node that a reference of the last outline stands for. */
  nodeOf(ref: string): number;
  /** How the next question of the page (alert, confirm, prompt) is answered; without it, with no. */
  answerNext(answer: { readonly accept: boolean; readonly text?: string | undefined }): void;
  send: (method: string, params?: Parameters<Cdp["send"]>[1]) => ReturnType<Cdp["send"]>;
  close(): Promise<void>;
}

export interface TabOptions {
  readonly cdp: Cdp;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly id: string;
  readonly targetId: string;
  readonly sessionId: string;
}

const LOAD_MS = 15_000;
/** A page that stays quiet for so long after something was done in it went nowhere. */
const QUIET_MS = 400;
const MOST_LINES = 200;
const MOST_PICTURE = 8000;

/** Watches a page that is attached. */
export function openTab({ cdp, clock, guard, id, targetId, sessionId }: TabOptions): Tab {
  const lines: string[] = [];
  const loaded = new Set<() => void>();
  let loading = false;
  let refs: ReadonlyMap<string, number> = new Map();
  let refused: string | undefined;
  let nextAnswer: { readonly accept: boolean; readonly text?: string | undefined } | undefined;
  const send: Tab["send"] = (method, params) => cdp.send(method, params, sessionId);

  function write(line: string): void {
    lines.push(line.replace(/\s+/g, " ").slice(0, 500));
    if (lines.length > MOST_LINES) lines.shift();
  }

  const stop = cdp.on(sessionId, (method, params) => {
    if (method === "Page.frameStartedLoading") loading = true;
    else if (method === "Page.loadEventFired" || method === "Page.frameStoppedLoading") {
      loading = false;
      for (const tell of loaded) tell();
    } else if (method === "Page.frameNavigated" && textAt(objectAt(params, "frame"), "parentId") === "")
      refs = new Map();
    else if (method === "Network.responseReceived" && params["type"] === "Document") {
      const response = objectAt(params, "response");
      const why = guard.refusalOf(textAt(response, "url"), textAt(response, "remoteIPAddress"));
      if (why !== undefined) leave(why);
    } else if (method === "Page.javascriptDialogOpening") {
      const { accept, text } = nextAnswer ?? { accept: false };
      nextAnswer = undefined;
      write(`${textAt(params, "type")}: ${textAt(params, "message")} (answered ${accept ? "yes" : "no"})`);
      const answer = { accept, ...(text === undefined ? {} : { promptText: text }) };
      send("Page.handleJavaScriptDialog", answer).catch(gone);
    } else if (method === "Runtime.consoleAPICalled") {
      const given: readonly unknown[] = Array.isArray(params["args"]) ? params["args"] : [];
      const words = given.map((each) => wordsOf(isObject(each) ? (each["value"] ?? each["description"]) : undefined));
      write(`${textAt(params, "type")}: ${words.join(" ")}`);
    } else if (method === "Runtime.exceptionThrown") {
      const details = objectAt(params, "exceptionDetails");
      write(`error: ${textAt(objectAt(details, "exception"), "description") || textAt(details, "text")}`);
    }
  });

  /** What came from where nobody may look is not shown. */
  function leave(why: string): void {
    refused = why;
    send("Page.navigate", { url: "about:blank" }).catch(gone);
  }

  function gone(): void {
    // The page or the browser ended meanwhile: whoever uses it next is told.
  }

  /** Resolves when the page has loaded or `ms` have passed. */
  function load(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        disarm();
        loaded.delete(done);
        resolve();
      };
      const disarm = clock.after(ms, done);
      loaded.add(done);
    });
  }

  function checked(): void {
    if (refused === undefined) return;
    const why = refused;
    refused = undefined;
    throw new Failure("forbidden", why);
  }

  async function where(): Promise<{ url: string; title: string }> {
    const { targetInfo } = await cdp.send("Target.getTargetInfo", { targetId });
    return { url: textAt(targetInfo, "url"), title: textAt(targetInfo, "title").slice(0, 200) };
  }

  return {
    id,
    targetId,
    sessionId,
    console: lines,
    send,
    where,
    async navigate(url) {
      const why = await guard.refusal(url);
      if (why !== undefined) throw new Failure("forbidden", why);
      const over = load(LOAD_MS);
      const { errorText } = await send("Page.navigate", { url });
      if (typeof errorText === "string" && errorText !== "")
        throw new Failure("failed", `${url.slice(0, 200)} cannot be opened: ${errorText}`);
      await over;
      checked();
    },
    async settled(work) {
      await work();
      await load(QUIET_MS);
      if (loading) await load(LOAD_MS);
      checked();
    },
    async outline(options) {
      checked();
      const made = outline(await nodesOf(send), options);
      refs = made.refs;
      return made.text;
    },
    async picture({ fullPage, ref }) {
      checked();
      const clip = ref === undefined ? undefined : await boxOf(this.nodeOf(ref));
      const { data } = await send("Page.captureScreenshot", {
        format: "png",
        ...(clip ? { clip } : fullPage ? { clip: await wholePage(), captureBeyondViewport: true } : {}),
      });
      return bytesOf(data);
    },
    async pdf() {
      checked();
      const { data } = await send("Page.printToPDF", { printBackground: true });
      return bytesOf(data);
    },
    nodeOf(ref) {
      const node = refs.get(ref);
      if (node !== undefined) return node;
      throw new Failure(
        "invalid-request",
        `there is no ${ref.slice(0, 40)} in the last snapshot of this page: take a new one`,
      );
    },
    answerNext: (answer) => void (nextAnswer = answer),
    async close() {
      stop();
      await cdp.send("Target.closeTarget", { targetId });
    },
  };

  async function wholePage(): Promise<object & Record<string, unknown>> {
    const { cssContentSize } = await send("Page.getLayoutMetrics");
    const side = (key: string): number =>
      Math.min(Math.ceil(Number(objectAt({ cssContentSize }, "cssContentSize")[key])), MOST_PICTURE);
    return { x: 0, y: 0, width: side("width"), height: side("height"), scale: 1 };
  }

  async function boxOf(backendNodeId: number): Promise<Record<string, unknown>> {
    await send("DOM.scrollIntoViewIfNeeded", { backendNodeId });
    const { x, y, width, height } = await boundsOf(send, backendNodeId);
    const { cssVisualViewport } = await send("Page.getLayoutMetrics");
    const viewport = objectAt({ cssVisualViewport }, "cssVisualViewport");
    return { x: x + Number(viewport["pageX"] ?? 0), y: y + Number(viewport["pageY"] ?? 0), width, height, scale: 1 };
  }
}

function wordsOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/**
 * The accessibility tree of a page with those of its frames in their places. Frames of other sites are processes of their
 * own, and are left out.
 */
async function nodesOf(send: Tab["send"]): Promise<readonly unknown[]> {
  const { nodes } = await send("Accessibility.getFullAXTree");
  const all: unknown[] = Array.isArray(nodes) ? nodes : [];
  const { frameTree } = await send("Page.getFrameTree");
  for (const [index, frameId] of framesIn(frameTree).slice(0, MOST_FRAMES).entries()) {
    // A frame that goes away meanwhile has nothing to show.
    const inner = await send("Accessibility.getFullAXTree", { frameId }).catch(() => undefined);
    const owner = inner && (await send("DOM.getFrameOwner", { frameId }).catch(() => undefined));
    const holder = all.find((node) => isObject(node) && node["backendDOMNodeId"] === owner?.["backendNodeId"]);
    if (!inner || !isObject(holder) || !Array.isArray(inner["nodes"])) continue;
    const named = inner["nodes"].filter(isObject).map((node) => renamed(node, `f${index}:`));
    holder["childIds"] = named.slice(0, 1).map(({ nodeId }) => nodeId);
    all.push(...named);
  }
  return all;
}

const MOST_FRAMES = 20;

function framesIn(tree: unknown): readonly string[] {
  const children: readonly unknown[] = isObject(tree) && Array.isArray(tree["childFrames"]) ? tree["childFrames"] : [];
  return children.flatMap((child) => [textAt(objectAt(child, "frame"), "id"), ...framesIn(child)]);
}

/** Ids of nodes are a frame's own: another may have the same. */
function renamed(node: JsonObject, prefix: string): JsonObject {
  const ids: readonly unknown[] = Array.isArray(node["childIds"]) ? node["childIds"] : [];
  return { ...node, nodeId: `${prefix}${String(node["nodeId"])}`, childIds: ids.map((id) => `${prefix}${String(id)}`) };
}

function bytesOf(data: unknown): Uint8Array {
  const bytes = typeof data === "string" ? fromBase64(data) : undefined;
  if (bytes) return bytes;
  throw new Failure("failed", "the browser gave no picture");
}

/** Where a node is shown, in CSS pixels of the window. */
export async function boundsOf(
  send: Tab["send"],
  backendNodeId: number,
): Promise<{ readonly x: number; readonly y: number; readonly width: number; readonly height: number }> {
  const { quads } = await send("DOM.getContentQuads", { backendNodeId });
  const [quad] = Array.isArray(quads) ? quads : [];
  const corners: readonly number[] = Array.isArray(quad) ? quad.map(Number) : [];
  const xs = corners.filter((_, index) => index % 2 === 0);
  const ys = corners.filter((_, index) => index % 2 === 1);
  if (xs.length === 0) throw new Failure("failed", "that element is not to be seen on the page");
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}
