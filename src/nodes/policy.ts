import type { Scope } from "../protocol/scope.ts";

const everywhere = [
  "camera.list",
  "location.get",
  "system.notify",
  "talk.ptt.start",
  "talk.ptt.stop",
  "talk.ptt.cancel",
  "talk.ptt.once",
];
const personal = [
  "calendar.events",
  "contacts.search",
  "device.info",
  "device.status",
  "motion.activity",
  "motion.pedometer",
  "photos.latest",
  "reminders.list",
];
const desktop = [
  "browser.proxy",
  "browser.proxy.upload.v1",
  "computer.act",
  "desktop.stream",
  "fs.listDir",
  "mcp.tools.call.v1",
  "screen.snapshot",
  "system.run",
  "system.run.prepare",
  "system.which",
  "system.execApprovals.get",
  "system.execApprovals.set",
  "terminal.upload",
];
const mac = [
  ...personal,
  ...desktop,
  "camera.ptz.status",
  "canvas.present",
  "canvas.hide",
  "canvas.navigate",
  "device.apps",
];
const windows = [...desktop, "device.info", "device.status"];

/** The commands that a node of a platform may offer besides those of every platform (protocol.md 3.9). */
const byPlatform: ReadonlyMap<string, readonly string[]> = new Map([
  ["ios", [...personal, "watch.status", "watch.notify"]],
  ["ipados", personal],
  [
    "android",
    [
      ...personal,
      "callLog.search",
      "device.apps",
      "device.health",
      "device.permissions",
      "notifications.list",
      "notifications.actions",
    ],
  ],
  ["macos", mac],
  ["darwin", mac],
  ["linux", desktop],
  ["windows", windows],
  ["win32", windows],
]);

/** Commands that run programs or read files: only an administrator lets a node offer them. */
const dangerous: ReadonlySet<string> = new Set([
  "system.run",
  "system.run.prepare",
  "system.which",
  "browser.proxy",
  "browser.proxy.upload.v1",
  "fs.listDir",
  "system.execApprovals.get",
  "system.execApprovals.set",
]);

/** The part of `declared` that a node of this platform may offer, in the order declared. */
export function allowedCommands(platform: string, declared: readonly string[]): readonly string[] {
  const name = /^[a-z0-9]*/.exec(platform.trim().toLowerCase())?.[0] ?? "";
  const allowed = new Set([...everywhere, ...(byPlatform.get(name) ?? [])]);
  return [...new Set(declared)].filter((command) => allowed.has(command));
}

/** The scopes that whoever approves these commands must hold (protocol.md 3.8). */
export function approvalScopes(commands: readonly string[]): readonly Scope[] {
  if (commands.length === 0) return ["operator.pairing"];
  if (commands.some((command) => dangerous.has(command)))
    return ["operator.pairing", "operator.write", "operator.admin"];
  return ["operator.pairing", "operator.write"];
}
