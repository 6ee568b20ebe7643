import { test } from "uvu";
import * as assert from "uvu/assert";
import { anthropic } from "../../src/providers/anthropic.ts";
import type { Message } from "../../src/session/message.ts";
import { anthropicDouble, claude, scripts } from "../support/vendors/anthropic.ts";
import { callOf, collect, requestOf } from "../support/vendors/double.ts";

test("half a surrogate pair and NUL are replaced in what a provider is sent, and nothing else is", async () => {
  const sent = "\ud83d half \udc00, whole \ud83d\ude00, \0, written \\ud800 and \\u0000 and \\\\ \n";
  const double = anthropicDouble({ script: scripts.text });
  const messages: readonly Message[] = [{ role: "user", content: [{ type: "text", text: sent }], timestamp: 0 }];
  await collect(anthropic.stream(requestOf(claude, { messages }), callOf(double)));
  const text = JSON.stringify(double.bodies[0]);
  assert.ok(
    text.includes(
      JSON.stringify("\ufffd half \ufffd, whole \ud83d\ude00, \ufffd, written \\ud800 and \\u0000 and \\\\ \n"),
    ),
  );
});

test.run();
