import type { Clock, Files } from "../host/host.ts";
import { dirname } from "../host/paths.ts";
import type { JsonObject } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";
import { textOf, type AssistantMessage } from "../session/message.ts";
import type { Runner, RunEvent } from "./runner.ts";

export interface RawStreamOptions {
  readonly files: Files;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logger;
  /** Of the file; the full one before it gets `.1` at its end. */
  readonly path: string;
}

/**
 * A runner that writes down what models say, as it comes, in a file of JSON Lines (cli.md 7.5): for whoever looks for
 * the cause of an odd answer. It holds private text. A disk that fails is told once and delays no answer.
 */
export function withRawStream(runner: Runner, options: RawStreamOptions): Runner {
  const record = openRecord(options);
  return {
    ...runner,
    run(input) {
      const { runId } = input;
      const note = (event: string, rest: JsonObject): void =>
        record({ ts: options.clock.now(), event, runId, ...rest });
      let open: string | undefined;
      const stream = (evtType: string, delta: string, content: string): void =>
        note("assistant_text_stream", { evtType, delta, content });
      const watch = (event: RunEvent): void => {
        if (event.type === "text") {
          if (open !== event.itemId) stream("text_start", "", "");
          open = event.itemId;
          stream("text_delta", event.delta, "");
        }
        if (event.type === "thinking")
          note("assistant_thinking_stream", { evtType: "thinking_delta", delta: event.delta });
        if (event.type === "retract") note("assistant_retract", {});
        if (event.type !== "entry" || event.entry.type !== "message" || event.entry.message.role !== "assistant")
          return;
        const { message } = event.entry;
        if (open !== undefined) stream("text_end", "", textOf(message));
        open = undefined;
        note("assistant_message_end", { rawText: textOf(message), rawThinking: thoughtsOf(message) });
      };
      return runner.run({
        ...input,
        emit(event) {
          watch(event);
          input.emit(event);
        },
      });
    },
  };
}

const maxFile = 64 * 1024 * 1024;
/** Characters that wait for the disk; what comes while there are more is left out. */
const maxWaiting = 8 * 1024 * 1024;

function openRecord({ files, log, path }: RawStreamOptions): (line: JsonObject) => void {
  let waiting: string[] = [];
  let size = 0;
  let writing = false;
  let failed = false;

  async function write(): Promise<void> {
    await files.makeFolder(dirname(path));
    while (waiting.length > 0) {
      const text = waiting.join("");
      [waiting, size] = [[], 0];
      const file = await files.open(path);
      try {
        await file.append(text);
      } finally {
        await file.close();
      }
      if (((await files.stat(path))?.size ?? 0) > maxFile) await files.rename(path, `${path}.1`);
    }
  }

  return (line) => {
    const text = `${JSON.stringify(line)}\n`;
    if (size + text.length > maxWaiting) return;
    waiting.push(text);
    size += text.length;
    if (writing) return;
    writing = true;
    write()
      .catch((error: unknown) => {
        [waiting, size] = [[], 0];
        if (!failed) log.warn("the raw stream of models cannot be written", { path, error: String(error) });
        failed = true;
      })
      .finally(() => (writing = false));
  };
}

function thoughtsOf({ content }: AssistantMessage): string {
  return content.flatMap((part) => (part.type === "thinking" ? [part.thinking] : [])).join("\n");
}
