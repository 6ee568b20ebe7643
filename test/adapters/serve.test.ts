import { test } from "uvu";
import { serveContract } from "../contract/serve.ts";
import { runtime } from "../support/runtime.ts";

const { serve } = await (runtime === "bun"
  ? import("../../adapters/bun/serve.ts")
  : import("../../adapters/machine/serve.ts"));
serveContract(runtime, serve);
test.run();
