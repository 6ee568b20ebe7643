import { cleanLines } from "./layout.ts";
import type { Style } from "./output.ts";
import type { RunNews } from "./run-news.ts";

/** Writes an answer on a terminal while it comes, each piece once. */
export interface AnswerView {
  /** Shows what is new in it; what is not for the eye is passed over. */
  show(news: RunNews): void;
  /** A line of its own, apart from the answer. */
  line(text: string): void;
  /** Ends the line that was begun, so that something else can be written. */
  finish(): void;
}

export interface AnswerViewOptions {
  readonly write: (text: string) => void;
  readonly style: Style;
  /** Thoughts and tools too. */
  readonly detailed: boolean;
}

export function createAnswerView({ write, style, detailed }: AnswerViewOptions): AnswerView {
  /** The part that was written last, and how much of it is on the screen. */
  let part = "";
  let seen = 0;
  let atStart = true;

  const put = (text: string, paint: (text: string) => string = (same) => same): void => {
    const shown = cleanLines(text);
    if (shown === "") return;
    // Colours end with each piece: what comes in between has its own.
    write(paint(shown));
    atStart = shown.endsWith("\n");
  };
  const finish = (): void => {
    if (!atStart) put("\n");
  };
  const line = (text: string): void => {
    finish();
    put(`${text}\n`, style.dim);
  };

  return {
    line,
    finish,
    show(news) {
      if (news.kind === "tool" && detailed && news.phase !== "done")
        return line(news.phase === "start" ? `⚙ ${news.name}` : `✗ ${news.name} failed`);
      if (news.kind === "waiting" && detailed) return line(`… ${news.reason}`);
      if (news.kind !== "text" && !(news.kind === "thinking" && detailed)) return;
      const name = `${news.runId} ${news.part}`;
      if (name !== part) {
        if (news.text === "") return;
        finish();
        if (part.startsWith(`${news.runId} `)) put("\n");
        [part, seen] = [name, 0];
      }
      // Shorter than before: the request was repeated, and what was written does not count.
      if (news.text.length < seen) {
        line("… the answer begins anew");
        seen = 0;
      }
      put(news.text.slice(seen), news.kind === "thinking" ? style.dim : undefined);
      seen = news.text.length;
    },
  };
}
