import { tildify } from "../host/paths.ts";
import type { Check } from "./check.ts";

/** The system's clock: tokens, pairings and schedules go by it. */
export const clock: Check = {
  id: "clock",
  title: "Clock",
  async look({ host, paths, files }) {
    const now = host.clock.now();
    const shown = new Date(now).toISOString().slice(0, 16).replace("T", " ");
    const command = {
      linux: "timedatectl",
      darwin: "sudo sntp -sS time.apple.com",
      windows: "w32tm /resync",
      none: "date",
    }[host.os];
    if (now < earliest)
      return [
        {
          code: "clock-before-build",
          level: "error",
          message: `The clock says ${shown} UTC, which is before this program was made: certificates and tokens will be refused.`,
          command,
        },
      ];
    const ahead = (await files()).entries.filter(({ stat }) => stat.kind === "file" && stat.modifiedAt > now + skew);
    const [newest] = ahead.toSorted((a, b) => b.stat.modifiedAt - a.stat.modifiedAt);
    if (!newest) return [];
    return [
      {
        code: "clock-behind-files",
        level: "warning",
        message: `The clock says ${shown} UTC, and ${tildify(host, newest.path)} was written ${Math.round((newest.stat.modifiedAt - now) / 60_000)} minutes later: the clock was wrong then, or is now.`,
        path: paths.state,
        command,
      },
    ];
  },
};

/** No copy of this program is older. */
const earliest = Date.UTC(2026, 0, 1);
/** Disks of other machines have clocks of their own. */
const skew = 5 * 60_000;
