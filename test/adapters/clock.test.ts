import { test } from "uvu";
import * as assert from "uvu/assert";
import { clock } from "../../adapters/machine/clock.ts";

test("work that is a month away does not run now", async () => {
  let ran = false;
  const cancel = clock.after(30 * 24 * 60 * 60 * 1000, () => void (ran = true));
  await clock.sleep(20);
  cancel();
  assert.not.ok(ran);
});

test("work that was cancelled does not run", async () => {
  const ran: string[] = [];
  clock.after(1, () => void ran.push("cancelled"))();
  clock.after(1, () => void ran.push("kept"));
  await clock.sleep(50);
  assert.equal(ran, ["kept"]);
});

test.run();
