import { fstatSync, statSync } from "node:fs";
import type { Output, Terminal } from "../../src/host/host.ts";
import { editLines } from "./line-editor.ts";

/** Writes to a descriptor in order, without waiting. `write` and `flush` throw, or reject, when the reader is gone. */
export interface Sink {
  write(text: string): unknown;
  flush(): unknown;
}

/**
 * The terminal or pipes that this process was given. What cannot be a terminal is written with `sinkOf`, where a runtime
 * has one: the streams of `process` take a start several milliseconds to load.
 */
export function createTerminal(sinkOf?: (descriptor: number) => Sink): Terminal {
  const output = (descriptor: 1 | 2): Output => {
    const stream = () => (descriptor === 1 ? process.stdout : process.stderr);
    return sinkOf && !mayBeTerminal(descriptor) ? toSink(sinkOf(descriptor)) : toStream(stream());
  };
  const interactive = mayBeTerminal(0) && mayBeTerminal(1) && isTerminal(process.stdin) && isTerminal(process.stdout);
  return {
    stdout: output(1),
    stderr: output(2),
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

// A reader that went away (`| head`) is no error of ours, whichever way it is written to.

function toStream(stream: NodeJS.WriteStream): Output {
  stream.on("error", () => undefined);
  return {
    isTerminal: isTerminal(stream),
    get columns() {
      return stream.columns || 80;
    },
    write: (text) => void stream.write(text),
  };
}

function toSink(sink: Sink): Output {
  const send = async (text: string): Promise<void> => {
    try {
      await Promise.all([sink.write(text), sink.flush()]);
    } catch {
      // Nobody reads any more.
    }
  };
  return { isTerminal: false, columns: 80, write: (text) => void send(text) };
}

/** `isTTY` is absent, not false, on a pipe. (`isatty` of node:tty would cost every command some milliseconds.) */
function isTerminal(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY ?? false;
}

/** Every terminal is a character device, as little else is but the null device. Windows says so of none for certain. */
function mayBeTerminal(descriptor: number): boolean {
  if (process.platform === "win32") return true;
  try {
    const found = fstatSync(descriptor);
    return found.isCharacterDevice() && found.rdev !== statSync("/dev/null").rdev;
  } catch {
    return false; // closed
  }
}
