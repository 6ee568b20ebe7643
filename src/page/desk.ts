import type { Client } from "../client/client.ts";
import { Failure } from "../kit/error.ts";
import { isObject, type JsonObject } from "../kit/json.ts";
import { modelsIn } from "./models.ts";
import { emptyList, isStale, rowOf, withChange, withList, type SessionList } from "./sessions.ts";
import { commandsIn, type SlashCommand } from "./slash.ts";

/** What the page knows beside the open conversation. */
export interface DeskState {
  readonly list: SessionList;
  readonly models: readonly JsonObject[];
  readonly commands: readonly SlashCommand[];
  readonly devices: { readonly pending: readonly JsonObject[]; readonly paired: readonly JsonObject[] } | undefined;
  readonly health: JsonObject | undefined;
}

export interface DeskOptions {
  readonly client: () => Client | undefined;
  readonly changed: (state: DeskState) => void;
  readonly trouble: (text: string) => void;
  readonly clock: { after(ms: number, work: () => void): () => void };
}

export interface Desk {
  readonly state: DeskState;
  /** Asks for everything, after a connect. */
  readonly refresh: () => Promise<void>;
  readonly hear: (event: string, payload: unknown) => void;
  readonly search: (text: string) => void;
  readonly showArchived: (archived: boolean) => void;
  readonly more: () => void;
  /** Does something to the gateway and says so when it cannot. Answers whether it could. */
  readonly act: (what: string, work: (client: Client) => Promise<unknown>) => Promise<boolean>;
}

const pageSize = 100;
const typingMs = 150;

export function createDesk({ client, changed, trouble, clock }: DeskOptions): Desk {
  let state: DeskState = { list: emptyList, models: [], commands: [], devices: undefined, health: undefined };
  let limit = pageSize;
  let cancel: (() => void) | undefined;
  /** Grows with every question: the answer to a former one comes too late. */
  let asked = 0;

  function become(next: Partial<DeskState>): void {
    state = { ...state, ...next };
    changed(state);
  }

  /** What is asked for, and where the answer goes; a method that this connection may not call is left out. */
  async function load(what: string, work: (client: Client) => Promise<Partial<DeskState>>): Promise<void> {
    const connection = client();
    if (!connection) return;
    try {
      const next = await work(connection);
      if (client() === connection) become(next);
    } catch (thrown) {
      const failure = Failure.from(thrown);
      if (client() === connection && failure.code !== "forbidden")
        trouble(`${what} could not be loaded: ${failure.message}`);
    }
  }

  async function loadList(): Promise<void> {
    const own = ++asked;
    const { search, archived } = state.list;
    await load("The list of conversations", async (connection) => {
      const query = {
        limit,
        includeDerivedTitles: true,
        ...(search ? { search } : {}),
        ...(archived ? { archived } : {}),
      };
      const answer = await connection.call("sessions.list", query);
      return own === asked ? { list: withList(state.list, answer) } : {};
    });
  }

  function loadDevices(): Promise<void> {
    return load("The devices", async (connection) => {
      const { pending, paired } = await connection.call("device.pair.list", {});
      const objects = (list: readonly unknown[]) => list.filter(isObject);
      return { devices: { pending: objects(pending), paired: objects(paired) } };
    });
  }

  function soon(ms: number): void {
    cancel?.();
    cancel = clock.after(ms, () => void loadList());
  }

  return {
    get state() {
      return state;
    },
    async refresh() {
      const connection = client();
      const health =
        connection && isObject(connection.hello.payload["snapshot"]) && connection.hello.payload["snapshot"]["health"];
      if (isObject(health)) become({ health });
      // Before the list, so that nothing falls between them.
      await load("News of conversations", async (each) => {
        await each.call("sessions.subscribe", {});
        return {};
      });
      await Promise.all([
        loadList(),
        load("The models", async (each) => ({ models: modelsIn(await each.call("models.list", {})) })),
        load("The commands", async (each) => ({
          commands: commandsIn(await each.call("commands.list", { includeArgs: false })),
        })),
        loadDevices(),
      ]);
    },
    hear(event, payload) {
      if (event === "sessions.changed") {
        if (isStale(state.list)) soon(typingMs * 2);
        else become({ list: withChange(state.list, payload) });
      }
      if (event === "health" && isObject(payload)) become({ health: payload });
      if (event.startsWith("device.pair.") || (event === "presence" && state.devices)) void loadDevices();
    },
    search(text) {
      state = { ...state, list: { ...state.list, search: text } };
      limit = pageSize;
      soon(typingMs);
    },
    showArchived(archived) {
      state = { ...state, list: { ...state.list, archived } };
      limit = pageSize;
      soon(0);
    },
    more() {
      limit += pageSize;
      soon(0);
    },
    async act(what, work) {
      const connection = client();
      if (!connection) {
        trouble(`${what}: there is no connection now.`);
        return false;
      }
      try {
        await work(connection);
        return true;
      } catch (thrown) {
        trouble(`${what}: ${Failure.from(thrown).message}`);
        return false;
      }
    },
  };
}

/** What a session is called, from its row; by its key where nothing is known. */
export function titleOf({ list }: DeskState, key: string, row: JsonObject | undefined): string {
  const known = list.rows.find((each) => each.key === key);
  return (known ?? (row && rowOf(row)))?.title || "New chat";
}
