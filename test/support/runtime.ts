/** The runtime this test runs on, and how to start the product on the same one. */
export const runtime: "bun" | "deno" | "node" = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** The repository's folder, with no slash at the end. Tests run with it as the working folder. */
export const root = process.cwd().replaceAll("\\", "/");

/** Which form of the product `program` is: `source`, or one that scripts/build/shipped.ts makes (`npm test -- --program`). */
export const form = process.env["CLAWLET_TEST_PROGRAM"] ?? "source";

/** The folder with what is shipped: `clawlet.tgz`, `installed` and the executable `clawlet`; undefined for none. */
export const shipped: string | undefined = process.env["CLAWLET_TEST_SHIPPED"];

/** Executable and leading arguments that run a script on this runtime. */
export const interpreter: readonly string[] = [
  process.execPath,
  ...(runtime === "deno" ? ["run", "-A", "--no-check"] : []),
];

const strips = runtime !== "node" || Number(process.versions.node.split(".")[0]) >= 23;
const source =
  runtime === "node" && !strips
    ? `${root}/${process.env["CLAWLET_TEST_BUILD"]}/adapters/node/main.js`
    : `${root}/adapters/${runtime}/main.ts`;

/** The main file of the source; undefined where the runtime reads no TypeScript. */
export const sourceMain: string | undefined = strips ? source : undefined;

/** Executable and leading arguments that start the product in that form; in all but one on this runtime. */
export const program: readonly string[] =
  form === "binary"
    ? [`${shipped}/clawlet`]
    : [...interpreter, form === "package" ? `${shipped}/installed/node_modules/clawlet/dist/clawlet.js` : source];
