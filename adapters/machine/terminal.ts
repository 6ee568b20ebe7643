import { isatty } from "node:tty";
import type { Output, Terminal } from "../../src/host/host.ts";

/** The terminal or pipes that this process was given. */
export function createTerminal(): Terminal {
  return {
    stdout: output(process.stdout, 1),
    stderr: output(process.stderr, 2),
    interactive: isatty(0) && isatty(1),
    async readInput() {
      let text = "";
      process.stdin.setEncoding("utf8");
      for await (const chunk of process.stdin) text += String(chunk);
      return text;
    },
  };
}

function output(stream: NodeJS.WriteStream, descriptor: number): Output {
  // A reader that went away (`| head`) is no error of ours.
  stream.on("error", () => undefined);
  return {
    isTerminal: isatty(descriptor),
    get columns() {
      return stream.columns || 80;
    },
    write: (text) => void stream.write(text),
  };
}
