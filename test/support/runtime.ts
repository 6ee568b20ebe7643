/** The runtime this test runs on, and how to start the product on the same one. */
export const runtime: "bun" | "deno" | "node" = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** The repository's folder, with no slash at the end. Tests run with it as the working folder. */
export const root = process.cwd().replaceAll("\\", "/");

const strips = runtime !== "node" || Number(process.versions.node.split(".")[0]) >= 23;

/** Executable and leading arguments that start the product from source on this runtime. */
export const program: readonly string[] =
  runtime === "bun"
    ? [process.execPath, `${root}/adapters/bun/main.ts`]
    : runtime === "deno"
      ? [process.execPath, "run", "-A", "--no-check", `${root}/adapters/deno/main.ts`]
      : [
          process.execPath,
          strips
            ? `${root}/adapters/node/main.ts`
            : `${root}/${process.env["CLAWLET_TEST_BUILD"]}/adapters/node/main.js`,
        ];
