import { withoutSecrets } from "./command-line.ts";
import type { InstalledService, RenderedFile, ServiceUnit } from "./service.ts";

/** How a service that is installed differs from the one that would be installed now. */
export interface Drift {
  readonly code: "program" | "port" | "token" | "environment" | "unit";
  /** Such as `port differs: 18789 installed, 18799 configured`. Never a secret. */
  readonly message: string;
}

/**
 * What is installed compared with what would be installed now; empty when they are the same. Versions do not count: the
 * service runs whatever the program's file holds.
 */
export function unitDrift(
  installed: Pick<InstalledService, "program" | "environment" | "secrets" | "files">,
  wanted: { readonly unit: ServiceUnit; readonly files: readonly RenderedFile[] },
): readonly Drift[] {
  const { unit, files } = wanted;
  const drifts = [
    ...programDrift(installed.program, unit.program),
    ...environmentDrift(installed.environment, unit.environment),
    ...secretDrift(installed.secrets, unit.secrets),
  ];
  if (drifts.length > 0) return drifts;
  const edited = files.find(({ path, text }) => {
    const found = installed.files.find((file) => file.path === path);
    return found !== undefined && withoutVersions(found.text) !== withoutVersions(text);
  });
  return edited
    ? [{ code: "unit", message: `file differs: ${edited.path} was edited, or written by another version` }]
    : [];
}

function programDrift(installed: readonly string[], wanted: readonly string[]): readonly Drift[] {
  const [before, now] = [splitPort(installed), splitPort(wanted)];
  const same = before.rest.join("\0") === now.rest.join("\0");
  const shown = (words: readonly string[]): string => withoutSecrets(words).join(" ");
  return [
    ...(same ? [] : [drift("program", "program differs", shown(before.rest) || "none", shown(now.rest))]),
    ...(before.port === now.port
      ? []
      : [drift("port", "port differs", before.port ?? "none", now.port ?? "none", "configured")]),
  ];
}

/** Variables that say nothing of how the service runs, or follow from something that is compared already. */
const incidental = /_(SERVICE_VERSION|GATEWAY_PORT|SERVICE_ENV_FILE)$/;

function environmentDrift(
  installed: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): readonly Drift[] {
  const names = [...new Set([...Object.keys(installed), ...Object.keys(wanted)])].sort();
  return names
    .filter((name) => !incidental.test(name) && installed[name] !== wanted[name])
    .map((name) =>
      // A variable that is not ours may be somebody's secret.
      wanted[name] === undefined
        ? { code: "environment", message: `environment differs: ${name} is set in the installed one only` }
        : drift("environment", `${name} differs`, installed[name] ?? "nothing", wanted[name]),
    );
}

function secretDrift(
  installed: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): readonly Drift[] {
  const names = [...new Set([...Object.keys(installed), ...Object.keys(wanted)])].sort();
  return names
    .filter((name) => installed[name] !== wanted[name])
    .map((name) => ({
      code: "token",
      message: `${name.endsWith("PASSWORD") ? "password" : "token"} differs: the service has ${
        installed[name] === undefined ? "none of its own yet" : "one of its own, not the configured one"
      }`,
    }));
}

function drift(code: Drift["code"], what: string, before: string, now: string, how = "would be now"): Drift {
  return { code, message: `${what}: ${before} installed, ${now} ${how}` };
}

function splitPort(program: readonly string[]): {
  readonly rest: readonly string[];
  readonly port: string | undefined;
} {
  const at = program.indexOf("--port");
  if (at === -1) return { rest: program, port: undefined };
  return { rest: program.filter((_, index) => index !== at && index !== at + 1), port: program[at + 1] };
}

function withoutVersions(text: string): string {
  return text
    .replace(/\bv?\d+\.\d+\.\d+[\w.-]*/g, "version")
    .replace(/\r\n/g, "\n")
    .trim();
}
