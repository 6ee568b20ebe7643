import { compactSession } from "./compact-session.ts";
import { openConversation } from "./conversation.ts";
import { converse } from "./converse.ts";
import { splitReference } from "../model/models.ts";
import { openRun } from "./open-run.ts";
import { createProgress, endedBy, finished } from "./progress.ts";
import type { RunnerDeps } from "./runner-deps.ts";
import type { Runner, RunEvent } from "./runner.ts";
import { createWorkspaceFiles } from "./workspace-files.ts";

export type { RunnerDeps } from "./runner-deps.ts";

/** The agent loop over real parts, or doubles of them. */
export function createRunner(deps: RunnerDeps): Runner {
  const workspaceFiles = createWorkspaceFiles(deps.host.files);
  const said = new Set<string>();
  /** Once each, not with every run. */
  const warn = (text: string): void => {
    if (said.size < maxSaid && !said.has(text)) deps.log.warn(text);
    said.add(text);
  };
  return {
    async run(input) {
      const emit = (event: RunEvent): void => {
        try {
          input.emit(event);
        } catch (error) {
          deps.log.error("somebody who watches a run failed", { event: event.type, error });
        }
      };
      const progress = createProgress();
      try {
        // First of all, so that whatever ends the run can be written down.
        const conversation = await openConversation(deps.sessions, input, emit);
        progress.conversation = conversation;
        const run = await openRun(deps, { ...input, emit }, { conversation, workspaceFiles, warn });
        const { provider, id: model } = splitReference(run.agent.model.primary);
        progress.asked = { api: "", provider, model };
        await converse(run, progress);
        return finished(progress);
      } catch (error) {
        return endedBy(error, { deps, input: { ...input, emit }, progress });
      }
    },
    compact: (input) => compactSession(deps, input),
  };
}

/** Warnings remembered; the configuration may be changed any number of times. */
const maxSaid = 100;
