import { test } from "uvu";
import * as assert from "uvu/assert";
import { allowedCommands, approvalScopes } from "../../src/nodes/policy.ts";

test("a node offers what its platform may, in the order it declared, once", () => {
  const declared = ["system.run", "camera.list", "camera.snap", "device.info", "camera.list", "sms.send"];
  assert.equal(allowedCommands("ios 18.1", declared), ["camera.list", "device.info"]);
  assert.equal(allowedCommands("Linux 6.2", declared), ["system.run", "camera.list"]);
  assert.equal(allowedCommands("win32", declared), ["system.run", "camera.list", "device.info"]);
  assert.equal(allowedCommands("darwin", declared), ["system.run", "camera.list", "device.info"]);
  assert.equal(allowedCommands("toaster", declared), ["camera.list"]);
  assert.equal(allowedCommands("", declared), ["camera.list"]);
});

test("each platform has exactly the commands that were measured", () => {
  const counts = Object.entries({ "ios 18.1": 17, "iPadOS 18": 15, android: 21, macos: 33, linux: 20, windows: 22 });
  for (const [platform, count] of counts) assert.is(allowedCommands(platform, everything).length, count, platform);
  for (const platform of ["toaster", "watchos 11"]) assert.is(allowedCommands(platform, everything).length, 7);
});

test("threat Q: what takes, records, adds, sends or touches files is allowed nowhere by default", () => {
  const never = ["camera.snap", "camera.clip", "screen.record", "contacts.add", "sms.send", "file.read", "canvas.eval"];
  for (const platform of ["ios", "android", "macos", "linux", "windows"])
    assert.equal(allowedCommands(platform, never), []);
});

test("whoever approves commands that run programs is an administrator", () => {
  assert.equal(approvalScopes([]), ["operator.pairing"]);
  assert.equal(approvalScopes(["device.info"]), ["operator.pairing", "operator.write"]);
  for (const command of ["system.run", "system.which", "fs.listDir", "browser.proxy", "system.execApprovals.set"])
    assert.ok(approvalScopes(["device.info", command]).includes("operator.admin"), command);
});

const everything = [
  ..."browser.proxy browser.proxy.upload.v1 calendar.events callLog.search camera.list camera.ptz.status".split(" "),
  ..."camera.snap canvas.hide canvas.navigate canvas.present computer.act contacts.search desktop.stream".split(" "),
  ..."device.apps device.health device.info device.permissions device.status fs.listDir location.get".split(" "),
  ..."mcp.tools.call.v1 motion.activity motion.pedometer notifications.actions notifications.list".split(" "),
  ..."photos.latest reminders.list screen.snapshot screen.record sms.send system.execApprovals.get".split(" "),
  ..."system.execApprovals.set system.notify system.run system.run.prepare system.which talk.ptt.cancel".split(" "),
  ..."talk.ptt.once talk.ptt.start talk.ptt.stop terminal.upload watch.notify watch.status".split(" "),
];

test.run();
