import type { Output, Terminal } from "../../src/host/host.ts";
import { editLines } from "./line-editor.ts";

/** The terminal or pipes that this process was given. */
export function createTerminal(): Terminal {
  const interactive = isTerminal(process.stdin) && isTerminal(process.stdout);
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    interactive,
    ...(interactive ? { editLines } : {}),
    async readInput() {
      let text = "";
      process.stdin.setEncoding("utf8");
      for await (const chunk of process.stdin) text += String(chunk);
      return text;
    },
  };
}

function output(stream: NodeJS.WriteStream): Output {
  // A reader that went away (`| head`) is no error of ours.
  stream.on("error", () => undefined);
  return {
    isTerminal: isTerminal(stream),
    get columns() {
      return stream.columns || 80;
    },
    write: (text) => void stream.write(text),
  };
}

/** `isTTY` is absent, not false, on a pipe. (`isatty` of node:tty would cost every command some milliseconds.) */
function isTerminal(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY ?? false;
}
