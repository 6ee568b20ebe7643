import { main } from "../../src/main.ts";
import { createHost } from "../machine/host.ts";
import type { serve as Serve } from "./serve.ts";

const serve: typeof Serve = async (options, fetch) => (await import("./serve.ts")).serve(options, fetch);
// What a busy minute took stays with the process otherwise, several times what is in use.
const rest = (): void => {
  Bun.gc(true);
  Bun.shrink();
};
const program = import.meta.filename;
process.exitCode = await main(createHost({ runtime: "bun", version: Bun.version, main: program, serve, rest }));
