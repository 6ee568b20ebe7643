import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program named `tailscale` that answers from files and writes down what it was asked. */
export interface FakeTailscale {
  /** PATH with it in front. */
  readonly env: { readonly PATH: string };
  /** What it prints on standard output when asked `status`, `serve`, `funnel`, `serve-status`, `reset` or `whois`. */
  answers(question: string, text: string): void;
  /** It fails with this on standard error. */
  fails(question: string, text: string): void;
  /** It never ends. */
  hangs(question: string): void;
  /** The command lines so far. */
  asked(): readonly string[];
  remove(): void;
}

export function fakeTailscale(): FakeTailscale {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-tailscale-"));
  const program = join(folder, "tailscale");
  const log = join(folder, "asked");
  writeFileSync(program, script(folder));
  chmodSync(program, 0o755);
  const put = (question: string, kind: string, text = "") => writeFileSync(join(folder, `${question}.${kind}`), text);
  return {
    env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` },
    answers: (question, text) => put(question, "out", text),
    fails: (question, text) => put(question, "err", text),
    hangs: (question) => put(question, "hang"),
    asked: () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function script(folder: string): string {
  return `#!/bin/sh
cd '${folder}' || exit 9
echo "$*" >> asked
question=$1
case "$*" in
  "serve status"*) question=serve-status ;;
  *" reset") question=reset ;;
esac
[ -f "$question.out" ] && cat "$question.out"
[ -f "$question.hang" ] && exec sleep 600
[ -f "$question.err" ] || exit 0
cat "$question.err" >&2
exit 1
`;
}
