import { Failure } from "../kit/error.ts";
import { loadTls, type TlsNote } from "../tls/load.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** Whether the gateway can encrypt as it is told to, for how long, and who else could pretend to be it. */
export const tls: Check = {
  id: "tls",
  title: "TLS certificate",
  security: true,
  async look(context) {
    const { host, paths, config } = context;
    const settings = config.snapshot.value.gateway.tls;
    if (!settings.enabled) return [];
    try {
      const { notes } = await loadTls(host, { settings, state: paths.state, keep: false });
      return notes.map((note) => finding(context, note));
    } catch (error) {
      const { message, hints } = Failure.from(error);
      const told = `The gateway refuses to start: ${[message, ...hints].join(". ")}`;
      return [{ code: "gateway-tls-unusable", level: "error", message: told, path: "gateway.tls" }];
    }
  },
};

/** The neighbours' sentences begin with a capital letter and end with a full stop. */
function finding({ program }: CheckContext, { code, message }: TlsNote): Finding {
  const common = { level: "warning", path: "gateway.tls" } as const;
  if (code === "renewed")
    return {
      ...common,
      code: "gateway-tls-expiring",
      message:
        "The gateway's own certificate is about to expire: its next start makes another, with a new fingerprint.",
      command: `${program} gateway restart`,
    };
  return { ...common, code: `gateway-tls-${code}`, message: `${message[0]?.toUpperCase()}${message.slice(1)}.` };
}
