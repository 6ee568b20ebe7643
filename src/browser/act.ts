import type { Clock } from "../host/host.ts";
import { Failure } from "../kit/error.ts";
import { objectAt, textAt } from "./cdp.ts";
import { boundsOf, type Tab } from "./tab.ts";

/** Something that a person does on a page; `ref` is from its last outline. */
export type Action =
  | { readonly kind: "click"; readonly ref: string; readonly double?: boolean | undefined }
  | { readonly kind: "hover"; readonly ref: string }
  /** In place of what the field holds. */
  | { readonly kind: "type"; readonly ref: string; readonly text: string; readonly submit?: boolean | undefined }
  | { readonly kind: "press"; readonly key: string }
  /** By the options' values or their words. */
  | { readonly kind: "select"; readonly ref: string; readonly values: readonly string[] }
  /** Down by so many CSS pixels, or up. */
  | { readonly kind: "scroll"; readonly by: number }
  /** Until the page shows this text, or shows it no more. */
  | {
      readonly kind: "wait";
      readonly text?: string | undefined;
      readonly gone?: string | undefined;
      readonly ms: number;
    };

const LOOK_MS = 250;

/** Does it, with the events that a mouse and a keyboard make, and waits for where it leads. */
export async function act(tab: Tab, action: Action, clock: Clock): Promise<void> {
  if (action.kind === "wait") return waitFor(tab, action, clock);
  await tab.settled(async () => {
    if (action.kind === "press") return press(tab, action.key);
    if (action.kind === "scroll") {
      await tab.send("Runtime.evaluate", { expression: `scrollBy(0, ${Math.trunc(action.by)})` });
      return;
    }
    const node = tab.nodeOf(action.ref);
    if (action.kind === "click") await click(tab, node, action.double === true ? 2 : 1);
    else if (action.kind === "hover") await mouse(tab, "mouseMoved", await middleOf(tab, node));
    else if (action.kind === "select") await onNode(tab, node, choose, [action.values]);
    else {
      await tab.send("DOM.focus", { backendNodeId: node });
      await onNode(tab, node, selectAll, []);
      await tab.send("Input.insertText", { text: action.text });
      if (action.submit === true) await press(tab, "Enter");
    }
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

async function middleOf({ send }: Tab, backendNodeId: number): Promise<Point> {
  await send("DOM.scrollIntoViewIfNeeded", { backendNodeId });
  const { x, y, width, height } = await boundsOf(send, backendNodeId);
  return { x: x + width / 2, y: y + height / 2 };
}

async function click(tab: Tab, node: number, times: number): Promise<void> {
  const point = await middleOf(tab, node);
  await mouse(tab, "mouseMoved", point);
  for (let clickCount = 1; clickCount <= times; clickCount++) {
    await mouse(tab, "mousePressed", point, { button: "left", clickCount });
    await mouse(tab, "mouseReleased", point, { button: "left", clickCount });
  }
}

async function mouse({ send }: Tab, type: string, point: Point, more: object = {}): Promise<void> {
  await send("Input.dispatchMouseEvent", { type, ...point, ...more });
}

/** Keys that write nothing, with their codes (UI Events KeyboardEvent key Values; Windows virtual key codes). */
const keys: Readonly<Record<string, number>> = {
  Enter: 13,
  Tab: 9,
  Escape: 27,
  Backspace: 8,
  Delete: 46,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
  Home: 36,
  End: 35,
  PageUp: 33,
  PageDown: 34,
};

const modifiers: Readonly<Record<string, number>> = { Alt: 1, Control: 2, Meta: 4, Shift: 8 };

/** Presses a key by its name, others held with it: `Enter`, `a`, `Control+a`. */
async function press({ send }: Tab, written: string): Promise<void> {
  const parts = written.length === 1 ? [written] : written.split("+");
  const key = parts.pop() ?? "";
  const held = parts.reduce((sum, name) => sum | (modifiers[name] ?? 0), 0);
  const code = keys[key];
  const known = code !== undefined || /^.$/su.test(key);
  if (!known || parts.some((name) => modifiers[name] === undefined))
    throw new Failure(
      "invalid-request",
      `there is no key ${JSON.stringify(written.slice(0, 40))}: write one character, or ${Object.keys(keys).join(", ")}, with Control+, Shift+, Alt+ or Meta+ before it`,
    );
  const text = code === undefined && (held & ~8) === 0 ? key : key === "Enter" ? "\r" : undefined;
  const event = { key, modifiers: held, windowsVirtualKeyCode: code ?? key.toUpperCase().charCodeAt(0) };
  await send("Input.dispatchKeyEvent", {
    type: text === undefined ? "rawKeyDown" : "keyDown",
    ...event,
    ...(text ? { text } : {}),
  });
  await send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
}

/** Runs in the page, on a field: what is written next takes the place of what it holds. */
const selectAll = `function () {
  if (typeof this.select === "function") this.select();
  else getSelection().selectAllChildren(this);
}`;

/** Runs in the page, on a list of choices. Answers the ones that it has, when one that was asked for is missing. */
const choose = `function (wanted) {
  if (!(this instanceof HTMLSelectElement)) return ["this is no list of choices: click it"];
  const of = (text) => [...this.options].find((option) => option.value === text || option.label.trim() === text);
  if (wanted.some((text) => !of(text))) return [...this.options].slice(0, 50).map((option) => option.label.trim());
  for (const option of this.options) option.selected = wanted.some((text) => of(text) === option);
  this.dispatchEvent(new Event("input", { bubbles: true }));
  this.dispatchEvent(new Event("change", { bubbles: true }));
}`;

async function onNode(
  { send }: Tab,
  backendNodeId: number,
  declaration: string,
  given: readonly unknown[],
): Promise<void> {
  const { object } = await send("DOM.resolveNode", { backendNodeId });
  const { objectId } = objectAt({ object }, "object");
  const { result } = await send("Runtime.callFunctionOn", {
    objectId,
    functionDeclaration: declaration,
    arguments: given.map((value) => ({ value })),
    returnByValue: true,
  });
  const missing = objectAt({ result }, "result")["value"];
  if (Array.isArray(missing))
    throw new Failure("invalid-request", `not among the choices, which are: ${missing.join(", ")}`);
}

async function waitFor(
  { send }: Tab,
  { text, gone, ms }: Extract<Action, { kind: "wait" }>,
  clock: Clock,
): Promise<void> {
  if (text === undefined && gone === undefined) return clock.sleep(ms);
  const until = clock.monotonic() + ms;
  for (;;) {
    const { result } = await send("Runtime.evaluate", {
      expression: "document.body?.innerText ?? ''",
      returnByValue: true,
    });
    const shown = textAt(result, "value");
    if ((text === undefined || shown.includes(text)) && (gone === undefined || !shown.includes(gone))) return;
    if (clock.monotonic() >= until)
      throw new Failure(
        "timeout",
        text === undefined ? "the page still shows that text" : "the page does not show that text",
      );
    await clock.sleep(LOOK_MS);
  }
}
