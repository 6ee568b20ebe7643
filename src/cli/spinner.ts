import type { Host } from "../host/host.ts";
import { clean } from "./layout.ts";

/** A line on stderr that says what goes on, once nothing else was to be seen for a second; nothing where nobody watches. */
export interface Spinner {
  /** What to say from now on. */
  label(text: string): void;
  /** Takes the line away, so that something else can be written there, until there is a new label. */
  hide(): void;
  stop(): void;
}

export function createSpinner({ clock, terminal }: Pick<Host, "clock" | "terminal">, first: string): Spinner {
  const { stderr } = terminal;
  const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
  let label = clean(first);
  let ticks = 0;
  let hidden = false;
  const hide = (): void => {
    if (ticks >= 10) stderr.write("\r\u001b[K");
    ticks = 0;
    hidden = true;
  };
  const tick = (): void => {
    if (hidden) return;
    ticks += 1;
    // A line that wraps could not be taken away again.
    const shown = label.slice(0, Math.max(stderr.columns - 3, 1));
    if (ticks >= 10) stderr.write(`\r\u001b[K${frames[ticks % frames.length]} ${shown}`);
  };
  const cancel = stderr.isTerminal ? clock.every(100, tick) : () => undefined;
  return {
    label(text) {
      label = clean(text);
      hidden = false;
    },
    hide,
    stop() {
      cancel();
      hide();
    },
  };
}
