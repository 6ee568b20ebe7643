import { main } from "../../src/main.ts";
import { createHost } from "../machine/host.ts";
import type { serve as Serve } from "./serve.ts";

const serve: typeof Serve = async (options, fetch) => (await import("./serve.ts")).serve(options, fetch);
const rest = (): void => void import("./rest.ts").then((loaded) => loaded.rest());
const sinkOf = (descriptor: number) => Bun.file(descriptor).writer();
const program = import.meta.filename;
process.exitCode = await main(createHost({ runtime: "bun", version: Bun.version, main: program, serve, rest, sinkOf }));
