import { main } from "../../src/main.ts";
import { createHost } from "../machine/host.ts";

const serve: typeof import("./serve.ts").serve = async (options, fetch) =>
  (await import("./serve.ts")).serve(options, fetch);
process.exitCode = await main(createHost({ runtime: "bun", version: Bun.version, main: import.meta.filename, serve }));
