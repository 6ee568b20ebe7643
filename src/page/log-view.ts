import type { Conversation, Sending } from "./conversation.ts";
import { fill, h, icon, write } from "./dom.ts";
import { bubble, partsView, turnView, type TurnViewOptions, type View } from "./turn-view.ts";
import { turnsOf, type Part, type Turn } from "./turns.ts";

export interface LogViewOptions extends TurnViewOptions {
  readonly older: () => void;
  readonly retry: (id: string) => void;
  readonly discard: (id: string) => void;
  /** Puts words where one writes. */
  readonly suggest: (text: string) => void;
}

export interface LogView {
  readonly element: HTMLElement;
  /** `isEcho` when the built-in model answers, which is no model. */
  readonly update: (conversation: Conversation, isEcho: boolean) => void;
}

/** Nearer to the end than this is at the end; nearer to the top asks for what is older. */
const nearEnd = 80;
const nearTop = 400;

/** What was said, oldest at the top; it stays at its end while one is there, and where one reads otherwise. */
export function logView(on: LogViewOptions): LogView {
  const list = h("div", { class: "turns" });
  const live = liveView(on);
  const trouble = h("p", { class: "wrong", role: "alert" });
  const column = h("div", { class: "column" });
  const scroll = h(
    "div",
    { class: "scroll", tabindex: 0, role: "log", "aria-label": "Conversation", "aria-live": "off", onscroll: scrolled },
    column,
  );
  const jump = h(
    "button",
    { type: "button", class: "jump", "aria-label": "To the latest message", onclick: toEnd },
    icon("down"),
  );
  const element = h("div", { class: "log" }, scroll, jump);
  const shown = new Map<string, { readonly view: View<Turn>; turn: Turn }>();
  const sendings = new Map<string, { readonly element: HTMLElement; readonly sending: Sending }>();
  let key = "";
  let hasMore = false;
  let isAtEnd = true;
  jump.hidden = true;
  // A keyboard that comes up, a picture that is there at last: the end is somewhere else then.
  const sizes = new ResizeObserver(() => isAtEnd && toEnd());
  sizes.observe(scroll);
  sizes.observe(column);

  function scrolled(): void {
    isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < nearEnd;
    jump.hidden = isAtEnd;
    if (hasMore && scroll.scrollTop < nearTop) on.older();
  }

  function toEnd(): void {
    scroll.scrollTop = scroll.scrollHeight;
    isAtEnd = true;
    jump.hidden = true;
  }

  function turnNode(turn: Turn): HTMLElement {
    const old = shown.get(turn.id);
    if (old && old.turn.kind === turn.kind) {
      if (!same(old.turn.sources, turn.sources)) old.view.update(turn);
      old.turn = turn;
      return old.view.element;
    }
    const view = turnView(turn.kind, on);
    view.update(turn);
    shown.set(turn.id, { view, turn });
    return view.element;
  }

  function sendingNode(sending: Sending): HTMLElement {
    const old = sendings.get(sending.id);
    if (old?.sending === sending) return old.element;
    // Whoever says something wants to see the answer.
    if (!old && sending.state === "sending") isAtEnd = true;
    const made = sendingView(sending, on);
    sendings.set(sending.id, { element: made, sending });
    return made;
  }

  return {
    element,
    update(conversation, isEcho) {
      if (conversation.key !== key) {
        key = conversation.key;
        shown.clear();
        sendings.clear();
        isAtEnd = true;
      }
      const { messages, sending, live: running } = conversation;
      ({ hasMore } = conversation);
      const turns = turnsOf(messages ?? []);
      const ids = new Set(turns.map(({ id }) => id));
      for (const id of shown.keys()) if (!ids.has(id)) shown.delete(id);
      for (const id of sendings.keys()) if (!sending.some((each) => each.id === id)) sendings.delete(id);
      const [height, top] = [scroll.scrollHeight, scroll.scrollTop];
      const first = list.firstElementChild;
      fill(list, turns.map(turnNode));
      // Behind the run that goes on stands what waits for it.
      const waiting = sending.filter(({ state }) => state === "waiting");
      const own = sending.filter(({ state }) => state !== "waiting");
      live.update(running ? liveParts(running) : undefined);
      write(trouble, conversation.trouble ?? "");
      trouble.hidden = conversation.trouble === undefined;
      const isEmpty = messages?.length === 0 && sending.length === 0 && !running;
      fill(column, [
        messages ? undefined : h("div", { class: "busy", role: "presentation" }),
        hasMore && h("div", { class: "busy", role: "presentation" }),
        isEmpty ? welcome(isEcho, on) : undefined,
        list,
        ...(running ? [] : waiting.map(sendingNode)),
        live.element,
        trouble,
        ...(running ? waiting.map(sendingNode) : []),
        ...own.map(sendingNode),
      ]);
      if (isAtEnd) toEnd();
      // Older messages came in above: what one reads stays where it is.
      else if (first && list.firstElementChild !== first) scroll.scrollTop = top + scroll.scrollHeight - height;
      if (hasMore && scroll.scrollTop < nearTop) on.older();
    },
  };
}

function same<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}

function liveParts({ text, thinking }: { text: string; thinking: string }): readonly Part[] {
  return [
    ...(thinking === "" ? [] : [{ kind: "thinking" as const, text: thinking }]),
    ...(text === "" ? [] : [{ kind: "text" as const, text }]),
  ];
}

function liveView(on: Pick<TurnViewOptions, "copy">): View<readonly Part[] | undefined> {
  const parts = partsView(on);
  const working = h("p", { class: "working" }, h("span", { class: "busy", role: "presentation" }), "Working");
  const element = h("article", { class: "turn assistant live" }, parts.element, working);
  return {
    element,
    update(now) {
      element.hidden = now === undefined;
      parts.update(now ?? []);
    },
  };
}

function sendingView({ id, text, pictures, state, why }: Sending, on: LogViewOptions): HTMLElement {
  const says =
    state === "failed"
      ? [
          h("span", { class: "wrong", role: "alert" }, `Not sent: ${why ?? "unknown"}`),
          h("button", { type: "button", class: "quiet", onclick: () => on.retry(id) }, "Try again"),
          h("button", { type: "button", class: "quiet", onclick: () => on.discard(id) }, "Discard"),
        ]
      : [h("span", {}, state === "waiting" ? "Waits its turn" : "Sending…")];
  const shown = pictures.map((address) => ({ name: "picture", address }));
  return h("article", { class: "turn user pending" }, bubble(text, shown), h("footer", { class: "foot" }, ...says));
}

/** An empty conversation, and how to begin. */
function welcome(isEcho: boolean, on: LogViewOptions): HTMLElement {
  const offer = (text: string, what: string) =>
    h(
      "button",
      { type: "button", class: "offer", onclick: () => on.suggest(text) },
      h("strong", {}, text),
      h("span", {}, what),
    );
  if (!isEcho)
    return h(
      "section",
      { class: "welcome" },
      h("h2", {}, "What is it about?"),
      h("p", {}, "Ask something, or give it something to do. A message that begins with a slash is a command."),
      h(
        "div",
        { class: "offers" },
        offer("/help", "What one can say"),
        offer("/status", "How this conversation stands"),
      ),
    );
  return h(
    "section",
    { class: "welcome" },
    h("h2", {}, "No model is set up yet"),
    h(
      "p",
      {},
      "What answers here is the built-in echo: it understands nothing, and shows that all the rest works. For a real model, run on the gateway's machine",
    ),
    h("pre", {}, h("code", {}, "clawlet onboard")),
    h(
      "p",
      {},
      "or start the gateway with a key in its environment, such as ANTHROPIC_API_KEY or OPENAI_API_KEY, or install Ollama there. Until then:",
    ),
    h(
      "div",
      { class: "offers" },
      offer("say 120 words", "A long answer, as it comes"),
      offer("status", "A tool, and its result"),
      offer("/help", "What one can say"),
    ),
  );
}
