import { test } from "uvu";
import * as assert from "uvu/assert";
import { sessionStatus } from "../../src/tools/session-status.ts";
import { call, textOf, workspaceWith } from "./try.ts";

test("the session's status is what the run says that it is", async () => {
  assert.is(textOf(await call(sessionStatus, {}, { files: workspaceWith() })), "all is well");
});

test.run();
