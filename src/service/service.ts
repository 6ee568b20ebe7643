/** One gateway as a service of the operating system, whatever the system: what to run, as whom, and where it says what. */
export interface ServiceUnit {
  readonly names: ServiceNames;
  readonly scope: Scope;
  /** Such as `Clawdbot Gateway (profile: rescue, v1.2.0)`. */
  readonly description: string;
  /** Absolute path of the executable, then its arguments. Never a secret: `ps` shows them. */
  readonly program: readonly string[];
  /** Variables of the unit itself, which others may read. */
  readonly environment: Readonly<Record<string, string>>;
  /** Secret variables, for a file of mode 0600 of their own. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly secretsFile: string;
  readonly home: string;
  readonly stateFolder: string;
  /** The account that it runs as, in `system` scope. */
  readonly user?: string | undefined;
  readonly logFile: string;
  readonly errorFile: string;
  /** How long the gateway may take to finish what it does when it is told to stop. */
  readonly drainMs: number;
  /** The gateway can tell the supervisor when it is ready, and that it is alive (sd_notify(3)). */
  readonly notifies: boolean;
  /** The supervisor can wait longer before each further restart. */
  readonly backsOff: boolean;
}

/** `user`: runs for the person who installs it. `system`: runs for everybody, whoever is logged in; needs root. */
export type Scope = "user" | "system";

/** What the service is called, by system (cli.md 3.1). */
export interface ServiceNames {
  readonly launchd: string;
  /** With `.service`. */
  readonly systemd: string;
  readonly schtasks: string;
  /** The script that the Windows task runs; in the state folder. */
  readonly taskScript: string;
}

export interface RenderedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** What is installed, as its files say. */
export interface InstalledService {
  /** The unit, plist or task script. */
  readonly path: string;
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Secret variables of the service, from its file; never to be shown. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The files as they are on the disk now, to compare with what `render` would write. */
  readonly files: readonly RenderedFile[];
}

/** What the operating system says of the service. */
export interface ServiceState {
  /** Registered to start by itself: loaded, enabled, registered. */
  readonly loaded: boolean;
  readonly runtime: ServiceRuntime;
}

export interface ServiceRuntime {
  readonly status: "running" | "stopped" | "unknown";
  /** The system's own word, such as `active` or `failed`. */
  readonly state?: string;
  readonly subState?: string;
  readonly pid?: number;
  readonly lastExitStatus?: number;
  readonly lastExitReason?: string;
  /** How often the system started it again by itself. */
  readonly restarts?: number;
  readonly lastRunTime?: string;
  readonly lastRunResult?: string;
  /** Why nothing is known. */
  readonly detail?: string;
}

/** Another service on this machine that looks like a gateway. */
export interface ForeignService {
  readonly platform: "darwin" | "linux" | "windows";
  readonly label: string;
  /** Such as `unit: /etc/systemd/system/other.service`. */
  readonly detail: string;
  readonly scope: Scope;
  /** Commands that a person may type to be rid of it. */
  readonly remove: readonly string[];
}

/**
 * A system's way to keep a program running. `render` and `steps` say what would be done and do nothing; the rest asks
 * the system's own tools. A method rejects with a Failure `unavailable` when those tools cannot be used here, saying
 * what is missing, and `failed` when they refuse.
 */
export interface ServiceManager {
  readonly kind: "launchd" | "systemd" | "schtasks";
  readonly words: ServiceWords;
  /** What this version of the system can do, for the unit. */
  abilities(): Promise<Pick<ServiceUnit, "notifies" | "backsOff">>;
  render(unit: ServiceUnit): Promise<readonly RenderedFile[]>;
  /** The commands that a verb runs, in their order, each as program and arguments. */
  steps(verb: Verb, names: ServiceNames, scope: Scope): Promise<readonly (readonly string[])[]>;
  /** The service's name as its tools want it, such as `gui/501/ai.openclaw.gateway`. */
  target(names: ServiceNames, scope: Scope): Promise<string>;
  /** The unit, plist or task script, whether it is there or not. */
  path(names: ServiceNames, scope: Scope): Promise<string>;
  /** What the files on the disk say; undefined when it is not installed. Works without the system's tools. */
  installed(names: ServiceNames, scope: Scope): Promise<InstalledService | undefined>;
  state(names: ServiceNames, scope: Scope): Promise<ServiceState>;
  /** Writes the files, registers the service and starts it; one that runs already is started anew. */
  install(unit: ServiceUnit): Promise<void>;
  /** Stops and unregisters it and removes its files; answers their paths, none when nothing was there. */
  uninstall(names: ServiceNames, scope: Scope): Promise<readonly string[]>;
  /** `start` leaves one that runs alone. */
  control(verb: Exclude<Verb, "install" | "uninstall">, names: ServiceNames, scope: Scope): Promise<void>;
  /** Others that look like a gateway; `deep` also looks where the system keeps its own. */
  foreign(names: ServiceNames, options: { deep: boolean }): Promise<readonly ForeignService[]>;
  /** Present where a user's services end with the last logout, unless the system is told otherwise. */
  readonly lingering?: Lingering;
}

export type Verb = "install" | "uninstall" | "start" | "stop" | "restart";

export interface Lingering {
  /** Whether services of this person live on after logout; undefined when the system does not say. */
  state(): Promise<boolean | undefined>;
  enable(): Promise<void>;
  /** What `enable` runs. */
  readonly command: readonly string[];
}

/** How people know it (cli.md 3.1). */
export interface ServiceWords {
  /** `LaunchAgent`, `systemd`, `Scheduled Task`. */
  readonly label: string;
  readonly loaded: string;
  readonly notLoaded: string;
}
