import { fileURLToPath } from "node:url";
import { main } from "../../src/main.ts";
import { createHost } from "../machine/host.ts";
import type { serve as Serve } from "../machine/serve.ts";

const serve: typeof Serve = async (options, fetch) => (await import("../machine/serve.ts")).serve(options, fetch);
const version = process.versions["deno"] ?? "";
process.exitCode = await main(createHost({ runtime: "deno", version, main: fileURLToPath(import.meta.url), serve }));
