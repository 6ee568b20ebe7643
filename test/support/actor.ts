import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Side } from "./netns.ts";
import { runtime } from "./runtime.ts";

/** Functions of a test file that can be run in another process: what they take and answer goes over as JSON. */
export type Acts = Readonly<Record<string, (...given: never[]) => Promise<unknown>>>;

/** The same functions, run over there. What they throw, is thrown here, with its message. */
export type Actor<A extends Acts> = {
  readonly [Name in keyof A]: (...given: Parameters<A[Name]>) => ReturnType<A[Name]>;
} & { readonly end: () => Promise<void> };

/** Whether this process is one that `actorFor` started, which has nothing to test but only to `act`. */
export const isActor: boolean = process.argv[2] === "--act";

/** Does what the test asks for, until it has no more to ask. */
export async function act(acts: Acts): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, name, given } = JSON.parse(line);
    // Not awaited: one act may wait for what another one brings about.
    void (acts[name] as (...given: unknown[]) => Promise<unknown>)(...given).then(
      (value) => answer({ id, value }),
      (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  }
  process.exit(0);
}

/** Starts this test file once more, on the same runtime, on one side of a network. */
export function actorFor<A extends Acts>(acts: A, side: Side): Actor<A> {
  const script = process.argv[1] ?? "";
  const start = runtime === "deno" ? ["run", "-A", "--no-check", script] : [...process.execArgv, script];
  const [program = "", ...args] = side.command([process.execPath, ...start, "--act"]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void gone.then(() => waiting.forEach(({ reject }) => reject(new Error("the other process has ended"))));
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, value, error } = JSON.parse(line);
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  });
  let count = 0;
  const ask = (name: string, given: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id, name, given })}\n`);
    });
  const asked = Object.keys(acts).map((name) => [name, (...given: unknown[]) => ask(name, given)]);
  const end = async (): Promise<void> => {
    child.stdin.end();
    await gone;
  };
  // Each name asks for the function of that name over there, which has the type that it has here.
  return Object.assign(Object.fromEntries(asked) as Omit<Actor<A>, "end">, { end }) as Actor<A>;
}

function answer(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
