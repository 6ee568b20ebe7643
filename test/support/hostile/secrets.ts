import type { Attack, Target } from "./attack.ts";
import { introduce, type Introduction, type Json, makeDevice } from "./session.ts";

/** Parameters that some methods need before they show anything. */
const params: Readonly<Record<string, unknown>> = {
  "config.schema.lookup": { path: "models.providers" },
  "logs.tail": { limit: 5000 },
  "agent.identity.get": { agentId: "main" },
};

/** Methods that change nothing. */
const reads =
  /(^|[.-])(get|list|status|schema|lookup|tail|catalog|describe|info|cost|self|presence|stability)$|^health$/;

/** Secrets of the configuration, looked for in everything that a client can read. */
export const secrets: readonly Attack[] = [
  crawl("a caller that may only read", { scopes: ["operator.read"] }),
  crawl("an administrator", {}),
  crawl("a paired device", { device: makeDevice(), id: "openclaw-tui", mode: "ui" }),
  {
    name: "threat G: no secret is in an error about a value that holds one",
    expected: "none shown",
    needs: ["token", "own"],
    async run(target) {
      const owner = await introduce(target);
      const [canary = ""] = target.own?.canaries ?? [];
      const { hash } = (await owner.call("config.get", {})).payload;
      const broken = [
        { gateway: { auth: { token: [canary] } } },
        { models: { providers: { canary: { apiKey: { nested: canary } } } } },
      ];
      const answers: Json[] = [];
      for (const patch of broken)
        answers.push(await owner.call("config.patch", { raw: JSON.stringify(patch), baseHash: hash }));
      answers.push(await owner.call("config.set", { raw: `{ gateway: { auth: { token: "${canary}" `, baseHash: hash }));
      await owner.leave();
      const accepted = answers.filter(({ ok }) => ok).length;
      return accepted > 0 ? `${accepted} accepted` : shown(target, "the errors", JSON.stringify(answers));
    },
  },
  {
    name: "threat G: no secret is in the log, after all that was sent",
    expected: "none shown",
    needs: ["own"],
    run: async (target) => shown(target, "the log", (target.own?.logs() ?? []).join("\n")),
  },
];

function crawl(who: string, given: Introduction): Attack {
  return {
    name: `threat G: no secret is shown to ${who}`,
    expected: "none shown",
    needs: ["token"],
    async run(target) {
      const caller = await introduce(target, given);
      const texts: [string, string][] = [["hello", JSON.stringify(caller.hello)]];
      for (const method of caller.hello.features.methods.filter((name: string) => reads.test(name)))
        texts.push([method, JSON.stringify(await caller.call(method, params[method]))]);
      await caller.leave();
      const seen = texts.map(([where, text]) => shown(target, where, text)).filter((each) => each !== "none shown");
      return seen.length === 0 ? "none shown" : seen.join("; ");
    },
  };
}

function shown(target: Target, where: string, text: string): string {
  const canaries = target.own?.canaries ?? [target.token ?? ""];
  const seen = canaries.filter((canary) => canary !== "" && text.includes(canary));
  return seen.length === 0 ? "none shown" : `${where} shows ${seen.join(", ")}`;
}
