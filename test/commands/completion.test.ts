import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { grammarOf } from "../../src/cli/completion.ts";
import { bashCompletion } from "../../src/cli/completion-bash.ts";
import { fishCompletion } from "../../src/cli/completion-fish.ts";
import { powershellCompletion } from "../../src/cli/completion-powershell.ts";
import { zshCompletion } from "../../src/cli/completion-zsh.ts";
import { command } from "../../src/commands/command.ts";
import { run } from "./run.ts";

/** How each shell is asked what it would offer for a line whose last word is being typed; one offer a line. */
const askers: Readonly<
  Record<string, { command: string; script: (completion: string, words: readonly string[]) => string }>
> = {
  bash: {
    command: "bash",
    script: (completion, words) => `. ${completion}
COMP_WORDS=(${words.map(quoted).join(" ")}); COMP_CWORD=${words.length - 1}
_clawlet_complete
printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  // Only a person at a terminal gets at zsh's own offers: the builtins that take them print them here.
  zsh: {
    command: "zsh",
    script: (completion, words) => `compdef() { : }; compset() { : }; _files() { print -r -- FILES }
_describe() { local n=\${@[-1]}; print -rl -- \${\${(P)n}%%:*} }
compadd() { print -rl -- \${(P)2} }
. ${completion}
words=(${words.map(quoted).join(" ")}); CURRENT=${words.length}
_clawlet | while read -r offer; do [[ $offer == \${words[CURRENT]##*=}* ]] && print -r -- $offer; done; true`,
  },
  // Fish offers what has the letters anywhere when nothing begins with them.
  fish: {
    command: "fish",
    script: (completion, words) => `source ${completion}
complete -C ${quoted(words.join(" "))} | string replace -r '\\t.*' '' | string match -r -- '^${words.at(-1)}.*'; true`,
  },
};

const offers: readonly (readonly [line: string, expected: readonly string[]])[] = [
  ["clawdbot gateway in", ["install"]],
  ["clawlet gateway --bi", ["--bind"]],
  ["openclaw gateway --bind ", ["loopback", "lan", "tailnet", "auto", "custom"]],
  ["openclaw --profile gateway gateway stat", ["status"]],
  ["openclaw --url ws://10.0.0.1 gateway --token=x stat", ["status"]],
  ["openclaw gateway --bind lan status --no-p", ["--no-probe"]],
  ["openclaw gateway status --bi", []],
  ["openclaw logs --log-level wa", ["warn"]],
  ["openclaw config get gateway -- --", []],
];

for (const [shell, { command: program, script }] of Object.entries(askers)) {
  const isHere = spawnSync(program, ["-c", "true"]).status === 0;
  if (!isHere) {
    test.skip(`${shell} completes (skipped: needs ${shell})`, () => undefined);
    process.stdout.write(`skipped: needs ${shell}\n`);
    continue;
  }
  for (const [line, expected] of offers) {
    test(`${shell}: ${line}<TAB> offers ${expected.join(", ") || "nothing"}`, async () => {
      const { stdout } = await run(["completion", shell]);
      const answer = inFolder((folder) => {
        writeFileSync(join(folder, "script"), stdout);
        const words = line.split(" ");
        return spawnSync(program, ["-c", script(join(folder, "script"), words)], { encoding: "utf8" });
      });
      assert.is(answer.stderr, "");
      assert.equal(answer.stdout.split("\n").filter(Boolean).toSorted(), expected.toSorted());
    });
  }
}

test("bash: a value after = is offered too, which arrives as a word of its own", async () => {
  const { stdout } = await run(["completion", "bash"]);
  const script = `${stdout}
COMP_WORDS=(clawlet gateway --bind = t); COMP_CWORD=4
_clawlet_complete
printf '%s\\n' "\${COMPREPLY[@]}"`;
  assert.is(spawnSync("bash", ["-c", script], { encoding: "utf8" }).stdout, "tailnet\n");
});

test("every script names the program's three names, and no script starts it", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, stdout } = await run(["completion", shell]);
    assert.is(code, 0);
    for (const name of ["openclaw", "clawdbot", "clawlet"]) assert.ok(stdout.includes(name), `${shell}: ${name}`);
    assert.not.match(stdout, /\$\((openclaw|clawdbot|clawlet) /);
  }
});

test("a text with quotes, dollars and backslashes is only text in every shell", async () => {
  const hostile = 'It\'s $(touch /tmp/x) `id` \\ "quoted"';
  const table = { do: async () => command({ path: ["do"], summary: hostile, options: {}, run: async () => 0 }) };
  const grammar = await grammarOf(table);
  assert.ok(zshCompletion(grammar, ["x"]).includes(`'do:${hostile.replace("'", String.raw`'\''`)}'`));
  assert.ok(powershellCompletion(grammar, ["x"]).includes(`'${hostile.replace("'", "''")}'`));
  assert.ok(
    fishCompletion(grammar, ["x"]).includes(`'${hostile.replaceAll("\\", "\\\\").replace("'", String.raw`\'`)}'`),
  );
  assert.not.ok(bashCompletion(grammar, ["x"]).includes("touch"), "bash shows no descriptions");
});

test("the bash script begins as expected", async () => {
  const run = async (): Promise<number> => 0;
  const bind = { value: "<mode>", choices: ["loopback", "lan"], description: "Where." };
  const table = {
    gateway: async () => command({ path: ["gateway"], summary: "Run.", options: { bind }, run }),
    "gateway token": async () =>
      command({ path: ["gateway", "token"], summary: "Token.", options: { token: { description: "It." } }, run }),
  };
  const globals = "--dev --profile --json --no-color --log-level --verbose --version --help";
  const expected = `# bash completion for clawlet
_clawlet_place() {
  case "$1" in
    '') words='gateway' flags='${globals}' files= ;;
    'gateway') words='token' flags='${globals} --bind' files= ;;
    'gateway token') words='' flags='${globals} --token' files= ;;
  esac
}
_clawlet_value() {
  case "$1 $2" in
    'gateway --bind') choices='loopback lan' value_files= ;;
    'gateway token --token') return 1 ;;
    *' --url'|*' --token'|*' --password'|*' --tls-fingerprint'|*' --timeout'|*' --profile') choices='' value_files= ;;
    *' --log-level') choices='trace debug info warn error' value_files= ;;
    *) return 1 ;;
  esac
}
`;
  assert.is(bashCompletion(await grammarOf(table), ["clawlet"]).slice(0, expected.length), expected);
});

test("the shell is that of $SHELL when none is named, and two different names are refused", async () => {
  const { stdout } = await run(["completion"], { env: { SHELL: "/usr/bin/fish" } });
  assert.match(stdout, /^# fish completion/);
  const { code, stderr } = await run(["completion", "bash", "--shell", "zsh"]);
  assert.is(code, 2);
  assert.match(stderr, /bash or --shell zsh: name one shell/);
  assert.is((await run(["completion", "tcsh"])).code, 2);
  assert.is((await run(["completion"], { env: { SHELL: "/usr/bin/toString" } })).code, 2);
});

test("--install keeps the script and adds one line to the shell's file, once", async () => {
  const { createMemoryFiles } = await import("../support/memory-files.ts");
  const disk = createMemoryFiles(() => 0);
  disk.put("/home/me/.bashrc", "alias ll='ls -l'");
  const line = ["completion", "--shell", "bash", "--install", "--write-state", "--yes"];
  const first = await run(line, { disk });
  assert.is(first.code, 0, first.stderr);
  const again = await run([...line, "--json"], { disk });
  assert.is(JSON.parse(again.stdout).changed, false);
  const script = "/home/me/.clawdbot/completions/clawdbot.bash";
  assert.is(
    await disk.read("/home/me/.bashrc"),
    `alias ll='ls -l'\n\n# clawdbot completion\n[ -f '${script}' ] && source '${script}'\n`,
  );
  assert.match((await disk.read(script)) ?? "", /complete -F _clawlet_complete openclaw clawdbot clawlet/);
});

test("--install asks nobody when nobody is there, and changes nothing then", async () => {
  const { createMemoryFiles } = await import("../support/memory-files.ts");
  const disk = createMemoryFiles(() => 0);
  assert.is((await run(["completion", "bash", "--install"], { disk })).code, 2);
  assert.is(await disk.read("/home/me/.bashrc"), undefined);
});

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "clawlet-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function quoted(text: string): string {
  return `'${text}'`;
}

test.run();
