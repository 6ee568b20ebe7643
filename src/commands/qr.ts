import { span } from "../cli/format.ts";
import { clientOptions } from "../cli/options.ts";
import { numberAt, stringAt, textAt } from "../cli/pick.ts";
import { qrText } from "../cli/qr.ts";
import { ask } from "../cli/reach.ts";
import { Failure } from "../kit/error.ts";
import { command } from "./command.ts";

/** How to reach the gateway: `--url` has another meaning here. */
const { url: _url, ...reaching } = clientOptions;

/** Makes a setup code for a phone or another device, and shows it as a QR code. */
export const qr = command({
  path: ["qr"],
  summary: "Make a code that lets a phone or another device in, and show it as a QR code.",
  options: {
    url: {
      value: "<url>",
      description: "URL under which the device finds the gateway, instead of the configured one.",
    },
    "public-url": { value: "<url>", description: "The same as --url." },
    remote: { description: "Give the device gateway.remote.url where it is set." },
    limited: { description: "Without operator.admin for the device." },
    node: { description: "As a node only: no rights of an operator." },
    "setup-code-only": { description: "Print the setup code and nothing else." },
    "no-ascii": { description: "Draw no QR code." },
    ...reaching,
  },
  examples: [
    { command: "qr", description: "A QR code to scan with the app." },
    { command: "qr --limited", description: "A phone that may talk to the assistant and change no settings." },
    { command: "qr --url wss://gateway.example", description: "Under a name that a proxy of yours serves." },
    { command: "qr --setup-code-only", description: "A code to paste." },
  ],
  async run(context) {
    const { options, output, host } = context;
    const url = options.url ?? options["public-url"];
    if (options.limited && options.node)
      throw new Failure("usage", "--limited and --node exclude each other: pass one");
    // Here --url is the device's way to the gateway; this command's own is the profile's.
    const reach = { ...context, options: { ...options, url: undefined } };
    const params = {
      ...(url === undefined ? {} : { publicUrl: url }),
      ...(options.remote ? { preferRemoteUrl: true } : {}),
      ...(options.limited ? { bootstrapProfile: "limited" as const } : {}),
      ...(options.node ? { bootstrapProfile: "node" as const } : {}),
      includeQr: false,
    };
    const made = await ask(reach, "device.pair.setupCode", params, { scopes: ["operator.admin"] });
    const code = stringAt(made, "setupCode") ?? "";
    if (!/^[A-Za-z0-9_-]+$/.test(code)) throw new Failure("failed", "the gateway answered no setup code");
    if (output.json) output.data(made);
    else if (options["setup-code-only"]) output.raw(`${code}\n`);
    else {
      const lines = await show(code, made, {
        draw: !options["no-ascii"],
        columns: output.columns,
        now: host.clock.now(),
      });
      for (const line of lines) output.print(line);
    }
    return 0;
  },
});

const accesses: Readonly<Record<string, string>> = {
  full: "a node, and an operator with all rights",
  limited: "a node, and an operator without operator.admin",
  node: "a node",
};

interface Show {
  readonly draw: boolean;
  readonly columns: number;
  readonly now: number;
}

async function show(code: string, made: unknown, { draw, columns, now }: Show): Promise<readonly string[]> {
  const drawing = draw ? await drawn(code, columns) : [];
  const expires = numberAt(made, "expiresAtMs");
  return [
    ...drawing,
    `Setup code:  ${code}`,
    `Gateway:     ${textAt(made, "gatewayUrl") ?? "-"} (${textAt(made, "urlSource") ?? "-"})`,
    `Lets in as:  ${accesses[textAt(made, "access") ?? ""] ?? "-"}`,
    `Valid for:   ${expires === undefined ? "-" : span(expires - now)}, once. Whoever has it gets in: show it to nobody else.`,
  ];
}

async function drawn(code: string, columns: number): Promise<readonly string[]> {
  const { encode } = await import("uqr");
  const { data, size } = encode(code, { border: 4 });
  if (size > columns)
    return [
      `The QR code needs ${size} columns and this terminal has ${columns}: make it wider, or paste the code.`,
      "",
    ];
  return [qrText(data), ""];
}
