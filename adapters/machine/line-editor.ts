import type { Interface } from "node:readline";
import type { Writable } from "node:stream";
import type { LineEditor, LineEvents } from "../../src/host/host.ts";

/** Lines typed at this process's terminal. The keys are read all the time; hidden, they are not echoed. */
export function editLines(events: LineEvents): LineEditor {
  // Loaded when used: most commands ask nothing.
  const readline = process.getBuiltinModule("node:readline");
  let shown = false;
  let closed = false;
  const screen = createScreen(() => shown);
  const editor: Interface = readline.createInterface({
    input: process.stdin,
    output: screen,
    terminal: true,
    historySize: 500,
  });
  editor.on("line", (text) => {
    // The editor has gone to a new line; there is no prompt on it.
    shown = false;
    events.line(text);
  });
  editor.on("SIGINT", () => events.interrupt());
  editor.on("close", () => {
    screen.destroy();
    if (closed) return;
    closed = true;
    if (shown) process.stdout.write("\n");
    events.end();
  });
  return {
    show(prompt) {
      if (closed || shown) return;
      shown = true;
      editor.setPrompt(prompt);
      editor.prompt(true);
    },
    hide() {
      if (closed || !shown) return;
      readline.moveCursor(screen, 0, -editor.getCursorPos().rows);
      readline.cursorTo(screen, 0);
      readline.clearScreenDown(screen);
      shown = false;
    },
    close() {
      if (closed) return;
      closed = true;
      editor.close();
    },
  };
}

/** The terminal as the editor sees it: as wide, and silent while it must not be written to. */
function createScreen(visible: () => boolean): Writable {
  const { stdout } = process;
  const { Writable } = process.getBuiltinModule("node:stream");
  const screen = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      if (visible()) stdout.write(chunk);
      done();
    },
  });
  Object.defineProperties(screen, {
    isTTY: { value: true },
    columns: { get: () => stdout.columns },
    rows: { get: () => stdout.rows },
  });
  const resized = (): void => void screen.emit("resize");
  stdout.on("resize", resized);
  screen.on("close", () => stdout.off("resize", resized));
  return screen;
}
