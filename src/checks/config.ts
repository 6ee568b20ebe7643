import { migrateLegacy } from "../config/legacy.ts";
import { withValue } from "../config/differences.ts";
import { parsePath, valueAt } from "../config/path.ts";
import { flavours } from "../host/flavour.ts";
import { join, tildify } from "../host/paths.ts";
import type { Check, CheckContext, Finding } from "./check.ts";

/** The configuration file: whether it can be read, what in it is wrong, not known, or of an older version. */
export const config: Check = {
  id: "config",
  title: "Configuration",
  look: async (context) => [
    ...fileFindings(context),
    ...wrongValues(context),
    ...(await oldKeys(context)),
    ...unknownKeys(context),
    ...(await oldStateFolders(context)),
  ],
};

function fileFindings({ host, paths, program, config: { snapshot, trouble }, ...context }: CheckContext): Finding[] {
  const path = paths.config;
  const file = tildify(host, path);
  if (trouble !== undefined)
    return [
      { code: "config-unreadable", level: "error", message: `${trouble}; only defaults are looked at here.`, path },
    ];
  if (!snapshot.exists)
    return [
      {
        code: "config-missing",
        level: "warning",
        message: `There is no ${file}: the gateway does not start without it.`,
        path,
        command: `${program} onboard`,
      },
    ];
  if (snapshot.value.gateway.mode !== undefined || isBroken(snapshot.issues)) return [];
  return [
    {
      code: "gateway-mode-unset",
      level: "error",
      message: "gateway.mode is not set: the gateway does not start until it is local.",
      path: "gateway.mode",
      command: `${program} config set gateway.mode local`,
      fix: {
        question: "Set gateway.mode to local?",
        asks: true,
        async apply() {
          await context.changeConfig((written) => withValue(written, ["gateway", "mode"], "local"));
          return "Set gateway.mode to local.";
        },
      },
    },
  ];
}

function wrongValues({ host, paths, program, config: { snapshot } }: CheckContext): Finding[] {
  const unsafe = new Set(snapshot.unsafe.map(({ path, message }) => `${path}\n${message}`));
  return snapshot.issues.slice(0, most).map(({ path, message }) => {
    if (path === "")
      return {
        code: "config-syntax",
        level: "error",
        message: `${tildify(host, paths.config)} cannot be used at all: ${message}.`,
        path: paths.config,
        command: `${program} config rollback 1`,
      };
    const open = unsafe.has(`${path}\n${message}`);
    return {
      code: open ? "config-unsafe" : "config-invalid",
      level: "error",
      message: `${path} ${message}${open ? "; the gateway does not start while this is open" : ""}.`,
      path,
      command: `${program} config unset ${shellWord(path)}`,
    };
  });
}

async function oldKeys({ config: { snapshot }, program, changeConfig }: CheckContext): Promise<Finding[]> {
  const { value, moved } = migrateLegacy(snapshot.parsed);
  const found: Finding[] = snapshot.warnings
    .filter(({ path }) => valueAt(value, parsePath(path)) !== undefined)
    .map(({ path, message }) => ({
      code: "config-legacy-unknown",
      level: "warning",
      message: `${message} What is in it has no known new place.`,
      path,
      command: `${program} config get ${path}`,
    }));
  if (moved.length === 0) return found;
  return [
    {
      code: "config-legacy-keys",
      level: "warning",
      message: `Keys of an older version are not read any more: ${moved.join("; ")}.`,
      command: `${program} doctor --fix`,
      fix: {
        question: `Move what older versions wrote to where it is read (${moved.join("; ")})?`,
        asks: true,
        async apply() {
          await changeConfig((written) => migrateLegacy(written).value);
          return `Moved ${moved.join("; ")}.`;
        },
      },
    },
    ...found,
  ];
}

/** A key with a slip in its name does nothing, and looks as if it did. */
function unknownKeys({ config: { snapshot }, program, changeConfig }: CheckContext): Finding[] {
  return snapshot.unknownKeys.slice(0, most).map((path) => {
    const steps = parsePath(path);
    const command = `${program} config unset ${shellWord(path)}`;
    const finding: Finding = {
      code: "config-unknown-key",
      level: "warning",
      message: `${path} is not a known key: it is kept, and does nothing.`,
      path,
      command,
    };
    // What an included file brought is for a person to change there.
    if (valueAt(snapshot.parsed, steps) === undefined) return finding;
    return {
      ...finding,
      fix: {
        question: `Remove the key ${path}?`,
        asks: true,
        async apply() {
          await changeConfig((written) => withValue(written, steps, undefined));
          return `Removed the key ${path}.`;
        },
      },
    };
  });
}

/** Folders of the names that this program had before, beside the one that is used. */
async function oldStateFolders({ host, paths, program }: CheckContext): Promise<Finding[]> {
  if (paths.profile !== "") return [];
  const names = [".moltbot", flavours.clawdbot.stateFolder, flavours.openclaw.stateFolder];
  const others = names.map((name) => join(host.home, name)).filter((folder) => folder !== paths.state);
  const found = await Promise.all(
    others.map(async (folder) => ((await host.files.list(folder)).length > 0 ? [folder] : [])),
  );
  return found.flat().map((folder) => ({
    code: "legacy-state-folder",
    level: "info",
    message: `${tildify(host, folder)} is another installation's state; ${program} uses ${tildify(host, paths.state)}.`,
    path: folder,
    command: `${program} migrate --from ${shellWord(tildify(host, folder))}`,
  }));
}

const most = 20;

function isBroken(issues: readonly { readonly path: string }[]): boolean {
  return issues.some(({ path }) => path === "");
}

/** As it is to be typed in a shell. */
function shellWord(text: string): string {
  return /^[\w./~@:=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
