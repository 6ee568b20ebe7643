import { createAnswerView } from "../cli/answer-view.ts";
import { cleanLines } from "../cli/layout.ts";
import { adviceFor } from "../cli/run-advice.ts";
import type { RunNews } from "../cli/run-news.ts";
import { createSpinner } from "../cli/spinner.ts";
import type { LineEditor } from "../host/host.ts";
import type { Chat } from "./chat-link-history.ts";
import type { CommandContext } from "./command.ts";

/** A conversation on a terminal: what was said, what is being said, and below it the line that is typed. */
export interface ChatScreen {
  /** From now on a person can type. */
  attach(editor: LineEditor | undefined): void;
  /** Who answers, in one line. */
  header(chat: Chat): void;
  said(chat: Chat): void;
  /** A person's words that did not come from the line on the screen. */
  quote(text: string): void;
  /** A remark about the conversation. */
  note(text: string): void;
  trouble(text: string, advice?: readonly string[]): void;
  news(news: RunNews): void;
  /** Somebody is being answered: there is no line to type in, though keys are kept. */
  busy(label: string): void;
  /** The line is there; another prompt goes on with a message. */
  ready(more?: boolean): void;
  /** The line was entered; answers whether it could be seen. */
  entered(): boolean;
  close(): void;
}

export function createChatScreen(context: Pick<CommandContext, "host" | "output" | "program">): ChatScreen {
  const { host, output, program } = context;
  const { style } = output;
  const spinner = createSpinner(host, "");
  spinner.hide();
  let editor: LineEditor | undefined;
  let prompt: string | undefined;
  const spoken = new Set<string>();

  const clear = (): void => {
    spinner.hide();
    editor?.hide();
  };
  const write = (text: string): void => {
    clear();
    output.raw(text);
  };
  const view = createAnswerView({ write, style, detailed: true });
  /** What is written between answers; the line to type in comes back below it. */
  const aside = (text: string, paint: (text: string) => string = (same) => same): void => {
    view.finish();
    write(`${paint(cleanLines(text.trimEnd()))}\n`);
    if (prompt !== undefined) editor?.show(prompt);
  };
  const wait = (label: string): void => {
    view.finish();
    clear();
    spinner.label(label);
  };
  const trouble = (text: string, advice: readonly string[] = []): void => {
    aside(text, style.red);
    for (const line of advice) aside(line, style.dim);
  };
  const quote = (text: string): void => aside(`> ${text.trimEnd().replaceAll("\n", "\n  ")}`, style.cyan);

  return {
    attach: (given) => void (editor = given),
    header: ({ agentId, model, key }) => aside(`${agentId} · ${model} · ${key}`, style.bold),
    said({ said }) {
      for (const { role, text } of said) {
        if (role === "user") quote(text);
        else aside(text);
      }
    },
    quote,
    note: (text) => aside(text, style.dim),
    trouble,
    news(news) {
      if (news.kind === "started") wait("thinking…");
      if (news.kind === "model") wait(`thinking with ${news.name}…`);
      if (news.kind === "text" && news.text !== "") spoken.add(news.runId);
      if (news.kind !== "ended") {
        view.show(news);
        if (news.kind === "tool" && news.phase === "start") wait(`running ${news.name}…`);
        return;
      }
      view.finish();
      // Answers to commands are not streamed.
      if (!spoken.delete(news.runId) && news.text !== "") aside(news.text);
      if (news.how === "aborted") aside("(stopped)", style.dim);
      if (news.how === "error") trouble(news.reason ?? "the run failed", adviceFor({ program, kind: news.errorKind }));
    },
    busy(label) {
      prompt = undefined;
      wait(label);
    },
    ready(more = false) {
      view.finish();
      spinner.hide();
      prompt = more ? "… " : "> ";
      editor?.show(prompt);
    },
    entered() {
      const visible = prompt !== undefined;
      prompt = undefined;
      return visible;
    },
    close() {
      view.finish();
      clear();
      spinner.stop();
      editor?.close();
    },
  };
}
