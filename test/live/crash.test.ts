import { test } from "uvu";
import * as assert from "uvu/assert";
import { crashAgain } from "../support/crash.ts";
import { endLaunched } from "../support/launch.ts";
import { runtime } from "../support/runtime.ts";

test.after(endLaunched);

// The other runtimes take longer to start, and share all but the adapters.
const kills = runtime === "bun" ? 200 : 15;

test(`${kills} kills under load: what was acknowledged is there once and is answered once`, async () => {
  const { restartMs: _, unanswered: __, acknowledged, injects, ...card } = await crashAgain({ kills });
  assert.ok(acknowledged >= kills, `${acknowledged} acknowledged`);
  assert.ok(injects > 0);
  assert.equal(card, {
    kills,
    lost: [],
    doubled: [],
    notAnswered: [],
    answeredTwice: [],
    injectsWrong: [],
    damaged: [],
    stuck: [],
  });
});

test.run();
