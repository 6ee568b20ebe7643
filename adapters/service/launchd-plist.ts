import type { RenderedFile, ServiceUnit } from "../../src/service/service.ts";
import { dirname } from "../../src/host/paths.ts";
import { renderSecrets } from "../../src/service/secrets.ts";
import { escapeXml, unescapeXml } from "./xml.ts";

/** A LaunchAgent's property list and, when there are secrets, their file (launchd.plist(5)). */
export function renderLaunchd(unit: ServiceUnit, path: string): readonly RenderedFile[] {
  const stopSec = Math.ceil(unit.drainMs / 1000) + marginSec;
  const entries: readonly (readonly [string, string])[] = [
    ["Label", string(unit.names.launchd)],
    ["Comment", string(unit.description)],
    ["RunAtLoad", "<true/>"],
    ["KeepAlive", "<true/>"],
    // launchd knows no exit status that forbids a restart: a gateway that refuses to start is tried twice a minute.
    ["ThrottleInterval", integer(30)],
    ["ExitTimeOut", integer(stopSec)],
    // Somebody waits for the answers: not to be slowed down as work in the background is.
    ["ProcessType", string("Interactive")],
    ["Umask", integer(0o077)],
    ["ProgramArguments", array(unit.program)],
    // The gateway keeps its own log file: what it prints besides that is only of interest when it ends.
    ["StandardOutPath", string("/dev/null")],
    ["StandardErrorPath", string(unit.errorFile)],
    ["EnvironmentVariables", dict(Object.entries(unit.environment).map(([name, value]) => [name, string(value)]))],
  ];
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${dict(entries)}
</plist>
`;
  const secrets = Object.keys(unit.secrets).length > 0;
  return [
    { path, text, mode: 0o644 },
    ...(secrets ? [{ path: unit.secretsFile, text: renderSecrets(unit.secrets), mode: 0o600 }] : []),
  ];
}

/** launchd makes the log file, but not its folder. */
export function logFolder(unit: ServiceUnit): string {
  return dirname(unit.errorFile);
}

/** On top of the gateway's own budget, for closing what it has open. */
const marginSec = 10;

/** The program and variables of a property list, whoever wrote it in XML. */
export function parseLaunchd(text: string): {
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const program = /<key>ProgramArguments<\/key>\s*<array>([\s\S]*?)<\/array>/.exec(text)?.[1] ?? "";
  const environment = /<key>EnvironmentVariables<\/key>\s*<dict>([\s\S]*?)<\/dict>/.exec(text)?.[1] ?? "";
  return {
    program: [...program.matchAll(/<string>([^<]*)<\/string>/g)].map(([, value = ""]) => unescapeXml(value)),
    environment: Object.fromEntries(
      [...environment.matchAll(/<key>([^<]*)<\/key>\s*<string>([^<]*)<\/string>/g)].map(([, name = "", value = ""]) => [
        unescapeXml(name),
        unescapeXml(value),
      ]),
    ),
  };
}

function dict(entries: readonly (readonly [string, string])[]): string {
  return block(
    "dict",
    entries.map(([key, value]) => `<key>${escapeXml(key)}</key>\n${value}`),
  );
}

function array(values: readonly string[]): string {
  return block("array", values.map(string));
}

function block(tag: string, lines: readonly string[]): string {
  const inner = lines.join("\n").replace(/^/gm, "  ");
  return `<${tag}>\n${inner}\n</${tag}>`;
}

function string(value: string): string {
  return `<string>${escapeXml(value)}</string>`;
}

function integer(value: number): string {
  return `<integer>${value}</integer>`;
}
