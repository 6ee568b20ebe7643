import { join } from "../host/paths.ts";
import type { Hook } from "./hook.ts";

/** Keeps a line for each slash command in `logs/commands.log`, for whoever wants to know who did what. */
export const commandLogger: Hook = {
  name: "command-logger",
  emoji: "📝",
  summary: "Write every command that is given into logs/commands.log",
  events: ["command"],
  async run(event, { clock, files, stateFolder }) {
    if (event.name !== "command") return;
    const { command, sessionKey, sender, channel } = event;
    const folder = join(stateFolder, "logs");
    const path = join(folder, "commands.log");
    await files.makeFolder(folder);
    const size = (await files.stat(path))?.size ?? 0;
    if (size > MOST_BYTES) await files.rename(path, `${path}.1`);
    const line = {
      timestamp: new Date(clock.now()).toISOString(),
      action: command,
      sessionKey,
      senderId: sender,
      source: channel,
    };
    const file = await files.open(path);
    try {
      await file.append(`${JSON.stringify(line)}\n`);
    } finally {
      await file.close();
    }
  },
};

/** A file that has grown beyond this becomes `commands.log.1`, in place of the one before. */
const MOST_BYTES = 5 * 1024 * 1024;
