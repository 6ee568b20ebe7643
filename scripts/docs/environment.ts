import { flavours } from "../../src/host/flavour.ts";
import { settings } from "../../src/host/settings.ts";
import { providerFacts } from "../../src/providers/facts.ts";
import { code, page, prose, table } from "./markdown.ts";

/** The page of environment variables. */
export function environmentPage(): string {
  const prefixes = Object.values(flavours).map(({ envPrefixes: [prefix = ""] }) => code(prefix));
  return page([
    "# Environment variables",
    "## The product's own",
    `Each has a prefix, ${prefixes.join(" or ")}. Both are read; the one of the name that the program was called by comes first. An empty value counts as unset. A flag comes before a variable, and a variable before the configuration.`,
    table(
      ["variable", "says"],
      Object.entries(settings).map(([name, says]) => [code(`*_${name}`), prose(says)]),
    ),
    "## Keys of providers",
    "Read from the environment, from `.env` in the state folder, and from `env` in the configuration. A key that is stored with `onboard` or written in the configuration comes first; `auth.order` changes the order.",
    table(
      ["provider", "variables"],
      providerFacts.flatMap(({ label, variables }) =>
        variables.length === 0 ? [] : [[label, variables.map(code).join(", ")]],
      ),
    ),
    "## Of the system",
    table(
      ["variable", "says"],
      Object.entries(ofTheSystem).map(([name, says]) => [code(name), prose(says)]),
    ),
  ]);
}

const ofTheSystem = {
  HOME: "The home folder; `OPENCLAW_HOME` before it, `USERPROFILE` after it.",
  NO_COLOR: "Set to anything: no colours.",
  FORCE_COLOR: "Colours where there is no terminal; `0` for none.",
  TERM: "`dumb`: no colours.",
  SHELL: "The shell that `completion --install` writes for; `ZDOTDIR` and `XDG_CONFIG_HOME` say where.",
  XDG_DATA_HOME: "Where the desktop's trash is, for what `reset` and `uninstall` throw away.",
  NOTIFY_SOCKET: "Set by systemd: it is told when the gateway is ready, and, with `WATCHDOG_USEC`, that it lives.",
  SUDO_USER: "Set by sudo: the account that `gateway install --system` installs for.",
} as const;
