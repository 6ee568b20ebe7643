import { composerView } from "./composer-view.ts";
import type { Conversation } from "./conversation.ts";
import { plainText, textIn } from "./conversation.ts";
import type { DeskState } from "./desk.ts";
import { h, write } from "./dom.ts";
import { headView, type HeadOptions } from "./head-view.ts";
import type { LinkState } from "./link.ts";
import { logView, type LogViewOptions } from "./log-view.ts";
import type { ModelChoice } from "./models.ts";
import type { Attachment } from "./room.ts";
import { sessionsView, type SessionsViewOptions } from "./sessions-view.ts";
import type { TabStorage } from "./tab-storage.ts";
import { brief, dollars, tokens } from "./words.ts";

export interface RoomViewOptions
  extends
    Omit<HeadOptions, "showSide">,
    SessionsViewOptions,
    Pick<LogViewOptions, "copy" | "older" | "retry" | "discard"> {
  readonly send: (text: string, attachments: readonly Attachment[]) => void;
  readonly stop: () => void;
  readonly hurry: () => void;
  readonly trouble: (text: string) => void;
  /** Where it is kept what was begun and not sent. */
  readonly drafts: TabStorage;
}

export interface RoomState {
  readonly conversation: Conversation;
  readonly desk: DeskState;
  readonly choice: ModelChoice;
  readonly title: string;
  /** Bytes of a picture at most. */
  readonly maxPicture: number;
}

export interface RoomView {
  readonly element: HTMLElement;
  readonly update: (state: RoomState) => void;
  readonly connection: (state: LinkState) => void;
  /** A conversation is opened; another one than before where `isOther`. */
  readonly entered: (key: string, isOther: boolean) => void;
}

/** The page once one is in: conversations at the side, the open one with what it takes to go on with it. */
export function roomView(on: RoomViewOptions): RoomView {
  let key = "";
  let running: string | undefined;
  /** Pictures that were sent from here, by their message: the gateway tells of them without their bytes. */
  const previews = new Map<string, readonly string[]>();
  const head = headView({ ...on, showSide: () => side.showPopover() });
  const log = logView({
    ...on,
    preview: ({ run, index }) => previews.get(run)?.[index],
    suggest(text) {
      composer.write(text);
      composer.focus();
    },
  });
  const composer = composerView({
    stop: on.stop,
    send: on.send,
    trouble: on.trouble,
    keepDraft: (text) => on.drafts.set(draftName(key), text === "" ? undefined : text.slice(0, maxDraft)),
  });
  const sessions = sessionsView(on);
  const side = h("div", { id: "side", popover: "auto" });
  const banner = h("div", { class: "banner", role: "status" });
  const bannerText = h("span");
  banner.append(bannerText, h("button", { type: "button", class: "quiet", onclick: on.hurry }, "Try now"));
  const usage = h("p", { class: "usage" });
  const spoken = h("div", { class: "unseen", "aria-live": "polite" });
  const main = h("main", {}, head.element, banner, log.element, composer.element, usage, spoken);
  const element = h("div", { class: "room", onkeydown: keyed, ondragover: dragged, ondrop: dropped }, side, main);
  side.append(sessions.element);

  /** A few: each holds its bytes. */
  function remember(id: string, pictures: readonly string[]): void {
    previews.set(id, pictures);
    const [oldest] = previews;
    if (previews.size <= maxPreviews || !oldest) return;
    for (const address of oldest[1]) URL.revokeObjectURL(address);
    previews.delete(oldest[0]);
  }

  function keyed(event: KeyboardEvent): void {
    const closes = event.defaultPrevented || side.matches(":popover-open");
    if (event.key === "Escape" && running !== undefined && !closes) on.stop();
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    if (isNarrow()) side.showPopover();
    sessions.focus();
  }

  function dragged(event: DragEvent): void {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  }

  function dropped(event: DragEvent): void {
    event.preventDefault();
    composer.attach([...(event.dataTransfer?.files ?? [])]);
  }

  /** Screen readers hear that it works, and the answer once it is whole: not every word of it as it comes. */
  function tell({ live, messages }: Conversation): void {
    if (live?.runId === running) return;
    const last = messages?.at(-1);
    if (live) write(spoken, "Working");
    else if (last?.role === "assistant") write(spoken, `Answer: ${brief(plainText(last), 1500)}`);
    running = live?.runId;
  }

  return {
    element,
    update({ conversation, desk, choice, title, maxPicture }) {
      for (const { id, pictures } of conversation.sending) if (pictures.length > 0) remember(id, pictures);
      head.update({ title, choice, pending: desk.devices?.pending.length ?? 0 });
      sessions.update(desk.list, conversation.key);
      log.update(conversation, choice.isEcho);
      const isRunning = conversation.live !== undefined;
      composer.update({ isRunning, canSend: conversation.key !== "", commands: desk.commands, maxPicture });
      write(usage, usageOf(conversation));
      tell(conversation);
    },
    connection(state) {
      banner.hidden = state.kind === "ready";
      write(
        bannerText,
        state.kind === "away" ? `${state.why} It is tried again; what you write is sent then.` : "Connecting…",
      );
    },
    entered(next, isOther) {
      if (side.matches(":popover-open")) side.hidePopover();
      if (!isOther) return;
      key = next;
      running = undefined;
      write(spoken, "");
      composer.write(on.drafts.get(draftName(next)) ?? "");
      // On a phone that would bring up the keyboard.
      if (!isNarrow()) composer.focus();
    },
  };
}

const maxPreviews = 30;
const maxDraft = 100_000;

function draftName(key: string): string {
  return `clawlet.draft:${key}`;
}

function isNarrow(): boolean {
  return matchMedia("(max-width: 47.99rem)").matches;
}

function usageOf({ row }: Conversation): string {
  if (!row) return "";
  const { totalTokens, contextTokens, estimatedCostUsd } = row;
  const used = typeof totalTokens === "number" ? tokens(totalTokens) : "";
  const most = used && typeof contextTokens === "number" && contextTokens > 0 ? ` of ${tokens(contextTokens)}` : "";
  const cost = typeof estimatedCostUsd === "number" && estimatedCostUsd > 0 ? dollars(estimatedCostUsd) : "";
  const model = [textIn(row, "modelProvider"), textIn(row, "model")].filter(Boolean).join("/");
  return [model, used && `${used}${most} tokens`, cost].filter(Boolean).join(" · ");
}
