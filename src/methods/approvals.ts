import * as v from "valibot";
import { method } from "./method.ts";

// Nothing here asks for approval, so nothing waits for one. Clients ask right after connecting and show what they get.
const waiting = v.array(v.looseObject({ id: v.string() }));

export const approvalMethods = [
  method({
    name: "exec.approval.list",
    scope: "operator.approvals",
    summary: "Commands that wait for approval.",
    params: () => v.object({}),
    result: () => waiting,
    run: () => [],
  }),
  method({
    name: "plugin.approval.list",
    scope: "operator.approvals",
    summary: "Requests of plugins that wait for approval.",
    params: () => v.object({}),
    result: () => waiting,
    run: () => [],
  }),
  method({
    name: "openclaw.approval.list",
    scope: "operator.approvals",
    summary: "Changes to the gateway itself that wait for approval.",
    params: () => v.object({}),
    result: () => waiting,
    run: () => [],
  }),
  method({
    name: "question.list",
    scope: "operator.questions",
    summary: "Questions of agents that wait for an answer.",
    params: () => v.object({}),
    result: () => v.object({ questions: waiting }),
    run: () => ({ questions: [] }),
  }),
] as const;
