import { join, tildify } from "../host/paths.ts";
import type { WalkEntry } from "../host/walk.ts";
import type { Check, CheckContext, Finding, Level } from "./check.ts";

/** Who may read and change the files: folders for their owner alone (0700), files likewise (0600), nothing by links. */
export const permissions: Check = {
  id: "permissions",
  title: "State integrity",
  security: true,
  async look(context) {
    const { host, paths, config } = context;
    const state = await host.files.stat(paths.state);
    if (!state) return [missingState(context)];
    if (state.kind !== "folder")
      return [
        {
          code: "state-folder-not-a-folder",
          level: "error",
          message: `${tildify(host, paths.state)} is not a folder: move it away.`,
          path: paths.state,
        },
      ];
    const { entries, unreadable, cut } = await context.files();
    const configIsInside = entries.some(({ path }) => path === paths.config);
    const outside = await Promise.all(
      [...(configIsInside ? [] : [paths.config]), ...config.included].map((path) => entryOf(context, path)),
    );
    // Each file's modes are those of Windows' own lists there, which numbers do not show.
    const all = host.os === "windows" ? [] : [...outside.flat(), ...entries];
    return [
      ...unreadable.map(({ path, reason }): Finding => ({
        code: "state-folder-unreadable",
        level: "error",
        message: `${tildify(host, path)} cannot be read: ${reason}.`,
        path,
        command: `ls -ld ${tildify(host, path)}`,
      })),
      ...links(context, await entryOf(context, paths.state), [...outside.flat(), ...entries]),
      ...(host.os === "windows" ? [] : stateModes(context, state.mode)),
      ...kinds.flatMap((kind) => ofKind(context, kind, all)),
      ...(await synchronised(context)),
      ...(cut
        ? [
            {
              code: "state-folder-huge",
              level: "info" as const,
              message: `${tildify(host, paths.state)} holds more than ${entries.length} files: the rest was not looked at.`,
              path: paths.state,
            },
          ]
        : []),
    ];
  },
};

function missingState({ host, paths, program }: CheckContext): Finding {
  const folder = tildify(host, paths.state);
  return {
    code: "state-folder-missing",
    level: "warning",
    message: `${folder} does not exist yet: the gateway keeps everything there.`,
    path: paths.state,
    command: `${program} setup`,
    fix: {
      question: `Create ${folder}?`,
      async apply() {
        await host.files.makeFolder(paths.state);
        return `Created ${folder}.`;
      },
    },
  };
}

/** A file beside the state folder, as if the walk had found it. */
async function entryOf({ host, paths }: CheckContext, path: string): Promise<readonly WalkEntry[]> {
  const [stat, real, parent] = await Promise.all([
    host.files.stat(path),
    host.files.realPath(path),
    host.files.realPath(join(path, "..")),
  ]);
  if (!stat || real === undefined || parent === undefined) return [];
  const link = real.replaceAll("\\", "/") !== join(parent, path.slice(path.lastIndexOf("/") + 1));
  return [{ path, name: path === paths.config ? "config" : path, stat, link }];
}

function links({ host, paths }: CheckContext, state: readonly WalkEntry[], entries: readonly WalkEntry[]): Finding[] {
  const found = (code: string, path: string, message: string): Finding => ({
    code,
    level: "warning",
    message: `${tildify(host, path)} is a link: ${message}`,
    path,
  });
  const inside = entries.filter(({ link }) => link);
  return [
    ...state
      .filter(({ link }) => link)
      .map(({ path }) =>
        found("fs.state_dir.symlink", path, "whoever may change what it leads to may change the state."),
      ),
    ...inside
      .filter(({ path }) => path === paths.config)
      .map(({ path }) =>
        found("fs.config.symlink", path, "whoever may change what it leads to may change the configuration."),
      ),
    ...inside
      .filter(({ path }) => path !== paths.config)
      .slice(0, 10)
      .map(({ path }) =>
        found("state-link", path, "what it leads to is not part of a backup, and is not looked at here."),
      ),
  ];
}

function stateModes(context: CheckContext, mode: number): Finding[] {
  const { host, paths } = context;
  const worst = [
    ["fs.state_dir.perms_world_writable", 0o002, "error", "changed by everybody on this machine"],
    ["fs.state_dir.perms_group_writable", 0o020, "warning", "changed by other users of its group"],
    ["fs.state_dir.perms_readable", 0o055, "warning", "looked into by other users"],
  ] as const;
  const found = worst.find(([, bits]) => (mode & bits) !== 0);
  if (!found) return [];
  const [code, , level, what] = found;
  const folder = { path: paths.state, mode: 0o700 };
  return [tooOpen(context, { code, level, message: `${tildify(host, paths.state)} can be ${what}`, wrong: [folder] })];
}

/** A kind of file by where it is; the first that fits is the file's. */
interface Kind {
  readonly fits: (entry: WalkEntry, context: CheckContext) => boolean;
  readonly what: string;
  readonly writable: readonly [code: string, level: Level];
  readonly readable: readonly [code: string, level: Level];
  /** Where being read by the group and by everybody are two things. */
  readonly worldReadable?: readonly [code: string, level: Level];
}

const kinds: readonly Kind[] = [
  {
    what: "The configuration",
    fits: ({ path }, { paths }) => path === paths.config,
    writable: ["fs.config.perms_writable", "error"],
    readable: ["fs.config.perms_group_readable", "warning"],
    worldReadable: ["fs.config.perms_world_readable", "error"],
  },
  {
    what: "A file that the configuration includes",
    fits: ({ path }, { config }) => config.included.includes(path),
    writable: ["fs.config_include.perms_writable", "error"],
    readable: ["fs.config_include.perms_group_readable", "warning"],
    worldReadable: ["fs.config_include.perms_world_readable", "error"],
  },
  {
    what: "An earlier version of the configuration",
    fits: ({ name }) => /^config-history\/|^[^/]+\.json\.bak/.test(name),
    writable: ["config-backup-writable", "warning"],
    readable: ["config-backup-readable", "warning"],
  },
  {
    what: "A file of variables (.env)",
    fits: ({ name }) => /(^|\/)\.env$|\.env$/.test(name),
    writable: ["env-file-writable", "error"],
    readable: ["env-file-readable", "error"],
  },
  {
    what: "A file of credentials for models",
    fits: ({ name }) => /^agents\/[^/]+\/agent(\/|$)/.test(name),
    writable: ["fs.auth_profiles.perms_writable", "error"],
    readable: ["fs.auth_profiles.perms_readable", "warning"],
  },
  {
    what: "A file of credentials or keys",
    fits: ({ name }) => /^(credentials|identity|devices|nodes)(\/|$)/.test(name),
    writable: ["fs.credentials_dir.perms_writable", "error"],
    readable: ["fs.credentials_dir.perms_readable", "warning"],
  },
  {
    what: "A conversation",
    fits: ({ name }) =>
      /^(agents(\/[^/]+(\/sessions(\/|$))?|$)|sessions(\/|$)|search(\/|$)|media(\/|$)|runs(\/|$))/.test(name),
    writable: ["sessions-writable", "error"],
    readable: ["fs.sessions_store.perms_readable", "warning"],
  },
  {
    what: "A log",
    fits: ({ name }) => /^logs(\/|$)/.test(name),
    writable: ["log-file-writable", "warning"],
    readable: ["fs.log_file.perms_readable", "warning"],
  },
  {
    what: "A file of the state",
    // A workspace may lie inside, and is its person's own to open.
    fits: ({ name }) => !name.startsWith("workspace"),
    writable: ["state-file-writable", "warning"],
    readable: ["state-file-readable", "info"],
  },
];

/** One finding for all files of a kind that are open in the same way, however many there are. */
function ofKind(context: CheckContext, kind: Kind, all: readonly WalkEntry[]): Finding[] {
  const before = kinds.slice(0, kinds.indexOf(kind));
  const mine = all.filter(
    (entry) => !entry.link && kind.fits(entry, context) && !before.some((other) => other.fits(entry, context)),
  );
  const writable = mine.filter(({ stat }) => (stat.mode & 0o022) !== 0);
  const rest = mine.filter((entry) => !writable.includes(entry));
  const world = kind.worldReadable ? rest.filter(({ stat }) => (stat.mode & 0o005) !== 0) : [];
  const readable = rest.filter((entry) => !world.includes(entry) && (entry.stat.mode & 0o055) !== 0);
  const finding = (entries: readonly WalkEntry[], [code, level]: readonly [string, Level], how: string): Finding[] => {
    const [first, ...others] = entries;
    if (!first) return [];
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    const message = `${kind.what} can be ${how}: ${tildify(context.host, first.path)}${more}`;
    const wrong = entries.map(({ path, stat }) => ({ path, mode: stat.kind === "folder" ? 0o700 : 0o600 }));
    return [tooOpen(context, { code, level, message, wrong })];
  };
  return [
    ...finding(writable, kind.writable, "changed by other users"),
    ...finding(world, kind.worldReadable ?? kind.readable, "read by everybody on this machine"),
    ...finding(readable, kind.readable, "read by other users"),
  ];
}

interface TooOpen extends Pick<Finding, "code" | "level" | "message"> {
  /** What is open, and the mode that it should have. */
  readonly wrong: readonly { readonly path: string; readonly mode: number }[];
}

function tooOpen({ host, program }: CheckContext, { wrong, message, ...finding }: TooOpen): Finding {
  const [first] = wrong;
  const short = first ? tildify(host, first.path) : "";
  const mode = (first?.mode ?? 0o600).toString(8);
  return {
    ...finding,
    message: `${message}.`,
    path: first?.path ?? "",
    command: wrong.length === 1 ? `chmod ${mode} ${short}` : `${program} doctor --fix`,
    fix: {
      question: wrong.length === 1 ? `Run chmod ${mode} ${short}?` : `Close ${wrong.length} files to other users?`,
      async apply() {
        for (const { path, mode } of wrong) await host.files.chmod(path, mode);
        return wrong.length === 1
          ? `Set the mode of ${short} to 0${mode}.`
          : `Closed ${wrong.length} files to other users, ${short} first.`;
      },
    },
  };
}

/** Folders that a program copies to other machines. */
async function synchronised({ host, paths }: CheckContext): Promise<Finding[]> {
  const real = (await host.files.realPath(paths.state)) ?? paths.state;
  const service =
    /\/(Dropbox|OneDrive|Google ?Drive|iCloud ?Drive|Mobile Documents|Nextcloud|pCloud ?Drive)(\/|$| - )/i.exec(
      real.replaceAll("\\", "/"),
    )?.[1];
  if (service === undefined) return [];
  return [
    {
      code: "fs.synced_dir",
      level: "warning",
      message: `${tildify(host, paths.state)} is copied elsewhere by ${service}: secrets and conversations with it, and files change under the gateway.`,
      path: paths.state,
    },
  ];
}
