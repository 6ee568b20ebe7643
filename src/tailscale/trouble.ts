import type { Host } from "../host/host.ts";

/** Why something could not be had from Tailscale, and what to do about it. */
export interface Trouble {
  readonly code: TroubleCode;
  /** A sentence without its full stop. */
  readonly message: string;
  /** What to do, in two or three words: `log in`. */
  readonly advice: string;
  /** How: a command to type or a page to visit. */
  readonly fix: string;
  /** It may pass by itself, or by what somebody does to Tailscale: asking again later makes sense. */
  readonly passing: boolean;
}

export type TroubleCode =
  | "not-installed"
  | "no-daemon"
  | "needs-login"
  | "needs-approval"
  | "stopped"
  | "starting"
  | "unreadable"
  | "no-name"
  | "https-off"
  | "funnel-denied"
  | "not-allowed"
  | "port-taken"
  | "failed";

/** What is wrong and what to do, for each thing that can be. `detail` is Tailscale's own word: a reason, or a page. */
export function troubleOf(code: TroubleCode, os: Host["os"], detail?: string): Trouble {
  const passing = (message: string, advice: string, fix: string): Trouble => ({
    code,
    message,
    advice,
    fix,
    passing: true,
  });
  const lasting = (...text: Parameters<typeof passing>): Trouble => ({ ...passing(...text), passing: false });
  const reason = detail ?? "no reason given";
  switch (code) {
    case "not-installed":
      return passing("the program tailscale is not installed", "install it", "https://tailscale.com/download");
    case "no-daemon":
      return passing("Tailscale does not run", "start it", startDaemon[os]);
    case "needs-login":
      return passing("Tailscale is logged out", "log in", detail ?? "tailscale up");
    case "needs-approval":
      return passing(
        "an administrator of the tailnet has not approved this machine yet",
        "approve it",
        "https://login.tailscale.com/admin/machines",
      );
    case "stopped":
      return passing("Tailscale is stopped", "start it", "tailscale up");
    case "starting":
      return passing("Tailscale is still starting", "look at it", "tailscale status");
    case "unreadable":
      return passing(`Tailscale does not say how it is: ${reason}`, "look at it", "tailscale status");
    case "no-name":
      return passing("this machine has no name in the tailnet", "enable MagicDNS", adminDns);
    case "https-off":
      return lasting("HTTPS is not enabled for the tailnet", "enable it", detail ?? adminDns);
    case "funnel-denied":
      return lasting(
        "the tailnet does not let this machine use Funnel",
        "allow it",
        detail ?? "https://tailscale.com/s/no-funnel",
      );
    case "not-allowed":
      return lasting("Tailscale takes this from its operator only", "become it", "sudo tailscale set --operator=$USER");
    case "port-taken":
      return lasting(`something else is published there: ${reason}`, "look at it", "tailscale serve status");
    default:
      return lasting(reason, "look at it", "tailscale serve status");
  }
}

/** The whole of it in one line. */
export function troubleText({ message, advice, fix }: Trouble): string {
  return `${message}; ${advice}: ${fix}`;
}

/** What a program wrote, as a part of a sentence: its first line that says something, printable and short. */
export function firstLine(...texts: readonly string[]): string | undefined {
  for (const text of texts)
    for (const line of text.slice(0, maxText).split(/[\r\n]+/)) {
      const words = line
        .replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, " ")
        .replace(/^\s*error:\s*/i, "")
        .trim();
      if (words !== "") return words.slice(0, 200);
    }
  return undefined;
}

/** The first web address in what a program wrote. */
export function linkIn(text: string): string | undefined {
  return /https:\/\/[\w.~:/?#@!$&*+;=%-]{1,300}/.exec(text.slice(0, maxText))?.[0].replace(/[.,;:]+$/, "");
}

const adminDns = "https://login.tailscale.com/admin/dns";
const startDaemon: Readonly<Record<Host["os"], string>> = {
  linux: "sudo systemctl start tailscaled",
  darwin: "open -a Tailscale",
  windows: "net start Tailscale",
  none: "tailscaled",
};
/** What is read of a text that should be a few lines. */
const maxText = 16_384;
