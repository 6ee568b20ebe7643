import type { ModelEvent } from "../providers/provider.ts";
import type { RunEvent } from "./runner.ts";

/** An answer while it is streamed: what people see of it, and what is left of it when it breaks off. */
export interface Draft {
  readonly text: string;
  /** Of its text and its thoughts. */
  readonly letters: number;
  /** Something came from the model in this try. */
  readonly begun: boolean;
  /** The request is sent: nothing of an earlier try counts any more. */
  begin(): void;
  add(event: ModelEvent): void;
  /** The answer is complete: shows what was held back. */
  end(): void;
}

/** An answer that is exactly this is not shown (cli.md 8.1). */
export const SILENT = "NO_REPLY";

export function isSilent(text: string): boolean {
  return text.trim() === SILENT;
}

export function createDraft(emit: (event: RunEvent) => void, itemId: string): Draft {
  let text = "";
  let thinking = "";
  let shown = 0;
  let begun = false;

  const show = (): void => {
    if (shown === text.length) return;
    const delta = text.slice(shown);
    shown = text.length;
    emit({ type: "text", delta, text, itemId });
  };
  return {
    get text() {
      return text;
    },
    get letters() {
      return text.length + thinking.length;
    },
    get begun() {
      return begun;
    },
    begin() {
      if (shown > 0 || thinking !== "") emit({ type: "retract", itemId });
      [text, thinking, shown, begun] = ["", "", 0, false];
    },
    add(event) {
      begun = true;
      if (event.type === "text" && event.delta !== "") {
        text += event.delta;
        // As long as it may become the silent answer, nobody is shown the beginning of it.
        if (!SILENT.startsWith(text.trim())) show();
      }
      if (event.type === "thinking" && event.delta !== "") {
        thinking += event.delta;
        emit({ type: "thinking", delta: event.delta, text: thinking, itemId });
      }
    },
    end() {
      if (!isSilent(text)) show();
    },
  };
}
