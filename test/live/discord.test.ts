import { rmSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeHome, startGateway, until } from "../support/gateway-process.ts";
import { endLaunched } from "../support/launch.ts";
import { serveDiscord } from "../support/networks/discord-http.ts";

test.after(endLaunched);

const wait = 20_000;

test("what is written in Discord is answered once, also what was written while the gateway was killed", async () => {
  const network = await serveDiscord();
  const { double, apiRoot } = network;
  const home = makeHome();
  const config = {
    gateway: { mode: "local", auth: { mode: "token", token: "a-token-of-this-test" } },
    channels: { discord: { token: double.token, apiRoot, dm: { policy: "open", allowFrom: ["*"] } } },
  };
  const start = (given: object = {}) => startGateway({ home, args: [], env: { OPENCLAW_SAFE_MODE: "off" }, ...given });
  const texts: string[] = [];
  const answersTo = (text: string): number =>
    double.messages.filter(({ content }) => content.includes(`You said: ${text}`)).length;
  const write = (): void => {
    texts.push(`message ${texts.length}.`);
    double.write(texts.at(-1) ?? "");
  };
  const answered = (): Promise<true> =>
    until("an answer", () => texts.every((text) => answersTo(text) > 0) || undefined, wait);
  const connected = (times: number): Promise<true> =>
    until(
      "a connection",
      () => double.heard.filter(({ op }) => op === 2 || op === 6).length === times || undefined,
      wait,
    );

  try {
    let gateway = await start({ config });
    await connected(1);
    write();
    await answered();
    for (let kill = 2; kill < 5; kill++) {
      await gateway.stop("SIGKILL");
      write();
      gateway = await start();
      await connected(kill);
      await answered();
    }
    await gateway.stop();
    write();
    gateway = await start();
    await answered();
    await gateway.stop();
    assert.equal(
      texts.map(answersTo),
      texts.map(() => 1),
    );
    assert.equal(
      double.heard.flatMap(({ op }) => (op === 2 || op === 6 ? [op] : [])),
      [2, 6, 6, 6, 6],
    );
    assert.equal(double.problems, []);
  } finally {
    await network.close();
    rmSync(home, { recursive: true, force: true });
  }
});

test.run();
