import { confirm, intro, isCancel, note, password, select, text } from "@clack/prompts";
import type { Credential } from "../channels/channel.ts";
import { knownProviders } from "../model/model-choice.ts";
import type { Answers, LocalAnswers, RemoteAnswers } from "../gateway/first-setup.ts";
import { Failure } from "../kit/error.ts";

/** Opens the conversation of set-up: what the person is getting into, and where the gateway runs. */
export async function askMode(program: string, proposal: Answers["mode"]): Promise<Answers["mode"]> {
  intro(`${program} onboard`);
  note(
    "An agent with tools can read your files, run programs and act in your name.\nGive it only what it needs, and let only people you trust talk to it.",
    "Before you begin",
  );
  if (!(await answered(confirm({ message: "Go on?" })))) throw cancelled();
  return answered(
    select({
      message: "Where does the gateway run?",
      initialValue: proposal,
      options: [
        { value: "local" as const, label: "On this machine" },
        { value: "remote" as const, label: "Elsewhere: commands here talk to it" },
      ],
    }),
  );
}

/** Asks whether to do something that cannot be undone. */
export function confirmed(message: string): Promise<boolean> {
  return answered(confirm({ message, initialValue: false }));
}

/** Asks which of these networks is meant. */
export function askNetwork(networks: readonly { readonly id: string; readonly label: string }[]): Promise<string> {
  const options = networks.map(({ id, label }) => ({ value: id, label }));
  return answered(select({ message: "Which network?", options }));
}

/** Asks for a value that a network signs in with; a secret is not shown while it is typed. */
export async function askCredential(label: string, { key, help, public: isShown }: Credential): Promise<string> {
  const message = `${label}: ${key}. ${help}`;
  const validate = (value: string | undefined) => (value?.trim() ? undefined : "it cannot do without");
  return (await answered(isShown ? text({ message, validate }) : password({ message, validate }))).trim();
}

/** Asks for what set-up needs, each answer with its proposal. */
export function askAnswers(proposal: Answers): Promise<Answers> {
  return proposal.mode === "remote" ? askRemote(proposal) : askLocal(proposal);
}

async function askRemote(proposal: RemoteAnswers): Promise<RemoteAnswers> {
  const url = await answered(
    text({
      message: "WebSocket URL of the gateway",
      initialValue: proposal.url,
      placeholder: "wss://gateway.example:18789",
      validate: (value) => (/^wss?:\/\/\S+$/.test(value ?? "") ? undefined : "a URL that begins with ws:// or wss://"),
    }),
  );
  const token = await answered(password({ message: "Its token (empty: none, or the one that is configured)" }));
  return { mode: "remote", url, token: token || proposal.token };
}

async function askLocal(proposal: LocalAnswers): Promise<LocalAnswers> {
  const workspace = await answered(
    text({ message: "Workspace: the folder the agent works in", initialValue: proposal.workspace }),
  );
  const bind = await answered(
    select({
      message: "Who may reach the gateway?",
      initialValue: proposal.bind,
      options: [
        { value: "loopback" as const, label: "This machine only", hint: "safest" },
        { value: "lan" as const, label: "The local network" },
        { value: "tailnet" as const, label: "My Tailscale network" },
        { value: "auto" as const, label: "This machine and the local network" },
        ...(proposal.bind === "custom" ? [{ value: "custom" as const, label: "gateway.customBindHost" }] : []),
      ],
    }),
  );
  return { ...proposal, workspace, bind, ...(await askModel(proposal)) };
}

async function askModel(proposal: LocalAnswers): Promise<Pick<LocalAnswers, "key" | "model">> {
  const found = proposal.model;
  const choice = await answered(
    select<string>({
      message: "Which model answers?",
      options: [
        ...(found ? [{ value: "found", label: found.model, hint: found.source }] : []),
        ...knownProviders.map(({ id, label, model }) => ({
          value: id,
          label: `${label}, with an API key`,
          hint: model,
        })),
        { value: "none", label: "Decide later" },
      ],
    }),
  );
  if (choice === "found") return { key: proposal.key, model: found };
  const provider = knownProviders.find(({ id }) => id === choice);
  if (!provider) return { key: undefined, model: undefined };
  const key = await answered(
    password({
      message: `${provider.label} API key`,
      validate: (value) => (value?.trim() ? undefined : "the key, as the provider shows it"),
    }),
  );
  return { key: { provider, key: key.trim() }, model: { model: provider.model, source: "API key" } };
}

async function answered<T>(question: Promise<T>): Promise<Exclude<T, symbol>> {
  const answer = await question;
  if (isCancel(answer)) throw cancelled();
  return answer as Exclude<T, symbol>; // a symbol means cancelled, and no answer here is one
}

function cancelled(): Failure {
  return new Failure("aborted", "Set-up was cancelled; nothing was changed.");
}
