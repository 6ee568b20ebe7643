import { test } from "uvu";
import * as assert from "uvu/assert";
import { createWorkspaceFiles } from "../../../src/agent/workspace-files.ts";
import { promptReporter } from "../../../src/flow/slash/prompt-report.ts";
import { flavours } from "../../../src/host/flavour.ts";
import { pathsOf } from "../../../src/host/paths.ts";
import { tools, toolSpecs } from "../../../src/tools/index.ts";
import { toolsWith } from "../../../src/tools/tool.ts";
import { scriptedHost } from "../../support/host.ts";
import { conversation, type Options } from "./conversation.ts";

function reported(options: Options = {}) {
  const host = scriptedHost();
  host.files.put("/home/me/.openclaw/workspace/AGENTS.md", "Be kind.");
  const { context, row } = conversation(options);
  const report = promptReporter({
    host,
    paths: pathsOf(host, flavours.openclaw, ""),
    config: context.config,
    accounts: context.accounts,
    tools,
    toolSpecs,
    workspaceFiles: createWorkspaceFiles(host.files),
  });
  return { report, row };
}

test("the report is of the prompt that the session's next run begins with", async () => {
  const { report, row } = reported();
  const found = await report(row());
  assert.is(found?.workspaceDir, "/home/me/.openclaw/workspace");
  assert.is(found?.injectedWorkspaceFiles.find(({ name }) => name === "AGENTS.md")?.rawChars, 8);
  assert.equal(
    found?.tools.map(({ name }) => name),
    toolsWith(tools, { files: scriptedHost().files }).map(({ name }) => name),
  );
  const { reply } = conversation({ promptReport: report });
  assert.match(await reply("/context list"), /^🧠 Context breakdown\nWorkspace: [^]*- AGENTS\.md: OK, raw 8 chars/);
});

test("there is none without a model to ask, or without the agent", async () => {
  const locked = reported({ locked: true });
  assert.is(await locked.report(locked.row()), undefined);
  const gone = reported({ row: { agentId: "gone" } });
  assert.is(await gone.report(gone.row()), undefined);
});

test.run();
