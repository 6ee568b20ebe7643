import { dirname, tildify } from "../host/paths.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** Room on the disk: a gateway that cannot write must refuse messages. */
export const disk: Check = {
  id: "disk",
  title: "Disk",
  async look(context) {
    const { files } = context.host;
    const place = await nearest(context);
    if (!files.freeSpace || place === undefined) return [];
    const free = await files.freeSpace(place);
    const megabytes = Math.floor(free / MB);
    const finding = (code: string, level: Finding["level"], meaning: string): Finding => ({
      code,
      level,
      message: `${megabytes} MB are left on the disk of ${tildify(context.host, context.paths.state)}: ${meaning}.`,
      path: context.paths.state,
      command:
        context.host.os === "windows" ? "Get-PSDrive -PSProvider FileSystem" : `df -h ${tildify(context.host, place)}`,
    });
    if (free < 50 * MB) return [finding("disk-full", "error", "messages will be refused")];
    return free < 500 * MB ? [finding("disk-low", "warning", "it may be full soon")] : [];
  },
};

const MB = 1024 * 1024;

/** The state folder, or what of its way there exists. */
async function nearest({ host, paths }: CheckContext): Promise<string | undefined> {
  for (let path = paths.state; ; path = dirname(path)) {
    if (await host.files.stat(path)) return path;
    if (path === dirname(path)) return undefined;
  }
}
