import { test } from "uvu";
import * as assert from "uvu/assert";
import { machine, refused, started } from "../commands/foreground.ts";

const state = "/home/me/.clawdbot";
const errors = `${state}/logs/gateway.err.log`;
const service = { CLAWDBOT_SERVICE_KIND: "gateway" };
const config = '{"gateway":{"mode":"local"},"unknown":1}';
const large = "x".repeat(1024 * 1024 + 1);

test("a service whose output goes to a plain file is silent there once its log file is open", async () => {
  const quiet = machine({ os: "darwin", env: service, files: { [`${state}/clawdbot.json`]: config } });
  await (await started(["gateway"], quiet)).stop();
  assert.equal([quiet.terminal.stdout.text, quiet.terminal.stderr.text], ["", ""]);
  assert.match(quiet.files.snapshot()[`${state}/logs/gateway.log`] ?? "", "unknown is not a known key");
  const journal = machine({ os: "linux", env: service, files: { [`${state}/clawdbot.json`]: config } });
  await (await started(["gateway"], journal)).stop();
  assert.match(journal.terminal.stderr.text, "unknown is not a known key", "the journal looks after itself");
});

test("what launchd collected is emptied at a start when it has grown large, even if the start is refused", async () => {
  const size = async (text: string) => {
    const host = machine({ os: "darwin", env: service, files: { [errors]: text } });
    await refused(["gateway"], host);
    return (await host.files.stat(errors))?.size;
  };
  assert.is(await size(large), 0);
  assert.is(await size("why it ended\n"), 13, "what is small stays to be read");
});

test("a file of that name is left alone by a gateway that a person starts", async () => {
  const host = machine({ os: "darwin", files: { [errors]: large } });
  await refused(["gateway"], host);
  assert.is((await host.files.stat(errors))?.size, large.length);
});

test.run();
